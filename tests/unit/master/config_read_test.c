/* SPDX-License-Identifier: BSD-2-Clause */
/* config_read_test.c - the form of files: lines, titles, keys, and what inih alone would do to
 * them. */
#include "master/config_read.h"

#include "tests/support/config_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct config_rig_row forms[] = {
        /* empty */
        {"", "main.ini: there is no [tcp NAME] and no [http NAME] section, so nothing to do"},
        /* only comments */
        {"; a\n# b\n",
                "main.ini: there is no [tcp NAME] and no [http NAME] section, so nothing to do"},
        /* no newline at the end */
        {"[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = 127.0.0.1:2", ""},
        /* CRLF */
        {"[tcp a]\r\nlisten = 127.0.0.1:1\r\nproxy_pass = 127.0.0.1:2\r\n", ""},
        /* BOM */
        {"\xef\xbb\xbf"
         "" RIG_TCP,
                ""},
        /* BOM and CRLF */
        {"\xef\xbb\xbf"
         "[tcp a]\r\nlisten = 127.0.0.1:1\r\nproxy_pass = 127.0.0.1:2\r\n",
                ""},
        /* BOM in the middle */
        {RIG_TCP "\xef\xbb\xbf"
                 "proxy_timeout = 1s\n",
                "main.ini:4: '\xef\xbb\xbf"
                "proxy_timeout' is no key: letters, digits and '_' before the '='"},
        /* indented lines */
        {"[tcp a]\n   listen = 127.0.0.1:1\n\tproxy_pass = 127.0.0.1:2\n", ""},
        /* no blanks round = */
        {"[tcp a]\nlisten=127.0.0.1:1\nproxy_pass=127.0.0.1:2\n", ""},
        /* blank lines */
        {"\n\n[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = 127.0.0.1:2\n\n\n", ""},
        /* comments behind */
        {"[tcp a] # there\nlisten = 127.0.0.1:1 ; here\nproxy_pass = 127.0.0.1:2\n", ""},
        /* key before a section */
        {"workers = 2\nuser = x\n" RIG_TCP, "main.ini:1: 'workers' stands before the first "
                                            "section; most keys of the process belong into [main]"},
        /* line without = */
        {RIG_TCP "proxy_pass backend\n",
                "main.ini:4: a line without '='; write 'proxy_pass = ...'"},
        /* nginx line */
        {RIG_TCP "proxy_ssl on;\n", "main.ini:4: a line without '='; write 'proxy_ssl = ...'"},
        /* nginx semicolon */
        {RIG_TCP "proxy_ssl = on;\n", "main.ini:4: proxy_ssl: an unquoted ';' in 'on'; quote it; "
                                      "nginx's closing ';' is not wanted here"},
        /* nginx semicolon behind quotes */
        {RIG_TCP "ssl_ciphers = \"HIGH\";\n", "main.ini:4: ssl_ciphers: a closing quote is "
                                              "followed by ';'; divide words by a blank"},
        /* colon for = */
        {RIG_TCP "proxy_timeout: 5m\n",
                "main.ini:4: a line without '='; write 'proxy_timeout = ...'"},
        /* colon with = in value */
        {RIG_TCP "proxy_ssl_name: a=b\n", "main.ini:4: 'proxy_ssl_name: a' is no key: letters, "
                                          "digits and '_' before the '='"},
        /* brace open */
        {"stream {\n" RIG_TCP, "main.ini:1: braces are nginx's; a section starts with a title like "
                               "[tcp NAME] and ends at the next one"},
        /* brace close */
        {RIG_TCP "}\n", "main.ini:4: braces are nginx's; a section starts with a title like [tcp "
                        "NAME] and ends at the next one"},
        /* server brace */
        {RIG_TCP "server {\n", "main.ini:4: braces are nginx's; a section starts with a title like "
                               "[tcp NAME] and ends at the next one"},
        /* no key */
        {RIG_TCP "= 5m\n", "main.ini:4: '' is no key: letters, digits and '_' before the '='"},
        /* key with a blank */
        {RIG_TCP "proxy timeout = 5m\n",
                "main.ini:4: 'proxy timeout' is no key: letters, digits and '_' before the '='"},
        /* no value */
        {RIG_TCP "proxy_timeout =\n",
                "main.ini:4: proxy_timeout: no value; write 'proxy_timeout = TIME'"},
        /* comment as value */
        {RIG_TCP "proxy_timeout = ; 5m\n",
                "main.ini:4: proxy_timeout: no value; write 'proxy_timeout = TIME'"},
        /* hash as value */
        {RIG_TCP "proxy_timeout = #5m\n",
                "main.ini:4: proxy_timeout: no value; write 'proxy_timeout = TIME'"},
        /* open quote */
        {RIG_TCP "proxy_ssl_name = \"a\n", "main.ini:4: proxy_ssl_name: a quote is not closed"},
        /* quote in a word */
        {RIG_TCP "proxy_ssl_name = a\"b\"\n",
                "main.ini:4: proxy_ssl_name: a quote inside a word; put the whole word in quotes "
                "and write \\\" inside it"},
        /* text behind a quote */
        {RIG_TCP "proxy_ssl_name = \"a\"b\n", "main.ini:4: proxy_ssl_name: a closing quote is "
                                              "followed by 'b'; divide words by a blank"},
        /* title without bracket */
        {"[tcp a\nlisten = 1\n[tcp b]\nlisten = 127.0.0.1:1\nproxy_pass = 127.0.0.1:2\n",
                "main.ini:1: a section title without ']'"},
        /* text behind a title */
        {"[tcp a] listen = 1\n[tcp b]\nlisten = 127.0.0.1:1\nproxy_pass = 127.0.0.1:2\n",
                "main.ini:1: text behind the ']' of a section title; a key stands on a line of its "
                "own"},
        /* empty title */
        {"[]\nworkers = 1\n" RIG_TCP, "main.ini:1: an empty section title"},
        /* blank title */
        {"[  ]\n" RIG_TCP, "main.ini:1: an empty section title"},
        /* quoted title */
        {"[tcp \"a b\"]\nlisten = 127.0.0.1:1\nproxy_pass = 127.0.0.1:2\n", ""},
        /* title with two names */
        {"[tcp a b]\nlisten = 127.0.0.1:1\nproxy_pass = 127.0.0.1:2\n" RIG_TCP,
                "main.ini:1: [tcp a b] has more than one name; a name with blanks is written in "
                "quotes"},
        /* title with open quote */
        {"[tcp \"a]\n" RIG_TCP, "main.ini:1: a section title without ']'"},
        /* main with a name */
        {"[main x]\nworkers = 1\n" RIG_TCP, "main.ini:1: [main x] takes no name: write [main]"},
        /* upstream without a name */
        {"[upstream]\nserver = a:1\n" RIG_TCP,
                "main.ini:1: [upstream] needs a name: [upstream NAME]"},
        /* tls without a name */
        {"[tls]\n" RIG_TCP, "main.ini:1: [tls] needs a name: [tls NAME]"},
        /* unknown section */
        {"[events]\nlisten = 80\n" RIG_TCP,
                "main.ini:1: unknown section [events]; there are [main], [http], [http NAME], "
                "[location NAME PATH], [tcp], [tcp NAME], [upstream NAME], [tls NAME] and [admin]"},
        /* misspelt section */
        {"[upsteam x]\nserver = a:1\n" RIG_TCP,
                "main.ini:1: unknown section [upsteam x]; did you mean 'upstream'?"},
        /* section twice */
        {RIG_TCP "[tcp a]\nlisten = 127.0.0.1:3\nproxy_pass = 127.0.0.1:2\n",
                "main.ini:4: [tcp a] is here a second time; the first is at main.ini:1"},
        /* main twice */
        {"[main]\nworkers = 1\n[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = "
         "127.0.0.1:2\n[main]\nworkers = 2\n",
                "main.ini:6: [main] is here a second time; the first is at main.ini:1"},
        /* tcp defaults twice */
        {"[tcp]\n[tcp]\n" RIG_TCP,
                "main.ini:2: [tcp] is here a second time; the first is at main.ini:1"},
        /* empty section is seen twice */
        {RIG_TCP "[tls x]\n[tls x]\n",
                "main.ini:5: [tls x] is here a second time; the first is at main.ini:4\nwarning: "
                "main.ini:4: [tls x] is used by nobody; 'proxy_tls = x' would use it"},
        /* key twice */
        {RIG_TCP "proxy_timeout = 5m\nproxy_timeout = 6m\n",
                "main.ini:5: 'proxy_timeout' is here a second time in [tcp a]; the first is at "
                "main.ini:4"},
        /* misspelt key */
        {RIG_TCP "proxy_ssl_verfiy = on\n", "main.ini:4: unknown key 'proxy_ssl_verfiy' in [tcp "
                                            "a]; did you mean 'proxy_ssl_verify'?"},
        /* unknown key */
        {RIG_TCP "gzip = on\n", "main.ini:4: unknown key 'gzip' in [tcp a]"},
        /* key of main in tcp */
        {RIG_TCP "workers = 2\n", "main.ini:4: 'workers' may not stand in [tcp a]; its "
                                  "place is in [main]"},
        /* key of tcp in main */
        {"[main]\nproxy_timeout = 5m\n" RIG_TCP,
                "main.ini:2: 'proxy_timeout' may not stand in [main]; its place is in [tcp], [tcp "
                "NAME]"},
        /* listen in defaults */
        {"[tcp]\nlisten = 1\n" RIG_TCP, "main.ini:2: 'listen' may not stand in [tcp]; its "
                                        "place is in [http NAME], [tcp NAME], [admin]"},
        /* server in tcp */
        {RIG_TCP "server = a:1\n", "main.ini:4: 'server' may not stand in [tcp a]; its "
                                   "place is in [upstream NAME]"},
        /* nginx's and HAProxy's words */
        {"[main]\nworker_processes = 4\n" RIG_TCP,
                "main.ini:2: unknown key 'worker_processes' in [main]; write 'workers'"},
        {RIG_TCP "bind = *:80\n", "main.ini:4: unknown key 'bind' in [tcp a]; write 'listen'"},
        /* a contract key that is not built */
        {RIG_TCP "proxy_ssl_crl = x.pem\n",
                "main.ini:4: unknown key 'proxy_ssl_crl' in [tcp a]; it is not there yet"},
        /* another */
        {"[main]\nresolver = 1.1.1.1\n" RIG_TCP,
                "main.ini:2: unknown key 'resolver' in [main]; names are looked up by the system's "
                "resolver, at start and reload"},
        /* case counts */
        {RIG_TCP "Proxy_Timeout = 5m\n", "main.ini:4: unknown key 'Proxy_Timeout' in [tcp a]; did "
                                         "you mean 'proxy_timeout'?"},
};

