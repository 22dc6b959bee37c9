/* SPDX-License-Identifier: BSD-2-Clause */
/* upstream_stats.c - rows behind a header, given out from the first on. */
#include "shared/upstream_stats.h"

#include "shared/check.h"
#include "shared/shared_memory.h"

#include <stdlib.h>

enum {
	STATS_MAGIC = 0x55535453,
	SEGMENT_MAGIC = 0x55535447,
	SEGMENT_VERSION = 1,
	SPARE_ROWS = 4096, /* pages that nobody touches cost nothing */
};

_Static_assert(sizeof(struct upstream_stats_row) == 64, "one cache line");

struct segment {
	_Alignas(64) struct shared_header header;
	struct upstream_stats_row rows[];
};

struct upstream_stats {
	unsigned magic;
	struct shared_memory memory;
	struct segment *segment;
	size_t capacity, taken; /* rows */
	unsigned users; /* generations */
};

struct upstream_stats *upstream_stats_create(size_t row_count)
{
	struct upstream_stats *stats = calloc(1, sizeof(*stats));

	if (!stats)
		return NULL;
	stats->capacity = 2 * row_count + SPARE_ROWS;
	if (!shared_memory_create(&stats->memory, "sealane-upstream-stats",
	            sizeof(struct segment) + stats->capacity * sizeof(struct upstream_stats_row),
	            SEGMENT_MAGIC, SEGMENT_VERSION)) {
		free(stats);
		return NULL;
	}
	stats->magic = STATS_MAGIC;
	stats->segment = stats->memory.base;
	stats->taken = row_count;
	stats->users = 1;
	return stats;
}

struct upstream_stats *upstream_stats_share(struct upstream_stats *stats)
{
	CHECK_OBJ(stats, STATS_MAGIC);
	stats->users++;
	return stats;
}

void upstream_stats_let_go(struct upstream_stats *stats)
{
	if (!stats)
		return;
	CHECK_OBJ(stats, STATS_MAGIC);
	if (--stats->users > 0)
		return;
	stats->magic = 0;
	shared_memory_destroy(&stats->memory);
	free(stats);
}

size_t upstream_stats_rows_left(const struct upstream_stats *stats)
{
	CHECK_OBJ(stats, STATS_MAGIC);
	return stats->capacity - stats->taken;
}

uint32_t upstream_stats_take_row(struct upstream_stats *stats)
{
	CHECK(upstream_stats_rows_left(stats) > 0);
	return (uint32_t)stats->taken++;
}

struct upstream_stats_row *upstream_stats_row(const struct upstream_stats *stats, uint32_t index)
{
	CHECK_OBJ(stats, STATS_MAGIC);
	CHECK(index < stats->capacity);
	return &stats->segment->rows[index];
}
