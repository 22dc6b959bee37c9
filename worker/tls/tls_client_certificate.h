/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_client_certificate.h - what a client has shown of itself, judged.
 *
 * Judged once in each session: in a full handshake when the certificate has come, in a resumed one
 * on the chain that the ticket or the stored session brings along, since all that happened when it
 * was made may have changed: a date has passed, or it was given to a client that had been refused.
 *
 * In a full handshake a chain counts only if this handshake's Certificate message had one. GnuTLS
 * 3.7 says that a ticket's chain was sent when it opened that ticket and then did not use it: too
 * old, or of another name. Tickets travel in clear, so anybody could show another's certificate.
 */
#ifndef WORKER_TLS_TLS_CLIENT_CERTIFICATE_H
#define WORKER_TLS_TLS_CLIENT_CERTIFICATE_H

#include "shared/slice.h"
#include "worker/tls/tls_verdict.h"

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdint.h>

struct tls_server_credentials;
struct tls_verified;

/* What is known of the client's certificate after the handshake. */
enum tls_client_verdict {
	TLS_CLIENT_NONE, /* not asked for, or none was shown */
	TLS_CLIENT_VERIFIED,
	TLS_CLIENT_REFUSED,
};

/* Part of a server. Zero at first but for the first three. */
struct tls_client_certificate {
	gnutls_session_t session;
	const struct tls_server_credentials *credentials;
	struct tls_verified *verified; /* the worker's */
	bool shown; /* in this very handshake */
	bool judged;
	enum tls_client_verdict verdict;
	enum tls_verdict_reason reason; /* of REFUSED */
	int alert; /* that fits it */
	int64_t not_after; /* of VERIFIED: the earliest of the path; else INT64_MAX */
	char *refusal; /* why, for the log; NULL unless REFUSED */
	char *subject, *issuer, *serial; /* NULL: not asked for yet */
};

/* The client's Certificate message, without its header, is about to be read. */
void tls_client_certificate_arrives(
        struct tls_client_certificate *certificate, struct slice message);
/* Once the session is resumed or the Certificate message was read; nothing the second time. */
void tls_client_certificate_judge(struct tls_client_certificate *certificate);

/* Fine under the listener's ssl_verify_client: what the protocol or the handshake goes by. */
bool tls_client_certificate_is_admitted(const struct tls_client_certificate *certificate);
/* $ssl_client_verify; static. */
const char *tls_client_certificate_text(const struct tls_client_certificate *certificate);
/* Fills subject, issuer and serial: never NULL afterwards. */
void tls_client_certificate_name(struct tls_client_certificate *certificate);
void tls_client_certificate_clear(struct tls_client_certificate *certificate);

#endif
