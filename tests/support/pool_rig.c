/* SPDX-License-Identifier: BSD-2-Clause */
/* pool_rig.c - connections that are ready at once, and what became of them. */
#include "tests/support/pool_rig.h"

#include "shared/check.h"
#include "shared/log.h"

#include <stdlib.h>

const uint8_t pool_rig_plain[UPSTREAM_IDENTITY_BYTES];

int pool_rig_set_up(void **state)
{
	struct pool_rig *rig = calloc(1, sizeof(*rig));

	rig->io.loop = event_loop_create();
	rig->io.pool = buffer_pool_create(POOL_RIG_BYTES, POOL_RIG_BYTES);
	rig->io.resets = reset_queue_create(rig->io.loop);
	upstream_connections_init(&rig->memory, &rig->io, &rig->row, NULL);
	for (uint32_t i = 0; i < POOL_RIG_ENDPOINTS; i++)
		rig->endpoints[i] = (struct config_endpoint){.server = "test", .state_index = i};
	for (uint32_t i = 0; i < POOL_RIG_GROUPS; i++)
		rig->groups[i] = (struct config_group){
		        .name = "test",
		        .endpoints = &rig->endpoints[2 * i],
		        .endpoint_count = i == 0 ? 2 : 1,
		        .keepalive = POOL_RIG_KEEPALIVE,
		        .keepalive_timeout_ms = POOL_RIG_TIMEOUT_MS,
		        .keepalive_requests = POOL_RIG_REQUESTS,
		        .keepalive_time_ms = POOL_RIG_TIME_MS,
		        .state_index = i,
		};
	rig->config = (struct config){.groups = rig->groups,
	        .group_count = POOL_RIG_GROUPS,
	        .endpoint_count = POOL_RIG_ENDPOINTS};
	rig->pool = idle_pool_create(&rig->config, &rig->io);
	log_set_sinks(NULL, 0);
	*state = rig;
	return 0;
}

int pool_rig_tear_down(void **state)
{
	struct pool_rig *rig = *state;

	idle_pool_destroy(rig->pool);
	fake_loop_end_turn(rig->io.loop);
	CHECK(fake_loop_watch_count(rig->io.loop) == 0);
	CHECK(fake_loop_timer_count(rig->io.loop) == 0);
	upstream_connections_destroy(&rig->memory); /* checks that all have ended */
	for (size_t i = 0; i < rig->count; i++)
		fake_peer_free(&rig->peers[i]);
	reset_queue_destroy(rig->io.resets);
	buffer_pool_destroy(rig->io.pool);
	event_loop_destroy(rig->io.loop);
	free(rig);
	return 0;
}

static void hear_nothing(struct stream *stream, enum stream_event event)
{
	(void)stream;
	(void)event;
}

size_t pool_rig_open(struct pool_rig *rig, size_t endpoint, const uint8_t *identity)
{
	size_t i = rig->count++;
	struct fake_peer *peer = &rig->peers[i];

	CHECK(i < POOL_RIG_CONNECTIONS_MAX);
	fake_peer_init(peer);
	struct upstream_connection *connection = upstream_connection_create(
	        &rig->memory, &rig->groups[endpoint / 2], &rig->endpoints[endpoint], identity);
	stream_open(&connection->stream, fake_descriptor(),
	        fake_transport_create(peer, IO_UPSTREAM), false, POOL_RIG_BYTES, 0);
	stream_give(&connection->stream, hear_nothing, NULL);
	stream_start(&connection->stream, false);
	CHECK(connection->stream.state == STREAM_OPEN);
	connection->opened_ms = event_loop_now_ms(rig->io.loop);
	connection->exchanges = 1;
	rig->connections[i] = connection;
	return i;
}

void pool_rig_give(struct pool_rig *rig, size_t number)
{
	idle_pool_give(rig->pool, rig->connections[number]);
}

size_t pool_rig_add(struct pool_rig *rig, size_t endpoint)
{
	size_t number = pool_rig_open(rig, endpoint, pool_rig_plain);

	pool_rig_give(rig, number);
	return number;
}

struct upstream_connection *pool_rig_take(struct pool_rig *rig, size_t endpoint)
{
	return idle_pool_take(rig->pool, &rig->endpoints[endpoint], pool_rig_plain, false);
}

struct upstream_connection *pool_rig_take_sure(struct pool_rig *rig, size_t endpoint)
{
	return idle_pool_take(rig->pool, &rig->endpoints[endpoint], pool_rig_plain, true);
}

void pool_rig_pass(struct pool_rig *rig, uint64_t ms)
{
	fake_loop_advance(rig->io.loop, ms);
}

bool pool_rig_readable(struct pool_rig *rig, size_t number)
{
	return fake_loop_fire(&rig->connections[number]->stream.watch, EVENT_READ);
}

bool pool_rig_ended_gently(const struct pool_rig *rig, size_t number)
{
	const struct fake_peer *peer = &rig->peers[number];

	return peer->closed && !peer->cut && peer->finished && peer->finish_was_closing;
}
