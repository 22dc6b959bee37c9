/* SPDX-License-Identifier: BSD-2-Clause */
/* config_parse_http_test.c - values of HTTP: what is taken and how the rest is refused. */
#include "master/config_parse.h"

#include "tests/support/config_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* The fifth line is the one that is looked at. */
#define SERVER "[http h]\nlisten = 127.0.0.1:3\n"
#define PASS(value) "[http h]\nlisten = 127.0.0.1:3\nproxy_pass = " value "\n"
#define RETURN(value) "[http h]\nlisten = 127.0.0.1:3\nreturn = " value "\n"
#define HEADER(value) RIG_HTTP "proxy_set_header = " value "\n"

static const struct config_rig_row names[] = {
        {SERVER "server_name = a.example B.example _ 10.0.0.1 [::1] \"\"\nreturn = 200\n", ""},
        {SERVER "server_name = *.example.com\nreturn = 200\n",
                "main.ini:3: server_name: '*.example.com': names with wildcards are not there yet; "
                "write each name out"},
        {SERVER "server_name = www.example.*\nreturn = 200\n",
                "main.ini:3: server_name: 'www.example.*': names with wildcards are not there yet; "
                "write each name out"},
        {SERVER "server_name = .example.com\nreturn = 200\n",
                "main.ini:3: server_name: '.example.com': names with wildcards are not there yet; "
                "write each name out"},
        {SERVER "server_name = ~^www\nreturn = 200\n",
                "main.ini:3: server_name: '~^www': names by regular expression are not there yet; "
                "write each name out"},
        {SERVER "server_name = a/b\nreturn = 200\n",
                "main.ini:3: server_name: 'a/b' is no host name"},
        {SERVER "server_name = $hostname\nreturn = 200\n",
                "main.ini:3: server_name: '$hostname' is no host name"},
        {SERVER "server_name = a.example:80\nreturn = 200\n",
                "main.ini:3: server_name: 'a.example:80': a name has no port; listen has it"},
        {SERVER "server_name = a.example.\nreturn = 200\n",
                "main.ini:3: server_name: 'a.example.': leave out the final dot, as requests are "
                "found so"},
        {SERVER "server_name = \"a\\nb\"\nreturn = 200\n",
                "main.ini:3: server_name: 'a\nb' is no host name"},
        {SERVER "server_name = a\nserver_name = b\nreturn = 200\n",
                "main.ini:4: 'server_name' is here a second time in [http h]; the first is at "
                "main.ini:3"},
        {SERVER "server_name = a b A\nreturn = 200\n",
                "main.ini:3: server_name: 'a' is here twice"},
};

static const struct config_rig_row passes[] = {
        {PASS("http://127.0.0.1"), ""},
        {PASS("http://127.0.0.1:8080/"), ""},
        {PASS("https://[::1]:8443/a/b%20c"), ""},
        {PASS("127.0.0.1:80"),
                "main.ini:3: proxy_pass: '127.0.0.1:80' has no scheme; write http://127.0.0.1:80, "
                "or https://127.0.0.1:80 for TLS"},
        {PASS("HTTP://127.0.0.1"),
                "main.ini:3: proxy_pass: 'HTTP://127.0.0.1': the scheme is not known; there are "
                "http and https"},
        {PASS("htps://a"),
                "main.ini:3: proxy_pass: 'htps://a': the scheme is not known; there are http and "
                "https"},
        {PASS("http://"),
                "main.ini:3: proxy_pass: '' is neither the name of an [upstream] nor HOST[:PORT]"},
        {PASS("http:///x"),
                "main.ini:3: proxy_pass: '' is neither the name of an [upstream] nor HOST[:PORT]"},
        {PASS("http://a:b@c/"),
                "main.ini:3: proxy_pass: 'a:b@c' is neither the name of an [upstream] nor "
                "HOST[:PORT]"},
        {PASS("http://a:0"),
                "main.ini:3: proxy_pass: 'a:0' is neither the name of an [upstream] nor "
                "HOST[:PORT]"},
        {PASS("http://a:65536"),
                "main.ini:3: proxy_pass: 'a:65536' is neither the name of an [upstream] nor "
                "HOST[:PORT]"},
        {PASS("http://$host/"),
                "main.ini:3: proxy_pass: 'http://$host/': variables are not known here; name an "
                "[upstream] or HOST[:PORT]"},
        {PASS("http://unix:/run/app.sock:/"),
                "main.ini:3: proxy_pass: 'http://unix:/run/app.sock:/': unix sockets are not "
                "supported; name an [upstream] or HOST[:PORT]"},
        {PASS("http://127.0.0.1/a?b=c"), "main.ini:3: proxy_pass: the URI '/a?b=c' may hold a path "
                                         "only, without '?'"},
        {PASS("\"http://127.0.0.1/a#b\""),
                "main.ini:3: proxy_pass: the URI '/a#b' may hold a path only, without '#'"},
        {PASS("\"http://127.0.0.1/a b\""),
                "main.ini:3: proxy_pass: a blank or a byte in the URI that has to be written as "
                "%XX"},
        {PASS("\"http://127.0.0.1/a\\nX: y\""),
                "main.ini:3: proxy_pass: a blank or a byte in the URI that has to be written as "
                "%XX"},
        {PASS("http://127.0.0.1/\xc3\xa4"),
                "main.ini:3: proxy_pass: a blank or a byte in the URI that has to be written as "
                "%XX"},
        {RIG_TCP "[tcp b]\nlisten = 5\nproxy_pass = http://x:1\n",
                "main.ini:6: proxy_pass: 'http://x:1': [tcp] takes a group or HOST:PORT without a "
                "scheme; 'proxy_ssl = on' asks for TLS"},
};