static void forms_are_told(void **state)
{
	(void)state;
	config_rig_check(forms, sizeof(forms) / sizeof(forms[0]));
}

static const char *load_bytes(struct config_rig *rig, const char *bytes, size_t length)
{
	config_rig_open(rig);
	config_rig_give(rig, "main.ini", (struct slice){bytes, length});
	return config_rig_load(rig);
}

static void bytes_that_are_no_text_are_told(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t length;
		const char *wanted;
	} rows[] = {
#define ROW(bytes, wanted) {RIG_TCP bytes, sizeof(RIG_TCP bytes) - 1, wanted}
	        ROW("proxy_ssl_name = a\0b\n", "main.ini:4: a NUL byte"),
	        ROW("proxy_ssl_name = a\xe9\n", "main.ini:4: the line is not UTF-8"),
	        ROW("proxy_ssl_name = a\xc0\xaf\n", "main.ini:4: the line is not UTF-8"),
	        ROW("proxy_ssl_name = \xed\xa0\x80\n", "main.ini:4: the line is not UTF-8"),
	        ROW("; \xff in a comment\n", ""),
	        ROW("access_log = \xc3\xa9\n", ""),
#undef ROW
	};
	struct config_rig *rig = malloc(sizeof(*rig));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(load_bytes(rig, rows[i].bytes, rows[i].length), rows[i].wanted);
		config_rig_close(rig);
	}
	free(rig);
}

