/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * upstream_connection.h - a stream to an endpoint, and what must be known to use it again.
 *
 * Allocated when dialled; it belongs to the dial, then to the session that took it, then to the
 * idle pool, and so on, by pointer: a stream is never copied while open.
 */
#ifndef WORKER_UPSTREAM_UPSTREAM_CONNECTION_H
#define WORKER_UPSTREAM_UPSTREAM_CONNECTION_H

#include "shared/config.h"
#include "worker/io/stream.h"

#include <stdint.h>

enum { UPSTREAM_IDENTITY_BYTES = 32 };

struct upstream_connection {
	struct stream stream; /* first */
	unsigned magic;
	struct list link; /* of the idle pool, or the free list */
	struct list lru_link; /* of the group, in the idle pool */
	const struct config_group *group;
	const struct config_endpoint *endpoint;
	/* All that decides who the two sides are for each other, beside the endpoint. */
	const uint8_t *identity;
	uint64_t opened_ms, idle_since_ms;
	uint32_t exchanges; /* that it has carried or is carrying */
	struct event_timer idle_timer;
	struct event_task free_task;
};

#endif
