/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_child.c - fork, load, report through a pipe.
 *
 * The child loads the configuration for good, credentials and all, so that what is too slow or
 * broken enough to crash a parser hits the child. It has its own process group, in which the
 * look-ups that it forks die with it.
 */
#include "master/config_child.h"

#include "master/config_source.h"
#include "master/loop.h"
#include "shared/check.h"
#include "shared/fd.h"
#include "shared/log.h"
#include "shared/process_title.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ_AT_ONCE = 64 * 1024, REPORT_MAX = 1 << 30, FAILURE_MAX = 160 };

struct config_child {
	struct loop_child process;
	struct loop_watch watch;
	struct loop_timer limit;
	uint64_t limit_ms;
	pid_t pid;
	int fd; /* -1: its end was seen */
	char *bytes;
	size_t length, capacity;
	bool timed_out;
	bool ended;
	int status;
	config_child_fn *fn;
	void *opaque;
};

size_t config_child_unresolved(const struct config *config)
{
	size_t count = 0;

	for (size_t i = 0; i < config->group_count; i++)
		for (size_t j = 0; j < config->groups[i].endpoint_count; j++)
			count += config->groups[i].endpoints[j].unresolved;
	return count;
}

/* ---- in the child ---- */

static void write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t put = write(fd, bytes, length);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			_exit(1);
		bytes += put;
		length -= (size_t)put;
	}
}

static void keep_addresses(struct config_source *source, const struct config *current)
{
	for (size_t i = 0; i < current->group_count; i++) {
		const struct config_group *group = &current->groups[i];
		for (size_t j = 0; j < group->endpoint_count; j++)
			if (group->endpoints[j].address.length)
				config_source_keep(source, group->endpoints[j].host,
				        &group->endpoints[j].address);
	}
}

static struct config_source *open_source(const struct config_job *job)
{
	struct config_source *source = job->remembered.data ? config_source_unpack(job->remembered)
	                                                    : config_source_create();

	CHECK(source);
	if (job->remembered.data)
		config_source_retry_names(source);
	if (job->current)
		keep_addresses(source, job->current);
	return source;
}

static void load(
        const struct config_job *job, struct config_source *source, struct config_report *report)
{
	struct config *config = config_load(source, job->options, &report->messages);

	report->outcome = config ? CONFIG_LOADED : CONFIG_REFUSED;
	if (config && job->remembered.data &&
	        config_child_unresolved(config) >= config_child_unresolved(job->current))
		report->outcome = CONFIG_SAME_NAMES;
}

_Noreturn static void run(const struct config_job *job, int fd, pid_t master)
{
	struct config_report report = {.outcome = CONFIG_REFUSED};
	size_t length, packed_length = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != master)
		_exit(1);
	setpgid(0, 0);
	process_title_set("configuration reader");
	log_set_sinks(NULL, 0); /* their numbers are about to be somebody else's */
	fd_close_all_but(&fd, 1);
	config_messages_init(&report.messages);
	struct config_source *source = open_source(job);
	load(job, source, &report);
	void *packed = NULL;
	if (report.outcome == CONFIG_LOADED)
		packed = config_source_pack(source, &packed_length);
	report.packed = (struct slice){packed, packed_length};
	void *bytes = config_report_encode(&report, &length);
	write_all(fd, bytes, length);
	_exit(0); /* memory and the keys in it go with the process */
}

/* ---- in the master ---- */

static void free_child(struct config_child *child)
{
	loop_child_stop(&child->process);
	loop_watch_stop(&child->watch);
	loop_timer_stop(&child->limit);
	fd_close(&child->fd);
	if (child->bytes)
		explicit_bzero(child->bytes, child->length);
	free(child->bytes);
	free(child);
}

