/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_server.c - a TLS session with a client.
 *
 * All that belongs to the server the client asks for is set while its ClientHello is read, before
 * GnuTLS looks at it: protocols, certificate, whether a client certificate is asked for, ALPN, the
 * ticket key, the store of session IDs. So what decides about resumption is the chosen server's: a
 * ticket or a session made under another server's policy is unknown and means a full handshake.
 *
 *      verify_client     verdict    in the handshake (TCP)   after it (HTTP)
 *      ON                NONE       refused                  the protocol answers; not resumable
 *      ON, OPTIONAL      REFUSED    refused                  the protocol answers; not resumable
 *      OPTIONAL_NO_CA    REFUSED    refused, unless only the issuer is unknown; not resumable
 *      any               VERIFIED   goes on, resumable; judged again when it is resumed
 *
 * Not resumable: in TLS 1.3 no ticket is sent; a session ID is not stored; a ticket of TLS 1.2,
 * which has been promised by then, is made with a key that nobody derives again. Should one be
 * resumed all the same, its chain is judged again.
 */
#include "worker/tls/tls_server.h"

#include "shared/check.h"
#include "shared/tls_credentials.h"
#include "worker/tls/tls_client_hello.h"
#include "worker/tls/tls_error.h"
#include "worker/tls/tls_session_ids.h"

#include <stdlib.h>
#include <string.h>

enum { TLS_SERVER_MAGIC = 0x544c5352 };

struct tls_server {
	struct tls_transport tls; /* first: transport, TLS transport and server are one address */
	unsigned magic;
	struct tls_server_context *context;
	struct tls_server_choice choice;
	const struct tls_server_credentials *credentials; /* NULL: no ClientHello was read */
	char *server_name; /* NULL: none was sent */
	struct tls_client_certificate certificate;
	struct tls_session_ids ids;
	bool finished_said; /* TLS 1.3: our Finished, the end of our flight */
	bool ticket_sent;
};

static struct tls_server *server_of(struct tls_transport *tls)
{
	struct tls_server *server = (struct tls_server *)(void *)tls;

	CHECK_OBJ(server, TLS_SERVER_MAGIC);
	return server;
}

/* ---- the client's certificate ---- */

static bool refuse_client(struct tls_server *server)
{
	const struct tls_client_certificate *certificate = &server->certificate;

	if (certificate->verdict == TLS_CLIENT_REFUSED) {
		server->tls.alert = certificate->alert;
		transport_fault(&server->tls.transport, CLOSE_CLIENT_CERTIFICATE,
		        "client certificate refused: %s", certificate->refusal);
	} else {
		transport_fault(&server->tls.transport, CLOSE_CLIENT_CERTIFICATE,
		        "the client sent no certificate, and ssl_verify_client is on");
	}
	return false;
}

/* A ticket of this session can still be promised: the key it is made with depends on the time-out,
 * and one with this time-out is never used to open any. */
static void make_unresumable(struct tls_server *server)
{
	server->ids.unwanted = true;
	gnutls_db_set_cache_expiration(server->tls.session, 1);
}

/* False: the handshake is not to go on. */
static bool judge_client(struct tls_server *server)
{
	tls_client_certificate_judge(&server->certificate);
	server->ids.chain_not_after = server->certificate.not_after;
	if (server->certificate.verdict == TLS_CLIENT_REFUSED)
		make_unresumable(server);
	if (tls_client_certificate_is_admitted(&server->certificate))
		return true;
	make_unresumable(server);
	return server->credentials->verdict_after_handshake || refuse_client(server);
}

