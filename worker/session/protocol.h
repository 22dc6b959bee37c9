/* SPDX-License-Identifier: BSD-2-Clause */
/* protocol.h - what TCP and HTTP provide to a session. */
#ifndef WORKER_SESSION_PROTOCOL_H
#define WORKER_SESSION_PROTOCOL_H

struct session;

struct protocol {
	const char *name; /* "tcp" */
	/* The client's stream is ready: the protocol takes over the session's events. */
	void (*start)(struct session *session);
	/* The session closes: ends what the protocol has under way. Streams are closed after it. */
	void (*stop)(struct session *session);
};

#endif
