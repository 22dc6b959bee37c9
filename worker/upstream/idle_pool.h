/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idle_pool.h - connections to upstreams that wait for the next exchange, one pool per worker.
 *
 * A pooled connection stays in the loop: when it becomes readable it is read; a session ticket
 * alone keeps it, any byte or an end drops it. Only one on which nothing is pending is given out,
 * the youngest first. Bounds are the group's: keepalive (the least recently used goes),
 * keepalive_timeout, keepalive_requests, keepalive_time.
 */
#ifndef WORKER_UPSTREAM_IDLE_POOL_H
#define WORKER_UPSTREAM_IDLE_POOL_H

#include "worker/upstream/upstream_connection.h"

#include <stdbool.h>

struct idle_pool;

struct idle_pool *idle_pool_create(const struct config *config, struct io_context *io);
void idle_pool_destroy(struct idle_pool *pool); /* closes all */

/* NULL: none fits. `sure`: the request cannot be repeated, so only one that was idle for less than
 * half of the shortest life seen from that endpoint. */
struct upstream_connection *idle_pool_take(struct idle_pool *pool,
        const struct config_endpoint *endpoint, const uint8_t *identity, bool sure);
/* Closes it instead where the group's bounds say so, where bytes are unread or unsent, or the pool
 * drains. The stream's events are the pool's from now on. */
void idle_pool_give(struct idle_pool *pool, struct upstream_connection *connection);
/* Closes all and keeps none from now on: the worker drains. */
void idle_pool_drain(struct idle_pool *pool);

#endif
