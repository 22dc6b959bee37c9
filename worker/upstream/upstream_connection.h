/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * upstream_connection.h - a stream to an endpoint, and what must be known to use it again.
 *
 * Made when an attempt starts, it belongs to one owner at a time: the dial until it succeeds, then
 * the session that took it (dial_take_connection), then the idle pool (idle_pool_give), then the
 * next dial, and so on. It moves by pointer: a stream is never copied while open. Whoever owns it
 * ends it, in one of three ways; its memory outlives the callbacks of this turn.
 */
#ifndef WORKER_UPSTREAM_UPSTREAM_CONNECTION_H
#define WORKER_UPSTREAM_UPSTREAM_CONNECTION_H

#include "shared/config.h"
#include "shared/scoreboard.h"
#include "worker/io/stream.h"
#include "worker/tls/tls_transport.h"

#include <stdint.h>

struct upstream_state;

enum { UPSTREAM_IDENTITY_BYTES = 32 };

/* The memory of a worker's connections: a free list. */
struct upstream_connections {
	struct io_context *io;
	struct scoreboard_row *row;
	const struct upstream_state *state; /* NULL: servers are not counted one by one */
	struct list spare;
	size_t spare_count;
	size_t count; /* in use, until their memory is back */
};

struct upstream_connection {
	struct stream stream; /* first */
	unsigned magic;
	struct upstream_connections *memory;
	const struct config_group *group;
	const struct config_endpoint *endpoint;
	/* All that decides who the two sides are for each other, beside the endpoint:
	 * UPSTREAM_IDENTITY_BYTES that live as long as the configuration. */
	const uint8_t *identity;
	struct tls_facts tls; /* of its handshake, when it is ready; protocol NULL: plain */
	uint64_t opened_ms; /* when it became ready */
	uint32_t exchanges; /* that it has carried or is carrying */
	uint64_t idle_since_ms; /* in the idle pool */
	uint64_t bytes_in_counted, bytes_out_counted; /* of the stream's, in the statistics */
	struct list link; /* of the endpoint in the idle pool, or the free list */
	struct list recency_link; /* of the group in the idle pool */
	struct event_task free_task;
};

void upstream_connections_init(struct upstream_connections *memory, struct io_context *io,
        struct scoreboard_row *row, const struct upstream_state *state);
/* All connections have ended and their turn is over. */
void upstream_connections_destroy(struct upstream_connections *memory);

/* With a closed stream, to be opened. NULL without memory. */
struct upstream_connection *upstream_connection_create(struct upstream_connections *memory,
        const struct config_group *group, const struct config_endpoint *endpoint,
        const uint8_t *identity);

/* What it has carried since the last call goes into the statistics; its end does so by itself. */
void upstream_connection_count(struct upstream_connection *connection);

/* The connection of a session's upstream stream. */
struct upstream_connection *upstream_connection_of(struct stream *stream);

/* The end, as stream_close: unsent bytes are lost. NULL is fine. */
void upstream_connection_close(struct upstream_connection *connection);
/* The same as stream_abort: the other side cannot take it for a clean end. NULL is fine. */
void upstream_connection_abort(struct upstream_connection *connection);
/* A clean goodbye between two exchanges: close_notify as far as the socket takes it, then the end.
 * Its owner hears nothing of that. */
void upstream_connection_end(struct upstream_connection *connection);

#endif
