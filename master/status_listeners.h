/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status_listeners.h - the sockets of [admin], held by the master for one status process after
 * another.
 *
 * A change is staged (bound besides what is held) and then committed or rolled back, as listeners
 * are; what a configuration leaves as it was is not touched.
 */
#ifndef MASTER_STATUS_LISTENERS_H
#define MASTER_STATUS_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct status_listeners;

enum { STATUS_LISTENERS_FAULT_MAX = 512 };

struct status_listeners *status_listeners_create(void);
/* Closes all, and removes unix sockets that are still ours. NULL is fine. */
void status_listeners_destroy(struct status_listeners *listeners);

/* Opens what `config` wants and is not held. A unix socket that nobody listens at any more is
 * replaced. An address that is in use is tried again for up to `patience_ms` (blocking). On false
 * nothing is staged, and `fault` says "listen unix:/run/s.sock (site.ini:12): ...". */
bool status_listeners_stage(struct status_listeners *listeners, const struct config *config,
        uint64_t patience_ms, char fault[STATUS_LISTENERS_FAULT_MAX]);
/* Lets go of what `config` does not want; others get its modes. */
void status_listeners_commit(struct status_listeners *listeners, const struct config *config);
void status_listeners_roll_back(struct status_listeners *listeners);

/* All that is held; valid until the next change. */
const int *status_listeners_fds(const struct status_listeners *listeners, size_t *count_out);

#endif
