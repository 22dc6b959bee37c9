/* SPDX-License-Identifier: BSD-2-Clause */
/* config_load_test.c - rules across keys, includes, and a built configuration as plain data. */
#include "master/config_load.h"

#include "tests/support/config_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct config_rig_row rules[] = {
        /* tcp without listen */
        {"[tcp a]\nproxy_pass = 127.0.0.1:2\n",
                "main.ini:1: [tcp a] listens nowhere; write 'listen = [ADDRESS:]PORT'"},
        /* tcp without proxy_pass */
        {"[tcp a]\nlisten = 1\n", "main.ini:1: [tcp a] goes nowhere; write 'proxy_pass = GROUP' or "
                                  "'proxy_pass = HOST:PORT'"},
        /* tcp without anything */
        {"[tcp a]\n",
                "main.ini:1: [tcp a] listens nowhere; write 'listen = [ADDRESS:]PORT'\n"
                "main.ini:1: [tcp a] goes nowhere; write 'proxy_pass = GROUP' or 'proxy_pass = "
                "HOST:PORT'"},
        /* no tcp */
        {"[main]\nworkers = 1\n",
                "main.ini: there is no [tcp NAME] and no [http NAME] section, so nothing to do"},
        /* upstream without server */
        {RIG_TCP "[upstream u]\n",
                "main.ini:4: [upstream u] has no server; write 'server = HOST:PORT'"},
        /* same address twice */
        {RIG_TCP "[tcp b]\nlisten = 127.0.0.1:1\nproxy_pass = 127.0.0.1:2\n",
                "main.ini:5: listen: '127.0.0.1:1' is taken by [tcp a] at main.ini:2"},
        /* same address in one section */
        {RIG_TCP "listen = 127.0.0.1:1\n", "main.ini:4: listen: '127.0.0.1:1' is here a second "
                                           "time; the first is at main.ini:2"},
        /* any and any written otherwise */
        {"[tcp a]\nlisten = 1\nlisten = *:1\nproxy_pass = 127.0.0.1:2\n",
                "main.ini:3: listen: '*:1' is here a second time; the first is at main.ini:2"},
        /* both families */
        {"[tcp a]\nlisten = 1\nlisten = [::]:1\nproxy_pass = 127.0.0.1:2\n", ""},
        /* dual stack beside IPv4 */
        {"[tcp a]\nlisten = 1\nlisten = [::]:1 ipv6only=off\nproxy_pass = 127.0.0.1:2\n",
                "main.ini:3: listen: '[::]:1' and '1' at main.ini:2 both take every IPv4 address, "
                "one of them by 'ipv6only=off'"},
        /* ssl without a certificate */
        {"[tcp a]\nlisten = 1 ssl\nproxy_pass = 127.0.0.1:2\n",
                "main.ini:1: ssl_certificate: a listen with ssl needs pairs of ssl_certificate and "
                "ssl_certificate_key; there are 0 and 0"},
        /* certificate without key */
        {RIG_TCP "proxy_ssl = on\nproxy_ssl_certificate = c.pem\n",
                "main.ini:5: proxy_ssl_certificate: its proxy_ssl_certificate_key is missing"},
        /* key without certificate */
        {RIG_TCP "proxy_ssl = on\nproxy_ssl_certificate_key = k.pem\n",
                "main.ini:5: proxy_ssl_certificate_key: its proxy_ssl_certificate is missing"},
        /* missing files */
        {RIG_TCP "proxy_ssl = on\nproxy_ssl_certificate = c.pem\nproxy_ssl_certificate_key = "
                 "k.pem\nproxy_ssl_trusted_certificate = ca.pem\n",
                "main.ini:5: proxy_ssl_certificate: c.pem: No such file or directory\nmain.ini:6: "
                "proxy_ssl_certificate_key: k.pem: No such file or directory\nmain.ini:7: "
                "proxy_ssl_trusted_certificate: ca.pem: No such file or directory"},
        /* refused beside missing */
        {RIG_TCP
                "proxy_ssl = on\nproxy_ssl_certificate = c.pem\nproxy_ssl_certificate_key = none\n",
                "main.ini:6: proxy_ssl_certificate_key: 'none' takes back only "
                "proxy_ssl_certificate and ssl_client_certificate; a file of that name is "
                "'./none'"},
        /* priority beside ciphers */
        {RIG_TCP "proxy_ssl_priority = NORMAL\nproxy_ssl_ciphers = HIGH\n",
                "main.ini:4: proxy_ssl_priority replaces proxy_ssl_ciphers, which stands beside it "
                "at main.ini:5; leave one out\nnotice: main.ini:5: [tcp a] has settings for TLS to "
                "its upstream, but 'proxy_ssl = on' is missing: the traffic is not encrypted"},
        /* priority beside protocols */
        {RIG_TCP "ssl_priority = NORMAL\nssl_protocols = TLSv1.3\n",
                "main.ini:4: ssl_priority replaces ssl_protocols, which stands beside it at "
                "main.ini:5; leave one out"},
        /* priority in the profile */
        {RIG_TCP "proxy_ssl_ciphers = HIGH\nproxy_tls = p\n[tls p]\nproxy_ssl_priority = NORMAL\n",
                "main.ini:7: proxy_ssl_priority replaces proxy_ssl_ciphers, which stands beside it "
                "at main.ini:4; leave one out\nnotice: main.ini:4: [tcp a] has settings for TLS to "
                "its upstream, but 'proxy_ssl = on' is missing: the traffic is not encrypted"},
        /* priority one level up is fine */
        {RIG_TCP "proxy_ssl_ciphers = HIGH\n[tcp]\nproxy_ssl_priority = NORMAL\n",
                "notice: main.ini:4: [tcp a] has settings for TLS to its upstream, but 'proxy_ssl "
                "= on' is missing: the traffic is not encrypted"},
        /* no such profile */
        {RIG_TCP "proxy_tls = p\n", "main.ini:4: proxy_tls: there is no [tls p]"},
        /* unused profile */
        {RIG_TCP "[tls p]\nproxy_ssl_verify = off\n",
                "warning: main.ini:4: [tls p] is used by nobody; 'proxy_tls = p' would use it"},
        /* used profile */
        {RIG_TCP "proxy_tls = p\nproxy_ssl = on\n[tls p]\nproxy_ssl_verify = on\n", ""},
        /* verify off */
        {RIG_TCP "proxy_ssl = on\nproxy_ssl_verify = off\n",
                "notice: main.ini:5: proxy_ssl_verify: verification is off: whoever answers is "
                "taken for the upstream"},
        /* verify off in defaults */
        {RIG_TCP "[tcp]\nproxy_ssl = on\nproxy_ssl_verify = off\n",
                "notice: main.ini:6: proxy_ssl_verify: verification is off: whoever answers is "
                "taken for the upstream"},
        /* verify off inherited by two */
        {RIG_TCP "[tcp b]\nlisten = 127.0.0.1:3\nproxy_pass = 127.0.0.1:2\n[tcp]\nproxy_ssl = "
                 "on\nproxy_ssl_verify = off\n",
                "notice: main.ini:9: proxy_ssl_verify: verification is off: whoever answers is "
                "taken for the upstream"},
        /* seed's protocols */
        {RIG_TCP "proxy_ssl = on\nproxy_ssl_protocols = TLSv1 TLSv1.1 TLSv1.2\nproxy_ssl_ciphers = "
                 "HIGH:!aNULL:!MD5\n",
                "notice: main.ini:5: proxy_ssl_protocols: TLSv1 and TLSv1.1 are on and TLSv1.3 is "
                "off; 'TLSv1.2 TLSv1.3' is the default"},
        /* seclevel 0 */
        {RIG_TCP "proxy_ssl = on\nproxy_ssl_ciphers = DEFAULT@SECLEVEL=0\n",
                "notice: main.ini:5: proxy_ssl_ciphers: @SECLEVEL=0 takes keys of any length and "
                "broken signatures; 2 is the default"},
        /* unknown cipher */
        {RIG_TCP "proxy_ssl = on\nproxy_ssl_ciphers = HIHG\n",
                "main.ini:5: proxy_ssl_ciphers: unknown cipher word 'HIHG'; did you mean 'HIGH'?"},
        /* nothing left */
        {RIG_TCP "proxy_ssl = on\nproxy_ssl_ciphers = RC4\n",
                "main.ini:5: proxy_ssl_ciphers: the cipher string leaves no suite for TLSv1.2"},
        /* superset */
        {RIG_TCP "proxy_ssl = on\nproxy_ssl_protocols = TLSv1.2\nproxy_ssl_ciphers = "
                 "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384\n",
                "warning: main.ini:6: proxy_ssl_ciphers: GnuTLS can offer these ciphers only "
                "together with ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES128-GCM-SHA256; a "
                "connection on which the server picks one of them is closed"},
        /* bad priority */
        {RIG_TCP "proxy_ssl = on\nproxy_ssl_priority = NORMAL:+NOSUCH\n",
                "main.ini:5: proxy_ssl_priority: GnuTLS does not understand '+NOSUCH'"},
        /* system and file */
        {RIG_TCP "proxy_ssl = on\nproxy_ssl_trusted_certificate = system missing.pem\n",
                "main.ini:5: proxy_ssl_trusted_certificate: missing.pem: No such file or "
                "directory"},
        /* two files */
        {RIG_TCP "proxy_ssl = on\nproxy_ssl_trusted_certificate = a.pem b.pem\n",
                "main.ini:5: proxy_ssl_trusted_certificate: takes FILE, system, or system FILE"},
        /* three words */
        {RIG_TCP "proxy_ssl_trusted_certificate = system a b\n",
                "main.ini:4: proxy_ssl_trusted_certificate: takes one or two words, not 3"},
        /* taken back */
        {RIG_TCP "proxy_ssl_certificate = none\n[tcp]\nproxy_ssl = on\nproxy_ssl_certificate = "
                 "c.pem\nproxy_ssl_certificate_key = k.pem\n",
                ""},
        /* name does not resolve */
        {"[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = u\n[upstream u]\nserver = "
         "backend.example:1\n",
                "warning: main.ini:5: server: 'backend.example' does not resolve (it was not "
                "looked up); it is down until it does, looked up again every 10 s"},
        /* name has to resolve */
        {"[main]\nresolve_at_start = required\n[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = "
         "u\n[upstream u]\nserver = backend.example:1\n",
                "main.ini:7: server: 'backend.example' does not resolve (it was not looked up); "
                "'resolve_at_start = lenient' would start without it"},
        /* port missing names both */
        {"[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = u\n[upstream u]\nserver = 127.0.0.1\n",
                "main.ini:5: server: '127.0.0.1' has no port, and the [tcp] at main.ini:3 that "
                "proxies to it has no default; write 127.0.0.1:PORT"},
        /* include of nothing */
        {"[main]\ninclude = conf.d/*.ini\n" RIG_TCP, ""},
        /* include of a missing file */
        {"[main]\ninclude = conf.d/a.ini\n" RIG_TCP,
                "main.ini:2: include: conf.d/a.ini: No such file or directory"},
};

