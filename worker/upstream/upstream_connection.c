/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * upstream_connection.c - memory for streams to upstreams, from the attempt to the end.
 *
 * An end may come from inside an event of the very stream, so the memory goes back to the free list
 * when this turn's callbacks have unwound.
 */
#include "worker/upstream/upstream_connection.h"

#include "shared/check.h"
#include "worker/upstream/upstream_count.h"

#include <stdlib.h>
#include <string.h>

enum { UPSTREAM_CONNECTION_MAGIC = 0x5550434e, SPARE_CONNECTIONS_MAX = 64 };

static void free_connection(struct event_task *task)
{
	struct upstream_connection *connection = LIST_OBJECT(
	        task, struct upstream_connection, free_task);
	struct upstream_connections *memory = connection->memory;

	CHECK_OBJ(connection, UPSTREAM_CONNECTION_MAGIC);
	connection->magic = 0;
	memory->count--;
	if (memory->spare_count >= SPARE_CONNECTIONS_MAX) {
		free(connection);
		return;
	}
	list_append(&memory->spare, &connection->link);
	memory->spare_count++;
}

static struct upstream_connection *take_memory(struct upstream_connections *memory)
{
	struct upstream_connection *connection;

	if (list_is_empty(&memory->spare))
		return malloc(sizeof(*connection));
	connection = LIST_OBJECT(memory->spare.next, struct upstream_connection, link);
	list_remove(&connection->link);
	memory->spare_count--;
	return connection;
}

void upstream_connections_init(struct upstream_connections *memory, struct io_context *io,
        struct scoreboard_row *row, const struct upstream_state *state)
{
	*memory = (struct upstream_connections){.io = io, .row = row, .state = state};
	list_init(&memory->spare);
}

void upstream_connections_destroy(struct upstream_connections *memory)
{
	CHECK(memory->count == 0);
	LIST_EACH(link, &memory->spare)
	free(LIST_OBJECT(link, struct upstream_connection, link));
	list_init(&memory->spare);
	memory->spare_count = 0;
}

struct upstream_connection *upstream_connection_create(struct upstream_connections *memory,
        const struct config_group *group, const struct config_endpoint *endpoint,
        const uint8_t *identity)
{
	struct upstream_connection *connection = take_memory(memory);

	if (!connection)
		return NULL;
	memset(connection, 0, sizeof(*connection));
	memory->count++;
	stream_init(&connection->stream, memory->io);
	connection->magic = UPSTREAM_CONNECTION_MAGIC;
	connection->memory = memory;
	connection->group = group;
	connection->endpoint = endpoint;
	connection->identity = identity;
	list_init(&connection->link);
	list_init(&connection->recency_link);
	event_task_init(&connection->free_task, free_connection);
	return connection;
}

struct upstream_connection *upstream_connection_of(struct stream *stream)
{
	struct upstream_connection *connection = (struct upstream_connection *)(void *)stream;

	CHECK_OBJ(connection, UPSTREAM_CONNECTION_MAGIC);
	return connection;
}

void upstream_connection_count(struct upstream_connection *connection)
{
	const struct stream *stream = &connection->stream;

	CHECK_OBJ(connection, UPSTREAM_CONNECTION_MAGIC);
	upstream_count(connection->memory, connection->endpoint, UPSTREAM_STAT_BYTES_IN,
	        stream->bytes_in - connection->bytes_in_counted);
	upstream_count(connection->memory, connection->endpoint, UPSTREAM_STAT_BYTES_OUT,
	        stream->bytes_out - connection->bytes_out_counted);
	connection->bytes_in_counted = stream->bytes_in;
	connection->bytes_out_counted = stream->bytes_out;
}

static void count_all(struct upstream_connection *connection)
{
	const struct transport *transport = connection->stream.transport;

	upstream_connection_count(connection);
	if (transport && transport->fault && transport->fault->reason == CLOSE_UPSTREAM_TRUNCATED)
		scoreboard_count(connection->memory->row, STAT_UPSTREAM_TRUNCATED, 1);
}

static void free_later(struct upstream_connection *connection)
{
	CHECK(list_is_empty(&connection->link) && list_is_empty(&connection->recency_link));
	event_loop_defer(connection->memory->io->loop, &connection->free_task);
}

void upstream_connection_close(struct upstream_connection *connection)
{
	if (!connection)
		return;
	CHECK_OBJ(connection, UPSTREAM_CONNECTION_MAGIC);
	count_all(connection);
	stream_close(&connection->stream);
	free_later(connection);
}

void upstream_connection_abort(struct upstream_connection *connection)
{
	if (!connection)
		return;
	CHECK_OBJ(connection, UPSTREAM_CONNECTION_MAGIC);
	count_all(connection);
	stream_abort(&connection->stream);
	free_later(connection);
}

static void hear_nothing(struct stream *stream, enum stream_event event)
{
	(void)stream;
	(void)event;
}

void upstream_connection_end(struct upstream_connection *connection)
{
	CHECK_OBJ(connection, UPSTREAM_CONNECTION_MAGIC);
	stream_give(&connection->stream, hear_nothing, NULL);
	stream_finish(&connection->stream, true);
	upstream_connection_close(connection);
}
