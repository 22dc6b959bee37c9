/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listeners.h - the listening sockets of all generations.
 *
 * For each `listen` there is one SO_REUSEPORT socket for each worker slot. The master holds them as
 * long as the configuration has that `listen`: closing one would reset the connections that the
 * kernel has queued on it. So sockets are added when workers are, and never taken away.
 *
 * A change is staged (listeners bound, which the kernel gives no connections yet), shown to the new
 * workers, and then committed (they listen) or rolled back (they are closed; nobody noticed).
 */
#ifndef MASTER_LISTENERS_H
#define MASTER_LISTENERS_H

#include "shared/worker_env.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct config_listener;
struct listeners;

/* What happened, for people: "listen 127.0.0.1:80 (site.ini:12): permission denied; ...". */
enum { LISTENERS_FAULT_MAX = 512 };

struct listeners *listeners_create(void);
/* Closes everything as listeners_close does. NULL is fine. */
void listeners_destroy(struct listeners *listeners);

/* Binds what `config` wants and is not held. An address that is in use is tried again for up to
 * `patience_ms` (blocking): workers that outlived their master need a moment to let go of it. On
 * false nothing is staged. */
bool listeners_stage(struct listeners *listeners, const struct config *config, uint64_t patience_ms,
        char fault[LISTENERS_FAULT_MAX]);
/* Makes what was staged listen, with the options of `config`. On false all is still staged. */
bool listeners_commit(
        struct listeners *listeners, const struct config *config, char fault[LISTENERS_FAULT_MAX]);
void listeners_roll_back(struct listeners *listeners);

/* Lets go of what `config` does not want: waits (a tenth of a second at most) until the workers
 * have emptied the queues, then refuses connections at these addresses. */
void listeners_retire(struct listeners *listeners, const struct config *config);
/* The same for all of them. */
void listeners_close(struct listeners *listeners);

/* The sockets of a staged or committed listener; the array lives until the next listeners_stage.
 */
struct worker_listener listeners_view(
        const struct listeners *listeners, const struct config_listener *listener);

/* How many sockets are held in all. */
size_t listeners_socket_count(const struct listeners *listeners);

#endif
