/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * generation.h - one configuration, and everything that its workers share.
 *
 * It lives until its last worker has gone; then configuration, credentials, log files and upstream
 * state are freed. The session store is passed on from generation to generation and goes with the
 * last that uses it.
 */
#ifndef MASTER_GENERATION_H
#define MASTER_GENERATION_H

#include "master/log_files.h"
#include "master/respawn_limit.h"
#include "shared/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct session_store_holder;
struct tls_session_store;
struct upstream_state;

enum generation_state { GENERATION_STARTING, GENERATION_SERVING, GENERATION_DRAINING };

struct generation {
	struct list link; /* in the supervisor's list, oldest first */
	uint64_t number; /* from 1 */
	enum generation_state state;
	struct config *config;
	struct log_files log_files;
	struct upstream_state *upstream_state;
	struct session_store_holder *store_holder;
	struct list workers; /* the supervisor's */
	struct respawn_limit *respawn_limits; /* one a slot */
	unsigned ready_count;
};

/* Takes `config`, also on failure: NULL then, with a reason in `fault`. What `previous` (NULL: the
 * first) knows of upstreams and sessions is carried over. */
struct generation *generation_create(struct config *config, uint64_t number,
        const struct generation *previous, char *fault, size_t fault_size);
/* No worker of it is left. */
void generation_destroy(struct generation *generation);

struct tls_session_store *generation_session_store(const struct generation *generation);

/* "draining", for messages. */
const char *generation_state_name(enum generation_state state);

#endif
