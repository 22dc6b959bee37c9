/* SPDX-License-Identifier: BSD-2-Clause */
/* config_dump_test.c - what -T prints, which value counts and where it is said to come from. */
#include "master/config_dump.h"

#include "shared/tls_credentials.h"
#include "tests/support/config_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A line of the dump of the given section that starts with `key`, blanks made one. */
static const char *line_of(const char *dump, const char *title, const char *key, char *buffer)
{
	char head[100];
	size_t used = 0;

	snprintf(head, sizeof(head), "\n[%s] ;", title);
	const char *at = strstr(dump, head);
	assert_non_null(at);
	const char *end = strstr(at + 1, "\n[");
	snprintf(head, sizeof(head), "\n%s ", key);
	at = strstr(at, head);
	if (!at || (end && at > end))
		return "";
	for (at++; *at && *at != '\n'; at++)
		if (*at != ' ' || (used > 0 && buffer[used - 1] != ' '))
			buffer[used++] = *at;
	buffer[used] = '\0';
	return buffer;
}

static void the_nearest_value_counts(void **state)
{
	(void)state;
	static const char levels[] = "[tcp]\n" /* 1 */
	                             "proxy_timeout = 1m\n" /* 2 */
	                             "proxy_ssl = on\n" /* 3 */
	                             "proxy_ssl_verify_depth = 1\n" /* 4 */
	                             "proxy_ssl_name = outer.example\n" /* 5 */
	                             "proxy_ssl_protocols = TLSv1.2\n" /* 6 */
	                             "proxy_ssl_alpn = outer\n" /* 7 */
	                             "access_log = outer.log\n" /* 8 */
	                             "[tcp a]\nlisten = 1\nproxy_pass = u\n" /* 9 */
	                             "proxy_timeout = 2m\n" /* 12 */
	                             "proxy_ssl_name = inner.example\n" /* 13 */
	                             "proxy_tls = p\n" /* 14 */
	                             "[tcp b]\nlisten = 2\nproxy_pass = u\n" /* 15 */
	                             "access_log = b.log\n" /* 18 */
	                             "[tcp c]\nlisten = 3\nproxy_pass = 10.0.0.1:1\n" /* 19 */
	                             "access_log = off\n" /* 22 */
	                             "[upstream u]\nserver = 10.0.0.1:1\n" /* 23 */
	                             "proxy_ssl_verify_depth = 2\n" /* 25 */
	                             "proxy_ssl_ciphers = HIGH\n" /* 26 */
	                             "proxy_ssl_alpn = group\n" /* 27 */
	                             "[tls p]\n" /* 28 */
	                             "proxy_ssl_name = profile.example\n" /* 29 */
	                             "proxy_ssl_alpn = profile\n"; /* 30 */
	static const struct {
		const char *title, *key, *wanted;
	} rows[] = {
	        {"tcp a", "proxy_timeout", "proxy_timeout = 2m ; main.ini:12"},
	        {"tcp b", "proxy_timeout", "proxy_timeout = 1m ; main.ini:2"},
	        {"tcp b", "proxy_connect_timeout", "proxy_connect_timeout = 5s ; default"},
	        {"tcp a", "access_log", "access_log = outer.log ; main.ini:8"},
	        {"tcp b", "access_log", "access_log = b.log ; main.ini:18"},
	        {"tcp c", "access_log", "access_log = off ; main.ini:22"},
	        {"tcp a", "proxy_ssl_name", "proxy_ssl_name = inner.example ; main.ini:13"},
	        {"tcp b", "proxy_ssl_name", "proxy_ssl_name = outer.example ; main.ini:5"},
	        {"tcp a", "proxy_ssl_alpn", "proxy_ssl_alpn = profile ; main.ini:30"},
	        {"tcp b", "proxy_ssl_alpn", "proxy_ssl_alpn = group ; main.ini:27"},
	        {"tcp c", "proxy_ssl_alpn", "proxy_ssl_alpn = outer ; main.ini:7"},
	        {"tcp a", "proxy_ssl_verify_depth", "proxy_ssl_verify_depth = 2 ; main.ini:25"},
	        {"tcp c", "proxy_ssl_verify_depth", "proxy_ssl_verify_depth = 1 ; main.ini:4"},
	        /* Decided as one: the group sets ciphers, so protocols are not the outer ones. */
	        {"tcp b", "proxy_ssl_ciphers", "proxy_ssl_ciphers = HIGH ; main.ini:26"},
	        {"tcp b", "proxy_ssl_protocols", "proxy_ssl_protocols = TLSv1.2 TLSv1.3 ; default"},
	        {"tcp c", "proxy_ssl_protocols", "proxy_ssl_protocols = TLSv1.2 ; main.ini:6"},
	        {"tls p", "proxy_ssl_name", "proxy_ssl_name = profile.example ; main.ini:29"},
	        {"tls p", "proxy_ssl_verify", ""},
	        {"upstream u", "proxy_ssl_name", ""},
	        {"upstream u", "balance", "balance = round_robin ; default"},
	        {"main", "workers", "workers = auto ; default"},
	};
	struct config_rig *rig = malloc(sizeof(*rig));
	char buffer[1000];

	config_rig_load_text(rig, levels);
	assert_string_equal(rig->shown, "");
	const char *dump = config_rig_dump(rig);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *line = line_of(dump, rows[i].title, rows[i].key, buffer);
		if (strcmp(line, rows[i].wanted) != 0)
			fail_msg("[%s]: '%s', not '%s'", rows[i].title, line, rows[i].wanted);
	}
	const struct config_tcp *tcps = rig->config->tcps;
	assert_string_equal(tcps[0].proxy_ssl_name, "inner.example");
	assert_int_equal(tcps[0].upstream_tls->verify_depth, 2);
	assert_int_equal(tcps[2].upstream_tls->verify_depth, 1);
	assert_int_equal(tcps[1].upstream_tls->policy.protocols, TLS_PROTOCOLS_DEFAULT);
	assert_int_equal(tcps[2].upstream_tls->policy.protocols, TLS_PROTOCOL_1_2);
	config_rig_close(rig);
	free(rig);
}

