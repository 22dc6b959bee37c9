/* SPDX-License-Identifier: BSD-2-Clause */
/* generation.c - what a configuration's workers share, made and unmade. */
#include "master/generation.h"

#include "shared/check.h"
#include "shared/config.h"
#include "shared/tls_library.h"
#include "shared/tls_session_store.h"
#include "shared/upstream_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct session_store_holder {
	struct tls_session_store *store;
	unsigned users; /* generations */
};

static struct session_store_holder *hold_new_store(const struct config *config)
{
	struct session_store_holder *holder = calloc(1, sizeof(*holder));

	CHECK(holder);
	holder->users = 1;
	holder->store = tls_session_store_create(
	        config->main.tls_session_cache_size, tls_library_version());
	if (holder->store)
		return holder;
	free(holder);
	return NULL;
}

static void let_go_of_store(struct session_store_holder *holder)
{
	if (!holder || --holder->users > 0)
		return;
	tls_session_store_destroy(holder->store);
	free(holder);
}

static bool take_over_store(struct generation *generation, const struct generation *previous)
{
	if (previous && previous->config->main.tls_session_cache_size ==
	                        generation->config->main.tls_session_cache_size) {
		generation->store_holder = previous->store_holder;
		generation->store_holder->users++;
		return true;
	}
	generation->store_holder = hold_new_store(generation->config);
	if (!generation->store_holder)
		return false;
	if (previous)
		tls_session_store_copy(
		        generation->store_holder->store, previous->store_holder->store, time(NULL));
	return true;
}

static bool take_over_upstreams(struct generation *generation, const struct generation *previous)
{
	const struct config *config = generation->config;

	generation->upstream_state = upstream_state_create(
	        config->endpoint_count, config->group_count);
	if (!generation->upstream_state)
		return false;
	if (previous)
		upstream_state_carry_over(previous->upstream_state, previous->config,
		        generation->upstream_state, config);
	return true;
}

struct generation *generation_create(struct config *config, uint64_t number,
        const struct generation *previous, char *fault, size_t fault_size)
{
	struct generation *generation = calloc(1, sizeof(*generation));

	CHECK(generation);
	generation->config = config;
	generation->number = number;
	list_init(&generation->link);
	list_init(&generation->workers);
	generation->respawn_limits = calloc(config->main.workers, sizeof(struct respawn_limit));
	CHECK(generation->respawn_limits);
	if (!log_files_open(&generation->log_files, config, fault, fault_size))
		goto fail;
	if (take_over_upstreams(generation, previous) && take_over_store(generation, previous))
		return generation;
	snprintf(fault, fault_size, "shared memory: %s", strerror(errno));
fail:
	generation_destroy(generation);
	return NULL;
}

void generation_destroy(struct generation *generation)
{
	CHECK(list_is_empty(&generation->workers));
	list_remove(&generation->link);
	log_files_close(&generation->log_files);
	upstream_state_destroy(generation->upstream_state);
	let_go_of_store(generation->store_holder);
	config_destroy(generation->config);
	free(generation->respawn_limits);
	free(generation);
}

struct tls_session_store *generation_session_store(const struct generation *generation)
{
	return generation->store_holder->store;
}

const char *generation_state_name(enum generation_state state)
{
	static const char *const names[] = {
	        [GENERATION_STARTING] = "starting",
	        [GENERATION_SERVING] = "serving",
	        [GENERATION_DRAINING] = "draining",
	};

	return names[state];
}
