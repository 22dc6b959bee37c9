/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * upstream_socket.h - a socket on its way to an endpoint, from the source address that is next.
 */
#ifndef WORKER_UPSTREAM_UPSTREAM_SOCKET_H
#define WORKER_UPSTREAM_UPSTREAM_SOCKET_H

#include "shared/close_reason.h"
#include "shared/config.h"

#include <stdint.h>

struct idle_pool;

struct upstream_socket_target {
	const struct config_group *group; /* for its source addresses */
	const struct address *address;
	const struct config_tcp_keepalive *keepalive;
};

struct upstream_socket_fault {
	/* CLOSE_UPSTREAM_CONNECT; CLOSE_BIND and CLOSE_RESOURCES are no failure of the server */
	enum close_reason reason;
	char text[200]; /* a sentence part for the log */
};

/* Non-blocking, connect(2) is under way. -1 with *fault_out. `turn` counts the source addresses
 * used. When descriptors have run out the pool's idle connections make way. */
int upstream_socket_open(const struct upstream_socket_target *target, uint32_t *turn,
        struct idle_pool *pool, struct upstream_socket_fault *fault_out);

#endif