static void http_is_shown_by_section(void **state)
{
	(void)state;
	static const char text[] = "[http]\n" /* 1 */
	                           "proxy_set_header = X 1\n" /* 2 */
	                           "proxy_read_timeout = 1s\n" /* 3 */
	                           "proxy_ssl_verify_depth = 2\n" /* 4 */
	                           "[http h]\nproxy_pass = https://10.0.0.1\n" /* 5 */
	                           "proxy_ssl_name = a.example\n" /* 7 */
	                           "[location h /x]\nreturn = 301 /y\n" /* 8 */
	                           "proxy_set_header = x 2\n" /* 10 */
	                           "proxy_ssl_name = b.example\n" /* 11 */
	                           "[upstream u]\nserver = 10.0.0.1\n" /* 12 */
	                           "[admin]\nlisten = 127.0.0.1:9\n"; /* 14 */
	static const struct {
		const char *title, *key, *wanted;
	} rows[] = {
	        {"http", "proxy_read_timeout", "proxy_read_timeout = 1s ; main.ini:3"},
	        {"http", "keepalive_timeout", "keepalive_timeout = 75s ; default"},
	        {"http", "proxy_ssl_name", ""},
	        {"http h", "listen", "listen = *:80 ; default"},
	        {"http h", "proxy_pass", ""},
	        {"http h", "; proxy_pass",
	                "; proxy_pass = https://10.0.0.1 ; main.ini:6: see its location /"},
	        {"http h", "proxy_ssl_name", "proxy_ssl_name = a.example ; main.ini:7"},
	        {"http h", "proxy_ssl_verify_depth", ""},
	        {"http h", "proxy_read_timeout", "proxy_read_timeout = 1s ; main.ini:3"},
	        {"http h", "proxy_set_header", "proxy_set_header = X 1 ; main.ini:2"},
	        {"location \"h\" /", "proxy_pass", "proxy_pass = https://10.0.0.1 ; main.ini:6"},
	        {"location \"h\" /", "proxy_ssl_name", "proxy_ssl_name = a.example ; main.ini:7"},
	        {"location \"h\" /", "proxy_ssl_verify_depth",
	                "proxy_ssl_verify_depth = 2 ; main.ini:4"},
	        {"location \"h\" /", "proxy_ssl_alpn", "proxy_ssl_alpn = http/1.1 ; default"},
	        {"location \"h\" /", "client_header_timeout", ""},
	        {"location h /x", "return", "return = 301 /y ; main.ini:9"},
	        {"location h /x", "proxy_set_header", "proxy_set_header = x 2 ; main.ini:10"},
	        {"location h /x", "proxy_ssl_name", "proxy_ssl_name = b.example ; main.ini:11"},
	        {"location h /x", "proxy_ssl_verify_depth", ""},
	        {"upstream u", "keepalive_timeout", "keepalive_timeout = 60s ; default"},
	        {"admin", "listen", "listen = 127.0.0.1:9 ; main.ini:15"},
	};
	struct config_rig *rig = malloc(sizeof(*rig));
	char buffer[1000];

	config_rig_load_text(rig, text);
	assert_string_equal(rig->shown, "");
	const char *dump = config_rig_dump(rig);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *line = line_of(dump, rows[i].title, rows[i].key, buffer);
		if (strcmp(line, rows[i].wanted) != 0)
			fail_msg("[%s]: '%s', not '%s'", rows[i].title, line, rows[i].wanted);
	}
	config_rig_close(rig);
	free(rig);
}

