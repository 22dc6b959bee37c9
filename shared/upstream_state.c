/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * upstream_state.c - a segment of records, the groups' first.
 */
#include "shared/upstream_state.h"

#include "shared/check.h"
#include "shared/config.h"
#include "shared/shared_memory.h"

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
};

struct upstream_state *upstream_state_create(size_t endpoint_count, size_t group_count)
{
	if (endpoint_count > RECORDS_MAX || group_count > RECORDS_MAX) {
		errno = EINVAL;
		return NULL;
	}
	struct upstream_state *state = calloc(1, sizeof(*state));
	if (!state)
		return NULL;
	size_t size = sizeof(struct segment) + group_count * sizeof(*state->groups) +
	              endpoint_count * sizeof(*state->endpoints);
	if (!shared_memory_create(
	            &state->memory, "sealane-upstreams", size, SEGMENT_MAGIC, SEGMENT_VERSION)) {
		free(state);
		return NULL;
	}
	state->groups = ((struct segment *)(void *)state->memory.base)->groups;
	state->group_count = group_count;
	state->endpoints = (struct upstream_endpoint_state *)(void *)(state->groups + group_count);
	state->endpoint_count = endpoint_count;
	state->magic = STATE_MAGIC;
	return state;
}

void upstream_state_destroy(struct upstream_state *state)
{
	if (!state)
		return;
	CHECK_OBJ(state, STATE_MAGIC);
	state->magic = 0;
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

static const struct config_group *group_named(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->group_count; i++) {
		if (strcmp(config->groups[i].name, name) == 0)
			return &config->groups[i];
	}
	return NULL;
}

static const struct config_endpoint *same_endpoint(
        const struct config_group *group, const struct config_endpoint *wanted)
{
	for (size_t i = 0; i < group->endpoint_count; i++) {
		const struct config_endpoint *endpoint = &group->endpoints[i];
		if (strcmp(endpoint->server, wanted->server) == 0 &&
		        endpoint->address.length == wanted->address.length &&
		        (wanted->address.length == 0 ||
		                address_equal(&endpoint->address, &wanted->address)))
			return endpoint;
	}
	return NULL;
}

static void copy_word(const _Atomic uint64_t *from, _Atomic uint64_t *to)
{
	atomic_store_explicit(
	        to, atomic_load_explicit(from, memory_order_relaxed), memory_order_relaxed);
}

static void carry_endpoint(
        const struct upstream_endpoint_state *from, struct upstream_endpoint_state *to)
{
	copy_word(&from->failures, &to->failures);
	copy_word(&from->outage, &to->outage);
}

void upstream_state_carry_over(const struct upstream_state *old_state,
        const struct config *old_config, struct upstream_state *new_state,
        const struct config *new_config)
{
	for (size_t i = 0; i < new_config->group_count; i++) {
		const struct config_group *group = &new_config->groups[i];
		const struct config_group *old_group = group_named(old_config, group->name);
		if (!old_group)
			continue;
		const struct upstream_group_state *from = upstream_state_group(
		        old_state, old_group->state_index);
		struct upstream_group_state *to = upstream_state_group(
		        new_state, group->state_index);
		copy_word(&from->tickets[0], &to->tickets[0]);
		copy_word(&from->tickets[1], &to->tickets[1]);
		for (size_t j = 0; j < group->endpoint_count; j++) {
			const struct config_endpoint *endpoint = &group->endpoints[j];
			const struct config_endpoint *old = same_endpoint(old_group, endpoint);
			if (old)
				carry_endpoint(upstream_state_endpoint(old_state, old->state_index),
				        upstream_state_endpoint(new_state, endpoint->state_index));
		}
	}
}
