/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * supervisor_test.c - real processes with a life of a few lines in place of the worker's.
 *
 * How a worker of the test behaves is written into its configuration's worker_buffers, a number
 * that the supervisor does not read.
 */
#include "master/supervisor.h"

#include "master/listeners.h"
#include "master/loop.h"
#include "master/respawn_limit.h"
#include "shared/arena.h"
#include "shared/config.h"
#include "shared/control_message.h"
#include "shared/scoreboard.h"
#include "shared/ticket_key.h"
#include "shared/tls_session_set.h"
#include "shared/tls_session_store.h"
#include "shared/worker_env.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum behaviour { OBEDIENT, DIES_AT_ONCE, LINGERS, STOPS_STAMPING };

struct rig {
	struct loop *loop;
	struct listeners *listeners;
	struct scoreboard *scoreboard;
	struct ticket_key *ticket_key;
	struct supervisor *supervisor;
	struct loop_timer limit, tick;
	unsigned ready, failed, gone;
	char reason[256];
	unsigned wanted_gone; /* the loop stops after so many */
};

static void stamp(const struct worker_env *env)
{
	atomic_store(
	        &scoreboard_row(env->scoreboard, env->scoreboard_row)->stamp_ms, loop_clock_ms());
}

static bool is_told_to_go(const struct worker_env *env, enum behaviour behaviour)
{
	struct control_message message;
	int fd;

	switch (control_message_receive(env->control_fd, &message, &fd)) {
	case CONTROL_GOT:
		return message.type == CONTROL_QUIT || message.type == CONTROL_CUT ||
		       behaviour != LINGERS;
	case CONTROL_NOTHING:
		return false;
	case CONTROL_END:
		return true;
	}
	return true;
}

static int run_worker(const struct worker_env *env)
{
	enum behaviour behaviour = (enum behaviour)env->config->main.worker_buffers;
	struct control_message ready = {.type = CONTROL_READY};
	struct pollfd poller = {.fd = env->control_fd, .events = POLLIN};

	if (behaviour == DIES_AT_ONCE)
		_exit(3);
	stamp(env);
	control_message_send(env->control_fd, &ready, -1);
	for (;;) {
		poll(&poller, 1, 100);
		if (is_told_to_go(env, behaviour))
			_exit(0);
		if (behaviour != STOPS_STAMPING)
			stamp(env);
	}
}

static void on_ready(void *opaque, struct generation *generation)
{
	struct rig *rig = opaque;

	rig->ready++;
	supervisor_commit(rig->supervisor, generation);
	loop_stop(rig->loop);
}

static void on_start_failed(void *opaque, struct generation *generation, const char *reason)
{
	struct rig *rig = opaque;

	rig->failed++;
	snprintf(rig->reason, sizeof(rig->reason), "%s", reason);
	supervisor_abandon(rig->supervisor, generation);
	loop_stop(rig->loop);
}

static void on_generation_gone(void *opaque)
{
	struct rig *rig = opaque;

	if (++rig->gone == rig->wanted_gone)
		loop_stop(rig->loop);
}

static void on_limit(struct loop_timer *timer)
{
	loop_stop(LIST_OBJECT(timer, struct rig, limit)->loop);
}

static void on_tick(struct loop_timer *timer)
{
	struct rig *rig = LIST_OBJECT(timer, struct rig, tick);

	supervisor_tick(rig->supervisor);
	loop_timer_start(timer, rig->loop, 100, on_tick);
}

static void run(struct rig *rig, uint64_t limit_ms)
{
	loop_timer_start(&rig->limit, rig->loop, limit_ms, on_limit);
	loop_run(rig->loop);
	loop_timer_stop(&rig->limit);
}

static int open_rig(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	*state = rig;
	rig->loop = loop_create();
	rig->listeners = listeners_create();
	rig->scoreboard = scoreboard_create();
	rig->ticket_key = ticket_key_create();
	rig->supervisor = supervisor_create(&(struct supervisor_settings){
	        .loop = rig->loop,
	        .listeners = rig->listeners,
	        .scoreboard = rig->scoreboard,
	        .ticket_key = rig->ticket_key,
	        .run = run_worker,
	        .opaque = rig,
	        .on_ready = on_ready,
	        .on_start_failed = on_start_failed,
	        .on_generation_gone = on_generation_gone,
	});
	loop_timer_start(&rig->tick, rig->loop, 100, on_tick);
	return 0;
}