static void it_says_what_things_became(void **state)
{
	(void)state;
	static const char *const wanted[] = {
	        "\n; workers: 3\n",
	        "\n; pid_file: run.pid\n",
	        "\n; tls_session_cache_size holds about ",
	        "\n; proxy_ssl_ciphers became the priority NONE:",
	        "\n; proxy_ssl_protocols are TLSv1.2, at security level 1\n",
	        "\n; proxy_ssl_ciphers below TLSv1.3: ECDHE-RSA-AES128-GCM-SHA256\n",
	        "\n; 10.0.0.1:1 is 10.0.0.1:1\n",
	        "\n; nowhere.example:2 is down: its name does not resolve\n",
	        "\n; proxy_ssl_certificate is not set\n",
	};
	struct config_rig *rig = malloc(sizeof(*rig));

	config_rig_load_text(rig,
	        "[main]\nworkers = 3\npid_file = run.pid\n[tcp a]\nlisten = 1\nproxy_pass = u\n"
	        "proxy_ssl = on\nproxy_ssl_protocols = TLSv1.2\n"
	        "proxy_ssl_ciphers = ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=1\n"
	        "[upstream u]\nserver = 10.0.0.1:1\nserver = nowhere.example:2\n");
	assert_non_null(rig->config);
	const char *dump = config_rig_dump(rig);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!strstr(dump, wanted[i]))
			fail_msg("no '%s' in:\n%s", wanted[i], dump);
	config_rig_close(rig);
	free(rig);
}

/* The dump without comments, blanks and empty lines. */
static char *values_of(const char *dump)
{
	char *values = malloc(strlen(dump) + 1), *out = values;
	bool quoted = false, comment = false;

	for (; *dump; dump++) {
		if (*dump == '\n')
			comment = quoted = false;
		else if (*dump == '\\' && quoted && !comment)
			*out++ = *dump++;
		else if (*dump == '"' && !comment)
			quoted = !quoted;
		else if (*dump == ';' && !quoted)
			comment = true;
		bool line_is_empty = out == values || out[-1] == '\n';
		if (!comment && (*dump != ' ' || quoted) && (*dump != '\n' || !line_is_empty))
			*out++ = *dump;
	}
	*out = '\0';
	return values;
}

