/* SPDX-License-Identifier: BSD-2-Clause */
/* config_build_listen_test.c - addresses, the servers of each, and [admin]. */
#include "master/config_build.h"

#include "tests/support/config_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Two servers with one address; the second one's line is the sixth. */
#define PAIR(first, second)                                                                       \
	"[http a]\nserver_name = a\nlisten = " first "\nreturn = 200\n[http b]\nlisten = " second \
	"\nserver_name = b\nreturn = 200\n"

/* 109 bytes; a socket's may have 107. */
#define LONG_PATH                                           \
	"/012345678901234567890123456789012345678901234567" \
	"890123456789012345678901234567890123456789012345678901234567"

#define DIFFER(option)                                                                            \
	"main.ini:6: listen: '127.0.0.1:3' and the same address at main.ini:3 differ in '" option \
	"'; all lines of an address have to agree"

static const struct config_rig_row rules[] = {
        {PAIR("127.0.0.1:3", "127.0.0.1:3"), ""},
        {PAIR("127.0.0.1:3", "127.0.0.1:3 deferred default_server"), ""},
        {PAIR("127.0.0.1:3 backlog=5", "127.0.0.1:3"), DIFFER("backlog")},
        {PAIR("127.0.0.1:3", "127.0.0.1:3 freebind"), DIFFER("freebind")},
        {PAIR("127.0.0.1:3 so_keepalive=on", "127.0.0.1:3 so_keepalive=60s::"),
                DIFFER("so_keepalive")},
        {PAIR("127.0.0.1:3", "127.0.0.1:3 ssl"), DIFFER("ssl")},
        {PAIR("[::1]:3", "[::1]:3 ipv6only=off"),
                "main.ini:6: listen: '[::1]:3' and the same address at main.ini:3 differ in "
                "'ipv6only'; all lines of an address have to agree"},
        {PAIR("127.0.0.1:3 default_server", "127.0.0.1:3 default_server"),
                "main.ini:6: listen: '127.0.0.1:3' has a default_server already, at main.ini:3"},
        {"[http a]\nlisten = 3\nlisten = *:3\nreturn = 200\n",
                "main.ini:3: listen: '*:3' is here a second time; the first is at main.ini:2"},
        {RIG_TCP "[http h]\nlisten = 127.0.0.1:1\nreturn = 200\n",
                "main.ini:5: listen: '127.0.0.1:1' is taken by [tcp a] at main.ini:2"},
        {"[http h]\nlisten = 127.0.0.1:1\nreturn = 200\n" RIG_TCP,
                "main.ini:5: listen: '127.0.0.1:1' is taken by [http h] at main.ini:2"},
        {"[http h]\nreturn = 200\n[tcp t]\nlisten = 80\nproxy_pass = 127.0.0.1:1\n",
                "main.ini:4: listen: '80' is taken by [http h] at main.ini:1"},
        {"[http a]\nlisten = 3\nreturn = 200\n[http b]\nlisten = [::]:3 ipv6only=off\nreturn = "
         "200\n",
                "main.ini:5: listen: '[::]:3' and '3' at main.ini:2 both take every IPv4 address, "
                "one of them by 'ipv6only=off'"},
        {"[http a]\nreturn = 200\n[http b]\nreturn = 200\n",
                "warning: main.ini:3: [http b] gets no requests on '*:80': it has no server_name, "
                "and [http a] is the default server there"},
        {"[http a]\nserver_name = x y\nreturn = 200\n[http b]\nserver_name = z Y\nreturn = 200\n",
                "main.ini:5: server_name: 'y' is a name of [http a] on '*:80' too, at main.ini:2"},
        {"[http a]\nserver_name = x\nlisten = 3\nreturn = 200\n[http b]\nserver_name = x\nlisten = "
         "4\nreturn = 200\n",
                ""},
        {RIG_TCP "listen = 5 default_server\n",
                "main.ini:4: listen: unknown option 'default_server'"},
        {"[http h]\nlisten = 5 default_sever\nreturn = 200\n",
                "main.ini:2: listen: unknown option 'default_sever'; did you mean "
                "'default_server'?"},
        {"[http h]\nlisten = 5 ssl\nreturn = 200\n",
                "main.ini:1: ssl_certificate: a listen with ssl needs pairs of ssl_certificate and "
                "ssl_certificate_key; there are 0 and 0"},
};

