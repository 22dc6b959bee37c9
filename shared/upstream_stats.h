/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * upstream_stats.h - counters of upstream servers, in a segment that generations share.
 *
 * A reload must not lose what workers of the old generation still count, so the new one uses the
 * same segment: an unchanged server keeps its row, a new one gets the next. Which server has which
 * row is upstream_state's to know. Rows of servers that are gone are not given out again; when the
 * segment is full, the next generation starts another.
 */
#ifndef SHARED_UPSTREAM_STATS_H
#define SHARED_UPSTREAM_STATS_H

#include "shared/stats_table.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* All workers add to it, each with one relaxed instruction. */
struct upstream_stats_row {
	_Alignas(64) _Atomic uint64_t counters[UPSTREAM_STAT_COUNT];
};

struct upstream_stats;

/* All zero, with room for `row_count` and for as many again as some reloads may bring; the first
 * `row_count` rows are given out. It has one user. NULL with errno. */
struct upstream_stats *upstream_stats_create(size_t row_count);

/* Master alone. One user more; one less, and the last frees it. NULL is fine to let go of. */
struct upstream_stats *upstream_stats_share(struct upstream_stats *stats);
void upstream_stats_let_go(struct upstream_stats *stats);

/* Master alone: how many rows are left, and the next of them. */
size_t upstream_stats_rows_left(const struct upstream_stats *stats);
uint32_t upstream_stats_take_row(struct upstream_stats *stats);

/* An index out of range is a bug. */
struct upstream_stats_row *upstream_stats_row(const struct upstream_stats *stats, uint32_t index);

#endif
