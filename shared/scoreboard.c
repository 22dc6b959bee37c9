/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scoreboard.c - the rows, and the sums of the workers that are no more.
 *
 * Rows are found by walking over those in use: the master hands out the lowest free one, so living
 * workers stand close together at the start. A row is published by its pid, last, and taken back by
 * it, first: who reads a pid other than 0 finds the identity that belongs to it.
 *
 * The counts of a worker that ended move to the row of the dead. While they do, the sum would miss
 * them or have them twice: `moves` is odd then, and readers look again when it was or has changed.
 */
#include "shared/scoreboard.h"

#include "shared/check.h"
#include "shared/shared_memory.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SCOREBOARD_MAGIC = 0x5c04eb0a, SCOREBOARD_VERSION = 2, PID_PENDING = -1 };

/* A master that lost its CPU in the middle of a move goes on after some milliseconds; one that died
 * there leaves `moves` odd for good. */
enum { STUCK_TRIES = 200, STUCK_PAUSE_NS = 1000 * 1000 };

struct segment {
	struct shared_header header;
	_Atomic uint32_t rows_used; /* rows from here on are free; written by the master */
	_Atomic uint32_t moves; /* odd: a row's counts are on their way to `dead` */
	_Atomic uint64_t master[MASTER_STAT_COUNT];
	struct scoreboard_row dead; /* counts alone; written by the master */
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

static uint64_t load(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static void store(_Atomic uint64_t *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

static void add_words(uint64_t *sums, const _Atomic uint64_t *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sums[i] += load(&words[i]);
}

static void store_words(_Atomic uint64_t *words, const uint64_t *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		store(&words[i], values[i]);
}

static void add_counts(struct scoreboard_totals *totals, const struct scoreboard_row *row)
{
	add_words(totals->counters, row->counters, STAT_COUNT);
	add_words(totals->closed, row->closed, CLOSE_REASON_COUNT);
	add_words(totals->failed, row->failed, CLOSE_REASON_COUNT);
	for (size_t i = 0; i < HISTOGRAM_COUNT; i++)
		add_words(totals->buckets[i], row->buckets[i], HISTOGRAM_BUCKET_COUNT);
	add_words(totals->observed_us, row->observed_us, HISTOGRAM_COUNT);
}

static void store_counts(struct scoreboard_row *row, const struct scoreboard_totals *totals)
{
	store_words(row->counters, totals->counters, STAT_COUNT);
	store_words(row->closed, totals->closed, CLOSE_REASON_COUNT);
	store_words(row->failed, totals->failed, CLOSE_REASON_COUNT);
	for (size_t i = 0; i < HISTOGRAM_COUNT; i++)
		store_words(row->buckets[i], totals->buckets[i], HISTOGRAM_BUCKET_COUNT);
	store_words(row->observed_us, totals->observed_us, HISTOGRAM_COUNT);
}

static void reset(struct scoreboard_row *row)
{
	static const struct scoreboard_totals nothing;

	atomic_store(&row->stamp_ms, 0);
	atomic_store(&row->state, (uint32_t)WORKER_STARTING);
	atomic_store(&row->paused, 0);
	atomic_store(&row->sessions, 0);
	store_counts(row, &nothing);
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
	struct scoreboard_totals totals = {0};

	atomic_fetch_add(&segment->moves, 1);
	atomic_thread_fence(memory_order_release);
	add_counts(&totals, &segment->dead);
	add_counts(&totals, row);
	store_counts(&segment->dead, &totals);
	atomic_store(&row->pid, 0);
	atomic_fetch_add(&segment->moves, 1);

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

/* The row's worker is the only one who writes it. */
static void add(_Atomic uint64_t *word, uint64_t amount)
{
	store(word, load(word) + amount);
}

void scoreboard_count_close(struct scoreboard_row *row, enum close_reason reason)
{
	CHECK((unsigned)reason < CLOSE_REASON_COUNT);
	add(&row->closed[reason], 1);
}

void scoreboard_count_failed_attempt(struct scoreboard_row *row, enum close_reason reason)
{
	CHECK((unsigned)reason < CLOSE_REASON_COUNT);
	add(&row->failed[reason], 1);
}

void scoreboard_observe(struct scoreboard_row *row, enum histogram histogram, uint64_t microseconds)
{
#define BOUND_US(us, seconds) us,
	static const uint32_t bounds_us[] = {HISTOGRAM_BOUNDS(BOUND_US)};
#undef BOUND_US
	size_t bucket = 0;

	CHECK((unsigned)histogram < HISTOGRAM_COUNT);
	while (bucket < HISTOGRAM_BOUND_COUNT && microseconds > bounds_us[bucket])
		bucket++;
	add(&row->buckets[histogram][bucket], 1);
	add(&row->observed_us[histogram], microseconds);
}

void scoreboard_count_master(struct scoreboard *scoreboard, enum master_stat stat)
{
	CHECK((unsigned)stat < MASTER_STAT_COUNT);
	add(&scoreboard->segment->master[stat], 1);
}

static void sum(const struct segment *segment, struct scoreboard_totals *totals)
{
	uint32_t used = atomic_load(&segment->rows_used);

	*totals = (struct scoreboard_totals){0};
	add_words(totals->master, segment->master, MASTER_STAT_COUNT);
	add_counts(totals, &segment->dead);
	for (uint32_t i = 0; i < used; i++) {
		const struct scoreboard_row *row = &segment->rows[i];
		if (atomic_load(&row->pid) == 0)
			continue;
		add_counts(totals, row);
		totals->sessions += atomic_load(&row->sessions);
	}
}

void scoreboard_read_totals(
        const struct scoreboard *scoreboard, struct scoreboard_totals *totals_out)
{
	const struct segment *segment = scoreboard->segment;

	for (int stuck = 0; stuck < STUCK_TRIES;) {
		uint32_t moves = atomic_load(&segment->moves);
		sum(segment, totals_out);
		atomic_thread_fence(memory_order_acquire);
		bool moved = atomic_load(&segment->moves) != moves;
		if (moves % 2 == 0 && !moved)
			return;
		stuck = moved ? 0 : stuck + 1;
		if (!moved)
			nanosleep(&(struct timespec){.tv_nsec = STUCK_PAUSE_NS}, NULL);
	}
}

size_t scoreboard_read_workers(
        const struct scoreboard *scoreboard, struct scoreboard_worker workers_out[SCOREBOARD_ROWS])
{
	const struct segment *segment = scoreboard->segment;
	uint32_t used = atomic_load(&segment->rows_used);
	size_t count = 0;

	for (uint32_t i = 0; i < used; i++) {
		const struct scoreboard_row *row = &segment->rows[i];
		struct scoreboard_worker worker = {
		        .pid = atomic_load(&row->pid),
		        .slot = row->slot,
		        .generation = row->generation,
		        .stamp_ms = atomic_load(&row->stamp_ms),
		        .state = (enum worker_state)atomic_load(&row->state),
		        .paused = atomic_load(&row->paused) != 0,
		        .sessions = atomic_load(&row->sessions),
		};
		/* One that is about to be forked has no pid yet; one that has changed is gone. */
		if (worker.pid > 0 && atomic_load(&row->pid) == worker.pid)
			workers_out[count++] = worker;
	}
	return count;
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
