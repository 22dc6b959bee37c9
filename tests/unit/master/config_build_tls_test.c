/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_build_tls_test.c - certificate files told apart, each fault at the line that names the
 * file.
 */
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

#define CLIENT                                                                                \
	RIG_TCP "proxy_ssl = on\nproxy_ssl_certificate = c.pem\nproxy_ssl_certificate_key = " \
	        "k.pem\n"                                                                     \
	        "proxy_ssl_trusted_certificate = ca.pem\n"
#define SERVER                                                                                   \
	"[tcp a]\nlisten = 127.0.0.1:1 ssl\nproxy_pass = 127.0.0.1:2\nssl_certificate = c.pem\n" \
	"ssl_certificate_key = k.pem\n"

static void give_text(struct config_rig *rig, const char *name, char *text)
{
	config_rig_give(rig, name, slice_of(text));
	free(text);
}

/* ca.pem; c.pem and k.pem, a good pair; old.pem, expired; other.pem, another key; locked.pem, the
 * key with the pass phrase "secret"; empty.pem; text.pem, no PEM. */
static void give_files(struct config_rig *rig)
{
	struct pki_certificate *ca = pki_issue(
	        &(struct pki_request){.name = "Test CA", .ca = true}, NULL);
	struct pki_certificate *good = pki_issue(&(struct pki_request){.name = "client"}, ca);
	struct pki_certificate *old = pki_issue(&(struct pki_request){.name = "client",
	                                                .same_key = good,
	                                                .not_before = 1500000000,
	                                                .not_after = 1600000000},
	        ca);
	struct pki_certificate *other = pki_issue(&(struct pki_request){.name = "other"}, ca);

	give_text(rig, "ca.pem", pki_pem(ca, NULL));
	give_text(rig, "c.pem", pki_pem(good, NULL));
	give_text(rig, "k.pem", pki_key_pem(good, NULL));
	give_text(rig, "old.pem", pki_pem(old, NULL));
	give_text(rig, "other.pem", pki_key_pem(other, NULL));
	give_text(rig, "locked.pem", pki_key_pem(good, "secret"));
	config_rig_give(rig, "empty.pem", SLICE(""));
	config_rig_give(rig, "text.pem", SLICE("no certificate here\n"));
	config_rig_give(rig, "right.txt", SLICE("wrong\nsecret\n"));
	config_rig_give(rig, "wrong.txt", SLICE("wrong\n"));
	pki_free(other);
	pki_free(old);
	pki_free(good);
	pki_free(ca);
}

static void load(struct config_rig *rig, const char *text)
{
	config_rig_open(rig);
	give_files(rig);
	config_rig_give(rig, "main.ini", slice_of(text));
	config_rig_load(rig);
}

/* In `text` the first FROM is replaced by TO. */
static void load_with(struct config_rig *rig, const char *text, const char *from, const char *to)
{
	char changed[2000];
	const char *place = strstr(text, from);

	assert_non_null(place);
	snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(place - text), text, to,
	        place + strlen(from));
	load(rig, changed);
}

