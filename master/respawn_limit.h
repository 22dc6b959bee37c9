/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * respawn_limit.h - how soon a worker that died is replaced: at once, but not more than 10 times in
 * 10 s; then once a second.
 */
#ifndef MASTER_RESPAWN_LIMIT_H
#define MASTER_RESPAWN_LIMIT_H

#include <stdint.h>

enum { RESPAWN_BURST = 10, RESPAWN_WINDOW_MS = 10 * 1000, RESPAWN_PAUSE_MS = 1000 };

/* Of one slot; all zero at first. */
struct respawn_limit {
	uint64_t starts_ms[RESPAWN_BURST]; /* of the last replacements, a ring; 0: none */
	unsigned next; /* the oldest */
};

/* Notes a replacement and returns how many milliseconds from `now_ms` on it is to wait. */
uint64_t respawn_limit_delay(struct respawn_limit *limit, uint64_t now_ms);

#endif
