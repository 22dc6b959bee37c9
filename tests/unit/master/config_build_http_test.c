/* SPDX-License-Identifier: BSD-2-Clause */
/* config_build_http_test.c - servers and locations: what they come to, and rules between them. */
#include "master/config_build.h"

#include "tests/support/config_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SERVER "[http h]\nlisten = 127.0.0.1:3\n"

static const struct config_rig_row rules[] = {
        {RIG_HTTP, ""},
        {SERVER, "main.ini:1: [http h] goes nowhere; write 'proxy_pass = https://GROUP' or 'return "
                 "= CODE TEXT'"},
        {RIG_HTTP "[location h /x]\n",
                "main.ini:5: [location h /x] goes nowhere; write 'proxy_pass = https://GROUP' or "
                "'return = CODE TEXT'"},
        {RIG_HTTP "return = 200\n",
                "main.ini:5: return: [location h /] has a proxy_pass already, at main.ini:4; leave "
                "one out"},
        {SERVER "return = 200\n[location h /]\nreturn = 404\n",
                "main.ini:4: [location h /]: the return at main.ini:3 makes that location of [http "
                "h] already; leave one out"},
        {SERVER "proxy_pass = http://127.0.0.1\n[location h /]\nreturn = 404\n",
                "main.ini:4: [location h /]: the proxy_pass at main.ini:3 makes that location of "
                "[http h] already; leave one out"},
        {SERVER "return = 200\n[location h = /]\nreturn = 404\n", ""},
        {RIG_HTTP "[location shop /]\nreturn = 200\n",
                "main.ini:5: [location shop /]: there is no [http shop]"},
        {"[http shop]\nreturn = 200\n[location shpo /x]\nreturn = 200\n",
                "main.ini:3: [location shpo /x]: there is no [http shpo]; did you mean 'shop'?"},
        /* nothing more is said of a section whose key was refused */
        {SERVER "return = 999\n", "main.ini:3: return: '999' is no status from 200 to 599"},
        {SERVER "proxy_pass = x\n",
                "main.ini:3: proxy_pass: 'x' has no scheme; write http://x, or https://x for TLS"},
        {RIG_HTTP "proxy_ssl_verify_depth = 3\n",
                "notice: main.ini:5: [location h /] has settings for TLS to its upstream, but its "
                "proxy_pass says http://: the traffic is not encrypted"},
        {RIG_HTTP "[http]\nproxy_ssl_verify_depth = 3\n", ""},
        {RIG_HTTP "proxy_ssl_certificate = none.pem\nproxy_ssl_certificate_key = none.pem\n",
                "notice: main.ini:5: [location h /] has settings for TLS to its upstream, but its "
                "proxy_pass says http://: the traffic is not encrypted\n"
                "main.ini:5: proxy_ssl_certificate: none.pem: No such file or directory\n"
                "main.ini:6: proxy_ssl_certificate_key: none.pem: No such file or directory"},
        /* Host and the verified name */
        {"[http]\nproxy_set_header = Host $host\n" SERVER
         "proxy_pass = https://127.0.0.1\n[location h /x]\nproxy_pass = https://127.0.0.2\n",
                "notice: main.ini:2: proxy_set_header: upstreams get the client's name as Host, "
                "but are verified by the name of their server line, which is sent as SNI too; some "
                "answer 421 then; 'proxy_ssl_name = NAME' would make them the same"},
        {SERVER "proxy_pass = https://127.0.0.1\nproxy_set_header = host $host\n"
                "proxy_ssl_name = a.example\n",
                ""},
        {SERVER "proxy_pass = https://127.0.0.1\nproxy_set_header = host $host\n"
                "proxy_ssl_server_name = off\n",
                ""},
        {SERVER "proxy_pass = https://127.0.0.1\nproxy_set_header = Host $proxy_host\n", ""},
        {SERVER "proxy_pass = http://127.0.0.1\nproxy_set_header = Host $host\n", ""},
        {"[http]\nproxy_set_header = Host $host\n" SERVER
         "proxy_pass = https://127.0.0.1\nproxy_set_header = none\n",
                ""},
        /* groups */
        {SERVER "proxy_pass = https://u\n[upstream u]\n",
                "main.ini:4: [upstream u] has no server; write 'server = HOST:PORT'"},
        {SERVER "proxy_pass = https://backedn\n[upstream backend]\nserver = 127.0.0.1\n",
                "warning: main.ini:3: proxy_pass: 'backedn' does not resolve (it was not looked "
                "up); it is down until it does, looked up again every 10 s; was the [upstream "
                "'backend'] meant?"},
        {SERVER "proxy_pass = https://u\n[location h /x]\nproxy_pass = http://u\n[upstream u]\n"
                "server = 127.0.0.1\nserver = 127.0.0.1:5\n",
                "main.ini:7: server: '127.0.0.1' has no port, and is reached by http at main.ini:5 "
                "and by https at main.ini:3; write 127.0.0.1:PORT"},
        {RIG_TCP "[http h]\nproxy_pass = http://u\n[tcp b]\nlisten = 5\nproxy_pass = u\n[upstream "
                 "u]\nserver = 127.0.0.1\n",
                "main.ini:10: server: '127.0.0.1' has no port, and the [tcp] at main.ini:8 that "
                "proxies to it has no default; write 127.0.0.1:PORT"},
        {RIG_HTTP "proxy_tls = p\n", "main.ini:5: proxy_tls: there is no [tls p]"},
};

