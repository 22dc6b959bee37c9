/* SPDX-License-Identifier: BSD-2-Clause */
/* config_build_http_tls_test.c - whose TLS settings count for a location and for a server. */
#include "master/config_build.h"

#include "shared/tls_credentials.h"
#include "tests/support/config_rig.h"
#include "tests/support/pki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Four lines, the pair in the last two. */
#define SERVER                                                                                \
	"[http a]\nlisten = 127.0.0.1:3 ssl\nssl_certificate = c.pem\nssl_certificate_key = " \
	"k.pem\n"
#define TLS_RETURN SERVER "return = 200\n"

static void give_text(struct config_rig *rig, const char *name, char *text)
{
	config_rig_give(rig, name, slice_of(text));
	free(text);
}

/* ca.pem; c.pem and k.pem, a pair of it. */
static struct config_rig *open_rig(const char *text)
{
	struct config_rig *rig = malloc(sizeof(*rig));
	struct pki_certificate *ca = pki_issue(
	        &(struct pki_request){.name = "Test CA", .ca = true}, NULL);
	struct pki_certificate *pair = pki_issue(&(struct pki_request){.name = "pair"}, ca);

	config_rig_open(rig);
	give_text(rig, "ca.pem", pki_pem(ca, NULL));
	give_text(rig, "c.pem", pki_pem(pair, NULL));
	give_text(rig, "k.pem", pki_key_pem(pair, NULL));
	config_rig_give(rig, "main.ini", slice_of(text));
	config_rig_load(rig);
	pki_free(pair);
	pki_free(ca);
	return rig;
}

static void close_rig(struct config_rig *rig)
{
	config_rig_close(rig);
	free(rig);
}