static int close_rig(void **state)
{
	struct rig *rig = *state;

	rig->wanted_gone = 0;
	supervisor_quit_all(rig->supervisor);
	for (int i = 0; i < 100 && !supervisor_is_empty(rig->supervisor); i++)
		run(rig, 100);
	loop_timer_stop(&rig->tick);
	supervisor_destroy(rig->supervisor);
	listeners_destroy(rig->listeners);
	ticket_key_destroy(rig->ticket_key);
	scoreboard_destroy(rig->scoreboard);
	loop_destroy(rig->loop);
	free(rig);
	return 0;
}

static void start(struct rig *rig, unsigned workers, enum behaviour behaviour)
{
	struct config *config = calloc(1, sizeof(*config));
	const struct generation *serving = supervisor_serving(rig->supervisor);
	char fault[256];

	config->arena = arena_create(4096);
	config->main = (struct config_main){
	        .workers = workers,
	        .worker_connections = 16,
	        .worker_buffers = behaviour,
	        /* Others are not to count as hanging where the machine is slow. */
	        .worker_hang_timeout_ms = behaviour == STOPS_STAMPING ? 500 : 60 * 1000,
	        .max_generations = 1,
	        .tls_session_cache_size = TLS_SESSION_STORE_BYTES_MIN,
	};
	struct generation *generation = generation_create(
	        config, supervisor_next_number(rig->supervisor), serving, fault, sizeof(fault));
	if (!generation)
		fail_msg("%s", fault);
	supervisor_start(rig->supervisor, generation);
	run(rig, 5000);
}

/* Of the serving generation, by the scoreboard; 0 while there is none. */
static pid_t pid_in_slot(struct rig *rig, unsigned slot)
{
	uint64_t number = supervisor_serving(rig->supervisor)->number;

	for (size_t i = 0; i < 64; i++) {
		const struct scoreboard_row *row = scoreboard_row(rig->scoreboard, i);
		if (atomic_load(&row->pid) > 0 && row->slot == slot && row->generation == number)
			return atomic_load(&row->pid);
	}
	return 0;
}

static pid_t wait_for_other(struct rig *rig, unsigned slot, pid_t old)
{
	for (int i = 0; i < 200; i++) {
		pid_t pid = pid_in_slot(rig, slot);
		if (pid && pid != old)
			return pid;
		run(rig, 20);
	}
	return 0;
}

static void a_generation_is_ready_when_all_workers_are(void **state)
{
	struct rig *rig = *state;

	start(rig, 3, OBEDIENT);
	assert_int_equal(rig->ready, 1);
	assert_int_equal(supervisor_worker_count(rig->supervisor), 3);
	assert_int_equal(supervisor_serving(rig->supervisor)->state, GENERATION_SERVING);
}

static void a_killed_worker_is_replaced_and_its_counts_stay(void **state)
{
	struct rig *rig = *state;

	start(rig, 2, OBEDIENT);
	pid_t first = pid_in_slot(rig, 1);
	for (size_t i = 0; i < 2; i++)
		scoreboard_count(scoreboard_row(rig->scoreboard, i), STAT_ACCEPTED, 5);
	kill(first, SIGKILL);
	assert_int_not_equal(wait_for_other(rig, 1, first), 0);
	assert_int_equal(supervisor_worker_count(rig->supervisor), 2);
	struct scoreboard_totals totals;
	scoreboard_read_totals(rig->scoreboard, &totals);
	assert_int_equal(totals.counters[STAT_ACCEPTED], 10);
}