static const struct config_rig_row returns[] = {
        {RETURN("200"), ""},
        {RETURN("200 \"two\\nlines $remote_addr\""), ""},
        {RETURN("404"), ""},
        {RETURN("204"), ""},
        {RETURN("301 https://$host$request_uri"), ""},
        {RETURN("503 \"\""), ""},
        {RETURN("199"), "main.ini:3: return: '199' is no status from 200 to 599"},
        {RETURN("600"), "main.ini:3: return: '600' is no status from 200 to 599"},
        {RETURN("0200"), "main.ini:3: return: '0200' is no status from 200 to 599"},
        {RETURN("hello"), "main.ini:3: return: 'hello' is no status from 200 to 599"},
        {RETURN("https://x/"), "main.ini:3: return: a status is missing; write '302 https://x/'"},
        {RETURN("/x"), "main.ini:3: return: a status is missing; write '302 /x'"},
        {RETURN("301"), "main.ini:3: return: 301 needs the URL to go to: '301 URL'"},
        {RETURN("308 \"\""), "main.ini:3: return: an empty URL"},
        {RETURN("302 \"/a b\""),
                "main.ini:3: return: a blank or a control byte in the URL; write it as %XX"},
        {RETURN("302 \"/a\\nSet-Cookie: x\""),
                "main.ini:3: return: a blank or a control byte in the URL; write it as %XX"},
        {RETURN("204 text"), "main.ini:3: return: an answer 204 has no body; leave the text out"},
        {RETURN("304"), "main.ini:3: return: 304 answers a request for a range or a changed page, "
                        "which 'return' does not look at"},
        {RETURN("444"), "main.ini:3: return: 444 is a number of nginx's own, which is never sent"},
        {RETURN("200 a b"), "main.ini:3: return: takes a status and a text, not 3 words; quote a "
                            "text with blanks"},
        {RETURN("200 $hots"),
                "main.ini:3: return: unknown variable '$hots'; did you mean '$host'?"},
        {RETURN("200 \"5 $\""), "main.ini:3: return: a '$' without a name; it always begins a "
                                "variable, like $host"},
        {RETURN("200\nreturn = 404"), "main.ini:4: 'return' is here a second time in [http h]; the "
                                      "first is at main.ini:3"},
};

static const struct config_rig_row headers[] = {
        {HEADER("X-Real-IP $remote_addr"), ""},
        {HEADER("X-Empty \"\""), ""},
        {HEADER("none"), ""},
        {HEADER("none x"), ""},
        {HEADER("X-Tab \"\xc3\xa4 ok\""), ""},
        {HEADER("X"), "main.ini:5: proxy_set_header: takes NAME VALUE; an empty value is written "
                      "\"\""},
        {HEADER("X a b"), "main.ini:5: proxy_set_header: takes NAME VALUE; a value with blanks is "
                          "written in quotes"},
        {HEADER("X: y"), "main.ini:5: proxy_set_header: the name of a header is made of letters, "
                         "digits and !#$%&'*+-.^_`|~"},
        {HEADER("\"\" y"), "main.ini:5: proxy_set_header: the name of a header is made of letters, "
                           "digits and !#$%&'*+-.^_`|~"},
        {HEADER("\"X\\nY\" z"), "main.ini:5: proxy_set_header: the name of a header is made of "
                                "letters, digits and !#$%&'*+-.^_`|~"},
        {HEADER("X \"a\\nB: c\""),
                "main.ini:5: proxy_set_header: a control byte in the value of 'X'"},
        {HEADER("X \"a\rb\""), "main.ini:5: proxy_set_header: a control byte in the value of 'X'"},
        {HEADER("X \"a\\tb\""), "main.ini:5: proxy_set_header: a control byte in the value of 'X'"},
        {HEADER("Host \"\""),
                "main.ini:5: proxy_set_header: a request without Host is none; give it a value"},
        {HEADER("X $nope_nope"), "main.ini:5: proxy_set_header: unknown variable '$nope_nope'"},
        {HEADER("connection close"),
                "main.ini:5: proxy_set_header: 'Connection' is the proxy's own: connections are "
                "kept by 'keepalive' of the [upstream]"},
        {HEADER("Keep-Alive x"),
                "main.ini:5: proxy_set_header: 'Keep-Alive' is the proxy's own: connections are "
                "kept by 'keepalive' of the [upstream]"},
        {HEADER("Proxy-Connection \"\""),
                "main.ini:5: proxy_set_header: 'Proxy-Connection' is the proxy's own: connections "
                "are kept by 'keepalive' of the [upstream]"},
        {HEADER("UPGRADE $http_upgrade"),
                "main.ini:5: proxy_set_header: 'Upgrade' is the proxy's own: upgrades, as to "
                "WebSocket, are passed on without configuration"},
        {HEADER("Content-Length 0"),
                "main.ini:5: proxy_set_header: 'Content-Length' is the proxy's own: bodies are "
                "framed as they come; client_max_body_size limits them"},
        {HEADER("Transfer-Encoding chunked"),
                "main.ini:5: proxy_set_header: 'Transfer-Encoding' is the proxy's own: bodies are "
                "framed as they come; client_max_body_size limits them"},
        {HEADER("Trailer x"), "main.ini:5: proxy_set_header: 'Trailer' is the proxy's own: "
                              "trailers are passed on with the body as they come"},
        {HEADER("te trailers"), "main.ini:5: proxy_set_header: 'TE' is the proxy's own: trailers "
                                "are passed on with the body as they come"},
        {HEADER("Expect \"\""),
                "main.ini:5: proxy_set_header: 'Expect' is the proxy's own: bodies are passed on "
                "as they come; client_body_timeout bounds the wait"},
        {HEADER("X a\nproxy_set_header = x b"),
                "main.ini:6: proxy_set_header: 'x' is here a second time in [location h /]; the "
                "first is at main.ini:5"},
};