static const struct config_rig_row admin_rules[] = {
        {"[admin]\nlisten = 127.0.0.1:9\nlisten = [::1]:9\nlisten = unix:/run/a.sock\nlisten = "
         "unix:b.sock mode=0600\n" RIG_TCP,
                ""},
        {"[admin]\n" RIG_TCP, "main.ini:1: [admin] listens nowhere; write 'listen = "
                              "127.0.0.1:PORT' or 'listen = unix:PATH'"},
        {"[admin]\nlisten = 9\n" RIG_TCP,
                "warning: main.ini:2: listen: '9' is no loopback address: everybody who reaches it "
                "may read what is served there"},
        {"[admin]\nlisten = [::]:9\n" RIG_TCP,
                "warning: main.ini:2: listen: '[::]:9' is no loopback address: everybody who "
                "reaches it may read what is served there"},
        {"[admin]\nlisten = localhost:9\n" RIG_TCP,
                "main.ini:2: listen: 'localhost:9' is no ADDRESS:PORT, [IPv6]:PORT or unix:PATH"},
        {"[admin]\nlisten = 127.0.0.1:9 ssl\n" RIG_TCP,
                "main.ini:2: listen: an address takes no options here; 'ssl' is too much"},
        {"[admin]\nlisten = unix:\n" RIG_TCP,
                "main.ini:2: listen: there is no path behind 'unix:'"},
        {"[admin]\nlisten = unix:a mod=1\n" RIG_TCP,
                "main.ini:2: listen: unknown option 'mod=1'; there is mode=0660"},
        {"[admin]\nlisten = unix:a mode=0888\n" RIG_TCP,
                "main.ini:2: listen: the option 'mode=0888' takes an octal mode like 0660"},
        {"[admin]\nlisten = unix:a mode=7777\n" RIG_TCP,
                "main.ini:2: listen: the option 'mode=7777' takes an octal mode like 0660"},
        {"[admin]\nlisten = unix:a\nlisten = unix:/c/a\n" RIG_TCP,
                "main.ini:3: listen: 'unix:a' is taken by the listen at main.ini:2"},
        {"[admin]\nlisten = 127.0.0.1:9\nlisten = 127.0.0.1:9\n" RIG_TCP,
                "main.ini:3: listen: '127.0.0.1:9' is taken by the listen at main.ini:2"},
        {RIG_TCP "[admin]\nlisten = 127.0.0.1:1\n",
                "main.ini:5: listen: '127.0.0.1:1' is taken by the listen at main.ini:2"},
        {"[admin]\nlisten = unix:" LONG_PATH "\n" RIG_TCP,
                "main.ini:2: listen: the path '" LONG_PATH "' is too long for a socket"},
        {"[admin]\nlisten = 127.0.0.1:9\nproxy_pass = x\n" RIG_TCP,
                "main.ini:3: 'proxy_pass' may not stand in [admin]; its place is in [http NAME], "
                "[location NAME PATH], [tcp NAME]"},
};

static void rules_are_told(void **state)
{
	(void)state;
	config_rig_check(rules, sizeof(rules) / sizeof(rules[0]));
	config_rig_check(admin_rules, sizeof(admin_rules) / sizeof(admin_rules[0]));
}

