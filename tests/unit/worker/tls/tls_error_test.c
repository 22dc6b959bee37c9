/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_error_test.c - errors and alerts in words, and real handshakes that fail in each way.
 *
 * The handshakes run between two sessions over memory; ours is made of real credentials, and its
 * fault is what the log would say.
 */
#include "worker/tls/tls_error.h"

#include "shared/check.h"
#include "shared/tls_credentials.h"
#include "tests/support/pki.h"
#include "worker/tls/tls_verify.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define NAME "backend1.example.com"

/* ---- the tables ---- */

enum { ALERT = GNUTLS_E_FATAL_ALERT_RECEIVED };
static const struct {
	struct tls_error_facts facts;
	enum close_reason reason;
	const char *text;
} word_rows[] = {
        {{.code = ALERT, .alert = 116, .side = IO_UPSTREAM, .handshake_done = true},
                CLOSE_UPSTREAM_REFUSED_US,
                "the server requires a client certificate (alert 116, certificate "
                "required): none is "
                "configured, see proxy_ssl_certificate"},
        {{.code = ALERT,
                 .alert = 116,
                 .side = IO_UPSTREAM,
                 .handshake_done = true,
                 .has_certificate = true},
                CLOSE_UPSTREAM_REFUSED_US,
                "the server requires a client certificate (alert 116, certificate "
                "required): it did "
                "not take ours, see proxy_ssl_certificate"},
        {{.code = ALERT, .alert = 40, .side = IO_UPSTREAM, .certificate_requested = true},
                CLOSE_UPSTREAM_REFUSED_US,
                "the server requires a client certificate (alert 40, handshake failure): "
                "none is "
                "configured, see proxy_ssl_certificate"},
        {{.code = ALERT, .alert = 40, .side = IO_UPSTREAM}, CLOSE_UPSTREAM_HANDSHAKE,
                "the server ended the TLS handshake with alert 40, handshake failure: no "
                "protocol or cipher suite in common (proxy_ssl_protocols, "
                "proxy_ssl_ciphers), a client certificate that it wants "
                "(proxy_ssl_certificate), or a name that it does not know "
                "(proxy_ssl_name)"},
        {{.code = ALERT,
                 .alert = 48,
                 .side = IO_UPSTREAM,
                 .handshake_done = true,
                 .has_certificate = true},
                CLOSE_UPSTREAM_REFUSED_US,
                "the server refused our certificate (alert 48, unknown ca): its trusted "
                "CAs did not "
                "issue it, or an intermediate is missing in it; see proxy_ssl_certificate"},
        {{.code = ALERT, .alert = 45, .side = IO_UPSTREAM, .has_certificate = true},
                CLOSE_UPSTREAM_REFUSED_US,
                "the server refused our certificate (alert 45, certificate expired); see "
                "proxy_ssl_certificate"},
        {{.code = ALERT, .alert = 112, .side = IO_UPSTREAM}, CLOSE_UPSTREAM_HANDSHAKE,
                "the server ended the TLS handshake with alert 112, unrecognized name: it "
                "does not "
                "serve the name that was sent to it, see proxy_ssl_name and "
                "proxy_ssl_server_name"},
        {{.code = ALERT, .alert = 70, .side = IO_UPSTREAM}, CLOSE_UPSTREAM_HANDSHAKE,
                "the server ended the TLS handshake with alert 70, protocol version: no "
                "protocol "
                "version in common, see proxy_ssl_protocols"},
        {{.code = ALERT, .alert = 80, .side = IO_UPSTREAM, .handshake_done = true},
                CLOSE_UPSTREAM_PROTOCOL,
                "the server ended the connection with alert 80, internal error"},
        {{.code = ALERT, .alert = 200, .side = IO_UPSTREAM}, CLOSE_UPSTREAM_HANDSHAKE,
                "the server ended the TLS handshake with alert 200, unknown alert"},
        {{.code = GNUTLS_E_PREMATURE_TERMINATION, .alert = -1, .side = IO_UPSTREAM},
                CLOSE_UPSTREAM_HANDSHAKE, "the server closed the connection in the TLS handshake"},
        {{.code = GNUTLS_E_PREMATURE_TERMINATION,
                 .alert = -1,
                 .side = IO_UPSTREAM,
                 .nothing_received = true},
                CLOSE_UPSTREAM_HANDSHAKE,
                "the server closed the connection before it sent anything"},
        {{.code = GNUTLS_E_PREMATURE_TERMINATION,
                 .alert = -1,
                 .side = IO_UPSTREAM,
                 .handshake_done = true},
                CLOSE_UPSTREAM_TRUNCATED, "the server ended TLS without close_notify"},
        {{.code = GNUTLS_E_DH_PRIME_UNACCEPTABLE, .alert = -1, .side = IO_UPSTREAM},
                CLOSE_UPSTREAM_HANDSHAKE,
                "the server's DH group is weaker than the security level allows, see "
                "@SECLEVEL in "
                "proxy_ssl_ciphers"},
        {{.code = GNUTLS_E_DECRYPTION_FAILED,
                 .alert = -1,
                 .side = IO_UPSTREAM,
                 .handshake_done = true},
                CLOSE_UPSTREAM_PROTOCOL, "a record of the server cannot be decrypted"},
        {{.code = GNUTLS_E_REHANDSHAKE, .alert = -1, .side = IO_CLIENT, .handshake_done = true},
                CLOSE_CLIENT_PROTOCOL, "the client asked for renegotiation, which is refused"},
        {{.code = GNUTLS_E_CERTIFICATE_ERROR, .alert = -1, .side = IO_UPSTREAM},
                CLOSE_UPSTREAM_VERIFY,
                "certificate verification failed: Error in the certificate."},
        {{.code = GNUTLS_E_MEMORY_ERROR, .alert = -1, .side = IO_UPSTREAM}, CLOSE_RESOURCES,
                "TLS with the server failed: Internal error in memory allocation. "
                "(GNUTLS_E_MEMORY_ERROR)"},
        {{.code = -12345, .alert = -1, .side = IO_UPSTREAM}, CLOSE_UPSTREAM_HANDSHAKE,
                "TLS with the server failed: (unknown error code) (unknown error)"},
        {{.code = ALERT, .alert = 48, .side = IO_CLIENT}, CLOSE_CLIENT_HANDSHAKE,
                "the client refused our certificate with alert 48, unknown ca: it does not "
                "trust who "
                "issued it, or an intermediate is missing in it"},
        {{.code = ALERT, .alert = 46, .side = IO_CLIENT, .handshake_done = true},
                CLOSE_CLIENT_PROTOCOL,
                "the client ended the connection with alert 46, certificate unknown"},
        {{.code = GNUTLS_E_NO_CERTIFICATE_FOUND, .alert = -1, .side = IO_CLIENT},
                CLOSE_CLIENT_CERTIFICATE,
                "the client sent no certificate, and ssl_verify_client is on"},
        {{.code = GNUTLS_E_CERTIFICATE_REQUIRED, .alert = -1, .side = IO_CLIENT},
                CLOSE_CLIENT_CERTIFICATE,
                "the client sent no certificate, and ssl_verify_client is on"},
        {{.code = GNUTLS_E_UNSUPPORTED_VERSION_PACKET, .alert = -1, .side = IO_CLIENT},
                CLOSE_CLIENT_HANDSHAKE,
                "no protocol version in common with the client, see ssl_protocols"},
        {{.code = GNUTLS_E_NO_APPLICATION_PROTOCOL, .alert = -1, .side = IO_CLIENT},
                CLOSE_CLIENT_HANDSHAKE, "the client offers none of the protocols of ssl_alpn"},
        {{.code = GNUTLS_E_PREMATURE_TERMINATION,
                 .alert = -1,
                 .side = IO_CLIENT,
                 .nothing_received = true},
                CLOSE_CLIENT_HANDSHAKE, "the client closed the connection before it sent anything"},
};