static void rules_are_told(void **state)
{
	(void)state;
	config_rig_check(rules, sizeof(rules) / sizeof(rules[0]));
}

static const struct config_location *location(const struct config_rig *rig, size_t http, size_t at)
{
	assert_true(http < rig->config->http_count);
	assert_true(at < rig->config->https[http].location_count);
	return &rig->config->https[http].locations[at];
}

static void assert_slice(struct slice text, const char *wanted)
{
	if (!slice_equal(text, slice_of(wanted)))
		fail_msg("'%.*s', not '%s'", (int)text.length, text.data, wanted);
}

static struct config_rig *open_rig(const char *text)
{
	struct config_rig *rig = malloc(sizeof(*rig));

	config_rig_load_text(rig, text);
	if (!rig->config)
		fail_msg("%s\nis refused: %s", text, rig->shown);
	return rig;
}

static void close_rig(struct config_rig *rig)
{
	config_rig_close(rig);
	free(rig);
}

static void defaults_hold(void **state)
{
	(void)state;
	struct config_rig *rig = open_rig("[http h]\nproxy_pass = https://127.0.0.1\n");
	const struct config_http *http = &rig->config->https[0];
	const struct config_location *root = location(rig, 0, 0);

	assert_string_equal(rig->shown, "");
	assert_string_equal(http->name, "h");
	assert_int_equal(http->server_name_count, 0);
	assert_null(http->listener_tls);
	assert_int_equal(http->ssl_handshake_timeout_ms, 15000);
	assert_int_equal(http->client_header_timeout_ms, 60000);
	assert_int_equal(http->keepalive_requests, 1000);
	assert_int_equal(http->client_max_header_size, 32 << 10);
	assert_slice(root->path, "/");
	assert_false(root->exact || root->replaces_uri || root->proxy_ssl_name);
	assert_int_equal(root->origin.line, 1);
	assert_int_equal(root->return_status, 0);
	assert_int_equal(root->proxy_connect_timeout_ms, 5000);
	assert_int_equal(root->proxy_send_timeout_ms, 60000);
	assert_int_equal(root->proxy_read_timeout_ms, 60000);
	assert_int_equal(root->proxy_buffer_size, 16 << 10);
	assert_int_equal(root->proxy_socket_keepalive.idle_s, 60);
	assert_int_equal(root->next_upstream, NEXT_UPSTREAM_ERROR | NEXT_UPSTREAM_TIMEOUT);
	assert_int_equal(root->next_upstream_tries, 0);
	assert_int_equal(root->next_upstream_timeout_ms, 0);
	assert_int_equal(root->shutdown_timeout_ms, 3600000);
	assert_int_equal(root->client_body_timeout_ms, 60000);
	assert_int_equal(root->send_timeout_ms, 60000);
	assert_int_equal(root->keepalive_timeout_ms, 75000);
	assert_int_equal(root->client_max_body_size, 1 << 20);
	assert_int_equal(root->header_rule_count + root->access_log_count, 0);
	assert_non_null(root->upstream_tls);
	assert_string_equal(root->group->name, "127.0.0.1:443");
	assert_int_equal(root->group->keepalive, 64);
	assert_int_equal(root->group->keepalive_timeout_ms, 60000);
	assert_int_equal(root->group->keepalive_requests, 10000);
	assert_int_equal(root->group->keepalive_time_ms, 3600000);
	close_rig(rig);
}

