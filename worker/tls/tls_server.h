/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_server.h - a TLS session with a client: our certificate, theirs, tickets that every worker
 * can open. */
#ifndef WORKER_TLS_TLS_SERVER_H
#define WORKER_TLS_TLS_SERVER_H

#include "worker/tls/tls_transport.h"

struct ticket_key;
struct tls_server_credentials;

/* One per worker. */
struct tls_server_context {
	struct tls_wire *wire;
	const struct ticket_key *ticket_key;
};

/* `fd` stays the caller's; the credentials stay in use. NULL without memory. */
struct transport *tls_server_create(struct tls_server_context *context,
        const struct tls_server_credentials *credentials, int fd);

#endif
