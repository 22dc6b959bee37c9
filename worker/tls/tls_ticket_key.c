/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_ticket_key.c - HMAC-SHA512 of the policy's fingerprint and the kind under the base key.
 *
 * GnuTLS 3.7 resumes a ticket whatever the server name, the protocols and the client certificate
 * settings now are. With a key of its own for each policy such a ticket is just unknown. It also
 * takes a ticket of TLS 1.2 in a handshake that negotiates 1.3, and sends no certificate then: so
 * each of the two has a key.
 */
#include "worker/tls/tls_ticket_key.h"

#include "shared/check.h"

#include <gnutls/crypto.h>
#include <string.h>

static void derive(const uint8_t base_key[TICKET_KEY_BYTES], const uint8_t *fingerprint,
        enum tls_ticket_kind kind, uint8_t key_out[TLS_TICKET_KEY_BYTES])
{
	uint8_t text[TLS_FINGERPRINT_BYTES + 1];

	memcpy(text, fingerprint, TLS_FINGERPRINT_BYTES);
	text[TLS_FINGERPRINT_BYTES] = (uint8_t)kind;
	CHECK(gnutls_hmac_fast(GNUTLS_MAC_SHA512, base_key, TICKET_KEY_BYTES, text, sizeof(text),
	              key_out) == 0);
}

void tls_ticket_key_derive(const struct ticket_key *base, const uint8_t *fingerprint,
        enum tls_ticket_kind kind, uint8_t key_out[TLS_TICKET_KEY_BYTES])
{
	uint8_t base_key[TICKET_KEY_BYTES];

	ticket_key_read(base, base_key);
	derive(base_key, fingerprint, kind, key_out);
	explicit_bzero(base_key, sizeof(base_key));
}

const uint8_t *tls_ticket_key_get(struct tls_ticket_key_cache *cache, const struct ticket_key *base,
        const uint8_t *fingerprint, enum tls_ticket_kind kind)
{
	uint8_t base_key[TICKET_KEY_BYTES];
	struct tls_ticket_key_place *place =
	        &cache->places[(fingerprint[0] * 2U + kind) % TLS_TICKET_KEY_PLACES];

	ticket_key_read(base, base_key);
	if (!place->known || place->kind != kind ||
	        memcmp(place->fingerprint, fingerprint, TLS_FINGERPRINT_BYTES) != 0 ||
	        gnutls_memcmp(place->base, base_key, TICKET_KEY_BYTES) != 0) {
		derive(base_key, fingerprint, kind, place->key);
		memcpy(place->fingerprint, fingerprint, TLS_FINGERPRINT_BYTES);
		memcpy(place->base, base_key, TICKET_KEY_BYTES);
		place->kind = kind;
		place->known = true;
	}
	explicit_bzero(base_key, sizeof(base_key));
	return place->key;
}
