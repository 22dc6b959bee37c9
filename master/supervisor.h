/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * supervisor.h - the workers of all generations: forked, watched, replaced, drained and reaped.
 *
 * At any time one generation serves; others start or drain. Only a serving generation's workers are
 * replaced when they die. Nothing here reads files or opens sockets.
 */
#ifndef MASTER_SUPERVISOR_H
#define MASTER_SUPERVISOR_H

#include "master/generation.h"
#include "shared/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct listeners;
struct loop;
struct scoreboard;
struct supervisor;
struct ticket_key;
struct worker_env;

enum { WORKER_START_LIMIT_MS = 10 * 1000 };

struct supervisor_settings {
	struct loop *loop;
	struct listeners *listeners;
	struct scoreboard *scoreboard;
	struct ticket_key *ticket_key;
	enum log_level log_floor; /* -q: LOG_ERROR */
	/* The whole life of a worker; NULL: the real one. Tests have their own. */
	int (*run)(const struct worker_env *env);
	void *opaque; /* of the functions below, each called with no generation half changed */
	/* Every worker of a starting generation is ready. */
	void (*on_ready)(void *opaque, struct generation *generation);
	/* A worker of a starting generation died or took too long. The callee abandons it. */
	void (*on_start_failed)(void *opaque, struct generation *generation, const char *reason);
	/* A drained generation was freed. */
	void (*on_generation_gone)(void *opaque);
};

struct supervisor *supervisor_create(const struct supervisor_settings *settings);
/* No generation is left. NULL is fine. */
void supervisor_destroy(struct supervisor *supervisor);

/* Forks the workers of a generation whose listeners are staged, and owns it from now on. One of
 * on_ready and on_start_failed follows, later. */
void supervisor_start(struct supervisor *supervisor, struct generation *generation);
/* A starting generation serves, and the one that served drains. */
void supervisor_commit(struct supervisor *supervisor, struct generation *generation);
/* A starting generation comes to nothing: ready workers finish what they carry, others are killed.
 */
void supervisor_abandon(struct supervisor *supervisor, struct generation *generation);

/* The serving generation, NULL before the first commit. */
struct generation *supervisor_serving(const struct supervisor *supervisor);
/* The number of the next generation, from 1. */
uint64_t supervisor_next_number(struct supervisor *supervisor);
/* Some worker was told to drain and did not hear of it yet. */
bool supervisor_old_ones_accept(const struct supervisor *supervisor);
bool supervisor_is_empty(const struct supervisor *supervisor);
size_t supervisor_worker_count(const struct supervisor *supervisor);

/* No worker is replaced any more. Drain: each ends when its last connection has. Quit: at once, and
 * who has not gone after 5 s is killed. */
void supervisor_drain_all(struct supervisor *supervisor);
void supervisor_quit_all(struct supervisor *supervisor);

/* USR1: log files of all generations, here and in their workers. False when some stayed what they
 * were. */
bool supervisor_reopen_logs(struct supervisor *supervisor);
/* Once a second: hung workers. */
void supervisor_tick(struct supervisor *supervisor);

#endif