static void rules_are_told(void **state)
{
	(void)state;
	static const struct config_rig_row rows[] = {
	        {TLS_RETURN, ""},
	        {TLS_RETURN "ssl_verify_client = on\n",
	                "main.ini:6: ssl_verify_client: 'on' needs ssl_client_certificate or "
	                "ssl_trusted_certificate"},
	        {TLS_RETURN "ssl_verify_client = optional\n",
	                "main.ini:6: ssl_verify_client: 'optional' needs ssl_client_certificate or "
	                "ssl_trusted_certificate"},
	        {TLS_RETURN "ssl_verify_client = optional_no_ca\n", ""},
	        {TLS_RETURN "ssl_verify_client = optional\nssl_client_certificate = ca.pem\n", ""},
	        {TLS_RETURN "ssl_verify_client = on\nssl_trusted_certificate = ca.pem\n", ""},
	        {"[http]\nssl_verify_client = on\nssl_client_certificate = ca.pem\n" TLS_RETURN
	         "ssl_client_certificate = none\n",
	                "main.ini:2: ssl_verify_client: 'on' needs ssl_client_certificate or "
	                "ssl_trusted_certificate"},
	        {"[http a]\nlisten = 127.0.0.1:3 ssl\nreturn = 200\n[http b]\nlisten = 127.0.0.1:3 "
	         "ssl default_server\nserver_name = b\nreturn = 200\nssl_certificate = "
	         "c.pem\nssl_certificate_key = k.pem\n",
	                "warning: main.ini:1: [http a] gets no requests on '127.0.0.1:3': it has "
	                "no "
	                "server_name, and [http b] is the default server there"},
	        {TLS_RETURN "[http b]\nlisten = 127.0.0.1:3 ssl\nserver_name = b\nreturn = "
	                    "200\nssl_verify_client = optional\nssl_client_certificate = ca.pem\n",
	                "main.ini:10: ssl_verify_client: [http b] has no ssl_certificate, so its "
	                "clients would be judged as [http a] says; give it a certificate of its "
	                "own"},
	        {TLS_RETURN "[http b]\nlisten = 127.0.0.1:4 ssl\nserver_name = b\nreturn = 200\n",
	                "main.ini:6: ssl_certificate: a listen with ssl needs pairs of "
	                "ssl_certificate and ssl_certificate_key; there are 0 and 0"},
	        {"[http a]\nlisten = 127.0.0.1:3\nssl_certificate = c.pem\nssl_certificate_key = "
	         "k.pem\nreturn = 200\n",
	                "notice: main.ini:3: [http a] has a certificate for its clients, but none "
	                "of its listen lines has 'ssl'"},
	        {"[http]\nssl_certificate = c.pem\nssl_certificate_key = k.pem\n[http a]\nlisten = "
	         "127.0.0.1:3\nreturn = 200\n[http b]\nlisten = 127.0.0.1:4 ssl\nreturn = 200\n",
	                ""},
	        {"[http]\nssl_priority = NORMAL\nssl_ciphers = HIGH\n" TLS_RETURN,
	                "main.ini:2: ssl_priority replaces ssl_ciphers, which stands beside it at "
	                "main.ini:3; leave one out"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config_rig *rig = open_rig(rows[i].text);
		if (strcmp(rig->shown, rows[i].wanted) != 0)
			fail_msg("row %zu: %s\nnot: %s", i, rig->shown, rows[i].wanted);
		close_rig(rig);
	}
}

static void servers_have_credentials(void **state)
{
	(void)state;
	struct config_rig *rig = open_rig(
	        "[http]\nssl_protocols = TLSv1.2\nssl_verify_depth = 2\n" SERVER
	        "return = 200\nssl_verify_client = optional\nssl_client_certificate = ca.pem\n"
	        "ssl_session_cache = off\nssl_session_tickets = off\n"
	        "[http b]\nlisten = 127.0.0.1:3 ssl\nserver_name = b\nreturn = 200\n"
	        "[http c]\nlisten = 127.0.0.1:5 ssl\nlisten = 6\nssl_certificate = c.pem\n"
	        "ssl_certificate_key = k.pem\nreturn = 200\nssl_ciphers = HIGH\n"
	        "[tcp t]\nlisten = 127.0.0.1:7 ssl\nproxy_pass = 10.0.0.1:1\nssl_certificate = "
	        "c.pem\nssl_certificate_key = k.pem\n");

	assert_string_equal(rig->shown, "");
	const struct config *config = rig->config;
	const struct tls_server_credentials *a = config->https[0].listener_tls,
	                                    *b = config->https[1].listener_tls,
	                                    *c = config->https[2].listener_tls,
	                                    *t = config->tcps[0].listener_tls;
	assert_int_equal(a->verify_client, TLS_VERIFY_CLIENT_OPTIONAL);
	assert_true(a->verdict_after_handshake && c->verdict_after_handshake);
	assert_false(a->session_cache || a->session_tickets || t->verdict_after_handshake);
	assert_true(c->session_cache && c->session_tickets && t->session_cache);
	assert_int_equal(a->verify_depth, 2);
	assert_int_equal(a->policy.protocols, TLS_PROTOCOL_1_2);
	/* Decided as one: [http c] sets ciphers, so protocols are the default's. */
	assert_int_equal(c->policy.protocols, TLS_PROTOCOLS_DEFAULT);
	assert_int_equal(a->alpn_count, 2);
	assert_memory_equal(a->alpn[0].data, "http/1.1", 8);
	assert_int_equal(t->alpn_count, 0);
	/* Without a certificate a server is reached through that of the default server. */
	assert_ptr_equal(a, b);
	assert_memory_not_equal(a->fingerprint, c->fingerprint, TLS_FINGERPRINT_BYTES);
	assert_int_equal(config->server_tls_count, 3);
	assert_ptr_equal(config->listeners[0].tls, a);
	assert_ptr_equal(config->listeners[1].tls, c);
	assert_null(config->listeners[2].tls);
	assert_ptr_equal(config->listeners[3].tls, t);
	close_rig(rig);
}

/* Depth is what tells which level counted. */
static void the_nearest_level_counts(void **state)
{
	(void)state;
	static const struct {
		const char *http, *server, *location, *group;
		unsigned wanted; /* of the location */
		unsigned wanted_root; /* of the server's own proxy_pass */
	} rows[] = {
	        {"", "", "", "", 4, 4},
	        {"1", "", "", "", 1, 1},
	        {"1", "2", "", "", 2, 2},
	        {"1", "2", "", "5", 5, 2},
	        {"1", "2", "3", "5", 3, 2},
	        {"1", "", "", "5", 5, 5},
	        {"", "", "3", "5", 3, 5},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const values[] = {
		        rows[i].http, rows[i].server, rows[i].location, rows[i].group};
		static const char *const titles[] = {"[http]\n",
		        "[http h]\nproxy_pass = https://u\n",
		        "[location h /x]\nproxy_pass = https://u\n",
		        "[upstream u]\nserver = 10.0.0.1\n"};
		char text[500];
		size_t used = 0;
		for (size_t j = 0; j < 4; j++)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s%s%s",
			        titles[j], values[j][0] ? "proxy_ssl_verify_depth = " : "",
			        values[j], values[j][0] ? "\n" : "");
		struct config_rig *rig = open_rig(text);
		const struct config_location *locations = rig->config->https[0].locations;
		assert_int_equal(locations[0].upstream_tls->verify_depth, rows[i].wanted);
		assert_int_equal(locations[1].upstream_tls->verify_depth, rows[i].wanted_root);
		close_rig(rig);
	}
}