static void alerts_and_errors_have_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(word_rows) / sizeof(word_rows[0]); i++) {
		char text[TLS_ERROR_TEXT_MAX];
		assert_int_equal(tls_error_describe(&word_rows[i].facts, text, sizeof(text)),
		        word_rows[i].reason);
		assert_string_equal(text, word_rows[i].text);
	}
}

/* ---- handshakes ---- */

struct pipe_end {
	unsigned char bytes[65536];
	size_t start, end;
	struct pipe_end *peer; /* what we push goes there */
};

static ssize_t pull(gnutls_transport_ptr_t opaque, void *data, size_t size)
{
	struct pipe_end *end = opaque;
	size_t length = end->end - end->start;
	if (length == 0) {
		errno = EAGAIN;
		return -1;
	}
	length = length < size ? length : size;
	memcpy(data, end->bytes + end->start, length);
	end->start += length;
	return (ssize_t)length;
}

static ssize_t push(gnutls_transport_ptr_t opaque, const void *data, size_t size)
{
	struct pipe_end *peer = ((struct pipe_end *)opaque)->peer;
	CHECK(peer->end + size <= sizeof(peer->bytes));
	memcpy(peer->bytes + peer->end, data, size);
	peer->end += size;
	return (ssize_t)size;
}

/* One side of a handshake. */
struct side {
	gnutls_session_t session;
	struct pipe_end pipe;
	int code; /* of the last call */
	bool done, failed;
	struct tls_verify_settings verify;
	struct tls_verdict verdict;
	bool verify_called;
};

