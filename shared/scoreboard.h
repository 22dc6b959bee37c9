/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scoreboard.h - a row for each living worker: who it is, how it does, what it counted.
 *
 * The master assigns and frees rows; everything in a row but its identity is written by its worker
 * alone. Other workers read `stamp_ms` and `paused` to see whose sockets they have to serve.
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

/* Of the living and the dead. */
uint64_t scoreboard_sum(const struct scoreboard *scoreboard, enum stat_counter stat);
uint64_t scoreboard_sum_closed(const struct scoreboard *scoreboard, enum close_reason reason);

/* The worker of `generation` in `slot` neither pauses nor has been silent for `hang_ms` (0: never
 * silent). An empty slot counts as hanging: its worker died and is not replaced yet. */
bool scoreboard_slot_serves(const struct scoreboard *scoreboard, unsigned slot, uint64_t generation,
        uint64_t now_ms, uint64_t hang_ms);

#endif
