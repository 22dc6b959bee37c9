/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status_child.h - the process that serves [admin], as the master sees it.
 *
 * A child of its own, so that neither the master nor a worker ever reads a byte of those who ask.
 * It is made from the generation that serves: each reload brings another, which takes over the
 * sockets; one that dies is replaced. Without [admin] there is none.
 */
#ifndef MASTER_STATUS_CHILD_H
#define MASTER_STATUS_CHILD_H

#include "master/status_listeners.h"
#include "shared/log.h"

#include <stdbool.h>
#include <stdint.h>

struct generation;
struct loop;
struct scoreboard;
struct status_child;
struct ticket_key;

struct status_child_settings {
	struct loop *loop;
	struct scoreboard *scoreboard;
	struct ticket_key *ticket_key;
	enum log_level log_floor; /* -q: LOG_ERROR */
};

struct status_child *status_child_create(const struct status_child_settings *settings);
/* The process has ended when this returns, and its sockets are closed. NULL is fine. */
void status_child_destroy(struct status_child *status);

/* As of status_listeners. */
bool status_child_stage(struct status_child *status, const struct config *config,
        uint64_t patience_ms, char fault[STATUS_LISTENERS_FAULT_MAX]);
void status_child_roll_back(struct status_child *status);

/* What was staged serves, with this generation's facts; it must live until the next commit, or
 * until the end. */
void status_child_commit(struct status_child *status, const struct generation *generation);
/* Another process in place of the present one: log files were opened again. */
void status_child_renew(struct status_child *status);

#endif