static void rules_are_told(void **state)
{
	(void)state;
	config_rig_check(rules, sizeof(rules) / sizeof(rules[0]));
}

static void users_are_looked_up(void **state)
{
	(void)state;
	static const struct config_rig_row rows[] = {
	        {"[main]\nuser = nobody\n" RIG_TCP, ""},
	        {"[main]\nuser = root\n" RIG_TCP,
	                "warning: main.ini:2: user: the workers run as root; a user of their own "
	                "would confine what a bug can do"},
	        {"[main]\nuser = nosuchuser\n" RIG_TCP,
	                "main.ini:2: user: there is no user 'nosuchuser'; create it with: useradd "
	                "--system --no-create-home --shell /usr/sbin/nologin nosuchuser"},
	        {"[main]\nuser = nobody nosuchgroup\n" RIG_TCP,
	                "main.ini:2: user: there is no group 'nosuchgroup'; create it with: "
	                "groupadd --system nosuchgroup"},
	};
	if (getuid() != 0)
		skip();
	config_rig_regain_root(NULL);
	config_rig_check(rows, sizeof(rows) / sizeof(rows[0]));
	config_rig_drop_root(NULL);
}

static void included_files_are_read_in_byte_order(void **state)
{
	(void)state;
	struct config_rig *rig = malloc(sizeof(*rig));

	config_rig_open(rig);
	config_rig_give(rig, "main.ini",
	        SLICE("[main]\ninclude = conf.d/*.ini\ninclude = conf.d/20.ini\n" RIG_TCP));
	config_rig_give(rig, "conf.d/20.ini", SLICE("[tcp c]\nlisten = 3\nproxy_pass = u\n"));
	config_rig_give(rig, "conf.d/10.ini", SLICE("[tcp b]\nlisten = 2\nproxy_pass = u\n"));
	config_rig_give(rig, "conf.d/B.ini", SLICE("[upstream u]\nserver = 127.0.0.1:9\n"));
	config_rig_give(rig, "conf.d/.hidden.ini", SLICE("nonsense"));
	config_rig_give(rig, "conf.d/30.ini~", SLICE("nonsense"));
	config_rig_give(rig, "conf.d/30.ini.bak", SLICE("nonsense"));
	config_rig_give(rig, "conf.d/30.dpkg-old.ini", SLICE("nonsense"));
	config_rig_give(rig, "conf.d/30.rpmnew.ini", SLICE("nonsense"));
	assert_string_equal(config_rig_load(rig), "");
	assert_int_equal(rig->config->tcp_count, 3);
	assert_string_equal(rig->config->tcps[0].name, "a");
	assert_string_equal(rig->config->tcps[1].name, "b");
	assert_string_equal(rig->config->tcps[2].name, "c");
	assert_string_equal(rig->config->tcps[2].origin.file, "/c/conf.d/20.ini");
	assert_ptr_equal(rig->config->tcps[1].group, rig->config->tcps[2].group);
	config_rig_close(rig);
	free(rig);
}

