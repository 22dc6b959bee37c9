/* SPDX-License-Identifier: BSD-2-Clause */
/* status_snapshot.c - scoreboard, upstream state and configuration, put side by side. */
#include "master/status_snapshot.h"

#include "shared/arena.h"
#include "shared/check.h"
#include "shared/config.h"
#include "shared/upstream_state.h"

#include <stdlib.h>
#include <time.h>

enum { ARENA_CHUNK_BYTES = 256 * 1024 };

const char *status_worker_state_name(enum status_worker_state state)
{
	static const char *const names[] = {
	        [STATUS_WORKER_STARTING] = "starting",
	        [STATUS_WORKER_RUNNING] = "running",
	        [STATUS_WORKER_PAUSED] = "paused",
	        [STATUS_WORKER_HANGING] = "hanging",
	        [STATUS_WORKER_DRAINING] = "draining",
	};

	return names[state];
}

const char *status_endpoint_state_name(enum status_endpoint_state state)
{
	static const char *const names[] = {
	        [STATUS_ENDPOINT_UP] = "up",
	        [STATUS_ENDPOINT_OUT] = "out",
	        [STATUS_ENDPOINT_DOWN] = "down",
	        [STATUS_ENDPOINT_UNRESOLVED] = "unresolved",
	};

	return names[state];
}

/* ---- workers and generations ---- */

static enum status_worker_state worker_state(
        const struct status_snapshot *snapshot, const struct scoreboard_worker *worker)
{
	uint64_t hang_ms = snapshot->view->config->main.worker_hang_timeout_ms;
	bool silent = hang_ms && snapshot->now_ms >= worker->stamp_ms + hang_ms;

	switch (worker->state) {
	case WORKER_STARTING:
		return STATUS_WORKER_STARTING;
	case WORKER_RUNNING:
		if (silent)
			return STATUS_WORKER_HANGING;
		return worker->paused ? STATUS_WORKER_PAUSED : STATUS_WORKER_RUNNING;
	case WORKER_DRAINING:
		return STATUS_WORKER_DRAINING;
	}
	return STATUS_WORKER_HANGING; /* what stands in shared memory may be anything */
}

static void read_workers(struct status_snapshot *snapshot)
{
	struct scoreboard_worker *facts = arena_alloc_array(
	        snapshot->arena, SCOREBOARD_ROWS, sizeof(*facts));

	snapshot->worker_count = scoreboard_read_workers(snapshot->view->scoreboard, facts);
	snapshot->workers = arena_alloc_array(
	        snapshot->arena, snapshot->worker_count, sizeof(*snapshot->workers));
	for (size_t i = 0; i < snapshot->worker_count; i++)
		snapshot->workers[i] = (struct status_worker){
		        .facts = facts[i],
		        .state = worker_state(snapshot, &facts[i]),
		};
}

static struct status_generation *generation_of(struct status_snapshot *snapshot, uint64_t number)
{
	uint64_t serving = snapshot->view->generation;

	for (size_t i = 0; i < snapshot->generation_count; i++)
		if (snapshot->generations[i].number == number)
			return &snapshot->generations[i];
	struct status_generation *added = &snapshot->generations[snapshot->generation_count++];
	added->number = number;
	if (number == serving)
		added->state = GENERATION_SERVING;
	else
		added->state = number > serving ? GENERATION_STARTING : GENERATION_DRAINING;
	return added;
}

static int by_number(const void *a, const void *b)
{
	const struct status_generation *left = a, *right = b;

	return (left->number > right->number) - (left->number < right->number);
}

static void sum_generations(struct status_snapshot *snapshot)
{
	snapshot->generations = arena_alloc_array(
	        snapshot->arena, snapshot->worker_count + 1, sizeof(*snapshot->generations));
	generation_of(snapshot, snapshot->view->generation);
	for (size_t i = 0; i < snapshot->worker_count; i++) {
		const struct status_worker *worker = &snapshot->workers[i];
		generation_of(snapshot, worker->facts.generation)->worker_counts[worker->state]++;
		if (worker->state == STATUS_WORKER_RUNNING || worker->state == STATUS_WORKER_PAUSED)
			snapshot->healthy = true;
	}
	qsort(snapshot->generations, snapshot->generation_count, sizeof(*snapshot->generations),
	        by_number);
}

/* ---- upstreams ---- */

static enum status_endpoint_state endpoint_state(
        const struct status_snapshot *snapshot, const struct config_endpoint *endpoint)
{
	const struct upstream_endpoint_state *state = upstream_state_endpoint(
	        snapshot->view->upstream_state, endpoint->state_index);

	if (endpoint->down)
		return STATUS_ENDPOINT_DOWN;
	if (endpoint->address.length == 0)
		return STATUS_ENDPOINT_UNRESOLVED;
	return atomic_load(&state->outage) ? STATUS_ENDPOINT_OUT : STATUS_ENDPOINT_UP;
}

static struct status_endpoint *same_endpoint(
        struct status_endpoint *first, size_t count, const struct config_endpoint *endpoint)
{
	for (size_t i = 0; i < count; i++)
		if (upstream_state_same_endpoint(first[i].config, endpoint))
			return &first[i];
	return NULL;
}

static void read_group(struct status_snapshot *snapshot, const struct config_group *group)
{
	struct status_endpoint *first = &snapshot->endpoints[snapshot->endpoint_count];
	size_t count = 0;

	for (size_t i = 0; i < group->endpoint_count; i++) {
		const struct config_endpoint *endpoint = &group->endpoints[i];
		struct status_endpoint *shown = same_endpoint(first, count, endpoint);
		if (!shown) {
			shown = &first[count++];
			shown->group = group;
			shown->config = endpoint;
			shown->state = endpoint_state(snapshot, endpoint);
		}
		for (enum upstream_stat stat = 0; stat < UPSTREAM_STAT_COUNT; stat++)
			shown->counters[stat] += upstream_state_counted(
			        snapshot->view->upstream_state, endpoint->state_index, stat);
	}
	snapshot->endpoint_count += count;
}

static void read_endpoints(struct status_snapshot *snapshot)
{
	const struct config *config = snapshot->view->config;

	snapshot->endpoints = arena_alloc_array(
	        snapshot->arena, config->endpoint_count, sizeof(*snapshot->endpoints));
	for (size_t i = 0; i < config->group_count; i++)
		read_group(snapshot, &config->groups[i]);
}

/* ---- all of it ---- */

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void status_snapshot_take(struct status_snapshot *snapshot, const struct status_view *view)
{
	*snapshot = (struct status_snapshot){
	        .arena = arena_create(ARENA_CHUNK_BYTES),
	        .view = view,
	        .now = time(NULL),
	        .now_ms = clock_ms(),
	};
	CHECK(snapshot->arena);
	scoreboard_read_totals(view->scoreboard, &snapshot->totals);
	snapshot->upstream_sessions = tls_session_store_counts(
	        view->session_store, TLS_SESSION_CLIENT_SIDE);
	snapshot->client_sessions = tls_session_store_counts(
	        view->session_store, TLS_SESSION_SERVER_SIDE);
	read_workers(snapshot);
	sum_generations(snapshot);
	read_endpoints(snapshot);
}

void status_snapshot_drop(struct status_snapshot *snapshot)
{
	arena_destroy(snapshot->arena);
	*snapshot = (struct status_snapshot){0};
}
