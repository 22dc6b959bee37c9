/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_ticket_key.h - the ticket key of one listener policy, derived from the shared base key. */
#ifndef WORKER_TLS_TLS_TICKET_KEY_H
#define WORKER_TLS_TLS_TICKET_KEY_H

#include <stdint.h>

struct ticket_key;

enum { TLS_TICKET_KEY_BYTES = 64 }; /* exactly what gnutls_session_ticket_enable_server copies */

/* `fingerprint` (TLS_FINGERPRINT_BYTES) is the server credentials'. Wipe the result after use. */
void tls_ticket_key_derive(const struct ticket_key *base, const uint8_t *fingerprint,
        uint8_t key_out[TLS_TICKET_KEY_BYTES]);

#endif