static void included_files_have_faults_of_their_own(void **state)
{
	(void)state;
	struct config_rig *rig = malloc(sizeof(*rig));

	config_rig_open(rig);
	config_rig_give(rig, "main.ini", SLICE("[main]\ninclude = conf.d/*.ini\n" RIG_TCP));
	config_rig_give(rig, "conf.d/1.ini", SLICE("[main]\ninclude = x\n" RIG_TCP));
	config_rig_give(rig, "conf.d/2.ini", SLICE("workers = 1\n[tls p]\ninclude = x\n"));
	assert_string_equal(config_rig_load(rig),
	        "conf.d/1.ini:1: [main] is here a second time; the first is at main.ini:1\n"
	        "conf.d/1.ini:3: [tcp a] is here a second time; the first is at main.ini:3\n"
	        "conf.d/2.ini:1: 'workers' stands before the first section; most keys of the "
	        "process belong into [main]\n"
	        "conf.d/2.ini:3: 'include' may not stand in [tls p]; its place is in [main]\n"
	        "warning: conf.d/2.ini:2: [tls p] is used by nobody; 'proxy_tls = p' would use it");
	config_rig_close(rig);
	free(rig);
}

static void a_prefix_moves_relative_paths(void **state)
{
	(void)state;
	struct config_rig *rig = malloc(sizeof(*rig));

	config_rig_open(rig);
	config_rig_give(rig, "main.ini",
	        SLICE("[main]\ninclude = b.ini\npid_file = run/pid\nerror_log = e.log\n" RIG_TCP
	              "access_log = /var/a.log\n"));
	config_rig_give(rig, "p/b.ini", SLICE("[tcp b]\nlisten = 2\nproxy_pass = 127.0.0.1:2\n"));
	rig->options.prefix = "/c/p";
	assert_string_equal(config_rig_load(rig), "");
	assert_string_equal(rig->config->main.pid_file, "/c/p/run/pid");
	assert_int_equal(rig->config->log_path_count, 2);
	assert_string_equal(rig->config->log_paths[0], "/c/p/e.log");
	assert_string_equal(rig->config->log_paths[1], "/var/a.log");
	config_rig_close(rig);
	free(rig);
}

