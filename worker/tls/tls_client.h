/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_client.h - a TLS session towards an endpoint: SNI, verification, own certificate, resumption.
 */
#ifndef WORKER_TLS_TLS_CLIENT_H
#define WORKER_TLS_TLS_CLIENT_H

#include "shared/address.h"
#include "worker/tls/tls_transport.h"

#include <stdbool.h>

struct tls_client_credentials;
struct tls_session_store;

/* One per worker. */
struct tls_client_context {
	struct tls_wire *wire;
	struct tls_session_store *store;
};

struct tls_client_target {
	const struct tls_client_credentials *credentials;
	const struct address *address;
	const char
	        *name; /* to verify and, unless it is an IP address or SNI is off, to send as SNI */
	bool without_session; /* offer none, whatever the store has */
};

/* `fd` stays the caller's; the target is read during the call only, but its credentials stay in
 * use. NULL without memory. */
struct transport *tls_client_create(
        struct tls_client_context *context, const struct tls_client_target *target, int fd);

/* A stored session was offered in the handshake. */
bool tls_client_offered_session(struct transport *transport);
/* Drops all stored sessions of this identity: the server choked on one. */
void tls_client_forget_sessions(struct transport *transport);

#endif
