/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scoreboard.c - the rows, and the sums of the workers that are no more.
 *
 * Rows are found by walking over those in use: the master hands out the lowest free one, so living
 * workers stand close together at the start. A row is published by its pid, last, and taken back by
 * it, first: who reads a pid other than 0 finds the identity that belongs to it.
 */
#include "shared/scoreboard.h"

#include "shared/check.h"
#include "shared/shared_memory.h"

#include <stdlib.h>
#include <string.h>

enum { SCOREBOARD_MAGIC = 0x5c04eb0a, SCOREBOARD_VERSION = 1, PID_PENDING = -1 };

struct segment {
	struct shared_header header;
	_Atomic uint32_t rows_used; /* rows from here on are free; written by the master */
	uint64_t dead_counters[STAT_COUNT]; /* the master's alone */
	uint64_t dead_closed[CLOSE_REASON_COUNT];
	struct scoreboard_row rows[SCOREBOARD_ROWS];
};

_Static_assert(sizeof(struct scoreboard_row) % 64 == 0, "a row must not share a cache line");
_Static_assert(sizeof(struct shared_header) == 16, "the header is part of the segment's format");

struct scoreboard {
	struct shared_memory memory;
	struct segment *segment;
};

struct scoreboard *scoreboard_create(void)
{
	struct scoreboard *scoreboard = calloc(1, sizeof(*scoreboard));

	if (!scoreboard)
		return NULL;
	if (!shared_memory_create(&scoreboard->memory, "sealane-scoreboard", sizeof(struct segment),
	            SCOREBOARD_MAGIC, SCOREBOARD_VERSION)) {
		free(scoreboard);
		return NULL;
	}
	scoreboard->segment = scoreboard->memory.base;
	return scoreboard;
}

void scoreboard_destroy(struct scoreboard *scoreboard)
{
	if (!scoreboard)
		return;
	shared_memory_destroy(&scoreboard->memory);
	free(scoreboard);
}

static void reset(struct scoreboard_row *row)
{
	atomic_store(&row->stamp_ms, 0);
	atomic_store(&row->state, (uint32_t)WORKER_STARTING);
	atomic_store(&row->paused, 0);
	atomic_store(&row->sessions, 0);
	for (size_t i = 0; i < STAT_COUNT; i++)
		atomic_store(&row->counters[i], 0);
	for (size_t i = 0; i < CLOSE_REASON_COUNT; i++)
		atomic_store(&row->closed[i], 0);
}

size_t scoreboard_take_row(struct scoreboard *scoreboard, unsigned slot, uint64_t generation)
{
	struct segment *segment = scoreboard->segment;
	size_t index = 0;

	while (index < SCOREBOARD_ROWS && atomic_load(&segment->rows[index].pid) != 0)
		index++;
	if (index == SCOREBOARD_ROWS)
		return index;
	struct scoreboard_row *row = &segment->rows[index];
	reset(row);
	row->slot = slot;
	row->generation = generation;
	atomic_store(&row->pid, PID_PENDING);
	if (index >= atomic_load(&segment->rows_used))
		atomic_store(&segment->rows_used, (uint32_t)index + 1);
	return index;
}

void scoreboard_set_pid(struct scoreboard *scoreboard, size_t row, pid_t pid)
{
	atomic_store(&scoreboard_row(scoreboard, row)->pid, (int32_t)pid);
}

void scoreboard_free_row(struct scoreboard *scoreboard, size_t index)
{
	struct segment *segment = scoreboard->segment;
	struct scoreboard_row *row = scoreboard_row(scoreboard, index);

	for (size_t i = 0; i < STAT_COUNT; i++)
		segment->dead_counters[i] += atomic_load(&row->counters[i]);
	for (size_t i = 0; i < CLOSE_REASON_COUNT; i++)
		segment->dead_closed[i] += atomic_load(&row->closed[i]);
	atomic_store(&row->pid, 0);

	uint32_t used = atomic_load(&segment->rows_used);
	while (used > 0 && atomic_load(&segment->rows[used - 1].pid) == 0)
		used--;
	atomic_store(&segment->rows_used, used);
}

struct scoreboard_row *scoreboard_row(struct scoreboard *scoreboard, size_t row)
{
	CHECK(row < SCOREBOARD_ROWS);
	return &scoreboard->segment->rows[row];
}

void scoreboard_count_close(struct scoreboard_row *row, enum close_reason reason)
{
	CHECK((unsigned)reason < CLOSE_REASON_COUNT);
	atomic_store_explicit(&row->closed[reason],
	        atomic_load_explicit(&row->closed[reason], memory_order_relaxed) + 1,
	        memory_order_relaxed);
}

uint64_t scoreboard_sum(const struct scoreboard *scoreboard, enum stat_counter stat)
{
	const struct segment *segment = scoreboard->segment;
	uint64_t sum = segment->dead_counters[stat];
	uint32_t used = atomic_load(&segment->rows_used);

	for (uint32_t i = 0; i < used; i++)
		if (atomic_load(&segment->rows[i].pid) != 0)
			sum += atomic_load(&segment->rows[i].counters[stat]);
	return sum;
}

uint64_t scoreboard_sum_closed(const struct scoreboard *scoreboard, enum close_reason reason)
{
	const struct segment *segment = scoreboard->segment;
	uint64_t sum = segment->dead_closed[reason];
	uint32_t used = atomic_load(&segment->rows_used);

	for (uint32_t i = 0; i < used; i++)
		if (atomic_load(&segment->rows[i].pid) != 0)
			sum += atomic_load(&segment->rows[i].closed[reason]);
	return sum;
}

static bool serves(const struct scoreboard_row *row, uint64_t now_ms, uint64_t hang_ms)
{
	uint64_t stamp_ms = atomic_load(&row->stamp_ms);

	if (stamp_ms == 0 || atomic_load(&row->paused))
		return false;
	/* Another process's stamp may be a moment ahead of this one's cached time. */
	return hang_ms == 0 || now_ms <= stamp_ms || now_ms - stamp_ms < hang_ms;
}

bool scoreboard_slot_serves(const struct scoreboard *scoreboard, unsigned slot, uint64_t generation,
        uint64_t now_ms, uint64_t hang_ms)
{
	const struct segment *segment = scoreboard->segment;
	uint32_t used = atomic_load(&segment->rows_used);

	for (uint32_t i = 0; i < used; i++) {
		const struct scoreboard_row *row = &segment->rows[i];
		if (atomic_load(&row->pid) != 0 && row->slot == slot &&
		        row->generation == generation)
			return serves(row, now_ms, hang_ms);
	}
	return false;
}
