/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool_rig.h - an idle pool over scripted upstreams, with a clock moved by hand.
 *
 * Two groups: endpoints 0 and 1 are of the first, 2 of the second. Connections are known by the
 * number of their peer.
 */
#ifndef TESTS_SUPPORT_POOL_RIG_H
#define TESTS_SUPPORT_POOL_RIG_H

#include "tests/support/fake_loop.h"
#include "tests/support/fake_transport.h"
#include "worker/upstream/idle_pool.h"

enum {
	POOL_RIG_BYTES = 1 << 20,
	POOL_RIG_GROUPS = 2,
	POOL_RIG_ENDPOINTS = 3, /* two of group 0, one of group 1 */
	POOL_RIG_CONNECTIONS_MAX = 16,
	POOL_RIG_KEEPALIVE = 3,
	POOL_RIG_TIMEOUT_MS = 60000,
	POOL_RIG_REQUESTS = 100,
	POOL_RIG_TIME_MS = 3600000,
};

struct pool_rig {
	struct io_context io;
	struct scoreboard_row row;
	struct upstream_connections memory;
	struct config_endpoint endpoints[POOL_RIG_ENDPOINTS];
	struct config_group groups[POOL_RIG_GROUPS];
	struct config config;
	struct idle_pool *pool;
	struct fake_peer peers[POOL_RIG_CONNECTIONS_MAX];
	struct upstream_connection *connections[POOL_RIG_CONNECTIONS_MAX];
	size_t count;
};

extern const uint8_t pool_rig_plain[UPSTREAM_IDENTITY_BYTES];

/* For cmocka. Tearing down stops the process when anything is left over. */
int pool_rig_set_up(void **state);
int pool_rig_tear_down(void **state);

/* Open and ready, as the dialer leaves it to its first owner. Returns its number. */
size_t pool_rig_open(struct pool_rig *rig, size_t endpoint, const uint8_t *identity);
void pool_rig_give(struct pool_rig *rig, size_t number);
/* Both. */
size_t pool_rig_add(struct pool_rig *rig, size_t endpoint);
struct upstream_connection *pool_rig_take(struct pool_rig *rig, size_t endpoint);
struct upstream_connection *pool_rig_take_sure(struct pool_rig *rig, size_t endpoint);

void pool_rig_pass(struct pool_rig *rig, uint64_t ms);
/* A turn in which the descriptor is readable; false when nobody watches it. */
bool pool_rig_readable(struct pool_rig *rig, size_t number);
/* With a close_notify, and not as a cut. */
bool pool_rig_ended_gently(const struct pool_rig *rig, size_t number);

#endif
