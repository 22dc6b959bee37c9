/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_identity.c - the identity of an upstream TLS session, hashed.
 *
 * In it, one by one: the server's address and port, the name to verify, the SNI sent or its
 * absence. In it through the credentials' fingerprint: verify mode, depth, security level, the
 * content of the trust anchors, our own certificate chain, the priorities, the allowed suites and
 * ALPN. Not in it: names of sections and files, so that a reload which changes nothing here keeps
 * its sessions.
 *
 * Each part is framed by a tag and a length: no two different lists of parts are the same bytes.
 */
#include "worker/tls/tls_identity.h"

#include "shared/address.h"
#include "shared/check.h"
#include "shared/tls_credentials.h"

#include <gnutls/crypto.h>
#include <string.h>

/* Never reused for another meaning. */
enum part {
	PART_FORMAT = 1,
	PART_IPV4,
	PART_IPV6,
	PART_PORT,
	PART_SCOPE,
	PART_VERIFY_NAME,
	PART_SNI,
	PART_CREDENTIALS,
};

static void put_number(uint8_t *bytes, size_t size, uint64_t number)
{
	for (size_t i = size; i > 0; i--, number >>= 8)
		bytes[i - 1] = (uint8_t)number;
}

static void add(gnutls_hash_hd_t hash, enum part part, const void *bytes, size_t length)
{
	uint8_t frame[9] = {(uint8_t)part};

	put_number(frame + 1, 8, length);
	CHECK(gnutls_hash(hash, frame, sizeof(frame)) == 0);
	CHECK(length == 0 || gnutls_hash(hash, bytes, length) == 0);
}

static void add_number(gnutls_hash_hd_t hash, enum part part, uint32_t number)
{
	uint8_t bytes[4];

	put_number(bytes, sizeof(bytes), number);
	add(hash, part, bytes, sizeof(bytes));
}

static void add_address(gnutls_hash_hd_t hash, const struct address *address)
{
	if (address->any.sa_family == AF_INET) {
		add(hash, PART_IPV4, &address->in.sin_addr, sizeof(address->in.sin_addr));
	} else {
		CHECK(address->any.sa_family == AF_INET6);
		add(hash, PART_IPV6, &address->in6.sin6_addr, sizeof(address->in6.sin6_addr));
		add_number(hash, PART_SCOPE, address->in6.sin6_scope_id);
	}
	add_number(hash, PART_PORT, address_port(address));
}

void tls_identity_compute(const struct tls_client_credentials *credentials,
        const struct address *address, const char *verify_name, const char *sni,
        struct tls_session_key *key_out)
{
	static const char format[] = "upstream session 1";
	gnutls_hash_hd_t hash;

	CHECK_OBJ(credentials, TLS_CLIENT_CREDENTIALS_MAGIC);
	CHECK(gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) == 0);
	add(hash, PART_FORMAT, format, sizeof(format) - 1);
	add_address(hash, address);
	add(hash, PART_VERIFY_NAME, verify_name, strlen(verify_name));
	if (sni)
		add(hash, PART_SNI, sni, strlen(sni));
	add(hash, PART_CREDENTIALS, credentials->fingerprint, sizeof(credentials->fingerprint));
	gnutls_hash_deinit(hash, key_out->bytes);
}

/* Whether SNI is sent, and which, follows from the name and the credentials. */
void tls_identity_of_settings(const struct tls_client_credentials *credentials,
        const char *verify_name, struct tls_session_key *key_out)
{
	static const char format[] = "upstream settings 1";
	gnutls_hash_hd_t hash;

	CHECK_OBJ(credentials, TLS_CLIENT_CREDENTIALS_MAGIC);
	CHECK(gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) == 0);
	add(hash, PART_FORMAT, format, sizeof(format) - 1);
	if (verify_name)
		add(hash, PART_VERIFY_NAME, verify_name, strlen(verify_name));
	add(hash, PART_CREDENTIALS, credentials->fingerprint, sizeof(credentials->fingerprint));
	gnutls_hash_deinit(hash, key_out->bytes);
}
