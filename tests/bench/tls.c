/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls.c - OpenSSL contexts for the benchmark's programs.
 *
 * Sessions live in tickets alone, never in a cache of the upstream: its work for a connection does
 * not depend on how many came before, and a proxy resumes only if it kept the ticket itself.
 */
#include "tests/bench/tls.h"

#include "tests/bench/socket.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

/* More than all proxies together hold, so that what one of them kept is still known at its next
 * turn. */
#define SESSIONS_MAX 100000

void tls_fail(const char *doing)
{
	fail("%s: %s", doing, ERR_reason_error_string(ERR_peek_error()));
}

enum tls_version tls_version_parse(const char *word)
{
	if (!strcmp(word, "plain"))
		return TLS_NONE;
	if (!strcmp(word, "tls12"))
		return TLS_12;
	if (!strcmp(word, "tls13"))
		return TLS_13;
	fail("'%s': write plain, tls12 or tls13", word);
}

SSL_CTX *tls_context_create(const SSL_METHOD *method, enum tls_version version)
{
	int number = version == TLS_12 ? TLS1_2_VERSION : TLS1_3_VERSION;
	SSL_CTX *context = SSL_CTX_new(method);
	/* P-256 only because TLS 1.2 takes no ECDSA certificate whose curve is not a group. */
	int groups[] = {NID_X25519, NID_X9_62_prime256v1};

	if (!context || !SSL_CTX_set_min_proto_version(context, number) ||
	        !SSL_CTX_set_max_proto_version(context, number) ||
	        !SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") ||
	        !SSL_CTX_set_cipher_list(
	                context, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256") ||
	        !SSL_CTX_set1_groups(context, groups, 2))
		tls_fail("setting up TLS");
	SSL_CTX_set_mode(
	        context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(
	        context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	return context;
}

/* Never flushed by age, which walks all of it every 255 sessions: the oldest goes when it is full.
 */
static void keep_sessions(SSL_CTX *context)
{
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(
	        context, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_AUTO_CLEAR);
	SSL_CTX_sess_set_cache_size(context, SESSIONS_MAX);
}

void tls_context_serve(SSL_CTX *context, const char *pki)
{
	static const unsigned char session_context[] = "bench";
	char server[4096];
	char trust[4096];

	snprintf(server, sizeof(server), "%s/server.pem", pki);
	snprintf(trust, sizeof(trust), "%s/ca.crt", pki);
	if (SSL_CTX_use_certificate_chain_file(context, server) != 1 ||
	        SSL_CTX_use_PrivateKey_file(context, server, SSL_FILETYPE_PEM) != 1 ||
	        SSL_CTX_load_verify_locations(context, trust, NULL) != 1 ||
	        SSL_CTX_set_session_id_context(context, session_context, sizeof(session_context)) !=
	                1)
		tls_fail(server);
	if (SSL_CTX_get_min_proto_version(context) == TLS1_3_VERSION)
		keep_sessions(context);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}
