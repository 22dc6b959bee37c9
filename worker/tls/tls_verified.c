/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_verified.c - a table with one place for each remainder of the digest. */
#include "worker/tls/tls_verified.h"

#include "shared/check.h"
#include "shared/tls_credentials.h"

#include <gnutls/crypto.h>
#include <string.h>

void tls_verified_compute(const uint8_t *policy, const gnutls_datum_t *chain, unsigned count,
        struct tls_verified_digest *digest_out)
{
	gnutls_hash_hd_t hash;

	CHECK(gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) == 0);
	CHECK(gnutls_hash(hash, policy, TLS_FINGERPRINT_BYTES) == 0);
	for (unsigned i = 0; i < count; i++) {
		uint32_t size = chain[i].size;
		CHECK(gnutls_hash(hash, &size, sizeof(size)) == 0);
		CHECK(size == 0 || gnutls_hash(hash, chain[i].data, size) == 0);
	}
	gnutls_hash_deinit(hash, digest_out->bytes);
}

bool tls_verified_find(const struct tls_verified *verified,
        const struct tls_verified_digest *digest, int64_t now, int64_t *not_after_out)
{
	const struct tls_verified_place *place =
	        &verified->places[digest->bytes[0] % TLS_VERIFIED_PLACES];

	if (place->until == 0 || now < place->from || now > place->until ||
	        memcmp(&place->digest, digest, sizeof(*digest)) != 0)
		return false;
	*not_after_out = place->until;
	return true;
}

void tls_verified_add(struct tls_verified *verified, const struct tls_verified_digest *digest,
        int64_t now, int64_t not_after)
{
	verified->places[digest->bytes[0] % TLS_VERIFIED_PLACES] = (struct tls_verified_place){
	        .digest = *digest, .from = now, .until = not_after};
}
