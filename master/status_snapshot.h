/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status_snapshot.h - all that the status listener tells, read at one moment.
 *
 * The configuration and the segments behind it are those of the generation that serves: a reload
 * brings a new status process. Workers of other generations are in the same scoreboard.
 */
#ifndef MASTER_STATUS_SNAPSHOT_H
#define MASTER_STATUS_SNAPSHOT_H

#include "master/generation.h"
#include "shared/scoreboard.h"
#include "shared/stats_table.h"
#include "shared/tls_session_store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct arena;
struct config;
struct config_endpoint;
struct config_group;
struct status_certificates;
struct upstream_state;

/* Where it is read from. */
struct status_view {
	const struct config *config;
	const struct scoreboard *scoreboard;
	const struct upstream_state *upstream_state;
	const struct tls_session_store *session_store;
	const struct status_certificates *certificates;
	uint64_t generation; /* that serves */
	pid_t master_pid;
	int64_t started_at; /* of the master, Unix seconds */
};

enum status_worker_state {
	STATUS_WORKER_STARTING,
	STATUS_WORKER_RUNNING,
	STATUS_WORKER_PAUSED, /* runs, and accepts nothing for now */
	STATUS_WORKER_HANGING, /* silent for longer than worker_hang_timeout */
	STATUS_WORKER_DRAINING, /* stays the last */
};
enum { STATUS_WORKER_STATE_COUNT = STATUS_WORKER_DRAINING + 1 };

struct status_worker {
	struct scoreboard_worker facts;
	enum status_worker_state state;
};

struct status_generation {
	uint64_t number;
	enum generation_state state;
	size_t worker_counts[STATUS_WORKER_STATE_COUNT];
};

enum status_endpoint_state {
	STATUS_ENDPOINT_UP,
	STATUS_ENDPOINT_OUT, /* max_fails was reached */
	STATUS_ENDPOINT_DOWN, /* marked so in the configuration */
	STATUS_ENDPOINT_UNRESOLVED,
};

/* Endpoints of a group that are the same are one here, with the sums of their counters. */
struct status_endpoint {
	const struct config_group *group;
	const struct config_endpoint *config;
	enum status_endpoint_state state;
	uint64_t counters[UPSTREAM_STAT_COUNT];
};

struct status_snapshot {
	struct arena *arena; /* holds all below */
	const struct status_view *view;
	int64_t now; /* Unix seconds */
	uint64_t now_ms; /* CLOCK_MONOTONIC */
	bool healthy; /* some worker of the serving generation does its work */
	struct scoreboard_totals totals;
	struct tls_session_counts upstream_sessions, client_sessions;
	struct status_worker *workers;
	size_t worker_count;
	struct status_generation *generations; /* by number; always with the one that serves */
	size_t generation_count;
	struct status_endpoint *endpoints; /* by group */
	size_t endpoint_count;
};

/* Reads everything; `view` must outlive it. Lack of memory stops the process. */
void status_snapshot_take(struct status_snapshot *snapshot, const struct status_view *view);
void status_snapshot_drop(struct status_snapshot *snapshot);

/* "running", "unresolved". */
const char *status_worker_state_name(enum status_worker_state state);
const char *status_endpoint_state_name(enum status_endpoint_state state);

#endif
