/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listener.h - accepting: on the worker's own sockets, and on those of workers that pause or hang.
 *
 * Accepting pauses at worker_connections, without descriptors, and when buffers are short; it goes
 * on when a session has ended. While it pauses the scoreboard says so, and other workers serve
 * these sockets.
 */
#ifndef WORKER_LISTENER_H
#define WORKER_LISTENER_H

#include "shared/worker_env.h"
#include "worker/session/session.h"
#include "worker/tcp/tcp_proxy.h"

#include <stdbool.h>
#include <stddef.h>

struct listeners;

/* `proxies`: one for each config->tcps. Nothing is accepted before listeners_update. */
struct listeners *listeners_create(
        const struct worker_env *env, struct session_host *host, const struct tcp_proxy *proxies);
void listeners_destroy(struct listeners *listeners);

/* Once a second and after any change: looks at limits and at the other workers, and watches what is
 * to be served. */
void listeners_update(struct listeners *listeners);
/* A session ended: goes on where only room was missing. */
void listeners_session_ended(struct listeners *listeners);
/* Accepts no more. `empty_queues`: takes what waits in the own queues first, for a worker whose
 * master died. */
void listeners_stop(struct listeners *listeners, bool empty_queues);

#endif
