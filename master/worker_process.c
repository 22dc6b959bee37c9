/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker_process.c - fork, READY within its time, silence, end.
 *
 * A worker's record exists from the decision to start it (perhaps some seconds before the fork) to
 * its reaping. Nothing ends a record but the child's end (or a fork that fails): a worker that was
 * told to go, or was killed, is still there until it has been reaped.
 */
#include "master/worker_process.h"

#include "master/generation.h"
#include "master/hang_watch.h"
#include "master/listeners.h"
#include "master/loop.h"
#include "master/supervisor.h"
#include "master/worker_child.h"
#include "shared/check.h"
#include "shared/config.h"
#include "shared/fd.h"
#include "shared/scoreboard.h"
#include "shared/tls_session_store.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKER_PROCESS_MAGIC = 0x3c0a4e12 };

struct worker_process {
	unsigned magic;
	struct list link; /* in generation->workers */
	const struct worker_context *context;
	struct generation *generation;
	unsigned slot;
	size_t row; /* SCOREBOARD_ROWS: none */
	int control_fd; /* -1: not forked yet, or its end was seen */
	pid_t pid; /* 0: not forked yet */
	bool ready;
	struct loop_child child;
	struct loop_watch control;
	struct loop_timer timer; /* until the fork, then until READY */
	struct hang_watch hang;
};

#define EACH_WORKER(link, generation) LIST_EACH(link, &(generation)->workers)
#define WORKER_OF(link) LIST_OBJECT(link, struct worker_process, link)

enum { HOW_MAX = 160 };

static void end(struct worker_process *worker, const char *how)
{
	const struct worker_context *context = worker->context;
	struct generation *generation = worker->generation;
	unsigned slot = worker->slot;

	loop_timer_stop(&worker->timer);
	loop_watch_stop(&worker->control);
	fd_close(&worker->control_fd);
	if (worker->row != SCOREBOARD_ROWS)
		scoreboard_free_row(context->scoreboard, worker->row);
	generation->ready_count -= worker->ready;
	list_remove(&worker->link);
	worker->magic = 0;
	free(worker);
	context->on_end(context->opaque, generation, slot, how);
}

static void describe_end(const struct worker_process *worker, int status, char how[HOW_MAX])
{
	int used = snprintf(how, HOW_MAX, "worker %u (pid %d) ", worker->slot, (int)worker->pid);

	if (WIFSIGNALED(status))
		snprintf(how + used, (size_t)(HOW_MAX - used), "was killed by signal %d (%s)%s",
		        WTERMSIG(status), strsignal(WTERMSIG(status)),
		        WCOREDUMP(status) ? ", core dumped" : "");
	else
		snprintf(how + used, (size_t)(HOW_MAX - used), "exited with status %d",
		        WEXITSTATUS(status));
}

static void on_child_end(struct loop_child *child, int status)
{
	struct worker_process *worker = LIST_OBJECT(child, struct worker_process, child);
	char how[HOW_MAX];

	CHECK_OBJ(worker, WORKER_PROCESS_MAGIC);
	describe_end(worker, status, how);
	tls_session_store_release_locks_of(
	        generation_session_store(worker->generation), worker->pid);
	if (worker->generation->state == GENERATION_DRAINING) {
		/* Who stops us may have sent SIGTERM to the whole group. */
		bool wanted = WIFSIGNALED(status) ? WTERMSIG(status) == SIGTERM
		                                  : WEXITSTATUS(status) == 0;
		log_write(wanted ? LOG_INFO : LOG_ERROR, "%s; generation %" PRIu64 " was draining",
		        how, worker->generation->number);
	}
	end(worker, how);
}

