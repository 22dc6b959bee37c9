/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dialer.h - gets a ready stream to some server of a group, or a reason why there is none.
 *
 * Chooses an endpoint, connects, shakes hands, and tries elsewhere as far as the settings allow.
 * One `dial` is the state of one client's wish; the stream it works on is its owner's, opened in
 * place.
 */
#ifndef WORKER_UPSTREAM_DIALER_H
#define WORKER_UPSTREAM_DIALER_H

#include "shared/config.h"
#include "shared/scoreboard.h"
#include "worker/io/stream.h"
#include "worker/tls/tls_client.h"
#include "worker/upstream/balancer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One per worker. */
struct dialer {
	struct io_context *io;
	struct balancer *balancer;
	struct tls_client_context *tls;
	struct scoreboard_row *row;
	uint32_t bind_turn;
};

/* How a section reaches its group; lives as long as the configuration. */
struct dial_settings {
	const struct config_group *group;
	const struct tls_client_credentials *tls; /* NULL: plain */
	const char *tls_name; /* NULL: each endpoint's own */
	uint32_t connect_timeout_ms;
	uint32_t tries_max; /* 0: no limit; 1: no next server */
	uint32_t tries_timeout_ms;
	size_t buffer_bytes_max;
	struct config_tcp_keepalive keepalive;
};

enum { DIAL_ATTEMPTS_SHOWN = 6 };

struct dial;
/* `connected`: the stream is open and now hears `on_event` of whoever takes it with stream_give.
 * Else `reason` is that of the last attempt, which has been logged. The dial is idle then. */
typedef void dial_fn(struct dial *dial, bool connected, enum close_reason reason);

struct dial {
	unsigned magic;
	struct dialer *dialer;
	const struct dial_settings *settings;
	struct stream *stream;
	dial_fn *fn;
	uint64_t connection; /* number for the log */
	struct balancer_tries tries;
	const struct config_endpoint *endpoint; /* the present attempt's */
	const struct config_endpoint
	        *shown[DIAL_ATTEMPTS_SHOWN]; /* the first few, for the access log */
	uint32_t attempts;
	uint64_t started_ms, attempt_started_ms;
	enum close_reason last_reason;
	bool confirmed; /* success has been reported for this attempt */
	bool repeat; /* the server choked on the session: once more, the same, without one */
	bool without_session; /* this is that attempt */
	struct event_task next_attempt;
};

void dial_init(struct dial *dial, struct dialer *dialer, struct stream *stream);
/* Begins; `fn` is called from the loop later on, never from inside. */
void dial_start(
        struct dial *dial, const struct dial_settings *settings, uint64_t connection, dial_fn *fn);
/* Ends an attempt under way without counting it. Fine at any time. The stream is closed. */
void dial_cancel(struct dial *dial);

/* The upstream has shown that it is content with us: a byte or a clean end came. */
void dial_confirm(struct dial *dial);
/* The stream failed before that: counts as a failed attempt. True when another server is tried (the
 * stream is closed meanwhile and `fn` will be called again); only allowed when no byte was sent on.
 */
bool dial_failed_late(struct dial *dial, enum close_reason reason, bool may_try_next);

#endif
