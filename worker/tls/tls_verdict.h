/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_verdict.h - what became of a certificate: one table of reasons, the alert each is answered
 * with, and the words for the log.
 *
 * The order of the table is the order in which causes are looked for: of several only the first is
 * told.
 */
#ifndef WORKER_TLS_TLS_VERDICT_H
#define WORKER_TLS_TLS_VERDICT_H

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <stdint.h>

/*      enum, alert (as OpenSSL chooses it), words (OpenSSL's, where it knows the fault), whether
 *      all that is wrong is that nobody trusted has issued it */
#define TLS_VERDICT_TABLE(X)                                                                       \
	X(TLS_VERDICT_OK, GNUTLS_A_CLOSE_NOTIFY, "", false)                                        \
	X(TLS_VERDICT_NO_CERTIFICATE, GNUTLS_A_HANDSHAKE_FAILURE, "no certificate was sent",       \
	        false)                                                                             \
	X(TLS_VERDICT_TOO_MANY, GNUTLS_A_UNKNOWN_CA, "certificate chain too long", false)          \
	X(TLS_VERDICT_MALFORMED, GNUTLS_A_BAD_CERTIFICATE, "certificate rejected", false)          \
	X(TLS_VERDICT_SELF_SIGNED, GNUTLS_A_UNKNOWN_CA, "self-signed certificate", true)           \
	X(TLS_VERDICT_UNKNOWN_CA, GNUTLS_A_UNKNOWN_CA, "unable to get local issuer certificate",   \
	        true)                                                                              \
	X(TLS_VERDICT_UNKNOWN_ROOT, GNUTLS_A_UNKNOWN_CA,                                           \
	        "self-signed certificate in certificate chain", true)                              \
	X(TLS_VERDICT_MISSING_ISSUER, GNUTLS_A_UNKNOWN_CA,                                         \
	        "unable to get local issuer certificate", true)                                    \
	X(TLS_VERDICT_BAD_SIGNATURE, GNUTLS_A_DECRYPT_ERROR, "certificate signature failure",      \
	        false)                                                                             \
	X(TLS_VERDICT_NOT_A_CA, GNUTLS_A_UNKNOWN_CA, "invalid CA certificate", false)              \
	X(TLS_VERDICT_CONSTRAINT, GNUTLS_A_BAD_CERTIFICATE, "certificate constraint violated",     \
	        false)                                                                             \
	X(TLS_VERDICT_WEAK_KEY, GNUTLS_A_BAD_CERTIFICATE, "EE certificate key too weak", false)    \
	X(TLS_VERDICT_WEAK_CA_KEY, GNUTLS_A_BAD_CERTIFICATE, "CA certificate key too weak", false) \
	X(TLS_VERDICT_WEAK_SIGNATURE, GNUTLS_A_BAD_CERTIFICATE,                                    \
	        "CA signature digest algorithm too weak", false)                                   \
	X(TLS_VERDICT_NOT_YET_VALID, GNUTLS_A_BAD_CERTIFICATE, "certificate is not yet valid",     \
	        false)                                                                             \
	X(TLS_VERDICT_EXPIRED, GNUTLS_A_CERTIFICATE_EXPIRED, "certificate has expired", false)     \
	X(TLS_VERDICT_PURPOSE, GNUTLS_A_UNSUPPORTED_CERTIFICATE, "unsuitable certificate purpose", \
	        false)                                                                             \
	X(TLS_VERDICT_WRONG_NAME, GNUTLS_A_BAD_CERTIFICATE, "hostname mismatch", false)            \
	X(TLS_VERDICT_DEPTH, GNUTLS_A_UNKNOWN_CA, "certificate chain too long", false)

#define TLS_VERDICT_ENUM(name, alert, words, only_issuer) name,
enum tls_verdict_reason { TLS_VERDICT_TABLE(TLS_VERDICT_ENUM) TLS_VERDICT_COUNT };
#undef TLS_VERDICT_ENUM

enum { TLS_VERDICT_TEXT_MAX = 768 };

struct tls_verdict {
	bool ok;
	enum tls_verdict_reason reason;
	int alert; /* to send; -1 when ok */
	int64_t not_after; /* the earliest of the verified chain, Unix seconds; when ok */
	char text[TLS_VERDICT_TEXT_MAX]; /* for the log, nothing unescaped in it; when not ok */
};

void tls_verdict_accept(struct tls_verdict *verdict, int64_t not_after);

/* "expired on 2026-10-01 (CN=backend1.example.com, issuer CN=Corp CA, chain depth 0)";
 * `certificate` is the one at fault, NULL when none is. What `format` brings in from a peer has to
 * be escaped already. */
void tls_verdict_refuse(struct tls_verdict *verdict, enum tls_verdict_reason reason,
        gnutls_x509_crt_t certificate, unsigned depth, const char *format, ...)
        __attribute__((format(printf, 5, 6)));

/* "FAILED:certificate has expired", static: what nginx says in $ssl_client_verify. `reason` is not
 * TLS_VERDICT_OK. */
const char *tls_verdict_failed_text(enum tls_verdict_reason reason);
/* It would have been good, had its issuer been known. */
bool tls_verdict_is_about_issuer(enum tls_verdict_reason reason);

#endif
