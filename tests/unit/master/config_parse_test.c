/* SPDX-License-Identifier: BSD-2-Clause */
/* config_parse_test.c - values: what each parser takes and how it refuses the rest. */
#include "master/config_parse.h"

#include "tests/support/config_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct config_rig_row values[] = {
        /* bare seconds */
        {RIG_TCP "proxy_timeout = 60\n", "main.ini:4: proxy_timeout: '60' has no unit; write '60s' "
                                         "for seconds or '60ms' for milliseconds"},
        /* bare zero */
        {RIG_TCP "shutdown_timeout = 0\n", ""},
        /* unknown unit */
        {RIG_TCP "proxy_timeout = 5x\n", "main.ini:4: proxy_timeout: '5x' has the unknown unit "
                                         "'x'; there are ms, s, m, h and d"},
        /* no time */
        {RIG_TCP "proxy_timeout = soon\n", "main.ini:4: proxy_timeout: 'soon' is no time; write it "
                                           "like 500ms, 10s, 5m, 1h or 2d"},
        /* negative */
        {RIG_TCP "proxy_timeout = -5s\n", "main.ini:4: proxy_timeout: '-5s' is no time; write it "
                                          "like 500ms, 10s, 5m, 1h or 2d"},
        /* fraction */
        {RIG_TCP "proxy_timeout = 1.5s\n", "main.ini:4: proxy_timeout: '1.5s' has the unknown unit "
                                           "'.5s'; there are ms, s, m, h and d"},
        /* too long */
        {RIG_TCP "proxy_timeout = 50d\n",
                "main.ini:4: proxy_timeout: '50d' is longer than the 49 days that a time may have"},
        /* overflow */
        {RIG_TCP "proxy_timeout = 99999999999999999999s\n",
                "main.ini:4: proxy_timeout: '99999999999999999999s' is no time; write it like "
                "500ms, 10s, 5m, 1h or 2d"},
        /* two words */
        {RIG_TCP "proxy_timeout = 5m 6m\n", "main.ini:4: proxy_timeout: takes one word, not 2 "
                                            "('6m' is too much; quote a value with blanks)"},
        /* zero timeout */
        {RIG_TCP "proxy_timeout = 0\n",
                "main.ini:4: proxy_timeout: 0 would end every connection at once"},
        /* zero connect */
        {RIG_TCP "proxy_connect_timeout = 0\n",
                "main.ini:4: proxy_connect_timeout: 0 would end every connection at once"},
        /* boolean */
        {RIG_TCP "proxy_half_close = maybe\n",
                "main.ini:4: proxy_half_close: 'maybe' is neither 'on' nor 'off'"},
        /* booleans */
        {RIG_TCP "proxy_half_close = yes\nproxy_next_upstream = 0\nproxy_ssl_server_name = "
                 "true\nproxy_ssl = no\n",
                ""},
        /* choice */
        {RIG_TCP "proxy_ssl_truncation = cut\n",
                "main.ini:4: proxy_ssl_truncation: 'cut' is neither 'reset' nor 'close'"},
        /* size unit */
        {"[main]\nworker_buffers = 5x\n" RIG_TCP,
                "main.ini:2: worker_buffers: '5x' has the unknown unit 'x'; there are k, m and g"},
        /* size word */
        {"[main]\nworker_buffers = big\n" RIG_TCP,
                "main.ini:2: worker_buffers: 'big' is no size; write it like 512, 16k, 8m or 1g"},
        /* size range */
        {RIG_TCP "proxy_buffer_size = 1k\n",
                "main.ini:4: proxy_buffer_size: '1k' is not between 4k and 16m"},
        /* cache size */
        {"[main]\ntls_session_cache_size = 1k\n" RIG_TCP,
                "main.ini:2: tls_session_cache_size: '1k' is not between 256k and 16g"},
        /* size too large */
        {"[main]\nworker_buffers = 99999999999g\n" RIG_TCP,
                "main.ini:2: worker_buffers: '99999999999g' is too large"},
        /* few buffers */
        {"[main]\nworker_buffers = 64k\n" RIG_TCP,
                "main.ini:2: worker_buffers: less than 1m would stop everything"},
        /* number */
        {"[main]\nmax_generations = many\n" RIG_TCP,
                "main.ini:2: max_generations: 'many' is no number from 1 to 1000000"},
        /* zero of a positive */
        {"[main]\nmax_generations = 0\n" RIG_TCP,
                "main.ini:2: max_generations: '0' is no number from 1 to 1000000"},
        /* auto */
        {"[main]\nworkers = automatic\n" RIG_TCP,
                "main.ini:2: workers: 'automatic' is no number from 1 to 128, nor 'auto'"},
        /* workers zero */
        {"[main]\nworkers = 0\n" RIG_TCP,
                "main.ini:2: workers: '0' is no number from 1 to 128, nor 'auto'"},
        /* workers none */
        {"[main]\nworkers = none\n" RIG_TCP,
                "main.ini:2: workers: 'none' is no number from 1 to 128, nor 'auto'"},
        /* one connection */
        {"[main]\nworker_connections = 1\n" RIG_TCP,
                "main.ini:2: worker_connections: a client and its upstream are two connections; 2 "
                "is the least"},
        /* affinity */
        {"[main]\nworker_cpu_affinity = on\n" RIG_TCP,
                "main.ini:2: worker_cpu_affinity: 'on' is neither 'off' nor 'auto'"},
        /* resolve */
        {"[main]\nresolve_at_start = yes\n" RIG_TCP,
                "main.ini:2: resolve_at_start: 'yes' is neither 'lenient' nor 'required'"},
        /* log level */
        {"[main]\nerror_log = stderr loud\n" RIG_TCP,
                "main.ini:2: error_log: unknown level 'loud'; there are debug info notice warn "
                "error crit"},
        /* log level near */
        {"[main]\nerror_log = stderr notce\n" RIG_TCP,
                "main.ini:2: error_log: unknown level 'notce'; did you mean 'notice'?"},
        /* log words */
        {"[main]\nerror_log = a b c\n" RIG_TCP,
                "main.ini:2: error_log: takes a file and a level, not 3 words"},
        /* syslog */
        {"[main]\nerror_log = syslog:server=1.1.1.1 info\n" RIG_TCP,
                "main.ini:2: error_log: 'syslog:server=1.1.1.1': there is no syslog here; write to "
                "stderr under a service manager"},
        /* access syslog */
        {RIG_TCP "access_log = syslog:server=1.1.1.1\n",
                "main.ini:4: access_log: 'syslog:server=1.1.1.1': there is no syslog here; name a "
                "file"},
        /* access format */
        {RIG_TCP "access_log = a.log combined\n",
                "main.ini:4: access_log: 'combined' is a format for requests of HTTP; [tcp] has "
                "upstream_tls"},
        {RIG_TCP "access_log = a.log json\n",
                "main.ini:4: access_log: unknown format 'json'; there is upstream_tls"},
        /* access off with format */
        {RIG_TCP "access_log = off upstream_tls\n",
                "main.ini:4: access_log: 'off' takes no format"},
        /* access off beside a file */
        {RIG_TCP "access_log = off\naccess_log = a.log\n",
                "main.ini:4: access_log: 'off' beside another access_log; leave one out"},
        /* daemon with stderr */
        {"[main]\ndaemon = on\nerror_log = stderr notice\n" RIG_TCP,
                "main.ini:3: error_log: with 'daemon = on' nobody reads stderr; name a file"},
        /* daemon alone */
        {"[main]\ndaemon = on\n" RIG_TCP, "main.ini:2: daemon: 'on' needs an error_log that is a "
                                          "file; the default is stderr, which nobody reads then"},
        /* user words */
        {"[main]\nuser = a b c\n" RIG_TCP,
                "main.ini:2: user: takes a user and a group, not 3 words"},
        /* keepalive */
        {RIG_TCP "proxy_socket_keepalive = 60s:10s\n",
                "main.ini:4: proxy_socket_keepalive: '60s:10s' is neither on, off, nor "
                "IDLE:INTERVAL:COUNT like 60s:10s:6"},
        /* keepalive zero */
        {RIG_TCP "proxy_socket_keepalive = 0:1:1\n",
                "main.ini:4: proxy_socket_keepalive: '0:1:1' is neither on, off, nor "
                "IDLE:INTERVAL:COUNT like 60s:10s:6"},
        /* keepalive parts */
        {RIG_TCP "proxy_socket_keepalive = 60s::6\n", ""},
        /* keepalive bare seconds */
        {RIG_TCP "proxy_socket_keepalive = 60:10:6\n", ""},
        /* protocol */
        {RIG_TCP "ssl_protocols = TLSv1.2 SSLv3\n",
                "main.ini:4: ssl_protocols: unknown protocol 'SSLv3'; there are TLSv1 TLSv1.1 "
                "TLSv1.2 TLSv1.3"},
        /* protocol near */
        {RIG_TCP "ssl_protocols = TLS1.2\n",
                "main.ini:4: ssl_protocols: unknown protocol 'TLS1.2'; did you mean 'TLSv1.2'?"},
        /* protocol gap */
        {RIG_TCP "ssl_protocols = TLSv1.1 TLSv1.3\n",
                "main.ini:4: ssl_protocols: TLSv1.2 is left out between others, and GnuTLS would "
                "drop TLSv1.3 then; put it in"},
        /* alpn empty */
        {RIG_TCP "ssl_alpn = \"\"\n",
                "main.ini:4: ssl_alpn: '' is no protocol name of 1 to 32 bytes"},
        /* alpn many */
        {RIG_TCP "ssl_alpn = a b c d e f g h i\n",
                "main.ini:4: ssl_alpn: takes 8 protocols at most, not 9"},
        /* depth */
        {RIG_TCP "ssl_verify_depth = -1\n",
                "main.ini:4: ssl_verify_depth: '-1' is no number from 0 to 100"},
        /* balance */
        {"[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = u\n[upstream u]\nserver = "
         "127.0.0.1:2\nbalance = least_conn\n",
                "main.ini:6: balance: 'least_conn' is unknown; there is 'round_robin'"},
        /* bind */
        {"[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = u\n[upstream u]\nserver = "
         "127.0.0.1:2\nproxy_bind = eth0\n",
                "main.ini:6: proxy_bind: 'eth0' is no IP address (without port)"},
        /* bind with port */
        {"[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = u\n[upstream u]\nserver = "
         "127.0.0.1:2\nproxy_bind = 127.0.0.1:80\n",
                "main.ini:6: proxy_bind: '127.0.0.1:80' is no IP address (without port)"},
        /* variable in a name */
        {RIG_TCP "proxy_ssl_name = $proxy_host\n",
                "main.ini:4: proxy_ssl_name: '$proxy_host': variables are not known here; write "
                "the name out, or set 'name=' of each server"},
        /* no name */
        {RIG_TCP "proxy_ssl_name = a/b\n",
                "main.ini:4: proxy_ssl_name: 'a/b' is no host name and no IP address"},
        /* empty name */
        {RIG_TCP "proxy_ssl_name = \"\"\n",
                "main.ini:4: proxy_ssl_name: '' is no host name and no IP address"},
        /* verify report */
        {RIG_TCP "proxy_ssl_verify = report\n",
                "main.ini:4: proxy_ssl_verify: 'report' is neither 'on' nor 'off'"},
        /* verify client optional */
        {RIG_TCP "ssl_verify_client = optional\n",
                "main.ini:4: ssl_verify_client: 'optional' is for HTTP, where a request is "
                "answered by the verdict; [tcp] has 'off' and 'on'"},
        /* empty file name */
        {RIG_TCP "ssl_certificate = \"\"\n", "main.ini:4: ssl_certificate: an empty file name"},
        /* none where nothing is taken back */
        {RIG_TCP "ssl_certificate = none\n",
                "main.ini:4: ssl_certificate: 'none' takes back only proxy_ssl_certificate and "
                "ssl_client_certificate; a file of that name is './none'"},
        /* server without port */
        {"[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = u\n[upstream u]\nserver = 127.0.0.1\n",
                "main.ini:5: server: '127.0.0.1' has no port, and the [tcp] at main.ini:3 that "
                "proxies to it has no default; write 127.0.0.1:PORT"},
        /* server port 0 */
        {"[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = u\n[upstream u]\nserver = 127.0.0.1:0\n",
                "main.ini:5: server: '127.0.0.1:0' is no HOST:PORT or [IPv6]:PORT"},
        /* server port too large */
        {"[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = u\n[upstream u]\nserver = 127.0.0.1:65536\n",
                "main.ini:5: server: '127.0.0.1:65536' is no HOST:PORT or [IPv6]:PORT"},
        /* server with scheme */
        {"[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = u\n[upstream u]\nserver = https://a:1\n",
                "main.ini:5: server: 'https://a:1' is no HOST:PORT or [IPv6]:PORT"},
        /* server unix */
        {"[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = u\n[upstream u]\nserver = unix:/a\n",
                "main.ini:5: server: 'unix:/a': unix sockets are not supported; name HOST:PORT"},
        /* server IPv6 bare */
        {"[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = u\n[upstream u]\nserver = ::1:80\n",
                "main.ini:5: server: '::1:80' is no HOST:PORT or [IPv6]:PORT"},
        /* server IPv6 */
        {"[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = u\n[upstream u]\nserver = [::1]:80\n", ""},
        /* server IPv6 broken */
        {"[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = u\n[upstream u]\nserver = [::1:80\n",
                "main.ini:5: server: '[::1:80' is no HOST:PORT or [IPv6]:PORT"},
        /* server weight */
        {"[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = u\n[upstream u]\nserver = 127.0.0.1:1 "
         "weight=0\n",
                "main.ini:5: server: the parameter 'weight=0' takes a number from 1 to 65536"},
        /* server weight word */
        {"[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = u\n[upstream u]\nserver = 127.0.0.1:1 "
         "weight=heavy\n",
                "main.ini:5: server: the parameter 'weight=heavy' takes a number from 1 to 65536"},
        /* server parameter */
        {"[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = u\n[upstream u]\nserver = 127.0.0.1:1 "
         "wieght=2\n",
                "main.ini:5: server: unknown parameter 'wieght=2'; did you mean 'weight='?"},
        /* server parameter of later */
        {"[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = u\n[upstream u]\nserver = 127.0.0.1:1 "
         "slow_start=5s\n",
                "main.ini:5: server: unknown parameter 'slow_start=5s'"},
        /* server max_conns */
        {"[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = u\n[upstream u]\nserver = 127.0.0.1:1 "
         "max_conns=5\n",
                "main.ini:5: server: unknown parameter 'max_conns=5'"},
        /* server time */
        {"[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = u\n[upstream u]\nserver = 127.0.0.1:1 "
         "fail_timeout=5\n",
                "main.ini:5: server: '5' has no unit; write '5s' for seconds or '5ms' for "
                "milliseconds"},
        /* server name */
        {"[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = u\n[upstream u]\nserver = 127.0.0.1:1 "
         "name=a/b\n",
                "main.ini:5: server: the parameter 'name=a/b' takes a host name or an IP address"},
        /* server name empty */
        {"[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = u\n[upstream u]\nserver = 127.0.0.1:1 "
         "name=\n",
                "main.ini:5: server: the parameter 'name=' takes a host name or an IP address"},
        /* server all */
        {"[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = u\n[upstream u]\nserver = 127.0.0.1:1 "
         "weight=2 max_fails=0 fail_timeout=1s name=a.example down\n",
                ""},
        /* backups only */
        {"[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = u\n[upstream u]\nserver = 127.0.0.1:1 "
         "backup\n",
                "main.ini:5: [upstream u] has backup servers only; one has to come first"},
        /* listen word */
        {"[tcp a]\nproxy_pass = 127.0.0.1:2\nlisten = http\n",
                "main.ini:3: listen: 'http' is no PORT, ADDRESS:PORT or [IPv6]:PORT (a name is not "
                "looked up here)"},
        /* listen name */
        {"[tcp a]\nproxy_pass = 127.0.0.1:2\nlisten = localhost:80\n",
                "main.ini:3: listen: 'localhost:80' is no PORT, ADDRESS:PORT or [IPv6]:PORT (a "
                "name is not looked up here)"},
        /* listen port 0 */
        {"[tcp a]\nproxy_pass = 127.0.0.1:2\nlisten = 0\n",
                "main.ini:3: listen: '0' is no PORT, ADDRESS:PORT or [IPv6]:PORT (a name is not "
                "looked up here)"},
        /* listen unix */
        {"[tcp a]\nproxy_pass = 127.0.0.1:2\nlisten = unix:/a\n",
                "main.ini:3: listen: 'unix:/a': unix sockets are not supported; name "
                "[ADDRESS:]PORT"},
        /* listen option */
        {"[tcp a]\nproxy_pass = 127.0.0.1:2\nlisten = 1 slow\n",
                "main.ini:3: listen: unknown option 'slow'"},
        /* listen option near */
        {"[tcp a]\nproxy_pass = 127.0.0.1:2\nlisten = 1 sll\n",
                "main.ini:3: listen: unknown option 'sll'; did you mean 'ssl'?"},
        /* listen http2 */
        {"[tcp a]\nproxy_pass = 127.0.0.1:2\nlisten = 1 http2\n",
                "main.ini:3: listen: unknown option 'http2'"},
        /* listen proxy_protocol */
        {"[tcp a]\nproxy_pass = 127.0.0.1:2\nlisten = 1 proxy_protocol\n",
                "main.ini:3: listen: unknown option 'proxy_protocol'"},
        /* listen backlog */
        {"[tcp a]\nproxy_pass = 127.0.0.1:2\nlisten = 1 backlog=0\n",
                "main.ini:3: listen: the option 'backlog=0' takes a number from 1 to 65535"},
        /* listen ipv6only on IPv4 */
        {"[tcp a]\nproxy_pass = 127.0.0.1:2\nlisten = 1 ipv6only=on\n",
                "main.ini:3: listen: the option 'ipv6only=on' takes an [IPv6]:PORT before it"},
        /* listen keepalive */
        {"[tcp a]\nproxy_pass = 127.0.0.1:2\nlisten = 1 so_keepalive=maybe\n",
                "main.ini:3: listen: the option 'so_keepalive=maybe' takes on, off or "
                "IDLE:INTERVAL:COUNT"},
        /* listen all */
        {"[tcp a]\nproxy_pass = 127.0.0.1:2\nlisten = [::]:1 backlog=5 ipv6only=off deferred "
         "so_keepalive=30s::3 freebind\n",
                ""},
        /* pass URL */
        {"[tcp a]\nlisten = 1\nproxy_pass = https://h\n",
                "main.ini:3: proxy_pass: 'https://h': [tcp] takes a group or HOST:PORT without a "
                "scheme; 'proxy_ssl = on' asks for TLS"},
        /* pass unix */
        {"[tcp a]\nlisten = 1\nproxy_pass = unix:/a\n",
                "main.ini:3: proxy_pass: 'unix:/a': unix sockets are not supported; name a group "
                "or HOST:PORT"},
        /* pass host without port */
        {"[tcp a]\nlisten = 1\nproxy_pass = 127.0.0.1\n",
                "main.ini:3: proxy_pass: there is no [upstream 127.0.0.1], and it is no HOST:PORT"},
        /* pass missing group */
        {"[tcp a]\nlisten = 1\nproxy_pass = bakend\n[upstream backend]\nserver = 127.0.0.1:1\n",
                "main.ini:3: proxy_pass: there is no [upstream bakend]; did you mean 'backend'?"},
};