static void servers_share_addresses(void **state)
{
	(void)state;
	static const char text[] =
	        "[http a]\nlisten = 127.0.0.1:3\nlisten = 127.0.0.1:4 backlog=9\n"
	        "server_name = z.example Host.example\nreturn = 200\n"
	        "[http b]\nlisten = 127.0.0.1:3 default_server\nserver_name = k.example\nreturn = "
	        "200\nssl_handshake_timeout = 3s\n"
	        "[http c]\nlisten = 127.0.0.1:3\nserver_name = \"\"\nreturn = 200\n" RIG_TCP
	        "proxy_buffer_size = 64k\nshutdown_timeout = 5s\nssl_handshake_timeout = 2s\n";
	static const char *const names[] = {"", "host.example", "k.example", "z.example"};
	static const char owners[] = "caba";
	struct config_rig *rig = malloc(sizeof(*rig));

	config_rig_load_text(rig, text);
	assert_string_equal(rig->shown, "");
	const struct config *config = rig->config;
	assert_int_equal(config->listener_count, 3);
	const struct config_listener *three = &config->listeners[0], *four = three + 1,
	                             *tcp = three + 2;
	assert_string_equal(three->text, "127.0.0.1:3");
	assert_string_equal(three->section, "http b");
	assert_true(three->deferred && !three->ssl && !three->tcp && !three->tls);
	assert_int_equal(three->ssl_handshake_timeout_ms, 3000);
	assert_int_equal(three->buffer_bytes_max, 256 << 10);
	assert_int_equal(three->shutdown_timeout_ms, 0);
	assert_ptr_equal(three->http->standard, &config->https[1]);
	assert_int_equal(three->http->name_count, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct config_server_name *name = &three->http->names[i];
		assert_true(slice_equal(name->name, slice_of(names[i])));
		assert_int_equal(name->http->name[0], owners[i]);
	}
	assert_string_equal(four->section, "http a");
	assert_int_equal(four->backlog, 9);
	assert_int_equal(four->http->name_count, 2);
	assert_ptr_equal(four->http->standard, &config->https[0]);
	assert_string_equal(tcp->section, "tcp a");
	assert_true(tcp->tcp == &config->tcps[0] && !tcp->http && !tcp->deferred);
	assert_int_equal(tcp->buffer_bytes_max, 64 << 10);
	assert_int_equal(tcp->shutdown_timeout_ms, 5000);
	assert_int_equal(tcp->ssl_handshake_timeout_ms, 2000);
	config_rig_close(rig);
	free(rig);
}

static void a_server_listens_by_default(void **state)
{
	(void)state;
	struct config_rig *rig = malloc(sizeof(*rig));

	config_rig_load_text(rig, "[http a]\nreturn = 200\n");
	assert_non_null(rig->config);
	assert_int_equal(rig->config->listener_count, 1);
	assert_string_equal(rig->config->listeners[0].text, "*:80");
	assert_int_equal(address_port(&rig->config->listeners[0].address), 80);
	assert_int_equal(rig->config->listeners[0].origin.line, 1);
	assert_int_equal(rig->config->listeners[0].http->name_count, 0);
	config_rig_close(rig);
	free(rig);
}

static void admin_arrives(void **state)
{
	(void)state;
	struct config_rig *rig = malloc(sizeof(*rig));

	config_rig_load_text(rig, "[admin]\nlisten = 127.0.0.1:9\nlisten = unix:b.sock\nlisten = "
	                          "unix:/x mode=600\n" RIG_TCP);
	assert_string_equal(rig->shown, "");
	const struct config_admin_listener *listeners = rig->config->admin_listeners;
	assert_int_equal(rig->config->admin_listener_count, 3);
	assert_int_equal(address_port(&listeners[0].address), 9);
	assert_null(listeners[0].unix_path);
	assert_int_equal(listeners[1].address.length, 0);
	assert_string_equal(listeners[1].unix_path, "/c/b.sock");
	assert_string_equal(listeners[1].text, "unix:b.sock");
	assert_int_equal(listeners[1].mode, 0660);
	assert_int_equal(listeners[2].mode, 0600);
	assert_int_equal(listeners[2].origin.line, 4);
	config_rig_close(rig);
	free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(rules_are_told),
	        cmocka_unit_test(servers_share_addresses),
	        cmocka_unit_test(a_server_listens_by_default),
	        cmocka_unit_test(admin_arrives),
	};
	return cmocka_run_group_tests(tests, config_rig_drop_root, config_rig_regain_root);
}
