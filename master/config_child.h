/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_child.h - reads a configuration in a child, so that a dead disk or name server never keeps
 * the master from replacing a worker or obeying a signal.
 */
#ifndef MASTER_CONFIG_CHILD_H
#define MASTER_CONFIG_CHILD_H

#include "master/config_load.h"
#include "master/config_report.h"
#include "shared/slice.h"

struct config_child;
struct loop;

enum { CONFIG_CHILD_LIMIT_MS = 30 * 1000 };

struct config_job {
	const struct config_load_options *options;
	/* The files as they were read last, names of which are looked up again; data NULL: read
	 * everything. */
	struct slice remembered;
	/* What serves now: names that fail to resolve keep its addresses, and with `remembered` it
	 * is what more names are measured by. */
	const struct config *current;
};

/* Called once, with either a report (valid during the call) or why there is none. The child is gone
 * and `struct config_child` freed. */
typedef void config_child_fn(void *opaque, const struct config_report *report, const char *failure);

/* NULL with errno. */
struct config_child *config_child_start(struct loop *loop, const struct config_job *job,
        uint64_t limit_ms, config_child_fn *fn, void *opaque);
/* Kills it; `fn` is not called. NULL is fine. */
void config_child_cancel(struct config_child *child);

/* How many endpoints wait for their name to resolve, with or without an address. */
size_t config_child_unresolved(const struct config *config);

#endif