static void values_are_told(void **state)
{
	(void)state;
	config_rig_check(values, sizeof(values) / sizeof(values[0]));
}

typedef bool parse_fn(const struct config_words *, struct config_value *, char *, size_t);

static void numbers_come_out(void **state)
{
	(void)state;
	static const struct {
		parse_fn *parse;
		const char *word;
		uint64_t number;
	} rows[] = {
	        {config_parse_time, "0", 0},
	        {config_parse_time, "1ms", 1},
	        {config_parse_time, "10s", 10000},
	        {config_parse_time, "5m", 300000},
	        {config_parse_time, "1h", 3600000},
	        {config_parse_time, "2d", 172800000},
	        {config_parse_time, "49d", UINT64_C(49) * 86400000},
	        {config_parse_time, "4294967295ms", UINT32_MAX},
	        {config_parse_size, "0", 0},
	        {config_parse_size, "512", 512},
	        {config_parse_size, "16k", 16384},
	        {config_parse_size, "16K", 16384},
	        {config_parse_size, "8m", 8 << 20},
	        {config_parse_size, "1g", 1 << 30},
	        {config_parse_bool, "on", 1},
	        {config_parse_bool, "yes", 1},
	        {config_parse_bool, "true", 1},
	        {config_parse_bool, "1", 1},
	        {config_parse_bool, "off", 0},
	        {config_parse_bool, "no", 0},
	        {config_parse_bool, "false", 0},
	        {config_parse_bool, "0", 0},
	        {config_parse_auto_count, "auto", 0},
	        {config_parse_auto_count, "128", 128},
	        {config_parse_truncation, "reset", 1},
	        {config_parse_truncation, "close", 0},
	        {config_parse_depth, "0", 0},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config_words words = {&rows[i].word, 1};
		struct config_value value = {UINT64_MAX};
		char fault[200];
		assert_true(rows[i].parse(&words, &value, fault, sizeof(fault)));
		assert_int_equal(value.number, rows[i].number);
	}
}