static int verify(gnutls_session_t session)
{
	struct side *side = gnutls_session_get_ptr(session);
	side->verify_called = true;
	tls_verify(session, &side->verify, &side->verdict);
	return side->verdict.ok ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

static void open_side(struct side *side, struct side *peer, unsigned flags,
        gnutls_certificate_credentials_t certificate, gnutls_priority_t priority)
{
	CHECK(gnutls_init(&side->session, flags | GNUTLS_NONBLOCK) == 0);
	CHECK(gnutls_credentials_set(side->session, GNUTLS_CRD_CERTIFICATE, certificate) == 0);
	CHECK(gnutls_priority_set(side->session, priority) == 0);
	gnutls_session_set_ptr(side->session, side);
	gnutls_transport_set_ptr(side->session, &side->pipe);
	gnutls_transport_set_pull_function(side->session, pull);
	gnutls_transport_set_push_function(side->session, push);
	gnutls_handshake_set_timeout(side->session, 0);
	side->pipe.peer = &peer->pipe;
}

static void step(struct side *side)
{
	if (side->done || side->failed)
		return;
	side->code = gnutls_handshake(side->session);
	if (side->code == 0) {
		side->done = true;
	} else if (gnutls_error_is_fatal(side->code)) {
		side->failed = true;
		if (side->verify_called && !side->verdict.ok)
			gnutls_alert_send(side->session, GNUTLS_AL_FATAL,
			        (gnutls_alert_description_t)side->verdict.alert);
		else
			gnutls_alert_send_appropriate(side->session, side->code);
	}
}

/* What the log says of `side` after its handshake, or after it read once. */
static enum close_reason explain(
        struct side *side, enum io_side where, bool has_certificate, char *text)
{
	if (side->done) {
		unsigned char byte;
		side->code = (int)gnutls_record_recv(side->session, &byte, 1);
	}
	struct tls_error_facts facts = {
	        .code = side->code,
	        .alert = (int)gnutls_alert_get(side->session),
	        .side = where,
	        .handshake_done = side->done,
	        .certificate_requested = where == IO_UPSTREAM &&
	                                 gnutls_certificate_client_get_request_status(
	                                         side->session) != 0,
	        .has_certificate = has_certificate,
	};
	return tls_error_describe(&facts, text, TLS_ERROR_TEXT_MAX);
}

static struct {
	struct pki_certificate *root, *other_root, *server, *client, *foreign_client, *client_only;
	char *root_pem, *other_root_pem, *server_pem, *server_key, *client_pem, *client_key,
	        *foreign_pem, *foreign_key, *client_only_pem, *client_only_key;
} pki;

static int set_up(void **state)
{
	(void)state;
	pki.root = pki_issue(&(struct pki_request){.name = "Root", .ca = true}, NULL);
	pki.other_root = pki_issue(&(struct pki_request){.name = "Other", .ca = true}, NULL);
	pki.server = pki_issue(&(struct pki_request){.name = NAME, .dns = {NAME}}, pki.root);
	pki.client = pki_issue(&(struct pki_request){.name = "us"}, pki.root);
	pki.foreign_client = pki_issue(&(struct pki_request){.name = "them"}, pki.other_root);
	pki.client_only = pki_issue(
	        &(struct pki_request){
	                .name = NAME, .dns = {NAME}, .purpose = GNUTLS_KP_TLS_WWW_CLIENT},
	        pki.root);
	pki.root_pem = pki_pem(pki.root, NULL);
	pki.other_root_pem = pki_pem(pki.other_root, NULL);
	pki.server_pem = pki_pem(pki.server, NULL);
	pki.server_key = pki_key_pem(pki.server, NULL);
	pki.client_pem = pki_pem(pki.client, NULL);
	pki.client_key = pki_key_pem(pki.client, NULL);
	pki.foreign_pem = pki_pem(pki.foreign_client, NULL);
	pki.foreign_key = pki_key_pem(pki.foreign_client, NULL);
	pki.client_only_pem = pki_pem(pki.client_only, NULL);
	pki.client_only_key = pki_key_pem(pki.client_only, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	struct pki_certificate *all[] = {pki.root, pki.other_root, pki.server, pki.client,
	        pki.foreign_client, pki.client_only};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		pki_free(all[i]);
	char *texts[] = {pki.root_pem, pki.other_root_pem, pki.server_pem, pki.server_key,
	        pki.client_pem, pki.client_key, pki.foreign_pem, pki.foreign_key,
	        pki.client_only_pem, pki.client_only_key};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	return 0;
}

static void ignore(void *opaque, enum tls_severity severity, enum tls_setting setting, size_t pair,
        const char *text)
{
	(void)opaque;
	(void)setting;
	(void)pair;
	if (severity == TLS_ERROR)
		fail_msg("%s", text);
}

static struct tls_pem pem(const char *text)
{
	return (struct tls_pem){.text = slice_of(text), .name = "x.pem"};
}

/* Both sides' settings; what is NULL or 0 takes the usual. */
struct scene {
	const char *server_pem, *server_key;
	const char *client_pem, *client_key; /* NULL: none */
	const char *client_trusts, *server_trusts;
	unsigned client_protocols, server_protocols;
	const char *client_ciphers, *server_ciphers;
	const char *name;
	bool server_verifies;
	const char *server_alpn, *client_alpn;
};

struct played {
	struct tls_client_credentials *client_credentials;
	struct tls_server_credentials *server_credentials;
	struct side client, server;
};

static void make_credentials(const struct scene *scene, struct played *played)
{
	struct tls_client_settings client = {
	        .own = {pem(scene->client_pem), pem(scene->client_key)},
	        .trusted = pem(scene->client_trusts ? scene->client_trusts : pki.root_pem),
	        .verify = true,
	        .verify_depth = 4,
	        .policy = {scene->client_protocols ? scene->client_protocols
	                                           : (unsigned)TLS_PROTOCOLS_DEFAULT,
	                scene->client_ciphers ? scene->client_ciphers : "HIGH:!aNULL:!MD5", NULL},
	};
	struct tls_key_pair pair = {pem(scene->server_pem ? scene->server_pem : pki.server_pem),
	        pem(scene->server_key ? scene->server_key : pki.server_key)};
	struct tls_server_settings server = {
	        .pairs = &pair,
	        .pair_count = 1,
	        .client_ca = pem(scene->server_trusts ? scene->server_trusts : pki.root_pem),
	        .verify_client = scene->server_verifies,
	        .verify_depth = 4,
	        .policy = {scene->server_protocols ? scene->server_protocols
	                                           : (unsigned)TLS_PROTOCOLS_DEFAULT,
	                scene->server_ciphers ? scene->server_ciphers : "HIGH:!aNULL:!MD5", NULL},
	        .name = "tcp x",
	};
	played->client_credentials = tls_client_credentials_create(&client, ignore, NULL);
	played->server_credentials = tls_server_credentials_create(&server, ignore, NULL);
	CHECK(played->client_credentials && played->server_credentials);
}

static void set_alpn(gnutls_session_t session, const char *name)
{
	gnutls_datum_t datum = {(unsigned char *)strdup(name), (unsigned)strlen(name)};
	CHECK(gnutls_alpn_set_protocols(session, &datum, 1, GNUTLS_ALPN_MANDATORY) == 0);
	free(datum.data);
}

static struct played *play(const struct scene *scene)
{
	struct played *played = calloc(1, sizeof(*played));
	CHECK(played);
	make_credentials(scene, played);
	struct side *client = &played->client, *server = &played->server;
	open_side(client, server, GNUTLS_CLIENT | GNUTLS_KEY_SHARE_TOP | GNUTLS_FORCE_CLIENT_CERT,
	        played->client_credentials->certificate,
	        played->client_credentials->policy.priority);
	open_side(server, client, GNUTLS_SERVER, played->server_credentials->certificate,
	        played->server_credentials->policy.priority);
	client->verify = (struct tls_verify_settings){.trust = played->client_credentials->trust,
	        .depth = 4,
	        .security_level = played->client_credentials->policy.security_level,
	        .name = scene->name ? scene->name : NAME,
	        .now = (int64_t)time(NULL)};
	server->verify = (struct tls_verify_settings){.trust = played->server_credentials->trust,
	        .depth = 4,
	        .security_level = played->server_credentials->policy.security_level,
	        .purpose = TLS_VERIFY_CLIENT,
	        .now = (int64_t)time(NULL)};
	gnutls_session_set_verify_function(client->session, verify);
	gnutls_session_set_verify_function(server->session, verify);
	if (scene->server_verifies)
		gnutls_certificate_server_set_request(server->session, GNUTLS_CERT_REQUIRE);
	if (scene->client_alpn)
		set_alpn(client->session, scene->client_alpn);
	if (scene->server_alpn)
		set_alpn(server->session, scene->server_alpn);
	for (int i = 0; i < 20; i++) {
		step(client);
		step(server);
	}
	return played;
}

static void end_play(struct played *played)
{
	gnutls_deinit(played->client.session);
	gnutls_deinit(played->server.session);
	tls_client_credentials_destroy(played->client_credentials);
	tls_server_credentials_destroy(played->server_credentials);
	free(played);
}

static void every_protocol_is_negotiated(void **state)
{
	(void)state;
	static const struct {
		unsigned client, server;
		gnutls_protocol_t version;
	} rows[] = {
	        {7, 1, GNUTLS_TLS1_0},
	        {7, 2, GNUTLS_TLS1_1},
	        {7, 3, GNUTLS_TLS1_1},
	        {7, 4, GNUTLS_TLS1_2},
	        {1, 15, GNUTLS_TLS1_0},
	        {2, 15, GNUTLS_TLS1_1},
	        {15, 15, GNUTLS_TLS1_3},
	        {12, 12, GNUTLS_TLS1_3},
	        {8, 12, GNUTLS_TLS1_3},
	        {12, 4, GNUTLS_TLS1_2},
	        {4, 12, GNUTLS_TLS1_2},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int verifies = 0; verifies <= 1; verifies++) {
			struct played *played = play(&(struct scene){
			        .client_protocols = rows[i].client,
			        .server_protocols = rows[i].server,
			        .server_verifies = verifies,
			        .client_pem = pki.client_pem,
			        .client_key = pki.client_key,
			});
			assert_true(played->client.done);
			assert_true(played->server.done);
			assert_int_equal(gnutls_protocol_get_version(played->client.session),
			        rows[i].version);
			assert_true(played->client.verify_called);
			assert_true(played->client.verdict.ok);
			assert_int_equal(played->server.verify_called, verifies);
			size_t suite;
			const char *name = gnutls_ciphersuite_get(played->client.session);
			if (rows[i].version != GNUTLS_TLS1_3) {
				assert_true(tls_suite_find_iana(name, &suite));
				assert_true(tls_suite_set_has(
				        &played->client_credentials->policy.allowed, suite));
			}
			end_play(played);
		}
	}
}

/* A verdict of ours ends the handshake; the other side hears the fitting alert. */
static void refusals_reach_the_other_side(void **state)
{
	(void)state;
	const struct {
		struct scene scene;
		bool by_client;
		enum tls_verdict_reason reason;
		const char *told; /* by the other side's log */
	} rows[] = {
	        {{.client_trusts = pki.other_root_pem}, true, TLS_VERDICT_MISSING_ISSUER,
	                "the client refused our certificate with alert 48, unknown ca"},
	        {{.name = "another.example"}, true, TLS_VERDICT_WRONG_NAME,
	                "the client refused our certificate with alert 42, bad certificate"},
	        {{.server_pem = pki.client_only_pem, .server_key = pki.client_only_key}, true,
	                TLS_VERDICT_PURPOSE,
	                "the client refused our certificate with alert 43, unsupported "
	                "certificate"},
	        {{.server_verifies = true,
	                 .client_pem = pki.foreign_pem,
	                 .client_key = pki.foreign_key},
	                false, TLS_VERDICT_MISSING_ISSUER,
	                "the server refused our certificate (alert 48, unknown ca)"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (unsigned protocols = 4; protocols <= 8; protocols += 4) {
			struct scene scene = rows[i].scene;
			scene.client_protocols = protocols;
			struct played *played = play(&scene);
			struct side *judge = rows[i].by_client ? &played->client : &played->server;
			struct side *judged = rows[i].by_client ? &played->server : &played->client;
			char text[TLS_ERROR_TEXT_MAX];
			assert_true(judge->failed);
			assert_int_equal(judge->verdict.reason, rows[i].reason);
			explain(judged, rows[i].by_client ? IO_CLIENT : IO_UPSTREAM, true, text);
			if (!strstr(text, rows[i].told))
				fail_msg("'%s' lacks '%s'", text, rows[i].told);
			end_play(played);
		}
	}
}

static void failed_handshakes_say_why(void **state)
{
	(void)state;
	const struct {
		struct scene scene;
		enum close_reason upstream, client;
		const char *upstream_text, *client_text;
	} rows[] = {
	        {{.server_verifies = true, .client_protocols = TLS_PROTOCOL_1_3},
	                CLOSE_UPSTREAM_REFUSED_US, CLOSE_CLIENT_CERTIFICATE,
	                "the server requires a client certificate (alert 116, certificate "
	                "required): none is",
	                "the client sent no certificate"},
	        {{.client_protocols = TLS_PROTOCOL_1_3, .server_protocols = TLS_PROTOCOL_1_2},
	                CLOSE_UPSTREAM_HANDSHAKE, CLOSE_CLIENT_HANDSHAKE,
	                "with alert 40, handshake failure: no protocol",
	                "no protocol version or cipher suite in common with the client, see "
	                "ssl_protocols and ssl_ciphers"},
	        {{.client_protocols = TLS_PROTOCOL_1_2, .server_protocols = TLS_PROTOCOL_1_3},
	                CLOSE_UPSTREAM_HANDSHAKE, CLOSE_CLIENT_HANDSHAKE, "alert ",
	                "no protocol version or cipher suite in common with the client"},
	        {{.client_protocols = TLS_PROTOCOL_1_2,
	                 .client_ciphers = "AES128+CBC",
	                 .server_ciphers = "AES256+AESGCM"},
	                CLOSE_UPSTREAM_HANDSHAKE, CLOSE_CLIENT_HANDSHAKE,
	                "with alert 40, handshake failure",
	                "no protocol version or cipher suite in common with the client"},
	        {{.client_protocols = TLS_PROTOCOL_1_2, .client_ciphers = "aRSA"},
	                CLOSE_UPSTREAM_HANDSHAKE, CLOSE_CLIENT_HANDSHAKE,
	                "with alert 40, handshake failure", "see ssl_protocols and ssl_ciphers"},
	        {{.client_alpn = "redis", .server_alpn = "h2"}, CLOSE_UPSTREAM_HANDSHAKE,
	                CLOSE_CLIENT_HANDSHAKE,
	                "alert 120, no application protocol: it speaks none of the protocols of "
	                "proxy_ssl_alpn",
	                "the client offers none of the protocols of ssl_alpn"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct played *played = play(&rows[i].scene);
		char text[TLS_ERROR_TEXT_MAX];
		assert_true(played->server.failed);
		enum close_reason client = explain(&played->server, IO_CLIENT, true, text);
		if (client != rows[i].client || !strstr(text, rows[i].client_text))
			fail_msg("row %zu: %d '%s'", i, client, text);
		enum close_reason upstream = explain(&played->client, IO_UPSTREAM, false, text);
		if (upstream != rows[i].upstream || !strstr(text, rows[i].upstream_text))
			fail_msg("row %zu: %d '%s'", i, upstream, text);
		end_play(played);
	}
}

/* 1.2: the server says handshake_failure, and that it asked for a certificate tells why. */
static void tls12_without_certificate_is_understood(void **state)
{
	(void)state;
	struct played *played = play(
	        &(struct scene){.server_verifies = true, .client_protocols = TLS_PROTOCOL_1_2});
	char text[TLS_ERROR_TEXT_MAX];
	assert_true(played->server.failed);
	assert_int_equal(explain(&played->server, IO_CLIENT, true, text), CLOSE_CLIENT_CERTIFICATE);
	assert_int_equal(
	        explain(&played->client, IO_UPSTREAM, false, text), CLOSE_UPSTREAM_REFUSED_US);
	assert_string_equal(text, "the server requires a client certificate (alert 50, decode "
	                          "error): none is configured, "
	                          "see proxy_ssl_certificate");
	played->client.code = GNUTLS_E_PREMATURE_TERMINATION;
	explain(&played->client, IO_UPSTREAM, false, text);
	assert_string_equal(text,
	        "the server closed the connection in the TLS handshake: it had asked for a client "
	        "certificate, and none is configured, see proxy_ssl_certificate");
	end_play(played);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(alerts_and_errors_have_words),
	        cmocka_unit_test(every_protocol_is_negotiated),
	        cmocka_unit_test(refusals_reach_the_other_side),
	        cmocka_unit_test(failed_handshakes_say_why),
	        cmocka_unit_test(tls12_without_certificate_is_understood),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
