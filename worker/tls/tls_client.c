/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_client.c - a TLS session towards an endpoint.
 *
 * One key share only (X25519: half the ClientHello's cost), our certificate whatever CAs the server
 * lists (as nginx), verification inside the handshake, before our certificate is shown. With a
 * stored TLS 1.2 session only 1.2 is offered: the key share for a 1.3 that would not be used costs
 * more than the rest of the handshake. A server that has moved on refuses that, and the dialer asks
 * once more without a session.
 */
#include "worker/tls/tls_client.h"

#include "shared/check.h"
#include "shared/tls_credentials.h"
#include "worker/tls/tls_error.h"
#include "worker/tls/tls_identity.h"
#include "worker/tls/tls_resume.h"
#include "worker/tls/tls_verify.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TLS_CLIENT_MAGIC = 0x544c434c, NAME_BYTES_MAX = 256 };

struct tls_client {
	struct tls_transport tls; /* first: transport, TLS transport and client are one address */
	unsigned magic;
	const struct tls_client_credentials *credentials;
	struct tls_resume resume;
	const char *name; /* the configuration's */
};

static struct tls_client *client_of(struct tls_transport *tls)
{
	struct tls_client *client = (struct tls_client *)(void *)tls;

	CHECK_OBJ(client, TLS_CLIENT_MAGIC);
	return client;
}

static struct tls_client *client_of_transport(struct transport *transport)
{
	struct tls_transport *tls = tls_transport_of(transport);

	CHECK(tls);
	return client_of(tls);
}

static int on_ticket(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
        const gnutls_datum_t *message)
{
	struct tls_client *client = gnutls_session_get_ptr(session);

	(void)type;
	(void)incoming;
	CHECK_OBJ(client, TLS_CLIENT_MAGIC);
	tls_resume_on_ticket(&client->resume, when, message);
	return 0;
}

static int verify(gnutls_session_t session)
{
	struct tls_client *client = gnutls_session_get_ptr(session);
	struct tls_verdict verdict;

	CHECK_OBJ(client, TLS_CLIENT_MAGIC);
	client->resume.chain_not_after = INT64_MAX;
	if (!client->credentials->verify)
		return 0;
	struct tls_verify_settings settings = {
	        .trust = client->credentials->trust,
	        .depth = client->credentials->verify_depth,
	        .security_level = client->credentials->policy.security_level,
	        .name = client->name,
	        .purpose = TLS_VERIFY_SERVER,
	        .now = (int64_t)time(NULL),
	};
	tls_verify(session, &settings, &verdict);
	if (verdict.ok) {
		client->resume.chain_not_after = verdict.not_after;
		return 0;
	}
	client->tls.alert = verdict.alert;
	transport_fault(&client->tls.transport, CLOSE_UPSTREAM_VERIFY,
	        "certificate verification failed: %s", verdict.text);
	return GNUTLS_E_CERTIFICATE_ERROR;
}

/* GnuTLS can express some lists of suites only as a superset. */
static bool is_allowed_suite(struct tls_client *client)
{
	const struct tls_suite_set *allowed = &client->credentials->policy.allowed;
	const char *suite = gnutls_ciphersuite_get(client->tls.session);
	size_t index;

	if (allowed->count == 0 ||
	        gnutls_protocol_get_version(client->tls.session) == GNUTLS_TLS1_3)
		return true;
	if (suite && tls_suite_find_iana(suite, &index) && tls_suite_set_has(allowed, index))
		return true;
	transport_fault(&client->tls.transport, CLOSE_UPSTREAM_SUITE,
	        "suite %s, which the server chose, is not in proxy_ssl_ciphers",
	        suite ? suite : "?");
	return false;
}

static bool accept_handshake(struct tls_transport *tls)
{
	struct tls_client *client = client_of(tls);

	if (!is_allowed_suite(client))
		return false;
	tls_resume_on_handshake(&client->resume);
	return true;
}

static void explain(struct tls_transport *tls, int code)
{
	struct tls_client *client = client_of(tls);

	tls_error_explain(tls, code, client->credentials->has_certificate);
}

static void destroy(struct tls_transport *tls)
{
	client_of(tls)->magic = 0;
}

static const struct tls_role client_role = {
        .accept = accept_handshake,
        .explain = explain,
        .destroy = destroy,
};

/* A host name without its trailing dot, in `buffer`; NULL for an IP address, to which no SNI is
 * sent (RFC 6066 3). */
static const char *server_name(const struct tls_client_target *target, char *buffer)
{
	struct address literal;
	struct slice name = slice_of(target->name);

	if (name.length && name.data[name.length - 1] == '.')
		name.length--;
	if (!target->credentials->send_server_name || name.length == 0 ||
	        name.length >= NAME_BYTES_MAX)
		return NULL;
	if (address_parse_ip(name, &literal))
		return NULL;
	memcpy(buffer, name.data, name.length);
	buffer[name.length] = '\0';
	return buffer;
}

static bool set_up(struct tls_client *client, const char *sni)
{
	const struct tls_client_credentials *credentials = client->credentials;
	gnutls_session_t session = client->tls.session;

	if (gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials->certificate) != 0)
		return false;
	if (sni && gnutls_server_name_set(session, GNUTLS_NAME_DNS, sni, strlen(sni)) != 0)
		return false;
	if (credentials->alpn_count && gnutls_alpn_set_protocols(session, credentials->alpn,
	                                       credentials->alpn_count, 0) != 0)
		return false;
	gnutls_session_set_ptr(session, client);
	gnutls_session_set_verify_function(session, verify);
	return true;
}

