/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * upstream_state.c - a segment of records, the groups' first.
 */
#include "shared/upstream_state.h"

#include "shared/check.h"
#include "shared/config.h"
#include "shared/shared_memory.h"
#include "shared/upstream_stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	STATE_MAGIC = 0x55505354,
	SEGMENT_MAGIC = 0x55505347,
	SEGMENT_VERSION = 1,
	RECORDS_MAX = 1 << 24, /* far beyond any configuration: sizes can't overflow */
};

_Static_assert(sizeof(struct upstream_endpoint_state) == 64, "one cache line");
_Static_assert(sizeof(struct upstream_group_state) == 64, "one cache line");

struct segment {
	_Alignas(64) struct shared_header header;
	struct upstream_group_state groups[]; /* then the endpoints */
};

struct upstream_state {
	unsigned magic;
	struct shared_memory memory;
	struct upstream_group_state *groups;
	size_t group_count;
	struct upstream_endpoint_state *endpoints;
	size_t endpoint_count;
	struct upstream_stats *stats; /* shared with other generations */
	uint32_t *stats_rows; /* of each endpoint */
};

static bool open_records(struct upstream_state *state, size_t endpoint_count, size_t group_count)
{
	size_t size = sizeof(struct segment) + group_count * sizeof(*state->groups) +
	              endpoint_count * sizeof(*state->endpoints);

	if (!shared_memory_create(
	            &state->memory, "sealane-upstreams", size, SEGMENT_MAGIC, SEGMENT_VERSION))
		return false;
	state->groups = ((struct segment *)(void *)state->memory.base)->groups;
	state->group_count = group_count;
	state->endpoints = (struct upstream_endpoint_state *)(void *)(state->groups + group_count);
	state->endpoint_count = endpoint_count;
	return true;
}

static bool open_stats(struct upstream_state *state)
{
	state->stats_rows = calloc(state->endpoint_count + 1, sizeof(*state->stats_rows));
	if (!state->stats_rows)
		return false;
	for (size_t i = 0; i < state->endpoint_count; i++)
		state->stats_rows[i] = (uint32_t)i;
	state->stats = upstream_stats_create(state->endpoint_count);
	return state->stats != NULL;
}

struct upstream_state *upstream_state_create(size_t endpoint_count, size_t group_count)
{
	if (endpoint_count > RECORDS_MAX || group_count > RECORDS_MAX) {
		errno = EINVAL;
		return NULL;
	}
	struct upstream_state *state = calloc(1, sizeof(*state));
	if (!state)
		return NULL;
	state->magic = STATE_MAGIC;
	if (open_records(state, endpoint_count, group_count) && open_stats(state))
		return state;
	int error = errno;
	upstream_state_destroy(state);
	errno = error;
	return NULL;
}

void upstream_state_destroy(struct upstream_state *state)
{
	if (!state)
		return;
	CHECK_OBJ(state, STATE_MAGIC);
	state->magic = 0;
	upstream_stats_let_go(state->stats);
	free(state->stats_rows);
	shared_memory_destroy(&state->memory);
	free(state);
}

struct upstream_endpoint_state *upstream_state_endpoint(
        const struct upstream_state *state, size_t index)
{
	CHECK_OBJ(state, STATE_MAGIC);
	CHECK(index < state->endpoint_count);
	return &state->endpoints[index];
}

struct upstream_group_state *upstream_state_group(const struct upstream_state *state, size_t index)
{
	CHECK_OBJ(state, STATE_MAGIC);
	CHECK(index < state->group_count);
	return &state->groups[index];
}

static struct upstream_stats_row *stats_row(const struct upstream_state *state, size_t endpoint)
{
	CHECK_OBJ(state, STATE_MAGIC);
	CHECK(endpoint < state->endpoint_count);
	return upstream_stats_row(state->stats, state->stats_rows[endpoint]);
}

void upstream_state_count(const struct upstream_state *state, size_t endpoint,
        enum upstream_stat stat, uint64_t amount)
{
	CHECK((unsigned)stat < UPSTREAM_STAT_COUNT);
	atomic_fetch_add_explicit(
	        &stats_row(state, endpoint)->counters[stat], amount, memory_order_relaxed);
}

uint64_t upstream_state_counted(
        const struct upstream_state *state, size_t endpoint, enum upstream_stat stat)
{
	CHECK((unsigned)stat < UPSTREAM_STAT_COUNT);
	return atomic_load_explicit(
	        &stats_row(state, endpoint)->counters[stat], memory_order_relaxed);
}

