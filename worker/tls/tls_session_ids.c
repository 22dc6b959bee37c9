/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_session_ids.c - GnuTLS' three database functions over the shared store. */
#include "worker/tls/tls_session_ids.h"

#include "shared/check.h"
#include "shared/tls_credentials.h"
#include "shared/tls_session_store.h"

#include <gnutls/crypto.h>
#include <string.h>
#include <time.h>

static struct tls_session_key key_of(const struct tls_session_ids *ids, gnutls_datum_t id)
{
	static const char format[] = "client session 1";
	struct tls_session_key key;
	gnutls_hash_hd_t hash;

	CHECK(gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) == 0);
	CHECK(gnutls_hash(hash, format, sizeof(format)) == 0);
	CHECK(gnutls_hash(hash, ids->credentials->fingerprint, TLS_FINGERPRINT_BYTES) == 0);
	CHECK(gnutls_hash(hash, id.data, id.size) == 0);
	gnutls_hash_deinit(hash, key.bytes);
	return key;
}

static gnutls_datum_t retrieve(void *pointer, gnutls_datum_t id)
{
	struct tls_session_ids *ids = pointer;
	unsigned char bytes[TLS_SESSION_BYTES_MAX];
	gnutls_datum_t data = {NULL, 0};
	struct tls_session_info info;
	struct tls_session_key key = key_of(ids, id);

	size_t length = tls_session_store_take(ids->store, TLS_SESSION_SERVER_SIDE, &key,
	        (int64_t)time(NULL), bytes, sizeof(bytes), &info);
	if (length == 0)
		return data;
	data.data = gnutls_malloc(length); /* GnuTLS frees it */
	if (data.data) {
		memcpy(data.data, bytes, length);
		data.size = (unsigned)length;
	}
	explicit_bzero(bytes, length);
	return data;
}

static int store(void *pointer, gnutls_datum_t id, gnutls_datum_t data)
{
	struct tls_session_ids *ids = pointer;
	int64_t now = (int64_t)time(NULL);

	if (ids->unwanted)
		return 0;
	struct tls_session_info info = {
	        .expires_at = now + ids->credentials->session_timeout_s,
	        .full_handshake_at = now,
	        .chain_not_after = ids->chain_not_after,
	        .protocol = (uint16_t)gnutls_protocol_get_version(ids->session),
	};
	if (info.expires_at > info.chain_not_after)
		info.expires_at = info.chain_not_after;
	struct tls_session_key key = key_of(ids, id);
	tls_session_store_put(ids->store, TLS_SESSION_SERVER_SIDE, &key, &info,
	        (struct slice){(const char *)data.data, data.size});
	return 0;
}

static int drop(void *pointer, gnutls_datum_t id)
{
	struct tls_session_ids *ids = pointer;
	struct tls_session_key key = key_of(ids, id);

	tls_session_store_drop(ids->store, TLS_SESSION_SERVER_SIDE, &key);
	return 0;
}

void tls_session_ids_attach(struct tls_session_ids *ids)
{
	gnutls_db_set_ptr(ids->session, ids);
	gnutls_db_set_retrieve_function(ids->session, retrieve);
	gnutls_db_set_store_function(ids->session, store);
	gnutls_db_set_remove_function(ids->session, drop);
}
