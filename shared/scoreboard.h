/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scoreboard.h - a row for each living worker: who it is, how it does, what it counted.
 *
 * The master assigns and frees rows; everything in a row but its identity is written by its worker
 * alone. Other workers read `stamp_ms` and `paused` to see whose sockets they have to serve. The
 * status process reads all of it.
 */
#ifndef SHARED_SCOREBOARD_H
#define SHARED_SCOREBOARD_H

#include "shared/close_reason.h"
#include "shared/stats_table.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { SCOREBOARD_ROWS = 1024 };

enum worker_state { WORKER_STARTING, WORKER_RUNNING, WORKER_DRAINING };

struct scoreboard_row {
	/* written by the master */
	_Atomic int32_t pid; /* 0: the row is free */
	uint32_t slot;
	uint64_t generation;
	/* written by the worker */
	_Alignas(64) _Atomic uint64_t
	        stamp_ms; /* CLOCK_MONOTONIC of the last turn of its loop; 0: none yet */
	_Atomic uint32_t state; /* enum worker_state */
	_Atomic uint32_t paused; /* 1: it accepts nothing for now */
	_Atomic uint32_t sessions; /* client connections it carries */
	_Atomic uint64_t counters[STAT_COUNT];
	_Atomic uint64_t closed[CLOSE_REASON_COUNT];
	_Atomic uint64_t failed[CLOSE_REASON_COUNT]; /* attempts to connect to an upstream */
	_Atomic uint64_t buckets[HISTOGRAM_COUNT][HISTOGRAM_BUCKET_COUNT]; /* not cumulated */
	_Atomic uint64_t observed_us[HISTOGRAM_COUNT]; /* the sum of what was observed */
};

/* Everything counted since the start, by the living and the dead. */
struct scoreboard_totals {
	uint64_t counters[STAT_COUNT];
	uint64_t closed[CLOSE_REASON_COUNT];
	uint64_t failed[CLOSE_REASON_COUNT];
	uint64_t buckets[HISTOGRAM_COUNT][HISTOGRAM_BUCKET_COUNT];
	uint64_t observed_us[HISTOGRAM_COUNT];
	uint64_t master[MASTER_STAT_COUNT];
	uint64_t sessions; /* client connections, now */
};

/* A living worker, at the moment of asking. */
struct scoreboard_worker {
	pid_t pid;
	unsigned slot;
	uint64_t generation;
	uint64_t stamp_ms;
	enum worker_state state;
	bool paused;
	uint32_t sessions;
};

struct scoreboard;

/* Anonymous shared memory, inherited by fork. NULL with errno. */
struct scoreboard *scoreboard_create(void);
void scoreboard_destroy(struct scoreboard *scoreboard);

/* Master: a free row, reset, with pid -1 until scoreboard_set_pid; SCOREBOARD_ROWS when there is
 * none. */
size_t scoreboard_take_row(struct scoreboard *scoreboard, unsigned slot, uint64_t generation);
void scoreboard_set_pid(struct scoreboard *scoreboard, size_t row, pid_t pid);
/* Master: adds the row's counters to those of the dead and frees it. */
void scoreboard_free_row(struct scoreboard *scoreboard, size_t row);

struct scoreboard_row *scoreboard_row(struct scoreboard *scoreboard, size_t row);

/* Worker: adds to its own row, without a locked instruction (it is the only writer). */
static inline void scoreboard_count(
        struct scoreboard_row *row, enum stat_counter stat, uint64_t amount)
{
	atomic_store_explicit(&row->counters[stat],
	        atomic_load_explicit(&row->counters[stat], memory_order_relaxed) + amount,
	        memory_order_relaxed);
}
void scoreboard_count_close(struct scoreboard_row *row, enum close_reason reason);
/* Worker: an attempt to connect to an upstream came to nothing, whoever is to blame for it. */
void scoreboard_count_failed_attempt(struct scoreboard_row *row, enum close_reason reason);
/* Worker: something took so long. */
void scoreboard_observe(
        struct scoreboard_row *row, enum histogram histogram, uint64_t microseconds);

/* Master. */
void scoreboard_count_master(struct scoreboard *scoreboard, enum master_stat stat);

/* Never less than what was read before, also while the master moves a dead worker's counts. */
void scoreboard_read_totals(
        const struct scoreboard *scoreboard, struct scoreboard_totals *totals_out);
/* In the order of their rows; returns how many. */
size_t scoreboard_read_workers(
        const struct scoreboard *scoreboard, struct scoreboard_worker workers_out[SCOREBOARD_ROWS]);

/* The worker of `generation` in `slot` neither pauses nor has been silent for `hang_ms` (0: never
 * silent). An empty slot counts as hanging: its worker died and is not replaced yet. */
bool scoreboard_slot_serves(const struct scoreboard *scoreboard, unsigned slot, uint64_t generation,
        uint64_t now_ms, uint64_t hang_ms);

#endif
