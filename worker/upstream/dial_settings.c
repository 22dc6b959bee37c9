/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dial_settings.c - whose connections are whose, and which failures go to another server.
 *
 * The identity is computed once and compared with each request. Two locations that say the same
 * about TLS share their kept-alive connections; those that differ in anything by which either side
 * judges the other never do. Plain is all zero, which no hash is.
 */
#include "worker/upstream/dial_settings.h"

#include "worker/tls/tls_identity.h"

#include <string.h>

/* As nginx: an answer that is none is neither an error nor a time-out; the server has done its work
 * and another would do it twice. */
unsigned dial_failure_kind(enum close_reason reason)
{
	if (reason == CLOSE_UPSTREAM_CONNECT_TIMEOUT ||
	        reason == CLOSE_UPSTREAM_HANDSHAKE_TIMEOUT || reason == CLOSE_UPSTREAM_TIMEOUT)
		return NEXT_UPSTREAM_TIMEOUT;
	return reason == CLOSE_UPSTREAM_BAD_RESPONSE ? 0 : NEXT_UPSTREAM_ERROR;
}

void dial_settings_identify(struct dial_settings *settings)
{
	struct tls_session_key key = {{0}};

	_Static_assert(sizeof(key.bytes) == UPSTREAM_IDENTITY_BYTES, "one is the other");
	if (settings->tls)
		tls_identity_of_settings(settings->tls, settings->tls_name, &key);
	memcpy(settings->identity, key.bytes, sizeof(settings->identity));
}
