/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_server.c - a TLS session with a client.
 *
 * The ticket key is derived from the master's base key and the listener's policy (protocols, client
 * CAs, verify mode, name): a ticket made under another policy is unknown and means a full
 * handshake. That keeps one listener's tickets from opening another that demands client
 * certificates, and keeps GnuTLS 3.7 from taking a TLS 1.2 ticket in a handshake that has come to
 * offer 1.3, where it fails.
 */
#include "worker/tls/tls_server.h"

#include "shared/check.h"
#include "shared/tls_credentials.h"
#include "worker/tls/tls_error.h"
#include "worker/tls/tls_ticket_key.h"
#include "worker/tls/tls_verify.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TLS_SERVER_MAGIC = 0x544c5352 };

struct tls_server {
	struct tls_transport tls; /* first: transport, TLS transport and server are one address */
	unsigned magic;
	const struct tls_server_credentials *credentials;
};

static struct tls_server *server_of(struct tls_transport *tls)
{
	struct tls_server *server = (struct tls_server *)(void *)tls;

	CHECK_OBJ(server, TLS_SERVER_MAGIC);
	return server;
}

static int verify(gnutls_session_t session)
{
	struct tls_server *server = gnutls_session_get_ptr(session);
	struct tls_verdict verdict;

	CHECK_OBJ(server, TLS_SERVER_MAGIC);
	struct tls_verify_settings settings = {
	        .trust = server->credentials->trust,
	        .depth = server->credentials->verify_depth,
	        .security_level = server->credentials->policy.security_level,
	        .name = NULL,
	        .purpose = TLS_VERIFY_CLIENT,
	        .now = (int64_t)time(NULL),
	};
	tls_verify(session, &settings, &verdict);
	if (verdict.ok)
		return 0;
	server->tls.alert = verdict.alert;
	transport_fault(&server->tls.transport, CLOSE_CLIENT_CERTIFICATE,
	        "client certificate refused: %s", verdict.text);
	return GNUTLS_E_CERTIFICATE_ERROR;
}

static bool accept_handshake(struct tls_transport *tls)
{
	const struct tls_suite_set *allowed = &server_of(tls)->credentials->policy.allowed;
	const char *suite = gnutls_ciphersuite_get(tls->session);
	size_t index;

	if (allowed->count == 0 || gnutls_protocol_get_version(tls->session) == GNUTLS_TLS1_3)
		return true;
	if (suite && tls_suite_find_iana(suite, &index) && tls_suite_set_has(allowed, index))
		return true;
	transport_fault(&tls->transport, CLOSE_CLIENT_HANDSHAKE, "suite %s is not in ssl_ciphers",
	        suite ? suite : "?");
	return false;
}

static void explain(struct tls_transport *tls, int code)
{
	tls_error_explain(tls, code, true);
}

static void destroy(struct tls_transport *tls)
{
	server_of(tls)->magic = 0;
}

static const struct tls_role server_role = {
        .accept = accept_handshake,
        .explain = explain,
        .destroy = destroy,
};

static bool set_up_tickets(struct tls_server *server, const struct ticket_key *base_key)
{
	unsigned char key[TLS_TICKET_KEY_BYTES];

	if (!server->credentials->session_tickets)
		return true;
	tls_ticket_key_derive(base_key, server->credentials->fingerprint, key);
	gnutls_datum_t datum = {key, sizeof(key)};
	int code = gnutls_session_ticket_enable_server(server->tls.session, &datum);
	explicit_bzero(key, sizeof(key));
	gnutls_db_set_cache_expiration(
	        server->tls.session, (int)server->credentials->session_timeout_s);
	return code == 0;
}

static bool set_up(struct tls_server *server, const struct ticket_key *base_key)
{
	const struct tls_server_credentials *credentials = server->credentials;
	gnutls_session_t session = server->tls.session;

	gnutls_session_set_ptr(session, server);
	if (gnutls_priority_set(session, credentials->policy.priority) != 0)
		return false;
	if (gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials->certificate) != 0)
		return false;
	if (credentials->alpn_count &&
	        gnutls_alpn_set_protocols(session, credentials->alpn, credentials->alpn_count,
	                GNUTLS_ALPN_MANDATORY | GNUTLS_ALPN_SERVER_PRECEDENCE) != 0)
		return false;
	if (credentials->verify_client) {
		gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
		gnutls_session_set_verify_function(session, verify);
	} else {
		gnutls_certificate_server_set_request(session, GNUTLS_CERT_IGNORE);
	}
	return set_up_tickets(server, base_key);
}

struct transport *tls_server_create(struct tls_server_context *context,
        const struct tls_server_credentials *credentials, int fd)
{
	gnutls_session_t session;

	CHECK_OBJ(credentials, TLS_SERVER_CREDENTIALS_MAGIC);
	struct tls_server *server = calloc(1, sizeof(*server));
	if (!server ||
	        gnutls_init(&session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) != 0) {
		free(server);
		return NULL;
	}
	tls_transport_init(&server->tls, session, fd, IO_CLIENT, context->wire, &server_role);
	server->magic = TLS_SERVER_MAGIC;
	server->credentials = credentials;
	if (!set_up(server, context->ticket_key)) {
		server->tls.transport.ops->close(&server->tls.transport, false);
		return NULL;
	}
	return &server->tls.transport;
}