static void everything_arrives(void **state)
{
	(void)state;
	struct config_rig *rig = malloc(sizeof(*rig));

	assert_string_equal(
	        config_rig_load_text(rig,
	                "[main]\nworkers = 3\nworker_cpu_affinity = auto\nworker_connections = "
	                "100\n"
	                "worker_buffers = 4m\nworker_hang_timeout = 20s\nworker_rlimit_nofile = "
	                "5000\n"
	                "worker_shutdown_timeout = 7s\nmax_generations = 2\ncore_dumps = on\n"
	                "tls_session_cache_size = 1m\nerror_log = stderr debug\n"
	                "error_log = e.log error\n"
	                "[tcp]\nproxy_timeout = 1m\nshutdown_timeout = 2m\naccess_log = e.log\n"
	                "[tcp a]\nlisten = [::1]:5 backlog=7 freebind so_keepalive=on\n"
	                "listen = *:6 deferred\nproxy_pass = u\nshutdown_timeout = 3m\n"
	                "proxy_next_upstream_tries = 4\nproxy_buffer_size = 64k\n"
	                "proxy_ssl_truncation = close\n"
	                "[upstream u]\nserver = 10.0.0.1:80 weight=5 max_fails=2 fail_timeout=3s\n"
	                "server = [2001:db8::1]:81 backup down name=x.example\n"
	                "proxy_bind = 127.0.0.2\nproxy_bind = ::1\n"
	                "[tcp b]\nlisten = 7\nproxy_pass = 10.0.0.9:9\naccess_log = off\n"),
	        "");
	const struct config *config = rig->config;
	assert_int_equal(config->main.workers, 3);
	assert_true(config->main.worker_cpu_affinity && config->main.core_dumps);
	assert_int_equal(config->main.worker_connections, 100);
	assert_int_equal(config->main.worker_buffers, 4 << 20);
	assert_int_equal(config->main.worker_hang_timeout_ms, 20000);
	assert_int_equal(config->main.worker_rlimit_nofile, 5000);
	assert_int_equal(config->main.worker_shutdown_timeout_ms, 7000);
	assert_int_equal(config->main.max_generations, 2);
	assert_int_equal(config->main.tls_session_cache_size, 1 << 20);
	assert_int_equal(config->main.error_log_count, 2);
	assert_int_equal(config->main.error_logs[0].level, LOG_DEBUG);
	assert_int_equal(config->main.error_logs[1].level, LOG_ERROR);
	assert_int_equal(config->log_path_count, 2);
	assert_int_equal(config->listener_count, 3);
	assert_int_equal(config->listeners[0].backlog, 7);
	assert_true(config->listeners[0].freebind && config->listeners[0].so_keepalive.on);
	assert_false(config->listeners[0].deferred);
	assert_true(config->listeners[1].deferred && !config->listeners[1].so_keepalive.on);
	assert_string_equal(config->listeners[1].text, "*:6");
	assert_int_equal(config->listeners[1].address.any.sa_family, AF_INET);
	const struct config_tcp *a = &config->tcps[0], *b = &config->tcps[1];
	assert_int_equal(a->proxy_timeout_ms, 60000);
	assert_int_equal(a->shutdown_timeout_ms, 180000);
	assert_int_equal(b->shutdown_timeout_ms, 120000);
	assert_int_equal(a->proxy_connect_timeout_ms, 5000);
	assert_int_equal(a->proxy_next_upstream_tries, 4);
	assert_int_equal(a->proxy_buffer_size, 65536);
	assert_false(a->truncation_resets);
	assert_true(b->truncation_resets && b->proxy_half_close && b->proxy_next_upstream);
	assert_int_equal(b->proxy_socket_keepalive.idle_s, 60);
	assert_int_equal(a->access_log_count, 1);
	assert_int_equal(a->access_logs[0].log_index, 1);
	assert_int_equal(b->access_log_count, 0);
	const struct config_endpoint *first = &a->group->endpoints[0], *second = first + 1;
	assert_int_equal(a->group->endpoint_count, 2);
	assert_int_equal(a->group->bind_address_count, 2);
	assert_int_equal(first->weight, 5);
	assert_int_equal(first->max_fails, 2);
	assert_int_equal(first->fail_timeout_ms, 3000);
	assert_false(first->backup || first->down);
	assert_true(second->backup && second->down);
	assert_string_equal(second->tls_name, "x.example");
	assert_string_equal(second->host, "2001:db8::1");
	assert_string_equal(second->server, "[2001:db8::1]:81");
	assert_int_equal(address_port(&second->address), 81);
	assert_string_equal(b->group->name, "10.0.0.9:9");
	assert_int_equal(b->group->endpoints[0].state_index, 2);
	assert_int_equal(config->endpoint_count, 3);
	assert_false(config->names_unresolved);
	config_rig_close(rig);
	free(rig);
}

