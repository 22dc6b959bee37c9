/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idle_pool.h - connections to upstreams that wait for the next exchange, one pool per worker.
 *
 * A pooled connection stays in the loop: when it becomes readable it is read; a session ticket
 * alone keeps it, any byte or an end drops it. Only one on which nothing is pending is given out,
 * the youngest first. Bounds are the group's, and 0 keeps none: keepalive (the least recently used
 * goes), keepalive_timeout, keepalive_requests, keepalive_time.
 *
 * For each endpoint the pool remembers the shortest idle life at which the server closed one, so
 * that a request which cannot be repeated gets only one that is far from that.
 */
#ifndef WORKER_UPSTREAM_IDLE_POOL_H
#define WORKER_UPSTREAM_IDLE_POOL_H

#include "worker/upstream/upstream_connection.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idle_pool;

/* NULL without memory. Configuration and context must outlive it. */
struct idle_pool *idle_pool_create(const struct config *config, struct io_context *io);
/* Ends all, whose memory is back at the end of this turn. NULL is fine. */
void idle_pool_destroy(struct idle_pool *pool);

/* The caller's from now on, to hear its events by stream_give at once; its exchange is counted.
 * `identity` is UPSTREAM_IDENTITY_BYTES. `sure`: the request cannot be repeated, so only one that
 * was idle for less than half of the shortest life seen from that endpoint. NULL: none fits. No
 * system call unless one was found to be of no use. */
struct upstream_connection *idle_pool_take(struct idle_pool *pool,
        const struct config_endpoint *endpoint, const uint8_t *identity, bool sure);
/* The pool's from now on. It is ended instead where the group's bounds say so, where bytes are
 * unread or unsent, or the pool drains. Fine inside its own events. */
void idle_pool_give(struct idle_pool *pool, struct upstream_connection *connection);
/* One that was given out after `idle_ms` turned out to be closed by the server. */
void idle_pool_note_stale(
        struct idle_pool *pool, const struct config_endpoint *endpoint, uint64_t idle_ms);

/* Ends the one that has been idle for longest, for its descriptor; false when there is none. */
bool idle_pool_shed(struct idle_pool *pool);
/* The same when `error` of accept or socket says that descriptors are out: true, try again. */
bool idle_pool_gives_way(struct idle_pool *pool, int error);
/* Ends all and keeps none from now on: the worker drains. */
void idle_pool_drain(struct idle_pool *pool);
size_t idle_pool_count(const struct idle_pool *pool);

#endif