static const struct config_rig_row others[] = {
        {RIG_HTTP "proxy_next_upstream = error\n", ""},
        {RIG_HTTP "proxy_next_upstream = off\n", ""},
        {RIG_HTTP "proxy_next_upstream = error off\n",
                "main.ini:5: proxy_next_upstream: 'off' stands alone"},
        {RIG_HTTP "proxy_next_upstream = on\n", "main.ini:5: proxy_next_upstream: 'on' is unknown; "
                                                "there are error, timeout and off"},
        {RIG_HTTP "proxy_next_upstream = timout\n",
                "main.ini:5: proxy_next_upstream: 'timout' is unknown; did you mean 'timeout'?"},
        {RIG_HTTP "proxy_next_upstream = error http_502\n",
                "main.ini:5: proxy_next_upstream: 'http_502' is not there yet; there are error, "
                "timeout and off"},
        {RIG_TCP "proxy_next_upstream = error timeout\n",
                "main.ini:4: proxy_next_upstream: takes one word, not 2 ('timeout' is too much; "
                "quote a value with blanks)"},
        {RIG_HTTP "proxy_buffer_size = 1k\n", ""},
        {RIG_HTTP "proxy_buffer_size = 1023\n",
                "main.ini:5: proxy_buffer_size: '1023' is not between 1k and 128k"},
        {RIG_HTTP "client_max_body_size = 0\n", ""},
        {RIG_HTTP "client_max_header_size = 8k\n",
                "main.ini:5: 'client_max_header_size' may not stand in [location h /]; its place "
                "is in [http], [http NAME]"},
        {RIG_HTTP "access_log = a.log\naccess_log = b.log combined\naccess_log = c.log "
                  "upstream_tls\n",
                ""},
        {RIG_HTTP "access_log = a.log json\n",
                "main.ini:5: access_log: unknown format 'json'; there are combined and "
                "upstream_tls"},
        {RIG_HTTP "access_log = off\naccess_log = a.log\n",
                "main.ini:5: access_log: 'off' beside another access_log; leave one out"},
        {RIG_HTTP "[http]\nssl_verify_client = optional_no_ca\nssl_session_cache = off\n", ""},
        {RIG_HTTP "[http]\nssl_verify_client = maybe\n",
                "main.ini:6: ssl_verify_client: 'maybe' is neither 'off' nor 'on' nor 'optional' "
                "nor 'optional_no_ca'"},
        {RIG_HTTP "proxy_read_timeout = 0\n",
                "main.ini:5: proxy_read_timeout: 0 would end every connection at once"},
        {"[http]\nclient_header_timeout = 0\nkeepalive_timeout = 0\n" RIG_HTTP,
                "main.ini:2: client_header_timeout: 0 would end every connection at once"},
        {RIG_HTTP "proxy_ssl = on\n", "main.ini:5: 'proxy_ssl' may not stand in [location h /]; "
                                      "its place is in [tcp], [tcp NAME]"},
        {RIG_HTTP "proxy_timeout = 5m\n",
                "main.ini:5: 'proxy_timeout' may not stand in [location h /]; its place is in "
                "[tcp], [tcp NAME]"},
};

#define CHECK_ROWS(rows) config_rig_check(rows, sizeof(rows) / sizeof((rows)[0]))

static void values_are_told(void **state)
{
	(void)state;
	CHECK_ROWS(names);
	CHECK_ROWS(passes);
	CHECK_ROWS(returns);
	CHECK_ROWS(headers);
	CHECK_ROWS(others);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(values_are_told),
	};
	return cmocka_run_group_tests(tests, config_rig_drop_root, config_rig_regain_root);
}
