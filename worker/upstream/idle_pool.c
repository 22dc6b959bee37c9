/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idle_pool.c - two lists for each connection: its endpoint's, to be found, and its group's, to be
 * bounded. Both have the most recently used at their end.
 *
 * One timer serves the whole pool. All connections of a group may be idle for the same time, so the
 * first in the group's list is the next to expire, and giving one back sets the timer only when it
 * is not set to an earlier time already: a busy pool touches it once per keepalive_timeout.
 *
 * The shortest life of an endpoint's idle connections: a server that closes one sooner lowers it at
 * once; one that lasted longer doubles it, up to what it lasted. So a restart of the server, which
 * closes old and young alike, is forgotten after a few connections, while it never exceeds what a
 * connection has really survived. A server nobody knows yet is taken for one with a short life.
 */
#include "worker/upstream/idle_pool.h"

#include "shared/check.h"
#include "shared/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	IDLE_POOL_MAGIC = 0x49444c45,
	LIFE_UNKNOWN_MS = 200,
	LIFE_DOUBLED_MIN_MS = 100, /* doubling nothing would go nowhere */
};

struct endpoint_pool {
	struct list connections;
	uint64_t shortest_life_ms;
};

struct group_pool {
	struct list connections;
	uint32_t count;
};

struct idle_pool {
	unsigned magic;
	struct io_context *io;
	struct endpoint_pool *endpoints; /* by state_index */
	struct group_pool *groups; /* by state_index */
	size_t group_count, endpoint_count;
	size_t count;
	struct event_timer expiry;
	bool draining;
};

static void on_event(struct stream *stream, enum stream_event event);

static uint64_t now_ms(const struct idle_pool *pool)
{
	return event_loop_now_ms(pool->io->loop);
}

static uint64_t idle_ms(const struct idle_pool *pool, const struct upstream_connection *connection)
{
	return now_ms(pool) - connection->idle_since_ms;
}

static struct endpoint_pool *pool_of_endpoint(
        struct idle_pool *pool, const struct config_endpoint *endpoint)
{
	CHECK(endpoint->state_index < pool->endpoint_count);
	return &pool->endpoints[endpoint->state_index];
}

static struct group_pool *pool_of_group(struct idle_pool *pool, const struct config_group *group)
{
	CHECK(group->state_index < pool->group_count);
	return &pool->groups[group->state_index];
}

/* ---- how long servers let connections live ---- */

static void note_closed(
        struct idle_pool *pool, const struct config_endpoint *endpoint, uint64_t life_ms)
{
	struct endpoint_pool *of = pool_of_endpoint(pool, endpoint);

	if (life_ms < of->shortest_life_ms)
		of->shortest_life_ms = life_ms;
}

static void note_survived(
        struct idle_pool *pool, const struct config_endpoint *endpoint, uint64_t life_ms)
{
	struct endpoint_pool *of = pool_of_endpoint(pool, endpoint);
	uint64_t doubled_ms = 2 * of->shortest_life_ms;

	if (life_ms <= of->shortest_life_ms)
		return;
	if (doubled_ms < LIFE_DOUBLED_MIN_MS)
		doubled_ms = LIFE_DOUBLED_MIN_MS;
	of->shortest_life_ms = life_ms < doubled_ms ? life_ms : doubled_ms;
}

/* ---- in and out ---- */

static void unlink_idle(struct idle_pool *pool, struct upstream_connection *connection)
{
	list_remove(&connection->link);
	list_remove(&connection->recency_link);
	pool_of_group(pool, connection->group)->count--;
	pool->count--;
}

/* We end it: so long it has lived. */
static void end_idle(struct idle_pool *pool, struct upstream_connection *connection)
{
	note_survived(pool, connection->endpoint, idle_ms(pool, connection));
	unlink_idle(pool, connection);
	upstream_connection_end(connection);
}

static struct upstream_connection *oldest_of(const struct group_pool *of)
{
	if (list_is_empty(&of->connections))
		return NULL;
	return LIST_OBJECT(of->connections.next, struct upstream_connection, recency_link);
}