static void keepalives_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *word;
		bool fine;
		struct config_tcp_keepalive wanted;
	} rows[] = {
	        {"on", true, {true, 0, 0, 0}},
	        {"off", true, {false, 0, 0, 0}},
	        {"60s:10s:6", true, {true, 60, 10, 6}},
	        {"60:10:6", true, {true, 60, 10, 6}},
	        {"2m::", true, {true, 120, 0, 0}},
	        {"::6", true, {true, 0, 0, 6}},
	        {"::", true, {true, 0, 0, 0}},
	        {"", false, {0}},
	        {"60s", false, {0}},
	        {"60s:10s", false, {0}},
	        {"60s:10s:6:1", false, {0}},
	        {"0:1:1", false, {0}},
	        {"500ms:1:1", false, {0}},
	        {"1:1:6s", false, {0}},
	        {"1:1:128", false, {0}},
	        {"32768:1:1", false, {0}},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config_tcp_keepalive got;
		bool fine = config_read_keepalive(rows[i].word, &got);
		if (fine != rows[i].fine)
			fail_msg("'%s'", rows[i].word);
		if (!fine)
			continue;
		assert_int_equal(got.on, rows[i].wanted.on);
		assert_int_equal(got.idle_s, rows[i].wanted.idle_s);
		assert_int_equal(got.interval_s, rows[i].wanted.interval_s);
		assert_int_equal(got.count, rows[i].wanted.count);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(values_are_told),
	        cmocka_unit_test(numbers_come_out),
	        cmocka_unit_test(keepalives_are_read),
	};
	return cmocka_run_group_tests(tests, config_rig_drop_root, config_rig_regain_root);
}