static void files_are_told_apart(void **state)
{
	(void)state;
	static const struct {
		const char *text, *from, *to;
		const char *message; /* the only message */
		bool fine;
	} rows[] = {
	        {CLIENT, "c.pem", "c.pem", "", true},
	        {CLIENT, "c.pem", "none.pem",
	                "main.ini:5: proxy_ssl_certificate: none.pem: No such file or directory",
	                false},
	        {CLIENT, "k.pem", "none.pem",
	                "main.ini:6: proxy_ssl_certificate_key: none.pem: No such file or "
	                "directory",
	                false},
	        {CLIENT, "ca.pem", "none.pem",
	                "main.ini:7: proxy_ssl_trusted_certificate: none.pem: No such file or "
	                "directory",
	                false},
	        {CLIENT, "c.pem", "empty.pem",
	                "main.ini:5: proxy_ssl_certificate: empty.pem is empty", false},
	        {CLIENT, "c.pem", "text.pem",
	                "main.ini:5: proxy_ssl_certificate: text.pem holds no certificate in PEM "
	                "form",
	                false},
	        {CLIENT, "ca.pem", "empty.pem",
	                "main.ini:7: proxy_ssl_trusted_certificate: empty.pem is empty; it has to "
	                "hold CA certificates in PEM form",
	                false},
	        {CLIENT, "k.pem", "empty.pem",
	                "main.ini:6: proxy_ssl_certificate_key: empty.pem is empty", false},
	        {CLIENT, "k.pem", "other.pem",
	                "main.ini:6: proxy_ssl_certificate_key: the key in other.pem does not "
	                "belong to the certificate CN=client in c.pem",
	                false},
	        {CLIENT, "k.pem", "locked.pem",
	                "main.ini:6: proxy_ssl_certificate_key: the key in locked.pem is "
	                "encrypted, and no password file is set",
	                false},
	        {CLIENT, "k.pem\n", "locked.pem\nproxy_ssl_password_file = right.txt\n", "", true},
	        {CLIENT, "k.pem\n", "locked.pem\nproxy_ssl_password_file = wrong.txt\n",
	                "main.ini:7: proxy_ssl_password_file: no pass phrase in wrong.txt fits the "
	                "key in locked.pem",
	                false},
	        {CLIENT, "k.pem\n", "locked.pem\nproxy_ssl_password_file = none.txt\n",
	                "main.ini:7: proxy_ssl_password_file: none.txt: No such file or directory",
	                false},
	        {CLIENT, "c.pem", "old.pem",
	                "warning: main.ini:5: proxy_ssl_certificate: the certificate CN=client in "
	                "old.pem expired on 2020-09-13",
	                true},
	        {CLIENT, "ca.pem", "system ca.pem", "", true},
	        {SERVER, "c.pem", "c.pem", "", true},
	        {SERVER, "c.pem", "none.pem",
	                "main.ini:4: ssl_certificate: none.pem: No such file or directory", false},
	        {SERVER, "k.pem", "other.pem",
	                "main.ini:5: ssl_certificate_key: the key in other.pem does not belong to "
	                "the certificate CN=client in c.pem",
	                false},
	        {SERVER, "ssl_certificate_key = k.pem\n", "",
	                "main.ini:4: ssl_certificate: a listen with ssl needs pairs of "
	                "ssl_certificate and ssl_certificate_key; there are 1 and 0",
	                false},
	        {SERVER, "k.pem\n", "k.pem\nssl_verify_client = on\n",
	                "main.ini:6: ssl_verify_client: 'on' needs ssl_client_certificate or "
	                "ssl_trusted_certificate",
	                false},
	        {SERVER, "k.pem\n",
	                "k.pem\nssl_verify_client = on\nssl_client_certificate = ca.pem\n", "",
	                true},
	        {SERVER, "k.pem\n",
	                "k.pem\nssl_certificate = c.pem\nssl_certificate_key = other.pem\n",
	                "main.ini:7: ssl_certificate_key: the key in other.pem does not belong to "
	                "the certificate CN=client in c.pem",
	                false},
	};
	struct config_rig *rig = malloc(sizeof(*rig));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		load_with(rig, rows[i].text, rows[i].from, rows[i].to);
		if (strcmp(rig->shown, rows[i].message) != 0 || !rig->config == rows[i].fine)
			fail_msg("row %zu: '%s'", i, rig->shown);
		config_rig_close(rig);
	}
	free(rig);
}

static void credentials_stand_where_they_belong(void **state)
{
	(void)state;
	struct config_rig *rig = malloc(sizeof(*rig));

	load(rig, CLIENT "proxy_ssl_verify_depth = 7\nproxy_ssl_alpn = one two\n"
	                 "proxy_ssl_server_name = off\nproxy_ssl_session_reuse = off\n"
	                 "proxy_ssl_name = fixed.example\n");
	assert_non_null(rig->config);
	const struct config_tcp *tcp = &rig->config->tcps[0];
	assert_non_null(tcp->upstream_tls);
	assert_null(tcp->listener_tls);
	assert_true(tcp->upstream_tls->has_certificate && tcp->upstream_tls->verify);
	assert_int_equal(tcp->upstream_tls->verify_depth, 7);
	assert_int_equal(tcp->upstream_tls->alpn_count, 2);
	assert_false(tcp->upstream_tls->send_server_name);
	assert_false(tcp->upstream_tls->session_reuse);
	assert_string_equal(tcp->proxy_ssl_name, "fixed.example");
	config_rig_close(rig);

	load(rig, SERVER "ssl_session_tickets = off\nssl_session_timeout = 90s\n");
	assert_non_null(rig->config);
	tcp = &rig->config->tcps[0];
	assert_null(tcp->upstream_tls);
	assert_non_null(tcp->listener_tls);
	assert_false(tcp->listener_tls->session_tickets || tcp->listener_tls->verify_client);
	assert_int_equal(tcp->listener_tls->session_timeout_s, 90);
	config_rig_close(rig);
	free(rig);
}

