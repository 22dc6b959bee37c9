/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_fingerprint.h - SHA-256 over settings, framed so that no two settings give the same bytes.
 *
 * Each piece is its tag, its length in eight bytes, and its content.
 */
#ifndef SHARED_TLS_FINGERPRINT_H
#define SHARED_TLS_FINGERPRINT_H

#include "shared/tls_credentials.h"
#include "shared/tls_key_pair.h"

#include <gnutls/crypto.h>

struct tls_trust;

/* Their values are part of the fingerprint: never give one another meaning. */
enum tls_fingerprint_tag {
	TLS_TAG_KIND = 1, /* client or server credentials */
	TLS_TAG_VERIFY,
	TLS_TAG_DEPTH,
	TLS_TAG_LEVEL,
	TLS_TAG_ANCHOR,
	TLS_TAG_CERTIFICATE,
	TLS_TAG_PRIORITY,
	TLS_TAG_SUITE,
	TLS_TAG_ALPN,
	TLS_TAG_SERVER_NAME,
	TLS_TAG_SECTION,
	TLS_TAG_VERDICT, /* of a client's certificate: in the handshake or after it */
};

struct tls_fingerprint {
	gnutls_hash_hd_t hash;
};

void tls_fingerprint_start(struct tls_fingerprint *fingerprint);
void tls_fingerprint_add(struct tls_fingerprint *fingerprint, enum tls_fingerprint_tag tag,
        const void *data, size_t size);
void tls_fingerprint_add_number(
        struct tls_fingerprint *fingerprint, enum tls_fingerprint_tag tag, uint64_t number);
void tls_fingerprint_add_trust(struct tls_fingerprint *fingerprint, const struct tls_trust *trust);
void tls_fingerprint_add_chain(struct tls_fingerprint *fingerprint, const struct tls_chain *chain);
void tls_fingerprint_add_policy(
        struct tls_fingerprint *fingerprint, const struct tls_policy *policy);
/* Ends it; `bytes_out` has TLS_FINGERPRINT_BYTES. */
void tls_fingerprint_finish(struct tls_fingerprint *fingerprint, uint8_t *bytes_out);

#endif