/* Nothing unread, nothing unsent, no end. */
static bool is_quiet(const struct stream *stream)
{
	return stream->state == STREAM_OPEN && !stream->read_ended && !stream->eof_seen &&
	       !stream->finish_asked && stream_in_bytes(stream) == 0 && stream_is_drained(stream) &&
	       stream->transport->ops->pending(stream->transport) == 0;
}

static bool is_within_bounds(
        const struct idle_pool *pool, const struct upstream_connection *connection)
{
	const struct config_group *group = connection->group;

	return !pool->draining && group->keepalive > 0 && group->keepalive_timeout_ms > 0 &&
	       connection->exchanges < group->keepalive_requests &&
	       now_ms(pool) - connection->opened_ms < group->keepalive_time_ms;
}

/* ---- time ---- */

static uint64_t expires_at_ms(const struct upstream_connection *connection)
{
	return connection->idle_since_ms + connection->group->keepalive_timeout_ms;
}

static void wake_for(struct idle_pool *pool, const struct upstream_connection *connection)
{
	uint64_t deadline_ms = expires_at_ms(connection);

	if (!pool->expiry.deadline_ms || deadline_ms < pool->expiry.deadline_ms)
		event_timer_set(&pool->expiry, deadline_ms - now_ms(pool));
}

static void expire(struct event_timer *timer)
{
	struct idle_pool *pool = LIST_OBJECT(timer, struct idle_pool, expiry);

	CHECK_OBJ(pool, IDLE_POOL_MAGIC);
	for (size_t i = 0; i < pool->group_count; i++) {
		struct upstream_connection *oldest = oldest_of(&pool->groups[i]);
		while (oldest && expires_at_ms(oldest) <= now_ms(pool)) {
			end_idle(pool, oldest);
			oldest = oldest_of(&pool->groups[i]);
		}
		if (oldest)
			wake_for(pool, oldest);
	}
}

/* ---- events ---- */

static void drop(struct idle_pool *pool, struct upstream_connection *connection)
{
	note_closed(pool, connection->endpoint, idle_ms(pool, connection));
	unlink_idle(pool, connection);
	upstream_connection_end(connection);
}

static void log_unasked(const struct upstream_connection *connection)
{
	char address[ADDRESS_TEXT_MAX];

	log_write(LOG_INFO,
	        "upstream %s: %s: sent bytes on an idle connection that nobody asked for; closed",
	        connection->group->name,
	        address_format(&connection->endpoint->address, address, sizeof(address)));
}

static void on_event(struct stream *stream, enum stream_event event)
{
	struct idle_pool *pool = stream->owner;

	CHECK_OBJ(pool, IDLE_POOL_MAGIC);
	switch (event) {
	case STREAM_DATA:
		log_unasked(upstream_connection_of(stream));
		drop(pool, upstream_connection_of(stream));
		break;
	case STREAM_EOF:
	case STREAM_FAILED:
		drop(pool, upstream_connection_of(stream));
		break;
	case STREAM_READY:
	case STREAM_DRAINED: /* of TLS's own: the answer to a key update */
		break;
	}
}

/* ---- for others ---- */

struct idle_pool *idle_pool_create(const struct config *config, struct io_context *io)
{
	struct idle_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->magic = IDLE_POOL_MAGIC;
	pool->io = io;
	pool->group_count = config->group_count;
	pool->endpoint_count = config->endpoint_count;
	event_timer_init(&pool->expiry, io->loop, expire);
	pool->groups = calloc(pool->group_count + 1, sizeof(*pool->groups));
	pool->endpoints = calloc(pool->endpoint_count + 1, sizeof(*pool->endpoints));
	if (!pool->groups || !pool->endpoints) {
		free(pool->groups);
		free(pool->endpoints);
		free(pool);
		return NULL;
	}
	for (size_t i = 0; i < pool->group_count; i++)
		list_init(&pool->groups[i].connections);
	for (size_t i = 0; i < pool->endpoint_count; i++) {
		list_init(&pool->endpoints[i].connections);
		pool->endpoints[i].shortest_life_ms = LIFE_UNKNOWN_MS;
	}
	return pool;
}