static void sets_are_decided_as_one(void **state)
{
	(void)state;
	struct config_rig *rig = open_rig(
	        "[http]\nproxy_ssl_certificate = c.pem\nproxy_ssl_certificate_key = k.pem\n"
	        "proxy_ssl_protocols = TLSv1.3\nproxy_tls = p\n"
	        "[http h]\nproxy_pass = https://10.0.0.1\nproxy_ssl_certificate = none\n"
	        "[location h /x]\nproxy_pass = https://10.0.0.1\nproxy_ssl_ciphers = HIGH\n"
	        "proxy_ssl_certificate = c.pem\nproxy_ssl_certificate_key = k.pem\n"
	        "proxy_ssl_name = inner.example\nproxy_ssl_alpn = other\n"
	        "[location h /y]\nproxy_pass = https://10.0.0.2\n"
	        "[tls p]\nproxy_ssl_name = profile.example\nproxy_ssl_session_reuse = off\n"
	        "[tcp t]\nlisten = 7\nproxy_pass = 10.0.0.1:1\nproxy_ssl = on\n");

	assert_string_equal(rig->shown, "");
	const struct config_location *x = &rig->config->https[0].locations[0], *y = x + 1,
	                             *root = x + 2;
	assert_true(x->upstream_tls->has_certificate);
	assert_false(y->upstream_tls->has_certificate || root->upstream_tls->has_certificate);
	assert_int_equal(x->upstream_tls->policy.protocols, TLS_PROTOCOLS_DEFAULT);
	assert_int_equal(y->upstream_tls->policy.protocols, TLS_PROTOCOL_1_3);
	assert_string_equal(x->proxy_ssl_name, "inner.example");
	assert_string_equal(y->proxy_ssl_name, "profile.example");
	assert_false(y->upstream_tls->session_reuse);
	assert_int_equal(y->upstream_tls->alpn_count, 1);
	assert_int_equal(y->upstream_tls->alpn[0].size, 8);
	assert_memory_equal(y->upstream_tls->alpn[0].data, "http/1.1", 8);
	assert_memory_equal(x->upstream_tls->alpn[0].data, "other", 5);
	assert_int_equal(rig->config->tcps[0].upstream_tls->alpn_count, 0);
	/* The same settings, the same credentials; each is kept once. */
	assert_ptr_equal(y->upstream_tls, root->upstream_tls);
	assert_int_equal(rig->config->client_tls_count, 3);
	close_rig(rig);
}

/* Nothing is set for either, but they do not offer the same. */
static void defaults_of_protocols_differ(void **state)
{
	(void)state;
	struct config_rig *rig = open_rig(
	        "[http h]\nproxy_pass = https://10.0.0.1\n" RIG_TCP "proxy_ssl = on\n");

	assert_string_equal(rig->shown, "");
	assert_int_equal(rig->config->tcps[0].upstream_tls->alpn_count, 0);
	assert_int_equal(rig->config->https[0].locations[0].upstream_tls->alpn_count, 1);
	close_rig(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(rules_are_told),
	        cmocka_unit_test(servers_have_credentials),
	        cmocka_unit_test(the_nearest_level_counts),
	        cmocka_unit_test(sets_are_decided_as_one),
	        cmocka_unit_test(defaults_of_protocols_differ),
	};
	return cmocka_run_group_tests(tests, config_rig_drop_root, config_rig_regain_root);
}