/* ---- taken along into the next generation ---- */

static const struct config_group *group_named(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->group_count; i++) {
		if (strcmp(config->groups[i].name, name) == 0)
			return &config->groups[i];
	}
	return NULL;
}

bool upstream_state_same_endpoint(const struct config_endpoint *a, const struct config_endpoint *b)
{
	if (strcmp(a->server, b->server) != 0 || a->address.length != b->address.length)
		return false;
	return a->address.length == 0 || address_equal(&a->address, &b->address);
}

/* The one of `old_group` that is the same as this one of `group`. */
static const struct config_endpoint *old_endpoint(const struct config_group *old_group,
        const struct config_group *group, const struct config_endpoint *wanted)
{
	size_t before = 0;

	for (const struct config_endpoint *other = group->endpoints; other < wanted; other++)
		before += upstream_state_same_endpoint(other, wanted);
	for (size_t i = 0; i < old_group->endpoint_count; i++) {
		const struct config_endpoint *old = &old_group->endpoints[i];
		if (upstream_state_same_endpoint(old, wanted) && before-- == 0)
			return old;
	}
	return NULL;
}

static void copy_word(const _Atomic uint64_t *from, _Atomic uint64_t *to)
{
	atomic_store_explicit(
	        to, atomic_load_explicit(from, memory_order_relaxed), memory_order_relaxed);
}

struct carry {
	const struct upstream_state *old_state;
	struct upstream_state *new_state;
	bool stats_shared;
};

/* From now on both states count in the old one's segment, if that has room for all. */
static bool share_stats(const struct upstream_state *old_state, struct upstream_state *new_state)
{
	if (upstream_stats_rows_left(old_state->stats) < new_state->endpoint_count)
		return false;
	upstream_stats_let_go(new_state->stats);
	new_state->stats = upstream_stats_share(old_state->stats);
	return true;
}

static void carry_stats(const struct carry *carry, size_t from, size_t to)
{
	if (carry->stats_shared) {
		carry->new_state->stats_rows[to] = carry->old_state->stats_rows[from];
		return;
	}
	for (size_t i = 0; i < UPSTREAM_STAT_COUNT; i++)
		copy_word(&stats_row(carry->old_state, from)->counters[i],
		        &stats_row(carry->new_state, to)->counters[i]);
}

static void carry_endpoint(const struct carry *carry, size_t from_index, size_t to_index)
{
	const struct upstream_endpoint_state *from = upstream_state_endpoint(
	        carry->old_state, from_index);
	struct upstream_endpoint_state *to = upstream_state_endpoint(carry->new_state, to_index);

	copy_word(&from->failures, &to->failures);
	copy_word(&from->outage, &to->outage);
	carry_stats(carry, from_index, to_index);
}

static void start_endpoint(const struct carry *carry, size_t index)
{
	if (carry->stats_shared)
		carry->new_state->stats_rows[index] = upstream_stats_take_row(
		        carry->new_state->stats);
}

static void carry_turns(
        const struct carry *carry, const struct config_group *from, const struct config_group *to)
{
	const struct upstream_group_state *old = upstream_state_group(
	        carry->old_state, from->state_index);
	struct upstream_group_state *new = upstream_state_group(carry->new_state, to->state_index);

	copy_word(&old->tickets[0], &new->tickets[0]);
	copy_word(&old->tickets[1], &new->tickets[1]);
}

void upstream_state_carry_over(const struct upstream_state *old_state,
        const struct config *old_config, struct upstream_state *new_state,
        const struct config *new_config)
{
	struct carry carry = {old_state, new_state, share_stats(old_state, new_state)};

	for (size_t i = 0; i < new_config->group_count; i++) {
		const struct config_group *group = &new_config->groups[i];
		const struct config_group *old_group = group_named(old_config, group->name);
		if (old_group)
			carry_turns(&carry, old_group, group);
		for (size_t j = 0; j < group->endpoint_count; j++) {
			const struct config_endpoint *endpoint = &group->endpoints[j];
			const struct config_endpoint *old = old_group ? old_endpoint(old_group,
			                                                        group, endpoint)
			                                              : NULL;
			if (old)
				carry_endpoint(&carry, old->state_index, endpoint->state_index);
			else
				start_endpoint(&carry, endpoint->state_index);
		}
	}
}
