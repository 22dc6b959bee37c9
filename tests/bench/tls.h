/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls.h - the one TLS setting that the benchmark's programs force on every proxy.
 */
#ifndef BENCH_TLS_H
#define BENCH_TLS_H

#include <openssl/ssl.h>

enum tls_version { TLS_NONE, TLS_12, TLS_13 };

/* "plain", "tls12" or "tls13"; anything else ends the program. */
enum tls_version tls_version_parse(const char *word);

/*
 * A context that speaks `version` only, with AES-128-GCM and X25519: whatever a proxy would prefer,
 * all of them are measured with the same cryptography. Ends the program when OpenSSL refuses.
 */
SSL_CTX *tls_context_create(const SSL_METHOD *method, enum tls_version version);

/* Makes `context` a server that shows PKI/server.pem and takes no client without a certificate. */
void tls_context_serve(SSL_CTX *context, const char *pki);

/* Ends the program with OpenSSL's own reason. */
void tls_fail(const char *doing) __attribute__((noreturn));

#endif