/* Called by GnuTLS in a full handshake, when the client's Certificate message was read. */
static int verify(gnutls_session_t session)
{
	struct tls_server *server = gnutls_session_get_ptr(session);

	CHECK_OBJ(server, TLS_SERVER_MAGIC);
	return judge_client(server) ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

/* ---- the ClientHello ---- */

static void lower(char *text)
{
	for (; *text; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

static bool keep_name(struct tls_server *server, struct slice name)
{
	if (name.length && name.data[name.length - 1] == '.')
		name.length--;
	if (name.length == 0)
		return true;
	server->server_name = strndup(name.data, name.length);
	if (!server->server_name)
		return false;
	lower(server->server_name);
	return true;
}

static void choose(struct tls_server *server)
{
	const struct tls_server_choice *choice = &server->choice;
	const struct tls_server_credentials *chosen = NULL;

	if (server->server_name && choice->for_name)
		chosen = choice->for_name(choice->opaque, slice_of(server->server_name));
	server->credentials = chosen ? chosen : choice->standard;
	CHECK_OBJ(server->credentials, TLS_SERVER_CREDENTIALS_MAGIC);
	server->certificate.credentials = server->credentials;
	server->ids.credentials = server->credentials;
}

static void ask_for_certificate(struct tls_server *server)
{
	const struct tls_server_credentials *credentials = server->credentials;
	gnutls_certificate_request_t request = GNUTLS_CERT_IGNORE;

	if (credentials->verify_client == TLS_VERIFY_CLIENT_ON &&
	        !credentials->verdict_after_handshake)
		request = GNUTLS_CERT_REQUIRE;
	else if (credentials->verify_client != TLS_VERIFY_CLIENT_OFF)
		request = GNUTLS_CERT_REQUEST;
	gnutls_certificate_server_set_request(server->tls.session, request);
	if (request != GNUTLS_CERT_IGNORE)
		gnutls_session_set_verify_function(server->tls.session, verify);
}

static int set_up_resumption(struct tls_server *server, const struct tls_client_hello *hello)
{
	const struct tls_server_credentials *credentials = server->credentials;
	gnutls_session_t session = server->tls.session;
	enum tls_ticket_kind kind = hello->offers_tls13 && (credentials->policy.protocols &
	                                                           TLS_PROTOCOL_1_3)
	                                    ? TLS_TICKET_TLS13
	                                    : TLS_TICKET_OLD;

	gnutls_db_set_cache_expiration(session, (int)credentials->session_timeout_s);
	if (credentials->session_cache && server->ids.store && kind == TLS_TICKET_OLD &&
	        !(credentials->session_tickets && hello->offers_ticket))
		tls_session_ids_attach(&server->ids);
	if (!credentials->session_tickets)
		return 0;
	const uint8_t *key = tls_ticket_key_get(&server->context->ticket_keys,
	        server->context->ticket_key, credentials->fingerprint, kind);
	gnutls_datum_t datum = {(unsigned char *)(uintptr_t)key, TLS_TICKET_KEY_BYTES};
	return gnutls_session_ticket_enable_server(session, &datum);
}

static int set_up(struct tls_server *server, const struct tls_client_hello *hello)
{
	const struct tls_server_credentials *credentials = server->credentials;
	gnutls_session_t session = server->tls.session;
	int code = 0;

	if (credentials != server->choice.standard)
		code = gnutls_priority_set(session, credentials->policy.priority);
	if (code == 0)
		code = gnutls_credentials_set(
		        session, GNUTLS_CRD_CERTIFICATE, credentials->certificate);
	if (code == 0 && credentials->alpn_count)
		code = gnutls_alpn_set_protocols(session, credentials->alpn,
		        credentials->alpn_count,
		        GNUTLS_ALPN_MANDATORY | GNUTLS_ALPN_SERVER_PRECEDENCE);
	if (code == 0)
		code = set_up_resumption(server, hello);
	ask_for_certificate(server);
	return code;
}

/* The second of a HelloRetryRequest: nothing of what has been decided may change. */
static bool is_same_again(struct tls_server *server, const struct tls_client_hello *hello)
{
	struct slice name = hello->server_name;

	if (name.length && name.data[name.length - 1] == '.')
		name.length--;
	return slice_equal_nocase(name, slice_of(server->server_name));
}

static int on_client_hello(struct tls_server *server, struct slice message)
{
	struct tls_client_hello hello;

	if (!tls_client_hello_parse(message, &hello))
		return GNUTLS_E_UNEXPECTED_PACKET_LENGTH;
	if (server->credentials)
		return is_same_again(server, &hello) ? 0 : GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER;
	if (!keep_name(server, hello.server_name))
		return GNUTLS_E_MEMORY_ERROR;
	choose(server);
	return set_up(server, &hello);
}

/* Before GnuTLS reads a message, and before it sends one. */
static int on_message(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
        const gnutls_datum_t *message)
{
	struct tls_server *server = gnutls_session_get_ptr(session);
	struct slice body = {(const char *)message->data, message->size};

	(void)when;
	CHECK_OBJ(server, TLS_SERVER_MAGIC);
	if (!incoming) {
		server->finished_said |= type == GNUTLS_HANDSHAKE_FINISHED;
		return 0;
	}
	if (type == GNUTLS_HANDSHAKE_CLIENT_HELLO)
		return on_client_hello(server, body);
	if (!server->credentials) /* SSL 2 */
		return GNUTLS_E_UNEXPECTED_HANDSHAKE_PACKET;
	if (type == GNUTLS_HANDSHAKE_CERTIFICATE_PKT)
		tls_client_certificate_arrives(&server->certificate, body);
	return 0;
}

/* ---- the end of the handshake ---- */

static bool is_allowed_suite(struct tls_server *server)
{
	const struct tls_suite_set *allowed = &server->credentials->policy.allowed;
	const char *suite = gnutls_ciphersuite_get(server->tls.session);
	size_t index;

	if (allowed->count == 0 ||
	        gnutls_protocol_get_version(server->tls.session) == GNUTLS_TLS1_3)
		return true;
	if (suite && tls_suite_find_iana(suite, &index) && tls_suite_set_has(allowed, index))
		return true;
	transport_fault(&server->tls.transport, CLOSE_CLIENT_HANDSHAKE,
	        "suite %s is not in ssl_ciphers", suite ? suite : "?");
	return false;
}

/* One is enough: each connection that resumes is given another. */
static void send_ticket(struct tls_server *server)
{
	if (server->ticket_sent || !server->credentials->session_tickets || server->ids.unwanted ||
	        gnutls_protocol_get_version(server->tls.session) != GNUTLS_TLS1_3)
		return;
	server->ticket_sent = true;
	gnutls_session_ticket_send(server->tls.session, 1, 0);
}

/* With a client that is not asked for a certificate everything is known before its Finished: the
 * ticket goes with ours. Not in a resumed handshake: GnuTLS has its secret only later. */
static void end_flight(struct tls_transport *tls)
{
	struct tls_server *server = server_of(tls);

	if (server->finished_said && !gnutls_session_is_resumed(tls->session) &&
	        server->credentials->verify_client == TLS_VERIFY_CLIENT_OFF)
		send_ticket(server);
}

static bool accept_handshake(struct tls_transport *tls)
{
	struct tls_server *server = server_of(tls);

	CHECK(server->credentials);
	if (!is_allowed_suite(server) || !judge_client(server))
		return false;
	if (server->ids.unwanted && gnutls_session_is_resumed(tls->session))
		gnutls_db_remove_session(tls->session);
	send_ticket(server);
	/* A request has come along, so there will be an answer for the ticket to go with. */
	tls->tail_may_wait = server->ticket_sent && tls->wire->in_start < tls->wire->in_end;
	return true;
}

static void explain(struct tls_transport *tls, int code)
{
	tls_error_explain(tls, code, true);
}

static void destroy(struct tls_transport *tls)
{
	struct tls_server *server = server_of(tls);

	tls_client_certificate_clear(&server->certificate);
	free(server->server_name);
	server->magic = 0;
}

static const struct tls_role server_role = {
        .end_flight = end_flight,
        .accept = accept_handshake,
        .explain = explain,
        .destroy = destroy,
};

/* ---- opening ---- */

struct transport *tls_server_create(
        struct tls_server_context *context, const struct tls_server_choice *choice, int fd)
{
	gnutls_session_t session;
	unsigned flags = GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL |
	                 GNUTLS_NO_AUTO_SEND_TICKET;

	CHECK_OBJ(choice->standard, TLS_SERVER_CREDENTIALS_MAGIC);
	struct tls_server *server = calloc(1, sizeof(*server));
	if (!server || gnutls_init(&session, flags) != 0) {
		free(server);
		return NULL;
	}
	tls_transport_init(&server->tls, session, fd, IO_CLIENT, context->wire, &server_role);
	server->magic = TLS_SERVER_MAGIC;
	server->context = context;
	server->choice = *choice;
	server->certificate.session = server->ids.session = session;
	server->certificate.verified = &context->verified;
	server->ids.store = context->store;
	server->ids.chain_not_after = INT64_MAX;
	gnutls_session_set_ptr(session, server);
	gnutls_handshake_set_hook_function(
	        session, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_PRE, on_message);
	if (gnutls_priority_set(session, choice->standard->policy.priority) != 0) {
		server->tls.transport.ops->close(&server->tls.transport, false);
		return NULL;
	}
	return &server->tls.transport;
}

/* ---- facts ---- */

/* The negotiated protocol is one of ours, which end in NUL. */
static const char *negotiated_alpn(const struct tls_server *server)
{
	gnutls_datum_t selected;

	if (gnutls_alpn_get_selected_protocol(server->tls.session, &selected) != 0)
		return "";
	for (unsigned i = 0; i < server->credentials->alpn_count; i++) {
		const gnutls_datum_t *ours = &server->credentials->alpn[i];
		if (ours->size == selected.size &&
		        memcmp(ours->data, selected.data, selected.size) == 0)
			return (const char *)ours->data;
	}
	return "";
}

bool tls_server_facts(struct transport *transport, struct tls_server_facts *facts_out)
{
	struct tls_transport *tls = tls_transport_of(transport);

	if (!tls || tls->role != &server_role || !tls->handshake_done)
		return false;
	struct tls_server *server = server_of(tls);
	struct tls_client_certificate *certificate = &server->certificate;
	tls_client_certificate_name(certificate);
	*facts_out = (struct tls_server_facts){
	        .credentials = server->credentials,
	        .server_name = server->server_name ? server->server_name : "",
	        .verify = tls_client_certificate_text(certificate),
	        .verdict = certificate->verdict,
	        .only_issuer_unknown = certificate->verdict == TLS_CLIENT_REFUSED &&
	                               tls_verdict_is_about_issuer(certificate->reason),
	        .refusal = certificate->refusal ? certificate->refusal : "",
	        .subject = certificate->subject,
	        .issuer = certificate->issuer,
	        .serial = certificate->serial,
	        .alpn = negotiated_alpn(server),
	};
	return true;
}
