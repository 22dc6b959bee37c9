/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_ticket_key.h - the ticket key of one listener policy, derived from the shared base key. */
#ifndef WORKER_TLS_TLS_TICKET_KEY_H
#define WORKER_TLS_TLS_TICKET_KEY_H

#include "shared/ticket_key.h"
#include "shared/tls_credentials.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	TLS_TICKET_KEY_BYTES = 64, /* exactly what gnutls_session_ticket_enable_server copies */
	TLS_TICKET_KEY_PLACES = 16,
};

/* Sessions of TLS 1.3 and those of older versions have keys of their own. */
enum tls_ticket_kind { TLS_TICKET_OLD, TLS_TICKET_TLS13 };

/* `fingerprint` (TLS_FINGERPRINT_BYTES) is the server credentials'. Wipe the result after use. */
void tls_ticket_key_derive(const struct ticket_key *base, const uint8_t *fingerprint,
        enum tls_ticket_kind kind, uint8_t key_out[TLS_TICKET_KEY_BYTES]);

/* Derived keys of a worker, so that they need not be computed for each client. Zero at first. */
struct tls_ticket_key_cache {
	struct tls_ticket_key_place {
		bool known;
		enum tls_ticket_kind kind;
		uint8_t fingerprint[TLS_FINGERPRINT_BYTES];
		uint8_t base[TICKET_KEY_BYTES];
		uint8_t key[TLS_TICKET_KEY_BYTES];
	} places[TLS_TICKET_KEY_PLACES];
};

/* The same key, of the base key as it is now; the bytes live until the next call. */
const uint8_t *tls_ticket_key_get(struct tls_ticket_key_cache *cache, const struct ticket_key *base,
        const uint8_t *fingerprint, enum tls_ticket_kind kind);

#endif
