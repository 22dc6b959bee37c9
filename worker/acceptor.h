/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acceptor.h - accepting: on the worker's own sockets, and on those of workers that pause or hang.
 *
 * Accepting pauses at worker_connections, without descriptors, and when buffers are short; it goes
 * on when a session has ended. While it pauses the scoreboard says so, and other workers serve
 * these sockets.
 */
#ifndef WORKER_ACCEPTOR_H
#define WORKER_ACCEPTOR_H

#include "shared/worker_env.h"
#include "worker/session/session.h"

#include <stdbool.h>
#include <stddef.h>

struct acceptor;

/* `protocols`: one for each config->listeners. Nothing is accepted before acceptor_update. */
struct acceptor *acceptor_create(const struct worker_env *env, struct session_host *host,
        const struct protocol *const *protocols);
void acceptor_destroy(struct acceptor *acceptor);

/* Once a second and after any change: looks at limits and at the other workers, and watches what is
 * to be served. */
void acceptor_update(struct acceptor *acceptor);
/* A session ended: goes on where only room was missing. */
void acceptor_session_ended(struct acceptor *acceptor);
/* Accepts no more. The sockets stay open: others accept on them. */
void acceptor_stop(struct acceptor *acceptor);
/* The master died: takes what waits in the queues that are this worker's to serve, and closes all
 * sockets, so that a new master finds the port free. */
void acceptor_close(struct acceptor *acceptor);

#endif