static void on_control(struct loop_watch *watch)
{
	struct worker_process *worker = LIST_OBJECT(watch, struct worker_process, control);
	struct control_message message;
	int fd;

	CHECK_OBJ(worker, WORKER_PROCESS_MAGIC);
	switch (control_message_receive(worker->control_fd, &message, &fd)) {
	case CONTROL_NOTHING:
		return;
	case CONTROL_END: /* its end follows as a SIGCHLD */
		loop_watch_stop(&worker->control);
		fd_close(&worker->control_fd);
		return;
	case CONTROL_GOT:
		break;
	}
	fd_close(&fd);
	if (message.type != CONTROL_READY || worker->ready)
		return;
	worker->ready = true;
	loop_timer_stop(&worker->timer);
	worker->context->on_ready(worker->context->opaque, worker);
}

static void on_start_limit(struct loop_timer *timer)
{
	struct worker_process *worker = LIST_OBJECT(timer, struct worker_process, timer);

	log_write(LOG_ERROR, "worker %u (pid %d) was not ready within %d s and is killed",
	        worker->slot, (int)worker->pid, WORKER_START_LIMIT_MS / 1000);
	kill(worker->pid, SIGKILL);
}

/* The child's side of the fork; never returns. */
_Noreturn static void be_worker(const struct worker_process *worker, int control_fd)
{
	struct worker_inheritance inheritance = {
	        .generation = worker->generation,
	        .listeners = worker->context->listeners,
	        .scoreboard = worker->context->scoreboard,
	        .scoreboard_row = worker->row,
	        .ticket_key = worker->context->ticket_key,
	        .slot = worker->slot,
	        .control_fd = control_fd,
	        .log_floor = worker->context->log_floor,
	};

	worker_child_run(&inheritance, worker->context->run);
}

static bool open_control(int fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0;
}

static bool fork_now(struct worker_process *worker)
{
	const struct worker_context *context = worker->context;
	int fds[2];

	worker->row = scoreboard_take_row(
	        context->scoreboard, worker->slot, worker->generation->number);
	if (worker->row == SCOREBOARD_ROWS) {
		errno = EAGAIN;
		return false;
	}
	if (!open_control(fds))
		return false;
	worker->pid = loop_fork();
	if (worker->pid == 0)
		be_worker(worker, fds[1]);
	close(fds[1]);
	worker->control_fd = fds[0];
	if (worker->pid < 0)
		return false;
	scoreboard_set_pid(context->scoreboard, worker->row, worker->pid);
	loop_child_start(&worker->child, context->loop, worker->pid, on_child_end);
	loop_watch_start(&worker->control, context->loop, fds[0], LOOP_READ, on_control);
	loop_timer_start(&worker->timer, context->loop, WORKER_START_LIMIT_MS, on_start_limit);
	return true;
}

static void on_time_to_fork(struct loop_timer *timer)
{
	struct worker_process *worker = LIST_OBJECT(timer, struct worker_process, timer);
	char how[HOW_MAX];

	if (fork_now(worker))
		return;
	snprintf(how, sizeof(how), "worker %u could not be forked: %s", worker->slot,
	        strerror(errno));
	end(worker, how);
}

void worker_process_start(const struct worker_context *context, struct generation *generation,
        unsigned slot, uint64_t delay_ms)
{
	struct worker_process *worker = calloc(1, sizeof(*worker));

	CHECK(worker);
	worker->magic = WORKER_PROCESS_MAGIC;
	worker->context = context;
	worker->generation = generation;
	worker->slot = slot;
	worker->row = SCOREBOARD_ROWS;
	worker->control_fd = -1;
	list_append(&generation->workers, &worker->link);
	loop_timer_start(&worker->timer, context->loop, delay_ms, on_time_to_fork);
}

void worker_process_replace(const struct worker_context *context, struct generation *generation,
        unsigned slot, const char *how)
{
	uint64_t delay_ms = respawn_limit_delay(&generation->respawn_limits[slot], loop_clock_ms());

	scoreboard_count_master(context->scoreboard, MASTER_STAT_WORKERS_LOST);
	log_write(LOG_ERROR, "%s; it is replaced %s", how,
	        delay_ms ? "in a second, since its slot loses one after the other" : "at once");
	worker_process_start(context, generation, slot, delay_ms);
}

