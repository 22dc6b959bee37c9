/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * upstream_count.h - what is counted of upstreams: for the server, and in the worker's own sum.
 */
#ifndef WORKER_UPSTREAM_UPSTREAM_COUNT_H
#define WORKER_UPSTREAM_UPSTREAM_COUNT_H

#include "shared/stats_table.h"

#include <stdbool.h>
#include <stdint.h>

struct config_endpoint;
struct upstream_connections;

/* Adds to both counters of the same thing. */
void upstream_count(const struct upstream_connections *connections,
        const struct config_endpoint *endpoint, enum upstream_stat stat, uint64_t amount);

/* A handshake is done that began at `started_us`, by this clock. */
void upstream_count_handshake(const struct upstream_connections *connections,
        const struct config_endpoint *endpoint, bool resumed, uint64_t started_us);
/* CLOCK_MONOTONIC as it is: the loop's is too coarse for what may take less than a millisecond. */
uint64_t upstream_clock_us(void);

#endif
