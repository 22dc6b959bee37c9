/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_resume.h - an upstream TLS session's data, from the shared store and back into it.
 *
 * The life of a ticket: a session is taken from the store under its identity and offered; the
 * server sends a new ticket, during the handshake (TLS 1.2) or any time after it (1.3); it is
 * packed and put back, where the next worker finds it. When the chain was last verified in a full
 * handshake travels along, so that no chain of resumptions outlives its verification by more than
 * an hour.
 */
#ifndef WORKER_TLS_TLS_RESUME_H
#define WORKER_TLS_TLS_RESUME_H

#include "shared/tls_session_store.h"

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdint.h>

struct tls_resume {
	struct tls_session_store *store; /* NULL: sessions are not reused */
	struct tls_session_key identity;
	gnutls_session_t session;
	bool offered;
	uint16_t offered_protocol; /* gnutls_protocol_t of the offered session */
	int64_t full_handshake_at; /* Unix seconds, of the chain this session rests on */
	int64_t chain_not_after; /* earliest end of the verified chain; INT64_MAX when not verified
	                          */
	uint32_t ticket_lifetime_s; /* of the ticket that is being taken in; 0: the server said none
	                             */
};

/* Offers a stored session if there is one; the session has its priorities and credentials. */
void tls_resume_offer(struct tls_resume *resume);
/* Installs the hook for new tickets. The session's ptr must lead to `resume` through `find`. */
void tls_resume_watch(struct tls_resume *resume, gnutls_handshake_hook_func hook);
/* The body of that hook. */
void tls_resume_on_ticket(struct tls_resume *resume, unsigned when, const gnutls_datum_t *message);
/* The handshake is done; TLS 1.2 and older have their session data now. */
void tls_resume_on_handshake(struct tls_resume *resume);
/* The server choked on a session. */
void tls_resume_forget(struct tls_resume *resume);

#endif