void worker_process_cancel_replacements(struct generation *generation)
{
	EACH_WORKER(link, generation)
	{
		struct worker_process *worker = WORKER_OF(link);
		if (worker->pid > 0)
			continue;
		loop_timer_stop(&worker->timer);
		list_remove(&worker->link);
		free(worker);
	}
}

bool worker_process_some_accept(const struct generation *generation)
{
	EACH_WORKER(link, generation)
	{
		const struct worker_process *worker = WORKER_OF(link);
		const struct scoreboard_row *row = scoreboard_row(
		        worker->context->scoreboard, worker->row);
		if (atomic_load(&row->state) == WORKER_RUNNING)
			return true;
	}
	return false;
}

struct generation *worker_process_generation(const struct worker_process *worker)
{
	return worker->generation;
}

static void tell(struct worker_process *worker, uint32_t type, uint32_t log_index, int fd)
{
	struct control_message message = {.type = type, .log_index = log_index};

	if (worker->control_fd < 0)
		return;
	if (!control_message_send(worker->control_fd, &message, fd) && errno == EAGAIN)
		log_write(LOG_WARN, "worker %u (pid %d) does not read what it is told",
		        worker->slot, (int)worker->pid);
}

void worker_process_tell_all(struct generation *generation, enum control_type type)
{
	EACH_WORKER(link, generation)
	tell(WORKER_OF(link), (uint32_t)type, 0, -1);
}

void worker_process_pass_log(struct generation *generation, uint32_t index, int fd)
{
	EACH_WORKER(link, generation)
	tell(WORKER_OF(link), CONTROL_REOPEN_LOG, index, fd);
}

void worker_process_signal_all(struct generation *generation, int number)
{
	EACH_WORKER(link, generation)
	if (WORKER_OF(link)->pid > 0)
		kill(WORKER_OF(link)->pid, number);
}

void worker_process_kill_unready(struct generation *generation)
{
	EACH_WORKER(link, generation)
	if (WORKER_OF(link)->pid > 0 && !WORKER_OF(link)->ready)
		kill(WORKER_OF(link)->pid, SIGKILL);
}

static void check(struct worker_process *worker, uint64_t stamp_ms, uint64_t now_ms)
{
	uint64_t hang_ms = worker->generation->config->main.worker_hang_timeout_ms;
	uint64_t silent_s = now_ms > stamp_ms ? (now_ms - stamp_ms) / 1000 : 0;

	switch (hang_watch_step(&worker->hang, stamp_ms, now_ms, hang_ms)) {
	case HANG_DO_NOTHING:
		return;
	case HANG_TELL:
		log_write(LOG_ERROR,
		        "worker %u (pid %d) hangs: its loop has not turned for %" PRIu64
		        " s; others serve its sockets",
		        worker->slot, (int)worker->pid, silent_s);
		return;
	case HANG_ABORT:
		log_write(LOG_ERROR, "worker %u (pid %d) has hung for %" PRIu64 " s and is aborted",
		        worker->slot, (int)worker->pid, silent_s);
		kill(worker->pid, SIGABRT);
		return;
	case HANG_KILL:
		log_write(LOG_ERROR, "worker %u (pid %d) does not end and is killed", worker->slot,
		        (int)worker->pid);
		kill(worker->pid, SIGKILL);
		return;
	case HANG_TELL_OF_RECOVERY:
		log_write(LOG_NOTICE, "worker %u (pid %d) goes on", worker->slot, (int)worker->pid);
		return;
	}
}

void worker_process_check_all(const struct worker_context *context, struct generation *generation)
{
	uint64_t now_ms = loop_clock_ms();

	EACH_WORKER(link, generation)
	{
		struct worker_process *worker = WORKER_OF(link);
		if (worker->pid <= 0)
			continue;
		const struct scoreboard_row *row = scoreboard_row(context->scoreboard, worker->row);
		check(worker, atomic_load(&row->stamp_ms), now_ms);
	}
}
