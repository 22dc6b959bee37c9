/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker_child.c - from the fork to worker_main.
 *
 * The log comes first: its sinks are those of the master, whose descriptors are closed by and by,
 * and a line written to a number that has become a client's socket would be the worst of bugs.
 * A worker hears what follows from the signals of the master over its control socket.
 */
#include "master/worker_child.h"

#include "master/generation.h"
#include "master/limits.h"
#include "master/listeners.h"
#include "master/loop.h"
#include "master/privileges.h"
#include "shared/check.h"
#include "shared/config.h"
#include "shared/tls_session_store.h"

#include <stdlib.h>
#include <unistd.h>

enum { EXIT_PRIVILEGES = 77 };

static struct worker_listener *view_listeners(const struct worker_inheritance *inheritance)
{
	const struct config *config = inheritance->generation->config;
	struct worker_listener *views = calloc(config->listener_count + 1, sizeof(*views));

	CHECK(views);
	for (size_t i = 0; i < config->listener_count; i++)
		views[i] = listeners_view(inheritance->listeners, &config->listeners[i]);
	return views;
}

static void give_up_privileges(const struct config *config)
{
	char fault[256];

	if (privileges_drop(&config->main, fault, sizeof(fault)))
		return;
	log_write(LOG_CRIT, "this worker may not run with more rights than it needs: %s", fault);
	_exit(EXIT_PRIVILEGES);
}

_Noreturn void worker_child_run(
        const struct worker_inheritance *inheritance, int (*run)(const struct worker_env *env))
{
	struct generation *generation = inheritance->generation;
	const struct config *config = generation->config;
	struct worker_env env = {
	        .config = config,
	        .slot = inheritance->slot,
	        .worker_count = config->main.workers,
	        .generation = generation->number,
	        .master_pid = getppid(),
	        .control_fd = inheritance->control_fd,
	        .listeners = view_listeners(inheritance),
	        .log_files = generation->log_files.items,
	        .scoreboard = inheritance->scoreboard,
	        .scoreboard_row = inheritance->scoreboard_row,
	        .session_store = generation_session_store(generation),
	        .ticket_key = inheritance->ticket_key,
	        .upstream_state = generation->upstream_state,
	};

	loop_leave_signals_to_master();
	log_files_use(&generation->log_files, config, inheritance->log_floor, NULL);
	log_after_fork();
	limits_apply(config, listeners_socket_count(inheritance->listeners), inheritance->slot);
	give_up_privileges(config);
	exit(run(&env));
}
