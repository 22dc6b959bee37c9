/* SPDX-License-Identifier: BSD-2-Clause */
/* respawn_limit.c - a ring of the last replacements. */
#include "master/respawn_limit.h"

uint64_t respawn_limit_delay(struct respawn_limit *limit, uint64_t now_ms)
{
	uint64_t oldest_ms = limit->starts_ms[limit->next];
	uint64_t delay_ms = 0;

	if (oldest_ms != 0 && now_ms < oldest_ms + RESPAWN_WINDOW_MS)
		delay_ms = RESPAWN_PAUSE_MS;
	limit->starts_ms[limit->next] = now_ms + delay_ms;
	limit->next = (limit->next + 1) % RESPAWN_BURST;
	return delay_ms;
}