static void a_name_that_does_not_resolve_is_an_endpoint_that_is_down(void **state)
{
	(void)state;
	struct config_rig *rig = malloc(sizeof(*rig));

	config_rig_load_text(rig, "[tcp a]\nlisten = 1\nproxy_pass = x.example:5\n");
	assert_non_null(rig->config);
	assert_true(rig->config->names_unresolved);
	assert_int_equal(rig->config->groups[0].endpoint_count, 1);
	assert_int_equal(rig->config->groups[0].endpoints[0].address.length, 0);
	assert_string_equal(rig->config->groups[0].endpoints[0].host, "x.example");
	config_rig_close(rig);
	free(rig);
}

static void warnings_can_be_errors(void **state)
{
	(void)state;
	struct config_rig *rig = malloc(sizeof(*rig));

	config_rig_open(rig);
	config_rig_give(rig, "main.ini", SLICE(RIG_TCP "[tls p]\n"));
	rig->options.warnings_are_errors = true;
	assert_string_equal(config_rig_load(rig),
	        "main.ini:4: [tls p] is used by nobody; 'proxy_tls = p' would use it");
	assert_null(rig->config);
	config_rig_close(rig);
	free(rig);
}

static void a_pid_file_is_found_in_a_broken_configuration(void **state)
{
	(void)state;
	static const struct {
		const char *text, *option, *wanted;
	} rows[] = {
	        {"[main]\npid_file = /run/x.pid\nnonsense\n[tcp", NULL, "/run/x.pid"},
	        {"[main]\npid_file = x.pid\n", NULL, "/c/x.pid"},
	        {"[main]\npid_file = x.pid\n", "/o.pid", "/o.pid"},
	        {"nonsense", "/o.pid", "/o.pid"},
	        {RIG_TCP, NULL, NULL},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config_rig *rig = malloc(sizeof(*rig));
		char path[100];
		config_rig_open(rig);
		config_rig_give(rig, "main.ini", slice_of(rows[i].text));
		rig->options.pid_file = rows[i].option;
		bool found = config_load_pid_file(rig->source, &rig->options, path, sizeof(path));
		assert_int_equal(found, rows[i].wanted != NULL);
		if (found)
			assert_string_equal(path, rows[i].wanted);
		config_rig_close(rig);
		free(rig);
	}
}

static void a_missing_main_file_is_told(void **state)
{
	(void)state;
	struct config_rig *rig = malloc(sizeof(*rig));

	config_rig_open(rig);
	assert_string_equal(config_rig_load(rig),
	        "main.ini: cannot be read: No such file or directory; -c FILE names another");
	config_rig_close(rig);
	free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(rules_are_told),
	        cmocka_unit_test(users_are_looked_up),
	        cmocka_unit_test(included_files_are_read_in_byte_order),
	        cmocka_unit_test(included_files_have_faults_of_their_own),
	        cmocka_unit_test(a_prefix_moves_relative_paths),
	        cmocka_unit_test(everything_arrives),
	        cmocka_unit_test(a_name_that_does_not_resolve_is_an_endpoint_that_is_down),
	        cmocka_unit_test(warnings_can_be_errors),
	        cmocka_unit_test(a_pid_file_is_found_in_a_broken_configuration),
	        cmocka_unit_test(a_missing_main_file_is_told),
	};
	return cmocka_run_group_tests(tests, config_rig_drop_root, config_rig_regain_root);
}
