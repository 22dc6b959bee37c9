/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_session_ids.h - sessions of clients by their ID (TLS 1.2 and older, ssl_session_cache), in
 * the store that all workers share.
 *
 * A session is stored under a hash of its ID and the fingerprint of the credentials it was made
 * with: under others it is unknown, as a ticket is.
 */
#ifndef WORKER_TLS_TLS_SESSION_IDS_H
#define WORKER_TLS_TLS_SESSION_IDS_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdint.h>

struct tls_server_credentials;
struct tls_session_store;

/* Part of a server; GnuTLS' functions are given its address. */
struct tls_session_ids {
	struct tls_session_store *store;
	const struct tls_server_credentials *credentials;
	gnutls_session_t session;
	bool unwanted; /* this session must not be resumed */
	int64_t chain_not_after; /* of the client's verified chain; INT64_MAX: none */
};

/* In the ClientHello hook, before GnuTLS looks for the session. */
void tls_session_ids_attach(struct tls_session_ids *ids);

#endif
