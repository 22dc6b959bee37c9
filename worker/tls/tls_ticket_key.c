/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_ticket_key.c - HMAC-SHA512 of the policy's fingerprint under the base key.
 *
 * GnuTLS 3.7 resumes a ticket whatever the server name, the protocols and the client certificate
 * settings now are. With a key of its own for each policy such a ticket is just unknown.
 */
#include "worker/tls/tls_ticket_key.h"

#include "shared/check.h"
#include "shared/ticket_key.h"
#include "shared/tls_credentials.h"

#include <gnutls/crypto.h>
#include <string.h>

void tls_ticket_key_derive(const struct ticket_key *base, const uint8_t *fingerprint,
        uint8_t key_out[TLS_TICKET_KEY_BYTES])
{
	uint8_t base_key[TICKET_KEY_BYTES];

	ticket_key_read(base, base_key);
	int code = gnutls_hmac_fast(GNUTLS_MAC_SHA512, base_key, sizeof(base_key), fingerprint,
	        TLS_FINGERPRINT_BYTES, key_out);
	explicit_bzero(base_key, sizeof(base_key));
	CHECK(code == 0);
}