static void set_up_resumption(struct tls_client *client, struct tls_session_store *store,
        const struct tls_client_target *target, const char *sni)
{
	const struct tls_policy *policy = &client->credentials->policy;
	struct tls_resume *resume = &client->resume;

	resume->session = client->tls.session;
	resume->chain_not_after = INT64_MAX;
	if (client->credentials->session_reuse) {
		resume->store = store;
		tls_identity_compute(
		        client->credentials, target->address, target->name, sni, &resume->identity);
		tls_resume_watch(resume, on_ticket);
		if (!target->without_session)
			tls_resume_offer(resume);
	}
	bool only_tls12 = resume->offered && resume->offered_protocol != GNUTLS_TLS1_3 &&
	                  policy->priority_tls12;
	gnutls_priority_set(
	        client->tls.session, only_tls12 ? policy->priority_tls12 : policy->priority);
}

struct transport *tls_client_create(
        struct tls_client_context *context, const struct tls_client_target *target, int fd)
{
	char sni_buffer[NAME_BYTES_MAX];
	gnutls_session_t session;
	unsigned flags = GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_KEY_SHARE_TOP |
	                 GNUTLS_FORCE_CLIENT_CERT;

	CHECK_OBJ(target->credentials, TLS_CLIENT_CREDENTIALS_MAGIC);
	if (!target->credentials->session_reuse)
		flags |= GNUTLS_NO_TICKETS;
	struct tls_client *client = calloc(1, sizeof(*client));
	if (!client || gnutls_init(&session, flags) != 0) {
		free(client);
		return NULL;
	}
	tls_transport_init(&client->tls, session, fd, IO_UPSTREAM, context->wire, &client_role);
	client->magic = TLS_CLIENT_MAGIC;
	client->credentials = target->credentials;
	client->name = target->name;
	const char *sni = server_name(target, sni_buffer);
	if (!set_up(client, sni)) {
		client->tls.transport.ops->close(&client->tls.transport, false);
		return NULL;
	}
	set_up_resumption(client, context->store, target, sni);
	return &client->tls.transport;
}

bool tls_client_offered_session(struct transport *transport)
{
	return client_of_transport(transport)->resume.offered;
}

void tls_client_forget_sessions(struct transport *transport)
{
	tls_resume_forget(&client_of_transport(transport)->resume);
}
