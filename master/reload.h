/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reload.h - from a request to a new generation that serves, or to the reasons why not.
 *
 * Read (in a child), load, stage sockets, log files and shared state, fork, wait until all workers
 * are ready, commit. A failure at any step undoes what was staged, and the old generation never
 * noticed. One reload at a time: requests that come meanwhile become one more after it, and each
 * waiting client gets the verdict of the reload that read its files.
 */
#ifndef MASTER_RELOAD_H
#define MASTER_RELOAD_H

#include "master/options.h"

#include <stdbool.h>
#include <stdint.h>

struct config_source;
struct control_client;
struct generation;
struct listeners;
struct loop;
struct reload;
struct scoreboard;
struct status_child;
struct supervisor;

struct reload_settings {
	struct loop *loop;
	const struct options *options;
	struct listeners *listeners;
	struct supervisor *supervisor;
	struct status_child *status;
	struct scoreboard *scoreboard;
};

struct reload *reload_create(const struct reload_settings *settings);
void reload_destroy(struct reload *reload); /* NULL is fine */

/* `client` (NULL: a signal) is answered when its verdict is known. Before the first generation
 * serves, requests wait. */
void reload_request(struct reload *reload, bool warnings_are_errors, struct control_client *client);
/* No reload starts any more; one that is under way is undone. */
void reload_stop(struct reload *reload);

/* The first generation serves; `source` is what it was loaded from. */
void reload_first_is_serving(struct reload *reload, const struct config_source *source);

/* What the supervisor tells of a generation that this module started. */
void reload_generation_ready(struct reload *reload, struct generation *generation);
void reload_generation_failed(
        struct reload *reload, struct generation *generation, const char *reason);

#endif