/* A certificate is read once for all who say the same; who says something else has his own. */
static void credentials_are_shared_by_those_who_say_the_same(void **state)
{
	static const struct {
		const char *of_second;
		bool same;
	} rows[] = {
	        {"", true},
	        {"proxy_ssl_verify_depth = 7\n", false},
	        {"proxy_ssl_verify = off\n", false},
	        {"proxy_ssl_session_reuse = off\n", false},
	        {"proxy_ssl_protocols = TLSv1.2\n", false},
	        {"proxy_ssl_certificate = none\n", false},
	        {"proxy_ssl_trusted_certificate = system\n", false},
	};
	struct config_rig *rig = malloc(sizeof(*rig));
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text),
		        "[tls t]\nproxy_ssl_certificate = c.pem\nproxy_ssl_certificate_key = "
		        "k.pem\n"
		        "proxy_ssl_trusted_certificate = ca.pem\n" RIG_TCP
		        "proxy_ssl = on\nproxy_tls = t\n"
		        "[tcp b]\nlisten = 127.0.0.1:3\nproxy_pass = 127.0.0.1:2\n"
		        "proxy_ssl = on\nproxy_tls = t\n%s",
		        rows[i].of_second);
		load(rig, text);
		if (!rig->config)
			fail_msg("row %zu: %s", i, rig->shown);
		const struct config_tcp *tcps = rig->config->tcps;
		assert_non_null(tcps[0].upstream_tls);
		assert_non_null(tcps[1].upstream_tls);
		if ((tcps[0].upstream_tls == tcps[1].upstream_tls) != rows[i].same)
			fail_msg("row %zu", i);
		assert_int_equal(rig->config->client_tls_count, rows[i].same ? 1 : 2);
		config_rig_close(rig);
	}
	free(rig);
}

static void keys_that_everybody_reads_are_warned_about(void **state)
{
	(void)state;
	static const struct {
		mode_t key_mode, password_mode;
		const char *wanted;
	} rows[] = {
	        {0600, 0640, ""},
	        {0644, 0600,
	                "warning: main.ini:6: proxy_ssl_certificate_key: open.pem can be read by "
	                "everybody; chmod o-r would keep it secret"},
	        {0640, 0604,
	                "warning: main.ini:7: proxy_ssl_password_file: open.txt can be read by "
	                "everybody; chmod o-r would keep it secret"},
	};
	struct config_rig *rig = malloc(sizeof(*rig));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pki_certificate *own = pki_issue(
		        &(struct pki_request){.name = "client"}, NULL);
		char *certificate = pki_pem(own, NULL), *key = pki_key_pem(own, NULL);
		config_rig_open(rig);
		config_rig_give_mode(rig, "open.pem", rows[i].key_mode, slice_of(key));
		config_rig_give_mode(rig, "open.txt", rows[i].password_mode, SLICE("unused\n"));
		config_rig_give_mode(rig, "c.pem", 0644, slice_of(certificate));
		config_rig_give(rig, "main.ini",
		        SLICE(RIG_TCP "proxy_ssl = on\nproxy_ssl_certificate = c.pem\n"
		                      "proxy_ssl_certificate_key = open.pem\n"
		                      "proxy_ssl_password_file = open.txt\n"));
		assert_string_equal(config_rig_load(rig), rows[i].wanted);
		config_rig_close(rig);
		free(key);
		free(certificate);
		pki_free(own);
	}
	free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(files_are_told_apart),
	        cmocka_unit_test(credentials_stand_where_they_belong),
	        cmocka_unit_test(credentials_are_shared_by_those_who_say_the_same),
	        cmocka_unit_test(keys_that_everybody_reads_are_warned_about),
	};
	return cmocka_run_group_tests(tests, config_rig_drop_root, config_rig_regain_root);
}