static void it_can_be_read_again(void **state)
{
	(void)state;
	static const char *const texts[] = {
	        RIG_TCP,
	        "[main]\nworkers = 2\nerror_log = stderr debug\nerror_log = e.log\n[tcp]\n" RIG_TCP,
	        "[tcp \"a b\"]\nlisten = 1\nproxy_pass = \"u v\"\nproxy_ssl = on\n"
	        "proxy_ssl_ciphers = \"HIGH !MD5\"\n[upstream \"u v\"]\nserver = 10.0.0.1:1 "
	        "backup\n"
	        "server = 10.0.0.2:1 weight=3 name=x.example\n",
	        RIG_TCP "proxy_ssl = on\nproxy_ssl_priority = NORMAL\nproxy_ssl_verify = off\n",
	        RIG_TCP
	        "proxy_ssl = on\nproxy_tls = p\nproxy_ssl_certificate = none\n"
	        "[tcp]\nproxy_ssl_protocols = TLSv1.3\n[tls p]\nproxy_ssl_priority = NORMAL\n",
	        "[http]\nproxy_set_header = X \"a b\"\nproxy_set_header = Y $host\n"
	        "proxy_ssl_certificate = none.pem\nssl_certificate = none.pem\n"
	        "[http \"a \\\"b\"]\nlisten = 3 default_server\nserver_name = A b\n"
	        "proxy_pass = https://u/x\nproxy_ssl_certificate = none\nproxy_set_header = Z 1\n"
	        "[location \"a \\\"b\" = \"/a ]b\"]\nreturn = 200 \"x\\ny\"\n"
	        "proxy_set_header = none\n"
	        "[location \"a \\\"b\" /api]\nproxy_pass = http://10.0.0.1\naccess_log = a.log\n"
	        "proxy_set_header = x 2\n[location \"a \\\"b\" /other]\n"
	        "proxy_pass = https://v\nproxy_tls = p\n"
	        "[upstream u]\nserver = 10.0.0.1\nproxy_ssl_verify_depth = 2\nproxy_ssl_name = u\n"
	        "[upstream v]\nserver = 10.0.0.2\nkeepalive = 3\n[tls p]\nproxy_ssl_alpn = x\n"
	        "proxy_ssl_certificate = none\n"
	        "[admin]\nlisten = unix:a.sock mode=0600\n",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct config_rig *first = malloc(sizeof(*first)), *again = malloc(sizeof(*again));
		config_rig_load_text(first, texts[i]);
		assert_non_null(first->config);
		config_rig_load_text(again, config_rig_dump(first));
		if (!again->config)
			fail_msg("%s\nis refused:\n%s", first->shown, again->shown);
		char *before = values_of(first->shown);
		char *after = values_of(config_rig_dump(again));
		assert_string_equal(before, after);
		free(after);
		free(before);
		config_rig_close(again);
		config_rig_close(first);
		free(again);
		free(first);
	}
}

static void a_replayed_source_gives_the_same(void **state)
{
	(void)state;
	struct config_rig *rig = malloc(sizeof(*rig));
	size_t length;

	config_rig_open(rig);
	config_rig_give(rig, "main.ini", SLICE("[main]\ninclude = *.inc\n"));
	config_rig_give(rig, "b.inc", SLICE(RIG_TCP "proxy_ssl = on\n"));
	config_rig_give(rig, "a.inc", SLICE("[upstream u]\nserver = 10.0.0.1:1\nserver = x.y:1\n"));
	config_rig_load(rig);
	assert_non_null(rig->config);
	char *dump = strdup(config_rig_dump(rig));
	void *packed = config_source_pack(rig->source, &length);
	config_source_destroy(rig->source);
	rig->source = config_source_unpack((struct slice){packed, length});
	free(packed);
	config_rig_load(rig);
	assert_non_null(rig->config);
	assert_string_equal(config_rig_dump(rig), dump);
	free(dump);
	config_rig_close(rig);
	free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_nearest_value_counts),
	        cmocka_unit_test(http_is_shown_by_section),
	        cmocka_unit_test(it_says_what_things_became),
	        cmocka_unit_test(it_can_be_read_again),
	        cmocka_unit_test(a_replayed_source_gives_the_same),
	};
	return cmocka_run_group_tests(tests, config_rig_drop_root, config_rig_regain_root);
}
