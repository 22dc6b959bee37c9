/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balancer.h - which server of a group is next.
 *
 * Smooth weighted round robin over all workers: each choice draws a ticket from the group's shared
 * number and looks up the turn in a table that is the same in all workers. A turn that falls to a
 * server which is out, or which this client has tried, is passed over and another drawn, so that
 * the rest keep the proportions of their weights.
 *
 * First the servers that are in service, then the backups that are; when all are out, each is
 * tried all the same. Down servers and names that did not resolve never are. The only server of a
 * group never goes out.
 */
#ifndef WORKER_UPSTREAM_BALANCER_H
#define WORKER_UPSTREAM_BALANCER_H

#include "shared/config.h"

#include <stdbool.h>
#include <stdint.h>

struct upstream_state;
struct balancer;

enum { BALANCER_TRIES_BITS = 512 };

/* Which servers one client's connection has tried; all zero at first. In groups of more than
 * BALANCER_TRIES_BITS servers some share a bit, and count as tried when one of them was. */
struct balancer_tries {
	uint64_t tried[BALANCER_TRIES_BITS / 64];
};

/* One per worker; configuration and state must outlive it. NULL without memory. */
struct balancer *balancer_create(const struct config *config, struct upstream_state *state);
void balancer_destroy(struct balancer *balancer); /* NULL is fine */

/* The next server to try, never one twice; NULL when there is none. Its outcome is to be reported;
 * where it never is (the client went away), nothing is lost. `now_ms` is CLOCK_MONOTONIC. */
const struct config_endpoint *balancer_choose(struct balancer *balancer,
        const struct config_group *group, struct balancer_tries *tries, uint64_t now_ms);

/* True, and logged, when this failure took the server out. */
bool balancer_report_failure(struct balancer *balancer, const struct config_group *group,
        const struct config_endpoint *endpoint, uint64_t now_ms);
/* True, and logged, when this success brought it back. */
bool balancer_report_success(struct balancer *balancer, const struct config_group *group,
        const struct config_endpoint *endpoint, uint64_t now_ms);

#endif