static void what_a_dead_worker_held_of_the_session_store_is_released(void **state)
{
	enum { FIRST_GUARD_AT = 64 };
	struct rig *rig = *state;
	size_t size;

	start(rig, 1, OBEDIENT);
	uint8_t *memory = tls_session_store_memory(
	        generation_session_store(supervisor_serving(rig->supervisor)), &size);
	struct tls_session_guard *guard = (struct tls_session_guard *)(memory + FIRST_GUARD_AT);
	pid_t first = pid_in_slot(rig, 0);
	assert_true(tls_session_guard_lock(guard, first));
	assert_false(tls_session_guard_lock(guard, getpid()));
	kill(first, SIGKILL);
	assert_int_not_equal(wait_for_other(rig, 0, first), 0);
	assert_true(tls_session_guard_lock(guard, getpid()));
	tls_session_guard_unlock(guard);
}

static void a_start_that_fails_leaves_the_old_generation(void **state)
{
	struct rig *rig = *state;

	start(rig, 2, OBEDIENT);
	pid_t old = pid_in_slot(rig, 0);
	rig->wanted_gone = 1;
	start(rig, 2, DIES_AT_ONCE);
	assert_int_equal(rig->failed, 1);
	assert_non_null(strstr(rig->reason, "exited with status 3"));
	if (rig->gone == 0)
		run(rig, 5000);
	assert_int_equal(rig->gone, 1);
	assert_int_equal(supervisor_worker_count(rig->supervisor), 2);
	assert_int_equal(pid_in_slot(rig, 0), old);
}

static void an_old_generation_drains_and_is_freed(void **state)
{
	struct rig *rig = *state;

	start(rig, 2, OBEDIENT);
	start(rig, 3, OBEDIENT);
	rig->wanted_gone = rig->gone + 1;
	if (rig->gone == 0)
		run(rig, 5000);
	assert_int_equal(rig->gone, 1);
	assert_int_equal(supervisor_worker_count(rig->supervisor), 3);
}

static void draining_generations_past_the_limit_are_cut(void **state)
{
	struct rig *rig = *state;

	start(rig, 1, LINGERS);
	start(rig, 1, LINGERS);
	run(rig, 300);
	assert_int_equal(rig->gone, 0); /* one may drain */
	rig->wanted_gone = 1;
	start(rig, 1, LINGERS);
	if (rig->gone == 0)
		run(rig, 5000);
	assert_int_equal(rig->gone, 1);
	assert_int_equal(supervisor_worker_count(rig->supervisor), 2);
}

/* Its slot has lost so many that the next waits: it is not forked for a generation that drains. */
static void a_replacement_that_waits_goes_with_its_generation(void **state)
{
	struct rig *rig = *state;
	pid_t pid = 0;

	start(rig, 1, OBEDIENT);
	for (int i = 0; i <= RESPAWN_BURST; i++) {
		pid = wait_for_other(rig, 0, pid);
		assert_int_not_equal(pid, 0);
		kill(pid, SIGKILL);
	}
	run(rig, 200);
	assert_int_equal(pid_in_slot(rig, 0), 0);
	start(rig, 1, OBEDIENT);
	run(rig, RESPAWN_PAUSE_MS + 200);
	assert_int_equal(rig->gone, 1);
	assert_int_equal(supervisor_worker_count(rig->supervisor), 1);
	assert_int_not_equal(pid_in_slot(rig, 0), 0);
}

static void a_hung_worker_is_aborted_and_replaced(void **state)
{
	struct rig *rig = *state;

	start(rig, 1, STOPS_STAMPING);
	pid_t first = pid_in_slot(rig, 0);
	assert_int_not_equal(wait_for_other(rig, 0, first), 0);
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, open_rig, close_rig)
	const struct CMUnitTest tests[] = {
	        WITH_RIG(a_generation_is_ready_when_all_workers_are),
	        WITH_RIG(a_killed_worker_is_replaced_and_its_counts_stay),
	        WITH_RIG(what_a_dead_worker_held_of_the_session_store_is_released),
	        WITH_RIG(a_start_that_fails_leaves_the_old_generation),
	        WITH_RIG(an_old_generation_drains_and_is_freed),
	        WITH_RIG(draining_generations_past_the_limit_are_cut),
	        WITH_RIG(a_replacement_that_waits_goes_with_its_generation),
	        WITH_RIG(a_hung_worker_is_aborted_and_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
