/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limits_test.c - what a worker asks for, what it gets, and when the master warns.
 *
 * Limits and CPUs belong to a process: each case is a child that tells of them through shared
 * memory.
 */
#include "master/limits.h"

#include "shared/config.h"
#include "shared/log.h"
#include "shared/log_file.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { CONNECTIONS = 300, SOCKETS = 4, BOUND = 1, FREE = 2, BOTH = BOUND | FREE };

/* What a child tells. */
struct seen {
	struct rlimit limit;
	cpu_set_t cpus;
	char log[2048];
};

static struct seen *seen;
static uint64_t needed; /* of CONNECTIONS and SOCKETS */

static struct config configuration(uint64_t rlimit_nofile)
{
	return (struct config){
	        .main = {.worker_connections = CONNECTIONS, .worker_rlimit_nofile = rlimit_nofile}};
}

static int set_up(void **state)
{
	struct config config = configuration(0);

	(void)state;
	needed = limits_descriptors_needed(&config, SOCKETS);
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return seen == MAP_FAILED ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	return munmap(seen, sizeof(*seen));
}

/* The log of this process goes into seen->log from now on. */
static int log_into_pipe(struct log_file *file)
{
	int pipes[2];

	if (pipe2(pipes, O_NONBLOCK) != 0)
		_exit(90);
	*file = (struct log_file){.path = "pipe", .fd = -1};
	log_file_replace(file, pipes[1]);
	log_set_sinks(&(struct log_sink){file, LOG_DEBUG}, 1);
	return pipes[0];
}

/* A child with these limits calls limits_warn and limits_apply. */
static void in_child(const struct config *config, rlim_t soft, rlim_t hard, unsigned slot)
{
	int status;

	memset(seen, 0, sizeof(*seen));
	pid_t pid = fork();
	if (pid == 0) {
		struct log_file file;
		int reader = log_into_pipe(&file);
		if (setrlimit(RLIMIT_NOFILE, &(struct rlimit){soft, hard}) != 0)
			_exit(91);
		limits_warn(config, SOCKETS);
		getrlimit(RLIMIT_NOFILE, &seen->limit);
		if (seen->limit.rlim_cur != soft || seen->limit.rlim_max != hard)
			_exit(92); /* a warning changes nothing */
		limits_apply(config, SOCKETS, slot);
		getrlimit(RLIMIT_NOFILE, &seen->limit);
		sched_getaffinity(0, sizeof(seen->cpus), &seen->cpus);
		if (read(reader, seen->log, sizeof(seen->log) - 1) < 0)
			seen->log[0] = '\0';
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void connections_sockets_and_logs_are_counted(void **state)
{
	struct config config = configuration(0);

	(void)state;
	assert_true(needed >= CONNECTIONS + SOCKETS + 16);
	assert_int_equal(limits_descriptors_needed(&config, SOCKETS + 7), needed + 7);
	config.log_path_count = 3;
	assert_int_equal(limits_descriptors_needed(&config, SOCKETS), needed + 3);
	config.main.worker_connections = UINT32_MAX; /* no overflow */
	assert_true(limits_descriptors_needed(&config, SOCKETS) > UINT32_MAX);
}

/* A child that may set one limit after the other. */
static bool may_set(struct rlimit first, struct rlimit second)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(setrlimit(RLIMIT_NOFILE, &first) == 0 &&
		                        setrlimit(RLIMIT_NOFILE, &second) == 0
		                ? 0
		                : 1);
	waitpid(pid, &status, 0);
	return status == 0;
}

static bool may_raise_hard_limit(void)
{
	return may_set((struct rlimit){64, 64}, (struct rlimit){65, 65});
}

/* Memcheck keeps descriptors for itself and lets nobody touch the hard limit. */
static bool limits_are_real(void)
{
	return may_set((struct rlimit){64, 4096}, (struct rlimit){64, 64});
}

/* Limits before, what is configured, and the limits after. */
static void the_soft_limit_is_raised_as_far_as_it_may(void **state)
{
	const rlim_t n = needed;
	const struct row {
		const char *name;
		uint64_t configured; /* 0: auto */
		bool user;
		rlim_t soft, hard, soft_after, hard_after;
		int who; /* gets this: processes that may raise a hard limit, or that may not */
		const char *log; /* NULL: silence */
	} rows[] = {
	        {"auto raises to what is needed", 0, false, 64, 4096, n, 4096, BOTH, NULL},
	        {"auto takes nothing away", 0, false, 2048, 4096, 2048, 4096, BOTH, NULL},
	        {"auto stops at the hard limit", 0, true, 64, 200, 200, 200, BOTH,
	                "worker_connections = 300 needs"},
	        {"exactly enough", 0, false, n, n, n, n, BOTH, NULL},
	        {"one too few", 0, false, n - 1, n - 1, n - 1, n - 1, BOTH, "the limit is"},
	        {"a number is a word", 1000, false, 2048, 4096, 1000, 4096, BOTH, NULL},
	        {"a number up to the hard limit", 4000, false, 64, 2000, 2000, 2000, BOTH, NULL},
	        {"root goes beyond it", 2000, true, 64, 1000, 2000, 2000, FREE, NULL},
	        {"or up to it, without the capability", 2000, true, 64, 1000, 1000, 1000, BOUND,
	                "worker_rlimit_nofile = 2000: Operation not permitted; the limit is 1000"},
	        {"too low a number", 100, false, 1024, 4096, 100, 4096, BOTH,
	                "the limit is 100; raise it"},
	};

	(void)state;
	if (!limits_are_real())
		skip();
	bool may_raise = may_raise_hard_limit();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		if (!(row->who & (may_raise ? FREE : BOUND)))
			continue;
		struct config config = configuration(row->configured);
		config.main.user_name = row->user ? "somebody" : NULL;
		in_child(&config, row->soft, row->hard, 0);
		if (seen->limit.rlim_cur != row->soft_after ||
		        seen->limit.rlim_max != row->hard_after)
			fail_msg("%s: %llu, %llu", row->name,
			        (unsigned long long)seen->limit.rlim_cur,
			        (unsigned long long)seen->limit.rlim_max);
		if (row->log ? !strstr(seen->log, row->log) : seen->log[0] != '\0')
			fail_msg("%s: it says \"%s\"", row->name, seen->log);
	}
}

static size_t nth_cpu(const cpu_set_t *set, int n)
{
	size_t cpu = 0;

	for (; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, set) && n-- == 0)
			break;
	return cpu;
}

static void slots_take_the_allowed_cpus_in_turn(void **state)
{
	struct config config = configuration(0);
	cpu_set_t allowed;

	(void)state;
	if (!limits_are_real())
		skip();
	assert_int_equal(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
	int count = CPU_COUNT(&allowed);
	config.main.worker_cpu_affinity = true;
	for (int slot = 0; slot < 2 * count + 1; slot++) {
		in_child(&config, 64, 4096, (unsigned)slot);
		assert_int_equal(CPU_COUNT(&seen->cpus), 1);
		assert_true(CPU_ISSET(nth_cpu(&allowed, slot % count), &seen->cpus));
		assert_string_equal(seen->log, "");
	}
	config.main.worker_cpu_affinity = false;
	in_child(&config, 64, 4096, 0);
	assert_true(CPU_EQUAL(&seen->cpus, &allowed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(connections_sockets_and_logs_are_counted),
	        cmocka_unit_test(the_soft_limit_is_raised_as_far_as_it_may),
	        cmocka_unit_test(slots_take_the_allowed_cpus_in_turn),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
