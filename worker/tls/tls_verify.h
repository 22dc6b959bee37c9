/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_verify.h - our own verification of the chain that the other side sent.
 *
 * Called from GnuTLS' verify callback, so inside the handshake and before anything of ours is
 * shown. Towards upstreams a resumed session is not verified again: its identity guarantees that it
 * was, under the same settings. A client's is (tls_client_certificate).
 */
#ifndef WORKER_TLS_TLS_VERIFY_H
#define WORKER_TLS_TLS_VERIFY_H

#include "worker/tls/tls_verdict.h"

#include <gnutls/gnutls.h>
#include <stdint.h>

struct tls_trust;

enum tls_verify_purpose { TLS_VERIFY_SERVER, TLS_VERIFY_CLIENT };

struct tls_verify_settings {
	const struct tls_trust *trust;
	unsigned depth; /* most intermediates between leaf and anchor */
	unsigned security_level; /* tls_strength.h */
	const char *name; /* DNS name or IP address that the leaf must bear; NULL: any */
	enum tls_verify_purpose purpose;
	int64_t now; /* Unix seconds */
};

/* The chain that the peer of `session` has just sent. */
void tls_verify(gnutls_session_t session, const struct tls_verify_settings *settings,
        struct tls_verdict *verdict_out);

/* The same of a chain in DER, leaf first. */
void tls_verify_chain(const gnutls_datum_t *chain, unsigned count,
        const struct tls_verify_settings *settings, struct tls_verdict *verdict_out);

#endif
