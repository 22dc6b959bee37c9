/* SPDX-License-Identifier: BSD-2-Clause */
/* worker_child.h - the first steps of a worker process, while it still is the master's copy. */
#ifndef MASTER_WORKER_CHILD_H
#define MASTER_WORKER_CHILD_H

#include "shared/log.h"
#include "shared/worker_env.h"

#include <stddef.h>

struct generation;
struct listeners;

struct worker_inheritance {
	struct generation *generation;
	const struct listeners *listeners;
	struct scoreboard *scoreboard;
	size_t scoreboard_row;
	struct ticket_key *ticket_key;
	unsigned slot;
	int control_fd;
	enum log_level log_floor;
};

/* After loop_fork(), in the child: log, limits, privileges, then `run`, and the process ends with
 * its status. */
_Noreturn void worker_child_run(
        const struct worker_inheritance *inheritance, int (*run)(const struct worker_env *env));

#endif
