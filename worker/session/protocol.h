/* SPDX-License-Identifier: BSD-2-Clause */
/* protocol.h - what TCP and HTTP provide to a session. */
#ifndef WORKER_SESSION_PROTOCOL_H
#define WORKER_SESSION_PROTOCOL_H

#include "shared/close_reason.h"
#include "shared/slice.h"

struct config_listener;
struct session;
struct tls_server_credentials;

struct protocol {
	const char *name; /* "tcp" */
	/* The client's stream is ready: the protocol takes over the session's events. */
	void (*start)(struct session *session);
	/* The session closes: ends what the protocol has under way. Streams are closed after it. */
	void (*stop)(struct session *session, enum close_reason reason);
	/* The worker drains from now on. NULL: nothing changes for a running session. */
	void (*drain)(struct session *session);
	/* The client spoke clear text on a TLS port: its stream is a plain one now, to answer on.
	 * NULL: it is closed. */
	void (*start_clear_text)(struct session *session);
	/* The credentials for an SNI name. NULL: the listener's. `listener` is a config_listener.
	 */
	const struct tls_server_credentials *(*tls_for_name)(
	        const void *listener, struct slice name);
};

#endif