static void describe_failure(const struct config_child *child, char failure[FAILURE_MAX])
{
	if (child->timed_out)
		snprintf(failure, FAILURE_MAX,
		        "reading the configuration took longer than %u s (a disk or name server "
		        "that does not answer?)",
		        (unsigned)(child->limit_ms / 1000));
	else if (WIFSIGNALED(child->status))
		snprintf(failure, FAILURE_MAX,
		        "the process that reads the configuration was killed by signal %d (%s)",
		        WTERMSIG(child->status), strsignal(WTERMSIG(child->status)));
	else
		snprintf(failure, FAILURE_MAX,
		        "the process that reads the configuration ended without a report "
		        "(status %d)",
		        WEXITSTATUS(child->status));
}

/* Both its end and the end of what it wrote have to be seen, in either order. */
static void finish_if_complete(struct config_child *child)
{
	struct config_report report;
	char failure[FAILURE_MAX];

	if (!child->ended || child->fd >= 0)
		return;
	bool whole = WIFEXITED(child->status) && WEXITSTATUS(child->status) == 0 &&
	             config_report_decode((struct slice){child->bytes, child->length}, &report);
	if (whole) {
		child->fn(child->opaque, &report, NULL);
		config_messages_clear(&report.messages);
	} else {
		describe_failure(child, failure);
		child->fn(child->opaque, NULL, failure);
	}
	free_child(child);
}

static void make_room(struct config_child *child)
{
	if (child->capacity - child->length >= READ_AT_ONCE)
		return;
	size_t capacity = child->capacity * 2 + READ_AT_ONCE;
	char *larger = malloc(capacity);
	CHECK(larger && capacity < REPORT_MAX);
	if (child->bytes) {
		memcpy(larger, child->bytes, child->length);
		explicit_bzero(child->bytes, child->length);
	}
	free(child->bytes);
	child->bytes = larger;
	child->capacity = capacity;
}

static void on_readable(struct loop_watch *watch)
{
	struct config_child *child = LIST_OBJECT(watch, struct config_child, watch);

	make_room(child);
	ssize_t got = read(child->fd, child->bytes + child->length, READ_AT_ONCE);
	if (got > 0) {
		child->length += (size_t)got;
		return;
	}
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	loop_watch_stop(watch);
	fd_close(&child->fd);
	finish_if_complete(child);
}

static void on_end(struct loop_child *process, int status)
{
	struct config_child *child = LIST_OBJECT(process, struct config_child, process);

	child->ended = true;
	child->status = status;
	finish_if_complete(child);
}

static void kill_all(const struct config_child *child)
{
	if (kill(-child->pid, SIGKILL) != 0)
		kill(child->pid, SIGKILL); /* it has no group of its own yet */
}

static void on_limit(struct loop_timer *timer)
{
	struct config_child *child = LIST_OBJECT(timer, struct config_child, limit);

	child->timed_out = true;
	kill_all(child);
}

struct config_child *config_child_start(struct loop *loop, const struct config_job *job,
        uint64_t limit_ms, config_child_fn *fn, void *opaque)
{
	struct config_child *child = calloc(1, sizeof(*child));
	pid_t master = getpid();
	int fds[2];

	CHECK(child);
	if (pipe2(fds, O_CLOEXEC) != 0) {
		free(child);
		return NULL;
	}
	child->fd = fds[0];
	child->fn = fn;
	child->opaque = opaque;
	child->limit_ms = limit_ms;
	child->pid = loop_fork();
	if (child->pid == 0)
		run(job, fds[1], master);
	int error = errno;
	close(fds[1]);
	if (child->pid < 0 || !fd_set_nonblocking(child->fd)) {
		free_child(child);
		errno = error;
		return NULL;
	}
	loop_child_start(&child->process, loop, child->pid, on_end);
	loop_watch_start(&child->watch, loop, child->fd, LOOP_READ, on_readable);
	loop_timer_start(&child->limit, loop, limit_ms, on_limit);
	return child;
}

void config_child_cancel(struct config_child *child)
{
	if (!child)
		return;
	if (!child->ended)
		kill_all(child);
	free_child(child);
}