/* inih would cut this line at 200 bytes and take the rest for a key. */
static void long_lines_stay_whole(void **state)
{
	(void)state;
	static const size_t lengths[] = {10, 150, 180, 190, 199, 200, 201, 400, 5000, 60000};
	struct config_rig *rig = malloc(sizeof(*rig));
	char *text = malloc(80000), *value = malloc(70000);

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		memset(value, 'x', lengths[i]);
		strcpy(value + lengths[i], " = injected");
		snprintf(text, 80000, RIG_TCP "access_log = \"%s\"\nproxy_timeout = 1\n", value);
		assert_string_equal(config_rig_load_text(rig, text),
		        "main.ini:5: proxy_timeout: '1' has no unit; write '1s' for seconds or "
		        "'1ms' for milliseconds");
		config_rig_close(rig);
	}
	free(value);
	free(text);
	free(rig);
}

static void too_long_lines_are_told(void **state)
{
	(void)state;
	static const struct {
		size_t length;
		const char *wanted;
	} rows[] = {
	        {64 * 1024 - 2, ""},
	        {64 * 1024 + 100, "main.ini:4: access_log: a value of more than 64 KiB"},
	        {64 * 1024 + 2000, "main.ini:4: a line of more than 64 KiB"},
	        {1 << 20, "main.ini:4: a line of more than 64 KiB"},
	};
	struct config_rig *rig = malloc(sizeof(*rig));
	char *text = malloc((1 << 20) + 1000);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t used = (size_t)sprintf(text, RIG_TCP "access_log = ");
		memset(text + used, 'x', rows[i].length);
		strcpy(text + used + rows[i].length, "\nproxy_half_close = on\n");
		assert_string_equal(config_rig_load_text(rig, text), rows[i].wanted);
		config_rig_close(rig);
	}
	free(text);
	free(rig);
}

