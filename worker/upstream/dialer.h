/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dialer.h - gets a ready connection to some server of a group, or a reason why there is none.
 *
 * Chooses an endpoint, takes a kept-alive connection to it or connects and shakes hands, and tries
 * elsewhere as far as the settings allow. One `dial` is the state of one wish: of a TCP client, or
 * of one HTTP request after the other.
 *
 * Who owns the connection: the dial from the attempt's start until `fn` is told of success and
 * takes it (dial_take_connection). From then on the dial does not touch it; it still says what is
 * to be done when it fails: dial_again or dial_failed, after which its owner ends it.
 */
#ifndef WORKER_UPSTREAM_DIALER_H
#define WORKER_UPSTREAM_DIALER_H

#include "shared/config.h"
#include "shared/scoreboard.h"
#include "worker/tls/tls_client.h"
#include "worker/upstream/balancer.h"
#include "worker/upstream/dial_settings.h"
#include "worker/upstream/idle_pool.h"
#include "worker/upstream/upstream_connection.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One per worker. */
struct dialer {
	struct io_context *io;
	struct balancer *balancer;
	struct tls_client_context *tls;
	struct scoreboard_row *row;
	struct upstream_connections connections;
	struct idle_pool *pool;
	uint32_t bind_turn;
};

enum { DIAL_ATTEMPTS_SHOWN = 6 };

struct dial;
/* `connected`: the connection is ready and fn's to take. Else `reason` is that of the last attempt,
 * which has been logged. The dial is idle then. Called from the loop, never from inside dial_start
 * or another function here. */
typedef void dial_fn(struct dial *dial, bool connected, enum close_reason reason);

/* What the next attempt is to be. */
enum dial_next { DIAL_NEXT_SERVER, DIAL_WITHOUT_SESSION, DIAL_AFRESH };

struct dial {
	unsigned magic;
	struct dialer *dialer;
	const struct dial_settings *settings;
	struct upstream_connection *connection; /* NULL: none, or taken */
	dial_fn *fn;
	uint64_t session_number; /* for the log */
	struct balancer_tries tries;
	const struct config_endpoint *endpoint; /* the present attempt's */
	const struct config_endpoint
	        *shown[DIAL_ATTEMPTS_SHOWN]; /* the first few, for the access log */
	uint32_t attempts;
	uint64_t started_ms, attempt_started_ms;
	uint64_t attempt_started_us; /* CLOCK_MONOTONIC itself: a handshake may take less than a ms
	                              */
	enum close_reason last_reason;
	bool sure; /* the request cannot be repeated */
	bool reused; /* the connection has served others before */
	uint64_t reused_after_ms; /* so long it had been idle then */
	bool confirmed; /* success has been reported for this attempt */
	bool without_session; /* the server choked on one: this is the same attempt without */
	enum dial_next next;
	struct event_task next_attempt;
};

void dial_init(struct dial *dial, struct dialer *dialer);
/* Begins a new wish; the dial is idle. `sure`: the request cannot be repeated, so no connection is
 * used again that the server may be about to close. A pooled hit is told from the loop as well,
 * before it waits again, and costs no system call and no timer. */
void dial_start(struct dial *dial, const struct dial_settings *settings, uint64_t session_number,
        bool sure, dial_fn *fn);
/* Ends an attempt under way without counting it, and the connection if nobody took it. Fine at any
 * time. */
void dial_cancel(struct dial *dial);
/* In `fn`: the connection is the caller's now, who hears its events from stream_give on. */
struct upstream_connection *dial_take_connection(struct dial *dial);

/* The name that the endpoint's certificate is verified for. */
const char *dial_name(const struct dial_settings *settings, const struct config_endpoint *endpoint);

/* The upstream has shown that it is content with us: a byte or a clean end came. */
void dial_confirm(struct dial *dial);
/* The connection was `reused` and is dead, and no byte of an answer came: the server had closed it
 * already. A fresh one to the same endpoint takes its place, which counts neither as a failure nor
 * as a try; `fn` will be called again. The caller ends its connection. */
void dial_again(struct dial *dial);
/* The attempt failed, though it was ready: logs `text`, counts it unless it was an idle connection
 * that the server had closed. True when another server is tried:
 * `fn` will be called again. The caller ends its connection in either case. `may_try_next`: the
 * client's bytes can be sent again. */
bool dial_failed(struct dial *dial, enum close_reason reason, const char *text, bool may_try_next);

#endif