static void end_all(struct idle_pool *pool)
{
	for (size_t i = 0; i < pool->group_count; i++) {
		struct upstream_connection *oldest;
		while ((oldest = oldest_of(&pool->groups[i])))
			end_idle(pool, oldest);
	}
	event_timer_stop(&pool->expiry);
}

void idle_pool_destroy(struct idle_pool *pool)
{
	if (!pool)
		return;
	CHECK_OBJ(pool, IDLE_POOL_MAGIC);
	end_all(pool);
	pool->magic = 0;
	free(pool->groups);
	free(pool->endpoints);
	free(pool);
}

static bool has_identity(const struct upstream_connection *connection, const uint8_t *identity)
{
	return connection->identity == identity ||
	       memcmp(connection->identity, identity, UPSTREAM_IDENTITY_BYTES) == 0;
}

struct upstream_connection *idle_pool_take(struct idle_pool *pool,
        const struct config_endpoint *endpoint, const uint8_t *identity, bool sure)
{
	struct endpoint_pool *of = pool_of_endpoint(pool, endpoint);

	CHECK_OBJ(pool, IDLE_POOL_MAGIC);
	for (struct list *link = of->connections.previous, *older; link != &of->connections;
	        link = older) {
		struct upstream_connection *connection = LIST_OBJECT(
		        link, struct upstream_connection, link);
		uint64_t age_ms = idle_ms(pool, connection);
		older = link->previous;
		if (!has_identity(connection, identity))
			continue;
		if (sure && 2 * age_ms >= of->shortest_life_ms)
			return NULL;
		unlink_idle(pool, connection);
		if (is_quiet(&connection->stream)) {
			note_survived(pool, endpoint, age_ms);
			connection->exchanges++;
			return connection;
		}
		upstream_connection_end(connection);
	}
	return NULL;
}

void idle_pool_give(struct idle_pool *pool, struct upstream_connection *connection)
{
	struct group_pool *of = pool_of_group(pool, connection->group);
	struct stream *stream = &connection->stream;

	CHECK_OBJ(pool, IDLE_POOL_MAGIC);
	if (!is_within_bounds(pool, connection) || !is_quiet(stream)) {
		upstream_connection_end(connection);
		return;
	}
	if (of->count >= connection->group->keepalive)
		end_idle(pool, oldest_of(of));
	upstream_connection_count(connection);
	connection->idle_since_ms = now_ms(pool);
	list_append(&pool_of_endpoint(pool, connection->endpoint)->connections, &connection->link);
	list_append(&of->connections, &connection->recency_link);
	of->count++;
	pool->count++;
	wake_for(pool, connection);
	stream_give(stream, on_event, pool);
	stream_resume(stream); /* an empty buffer goes back; it is read from now on */
}

void idle_pool_note_stale(
        struct idle_pool *pool, const struct config_endpoint *endpoint, uint64_t idle_ms)
{
	note_closed(pool, endpoint, idle_ms);
}

bool idle_pool_shed(struct idle_pool *pool)
{
	struct upstream_connection *oldest = NULL;

	for (size_t i = 0; i < pool->group_count; i++) {
		struct upstream_connection *candidate = oldest_of(&pool->groups[i]);
		if (candidate && (!oldest || candidate->idle_since_ms < oldest->idle_since_ms))
			oldest = candidate;
	}
	if (!oldest)
		return false;
	end_idle(pool, oldest);
	return true;
}

bool idle_pool_gives_way(struct idle_pool *pool, int error)
{
	return (error == EMFILE || error == ENFILE) && idle_pool_shed(pool);
}

void idle_pool_drain(struct idle_pool *pool)
{
	pool->draining = true;
	end_all(pool);
}

size_t idle_pool_count(const struct idle_pool *pool)
{
	return pool->count;
}
