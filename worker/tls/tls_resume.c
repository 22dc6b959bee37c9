/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_resume.c - GnuTLS session data to and from the store.
 *
 * gnutls_session_get_data2 gives a 1.3 session's data only after a ticket was read, one ticket per
 * call of the POST hook; the ticket's lifetime is told by the PRE hook alone, in the first four
 * bytes of the message (RFC 8446 4.6.1, RFC 5077 3.3).
 */
#include "worker/tls/tls_resume.h"

#include <string.h>
#include <time.h>

enum {
	FULL_HANDSHAKE_AGE_MAX_S = 3600,
	LIFETIME_MARGIN_S = 10,
};

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void tls_resume_offer(struct tls_resume *resume)
{
	unsigned char data[TLS_SESSION_BYTES_MAX];
	struct tls_session_info info;

	if (!resume->store)
		return;
	size_t length = tls_session_store_take(resume->store, TLS_SESSION_CLIENT_SIDE,
	        &resume->identity, (int64_t)time(NULL), data, sizeof(data), &info);
	if (length == 0)
		return;
	if (gnutls_session_set_data(resume->session, data, length) == GNUTLS_E_SUCCESS) {
		resume->offered = true;
		resume->offered_protocol = info.protocol;
		resume->full_handshake_at = info.full_handshake_at;
		resume->chain_not_after = info.chain_not_after;
	}
	explicit_bzero(data, length);
}

void tls_resume_watch(struct tls_resume *resume, gnutls_handshake_hook_func hook)
{
	if (resume->store)
		gnutls_handshake_set_hook_function(resume->session,
		        GNUTLS_HANDSHAKE_NEW_SESSION_TICKET, GNUTLS_HOOK_BOTH, hook);
}

static void store_session(struct tls_resume *resume)
{
	gnutls_datum_t data = {NULL, 0};
	int64_t now = (int64_t)time(NULL);
	int64_t lifetime = resume->ticket_lifetime_s ? resume->ticket_lifetime_s
	                                             : FULL_HANDSHAKE_AGE_MAX_S;

	if (gnutls_session_get_data2(resume->session, &data) != GNUTLS_E_SUCCESS)
		return;
	struct tls_session_info info = {
	        .protocol = (uint16_t)gnutls_protocol_get_version(resume->session),
	        .single_use = gnutls_protocol_get_version(resume->session) == GNUTLS_TLS1_3,
	        .full_handshake_at = resume->full_handshake_at,
	        .chain_not_after = resume->chain_not_after,
	};
	info.expires_at = least(now + lifetime - LIFETIME_MARGIN_S,
	        least(info.full_handshake_at + FULL_HANDSHAKE_AGE_MAX_S, info.chain_not_after));
	if (info.expires_at > now)
		tls_session_store_put(resume->store, TLS_SESSION_CLIENT_SIDE, &resume->identity,
		        &info, (struct slice){(const char *)data.data, data.size});
	gnutls_memset(data.data, 0, data.size);
	gnutls_free(data.data);
}

void tls_resume_on_ticket(struct tls_resume *resume, unsigned when, const gnutls_datum_t *message)
{
	if (when == GNUTLS_HOOK_PRE) {
		resume->ticket_lifetime_s = 0;
		if (message && message->size >= 4)
			resume->ticket_lifetime_s = (uint32_t)message->data[0] << 24 |
			                            (uint32_t)message->data[1] << 16 |
			                            (uint32_t)message->data[2] << 8 |
			                            message->data[3];
		return;
	}
	if (gnutls_protocol_get_version(resume->session) == GNUTLS_TLS1_3)
		store_session(resume);
}

void tls_resume_on_handshake(struct tls_resume *resume)
{
	bool resumed = gnutls_session_is_resumed(resume->session) != 0;

	if (!resumed)
		resume->full_handshake_at = (int64_t)time(NULL);
	if (!resume->store || gnutls_protocol_get_version(resume->session) == GNUTLS_TLS1_3)
		return;
	/* A resumed 1.2 session is in the store already, unless the server renewed its ticket. */
	if (!resumed || resume->ticket_lifetime_s)
		store_session(resume);
}

void tls_resume_forget(struct tls_resume *resume)
{
	if (resume->store)
		tls_session_store_drop(resume->store, TLS_SESSION_CLIENT_SIDE, &resume->identity);
}