static void inner_sections_win(void **state)
{
	(void)state;
	struct config_rig *rig = open_rig(
	        "[http]\nproxy_read_timeout = 1s\nsend_timeout = 1s\nkeepalive_timeout = 1s\n"
	        "client_max_header_size = 4k\naccess_log = a.log\n"
	        "[http h]\nproxy_read_timeout = 2s\nsend_timeout = 2s\nkeepalive_requests = 7\n"
	        "server_name = A.Example b.example\n"
	        "[location h /x]\nreturn = 200\nproxy_read_timeout = 3s\nclient_max_body_size = 0\n"
	        "access_log = b.log\naccess_log = c.log upstream_tls\nproxy_next_upstream = off\n"
	        "proxy_next_upstream_tries = 4\nproxy_next_upstream_timeout = 4s\n"
	        "proxy_socket_keepalive = off\nshutdown_timeout = 0\nclient_body_timeout = 9s\n"
	        "proxy_connect_timeout = 8s\nproxy_send_timeout = 7s\nproxy_buffer_size = 2k\n"
	        "[location h /y]\nreturn = 200\naccess_log = off\n");
	const struct config_http *http = &rig->config->https[0];
	const struct config_location *x = location(rig, 0, 0), *y = location(rig, 0, 1);

	assert_string_equal(rig->shown, "");
	assert_int_equal(http->client_max_header_size, 4096);
	assert_int_equal(http->keepalive_requests, 7);
	assert_int_equal(http->server_name_count, 2);
	assert_slice(http->server_names[0], "a.example");
	assert_int_equal(x->proxy_read_timeout_ms, 3000);
	assert_int_equal(y->proxy_read_timeout_ms, 2000);
	assert_int_equal(x->send_timeout_ms, 2000);
	assert_int_equal(x->keepalive_timeout_ms, 1000);
	assert_int_equal(x->client_max_body_size, 0);
	assert_int_equal(x->next_upstream, 0);
	assert_int_equal(x->next_upstream_tries, 4);
	assert_int_equal(x->next_upstream_timeout_ms, 4000);
	assert_false(x->proxy_socket_keepalive.on);
	assert_int_equal(x->shutdown_timeout_ms, 0);
	assert_int_equal(x->client_body_timeout_ms, 9000);
	assert_int_equal(x->proxy_connect_timeout_ms, 8000);
	assert_int_equal(x->proxy_send_timeout_ms, 7000);
	assert_int_equal(x->proxy_buffer_size, 2048);
	assert_int_equal(x->access_log_count, 2);
	assert_int_equal(x->access_logs[0].format, ACCESS_LOG_COMBINED);
	assert_int_equal(x->access_logs[1].format, ACCESS_LOG_UPSTREAM_TLS);
	assert_string_equal(rig->config->log_paths[x->access_logs[1].log_index], "/c/c.log");
	assert_int_equal(y->access_log_count, 0);
	assert_int_equal(http->unmatched->access_log_count, 1);
	assert_int_equal(http->unmatched->return_status, 404);
	assert_int_equal(http->unmatched->proxy_read_timeout_ms, 2000);
	assert_null(http->unmatched->group);
	close_rig(rig);
}

static void locations_are_sorted(void **state)
{
	(void)state;
	static const char *const wanted[] = {
	        "=/abc", "=/", "/b/long/path", "/abcd", "/abce", "/x", "/"};
	struct config_rig *rig = open_rig(
	        "[http h]\nreturn = 200 root\n[location h /abce]\nreturn = 200\n"
	        "[location h = /abc]\nreturn = 200\n[location h /x]\nreturn = 200\n"
	        "[location h /b/long/path]\nreturn = 200\n[location h =/]\nreturn = 200\n"
	        "[location h /abcd]\nreturn = 200\n[http other]\nreturn = 404\nlisten = 5\n");

	assert_int_equal(rig->config->https[0].location_count, 7);
	assert_int_equal(rig->config->https[1].location_count, 1);
	for (size_t i = 0; i < 7; i++) {
		const struct config_location *each = location(rig, 0, i);
		assert_int_equal(each->exact, wanted[i][0] == '=');
		assert_slice(each->path, wanted[i] + each->exact);
	}
	assert_int_equal(location(rig, 0, 6)->return_text.count, 1);
	close_rig(rig);
}