/* inih would cut this title at 49 bytes, and take the two for one. */
static void long_titles_stay_whole(void **state)
{
	(void)state;
	char name[200], text[2000];
	struct config_rig *rig = malloc(sizeof(*rig));

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	snprintf(text, sizeof(text),
	        "[tcp %sA]\nlisten = 1\nproxy_pass = %sB\n[upstream %sB]\nserver = 127.0.0.1:2\n"
	        "[upstream %sC]\nserver = 127.0.0.1:3\n",
	        name, name, name, name);
	assert_string_equal(config_rig_load_text(rig, text), "");
	assert_int_equal(rig->config->group_count, 2);
	assert_int_equal(address_port(&rig->config->tcps[0].group->endpoints[0].address), 2);
	config_rig_close(rig);
	free(rig);
}

/* A file cut anywhere is a file with a fault or a shorter one, never a crash. */
static void cut_files_are_harmless(void **state)
{
	(void)state;
	static const char text[] = "\xef\xbb\xbf[main]\r\nworkers = 2 ; two\r\n" RIG_TCP
	                           "proxy_ssl = on\nproxy_tls = \"p \\\" q\"\n[tls \"p \\\" q\"]\n"
	                           "proxy_ssl_verify = on\n";
	struct config_rig *rig = malloc(sizeof(*rig));

	for (size_t length = 0; length < sizeof(text); length++) {
		load_bytes(rig, text, length);
		config_rig_close(rig);
	}
	assert_string_equal(load_bytes(rig, text, sizeof(text) - 1), "");
	config_rig_close(rig);
	free(rig);
}

static void twenty_errors_are_kept(void **state)
{
	(void)state;
	struct config_rig *rig = malloc(sizeof(*rig));
	char text[4000] = RIG_TCP;

	for (size_t i = 0; i < 33; i++)
		sprintf(text + strlen(text), "key%zu = 1\n", i);
	const char *shown = config_rig_load_text(rig, text);
	assert_int_equal(rig->messages.error_count, 33);
	assert_int_equal(rig->messages.count, 20);
	assert_non_null(strstr(shown, "main.ini:23: unknown key 'key19'"));
	assert_null(strstr(shown, "key20"));
	assert_string_equal(strrchr(shown, '\n'), "\nand 13 more errors");
	config_rig_close(rig);
	free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(forms_are_told),
	        cmocka_unit_test(bytes_that_are_no_text_are_told),
	        cmocka_unit_test(long_lines_stay_whole),
	        cmocka_unit_test(too_long_lines_are_told),
	        cmocka_unit_test(long_titles_stay_whole),
	        cmocka_unit_test(cut_files_are_harmless),
	        cmocka_unit_test(twenty_errors_are_kept),
	};
	return cmocka_run_group_tests(tests, config_rig_drop_root, config_rig_regain_root);
}
