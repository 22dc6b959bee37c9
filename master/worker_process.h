/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker_process.h - one worker as its master sees it: a pid, a control socket, a scoreboard row.
 *
 * Called by the supervisor alone, which decides; here is how it is done.
 */
#ifndef MASTER_WORKER_PROCESS_H
#define MASTER_WORKER_PROCESS_H

#include "shared/control_message.h"
#include "shared/log.h"

#include <stdbool.h>
#include <stdint.h>

struct generation;
struct listeners;
struct loop;
struct scoreboard;
struct ticket_key;
struct worker_env;
struct worker_process;

struct worker_context {
	struct loop *loop;
	struct listeners *listeners;
	struct scoreboard *scoreboard;
	struct ticket_key *ticket_key;
	enum log_level log_floor;
	int (*run)(const struct worker_env *env);
	void *opaque; /* of the two below */
	void (*on_ready)(void *opaque, struct worker_process *worker);
	/* It is reaped and freed; or it could not be forked. `how`: "worker 3 (pid 4711) was killed
	 * by signal 9". */
	void (*on_end)(void *opaque, struct generation *generation, unsigned slot, const char *how);
};

/* Forks the worker of `slot`, `delay_ms` from now. */
void worker_process_start(const struct worker_context *context, struct generation *generation,
        unsigned slot, uint64_t delay_ms);
/* The same for one that died, as soon as its slot's limit allows; logs both. */
void worker_process_replace(const struct worker_context *context, struct generation *generation,
        unsigned slot, const char *how);
/* Those that wait for their time are not started. */
void worker_process_cancel_replacements(struct generation *generation);

/* Some worker of it has not said in its scoreboard row that it drains. */
bool worker_process_some_accept(const struct generation *generation);
struct generation *worker_process_generation(const struct worker_process *worker);

void worker_process_tell_all(struct generation *generation, enum control_type type);
void worker_process_signal_all(struct generation *generation, int number);
void worker_process_kill_unready(struct generation *generation);
/* A new descriptor for the log file of this index. */
void worker_process_pass_log(struct generation *generation, uint32_t index, int fd);
/* Tells of hung workers, and aborts and kills them when their time has come. */
void worker_process_check_all(const struct worker_context *context, struct generation *generation);

#endif
