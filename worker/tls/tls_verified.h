/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_verified.h - the client chains that this worker has verified, so that it need not do it again
 * and again.
 *
 * A verdict follows from the chain, the settings and the date alone. Chain and settings are in the
 * digest; what was good once is good until the first certificate of the path ends. Bad verdicts are
 * not remembered.
 */
#ifndef WORKER_TLS_TLS_VERIFIED_H
#define WORKER_TLS_TLS_VERIFIED_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdint.h>

enum { TLS_VERIFIED_DIGEST_BYTES = 32, TLS_VERIFIED_PLACES = 256 };

struct tls_verified_digest {
	uint8_t bytes[TLS_VERIFIED_DIGEST_BYTES];
};

/* Zero at first. A later chain takes the place of an earlier one. */
struct tls_verified {
	struct tls_verified_place {
		struct tls_verified_digest digest;
		int64_t from, until; /* Unix seconds, both included; until 0: empty */
	} places[TLS_VERIFIED_PLACES];
};

/* `policy` of TLS_FINGERPRINT_BYTES stands for all settings; the chain is as it was sent. */
void tls_verified_compute(const uint8_t *policy, const gnutls_datum_t *chain, unsigned count,
        struct tls_verified_digest *digest_out);
/* False: not known. */
bool tls_verified_find(const struct tls_verified *verified,
        const struct tls_verified_digest *digest, int64_t now, int64_t *not_after_out);
void tls_verified_add(struct tls_verified *verified, const struct tls_verified_digest *digest,
        int64_t now, int64_t not_after);

#endif
