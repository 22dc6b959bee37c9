/* SPDX-License-Identifier: BSD-2-Clause */
/* upstream_count.c - which counter of the worker goes with which of the server. */
#include "worker/upstream/upstream_count.h"

#include "shared/config.h"
#include "shared/scoreboard.h"
#include "shared/upstream_state.h"
#include "worker/upstream/upstream_connection.h"

#include <time.h>

void upstream_count(const struct upstream_connections *connections,
        const struct config_endpoint *endpoint, enum upstream_stat stat, uint64_t amount)
{
	static const enum stat_counter sums[UPSTREAM_STAT_COUNT] = {
	        [UPSTREAM_STAT_ATTEMPTS] = STAT_UPSTREAM_ATTEMPTS,
	        [UPSTREAM_STAT_FAILURES] = STAT_UPSTREAM_FAILURES,
	        [UPSTREAM_STAT_REQUESTS] = STAT_UPSTREAM_REQUESTS,
	        [UPSTREAM_STAT_REUSED] = STAT_UPSTREAM_REUSED,
	        [UPSTREAM_STAT_BYTES_IN] = STAT_UPSTREAM_BYTES_IN,
	        [UPSTREAM_STAT_BYTES_OUT] = STAT_UPSTREAM_BYTES_OUT,
	        [UPSTREAM_STAT_HANDSHAKES_FULL] = STAT_UPSTREAM_HANDSHAKES_FULL,
	        [UPSTREAM_STAT_HANDSHAKES_RESUMED] = STAT_UPSTREAM_HANDSHAKES_RESUMED,
	};

	if (amount == 0)
		return;
	scoreboard_count(connections->row, sums[stat], amount);
	if (connections->state)
		upstream_state_count(connections->state, endpoint->state_index, stat, amount);
}

void upstream_count_handshake(const struct upstream_connections *connections,
        const struct config_endpoint *endpoint, bool resumed, uint64_t started_us)
{
	upstream_count(connections, endpoint,
	        resumed ? UPSTREAM_STAT_HANDSHAKES_RESUMED : UPSTREAM_STAT_HANDSHAKES_FULL, 1);
	scoreboard_observe(connections->row, HISTOGRAM_UPSTREAM_HANDSHAKE_SECONDS,
	        upstream_clock_us() - started_us);
}

uint64_t upstream_clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}
