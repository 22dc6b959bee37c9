/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slot_sockets.h - the listening sockets of all generations.
 *
 * For each `listen` there is one SO_REUSEPORT socket for each worker slot. The master holds them as
 * long as the configuration has that `listen`: closing one would reset the connections that the
 * kernel has queued on it. So sockets are added when workers are, and never taken away.
 *
 * A change is staged (sockets bound, which the kernel gives no connections yet), shown to the new
 * workers, and then committed (they listen) or rolled back (they are closed; nobody noticed).
 */
#ifndef MASTER_SLOT_SOCKETS_H
#define MASTER_SLOT_SOCKETS_H

#include "shared/worker_env.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct config_listener;
struct slot_sockets;

/* What happened, for people: "listen 127.0.0.1:80 (site.ini:12): permission denied; ...". */
enum { SLOT_SOCKETS_FAULT_MAX = 512 };

struct slot_sockets *slot_sockets_create(void);
/* Closes everything as slot_sockets_close does. NULL is fine. */
void slot_sockets_destroy(struct slot_sockets *sockets);

/* Binds what `config` wants and is not held. An address that is in use is tried again for up to
 * `patience_ms` (blocking): workers that outlived their master need a moment to let go of it. On
 * false nothing is staged. */
bool slot_sockets_stage(struct slot_sockets *sockets, const struct config *config,
        uint64_t patience_ms, char fault[SLOT_SOCKETS_FAULT_MAX]);
/* Makes what was staged listen, with the options of `config`. On false all is still staged. */
bool slot_sockets_commit(struct slot_sockets *sockets, const struct config *config,
        char fault[SLOT_SOCKETS_FAULT_MAX]);
void slot_sockets_roll_back(struct slot_sockets *sockets);

/* Lets go of what `config` does not want: waits (a tenth of a second at most) until the workers
 * have emptied the queues, then refuses connections at these addresses. */
void slot_sockets_retire(struct slot_sockets *sockets, const struct config *config);
/* The same for all of them. */
void slot_sockets_close(struct slot_sockets *sockets);

/* The sockets of a staged or committed listener; the array lives until the next slot_sockets_stage.
 */
struct worker_listener slot_sockets_view(
        const struct slot_sockets *sockets, const struct config_listener *listener);

/* How many sockets are held in all. */
size_t slot_sockets_count(const struct slot_sockets *sockets);

#endif