static void targets_are_taken_apart(void **state)
{
	(void)state;
	static const struct {
		const char *pass, *group, *proxy_host, *replacement, *address;
		bool replaces;
	} rows[] = {
	        {"http://10.0.0.1", "10.0.0.1:80", "10.0.0.1", "", "10.0.0.1:80", false},
	        {"https://10.0.0.1", "10.0.0.1:443", "10.0.0.1", "", "10.0.0.1:443", false},
	        {"http://10.0.0.1:80/", "10.0.0.1:80", "10.0.0.1", "/", "10.0.0.1:80", true},
	        {"http://10.0.0.1:443", "10.0.0.1:443", "10.0.0.1:443", "", "10.0.0.1:443", false},
	        {"https://10.0.0.1:443/a/b", "10.0.0.1:443", "10.0.0.1", "/a/b", "10.0.0.1:443",
	                true},
	        {"https://[::1]:443", "[::1]:443", "[::1]", "", "[::1]:443", false},
	        {"http://[::1]:8080", "[::1]:8080", "[::1]:8080", "", "[::1]:8080", false},
	        {"http://[::1]", "[::1]:80", "[::1]", "", "[::1]:80", false},
	        {"https://u", "u", "u", "", "10.0.0.9:443", false},
	        {"http://v/x", "v", "v", "/x", "10.0.0.9:80", true},
	        {"http://w", "w", "w", "", "10.0.0.9:7", false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[400], address[ADDRESS_TEXT_MAX];
		snprintf(text, sizeof(text),
		        "[http h]\nproxy_pass = %s\n[upstream u]\nserver = 10.0.0.9\n[upstream v]\n"
		        "server = 10.0.0.9\n[upstream w]\nserver = 10.0.0.9:7\nkeepalive = 3\n"
		        "keepalive_timeout = 1s\nkeepalive_requests = 2\nkeepalive_time = 3s\n",
		        rows[i].pass);
		struct config_rig *rig = open_rig(text);
		const struct config_location *root = location(rig, 0, 0);
		assert_string_equal(root->group->name, rows[i].group);
		assert_slice(root->proxy_host, rows[i].proxy_host);
		assert_slice(root->replacement, rows[i].replacement);
		assert_int_equal(root->replaces_uri, rows[i].replaces);
		address_format(&root->group->endpoints[0].address, address, sizeof(address));
		assert_string_equal(address, rows[i].address);
		assert_int_equal(root->upstream_tls != NULL, rows[i].pass[4] == 's');
		if (rows[i].pass[7] == 'w') {
			assert_int_equal(root->group->keepalive, 3);
			assert_int_equal(root->group->keepalive_timeout_ms, 1000);
			assert_int_equal(root->group->keepalive_requests, 2);
			assert_int_equal(root->group->keepalive_time_ms, 3000);
		}
		close_rig(rig);
	}
}

/* The rules of a location as "name=value parts;". */
static const char *show_rules(const struct config_location *each, char *buffer, size_t size)
{
	size_t used = 0;

	buffer[0] = '\0';
	for (size_t i = 0; i < each->header_rule_count; i++) {
		const struct config_header_rule *rule = &each->header_rules[i];
		used += (size_t)snprintf(buffer + used, size - used,
		        "%.*s=", (int)rule->name.length, rule->name.data);
		for (size_t j = 0; j < rule->value.count; j++)
			used += (size_t)snprintf(buffer + used, size - used, "%.*s",
			        (int)rule->value.parts[j].text.length,
			        rule->value.parts[j].variable == VARIABLE_NONE
			                ? rule->value.parts[j].text.data
			                : "");
		used += (size_t)snprintf(buffer + used, size - used, ";");
	}
	return buffer;
}

static void headers_merge_by_name(void **state)
{
	(void)state;
	static const struct {
		const char *outer, *server, *inner, *wanted;
	} rows[] = {
	        {"", "", "", ""},
	        {"A 1", "B 2", "C 3", "A=1;B=2;C=3;"},
	        {"A 1", "a 2", "", "a=2;"},
	        {"A 1", "", "a \"\"", "a=;"},
	        {"A 1", "B 2", "A 3", "B=2;A=3;"},
	        {"A 1", "B 2", "none", ""},
	        {"A 1", "none", "", ""},
	        {"A 1", "none", "C 3", "C=3;"},
	        {"none", "B 2", "C $host", "B=2;C=;"},
	        {"A 1", "B 2", "none\nproxy_set_header = D 4", "D=4;"},
	        {"A 1\nproxy_set_header = B 1", "B 2", "C 3", "A=1;B=2;C=3;"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const lines[] = {rows[i].outer, rows[i].server, rows[i].inner};
		static const char *const titles[] = {
		        "[http]\n", "[http h]\n", "[location h /]\nproxy_pass = http://10.0.0.1\n"};
		char text[500], shown[300];
		size_t used = 0;
		for (size_t j = 0; j < 3; j++)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s%s%s",
			        titles[j], lines[j][0] ? "proxy_set_header = " : "", lines[j],
			        lines[j][0] ? "\n" : "");
		struct config_rig *rig = open_rig(text);
		show_rules(location(rig, 0, 0), shown, sizeof(shown));
		if (strcmp(shown, rows[i].wanted) != 0)
			fail_msg("%s\ngives '%s', not '%s'", text, shown, rows[i].wanted);
		close_rig(rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(rules_are_told),
	        cmocka_unit_test(defaults_hold),
	        cmocka_unit_test(inner_sections_win),
	        cmocka_unit_test(locations_are_sorted),
	        cmocka_unit_test(targets_are_taken_apart),
	        cmocka_unit_test(headers_merge_by_name),
	};
	return cmocka_run_group_tests(tests, config_rig_drop_root, config_rig_regain_root);
}
