/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * upstream_state.h - what all workers of one generation know about the servers of all groups.
 *
 * One segment per configuration: a record for each endpoint and each group, at their state_index.
 * Each fact is one atomic word, so that there is no lock to take or to lose; what the words mean is
 * the balancer's. Unchanged endpoints take theirs along into the next configuration's segment, and
 * go on counting where they did: counters are shared by all generations.
 */
#ifndef SHARED_UPSTREAM_STATE_H
#define SHARED_UPSTREAM_STATE_H

#include "shared/stats_table.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct config_endpoint;

/* Times are CLOCK_MONOTONIC in milliseconds, the same in all processes. */
struct upstream_endpoint_state {
	_Alignas(64) _Atomic uint64_t
	        failures; /* counted, and since when: worker/upstream/outage.c */
	_Atomic uint64_t outage; /* 0: in service; else until when it is out */
};

struct upstream_group_state {
	_Alignas(64) _Atomic uint64_t tickets[2]; /* next turn among the servers, the backups */
};

struct upstream_state;

/* All zero: every endpoint in service. NULL with errno. Only the process that created it destroys
 * it; NULL is fine. */
struct upstream_state *upstream_state_create(size_t endpoint_count, size_t group_count);
void upstream_state_destroy(struct upstream_state *state);

/* The same `server` text and the same address. */
bool upstream_state_same_endpoint(const struct config_endpoint *a, const struct config_endpoint *b);

/* Copies what is known of each group of the same name, and in it of each endpoint that is the same;
 * where several are, the first goes with the first. Workers may be using `old_state`. To be called
 * before anybody uses `new_state`. */
void upstream_state_carry_over(const struct upstream_state *old_state,
        const struct config *old_config, struct upstream_state *new_state,
        const struct config *new_config);

/* An index out of range is a bug. */
struct upstream_endpoint_state *upstream_state_endpoint(
        const struct upstream_state *state, size_t index);
struct upstream_group_state *upstream_state_group(const struct upstream_state *state, size_t index);

/* Worker: counts for the endpoint of this state_index. */
void upstream_state_count(const struct upstream_state *state, size_t endpoint,
        enum upstream_stat stat, uint64_t amount);
uint64_t upstream_state_counted(
        const struct upstream_state *state, size_t endpoint, enum upstream_stat stat);

#endif
