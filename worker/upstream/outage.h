/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outage.h - when a server is out: failures counted, and the way back.
 *
 * max_fails failures within fail_timeout take a server out for fail_timeout, for all workers. Then
 * one connection is let through as a probe; until it has an outcome, at most one in fail_timeout.
 * One success of a probe brings the server back, one failure takes it out again. Successes of
 * connections that are older than the outage count for nothing.
 */
#ifndef WORKER_UPSTREAM_OUTAGE_H
#define WORKER_UPSTREAM_OUTAGE_H

#include "shared/upstream_state.h"

#include <stdbool.h>
#include <stdint.h>

/* In service, or out and due for a probe. */
bool outage_allows(const struct upstream_endpoint_state *state, uint64_t now_ms);
/* Takes the right to connect: false when another worker was given the probe. */
bool outage_enter(struct upstream_endpoint_state *state, uint64_t now_ms, uint32_t fail_timeout_ms);
/* Connects although it is out: a success will bring it back all the same. */
void outage_enter_anyway(struct upstream_endpoint_state *state);

/* True when this failure took it out. `max_fails` at least 1. */
bool outage_count_failure(struct upstream_endpoint_state *state, uint32_t max_fails,
        uint32_t fail_timeout_ms, uint64_t now_ms);
/* True when this success brought it back. */
bool outage_count_success(struct upstream_endpoint_state *state);

#endif
