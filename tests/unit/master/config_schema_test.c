/* SPDX-License-Identifier: BSD-2-Clause */
/* config_schema_test.c - the table of keys is whole, and suggestions are near and real. */
#include "master/config_schema.h"

#include "master/config_parse.h"
#include "master/config_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check_row(const struct config_schema_row *row)
{
	assert_true(row->where && row->parse && row->value_help[0]);
	size_t length = strlen(row->help);
	if (length == 0 || row->help[length - 1] != '.')
		fail_msg("%s: help is no sentence", row->key);
}

static void every_row_is_whole(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++) {
		const struct config_schema_row *row = config_schema_row((enum config_key)i);
		const char *name = row->key;
		unsigned where = 0;
		enum config_key key;
		assert_true(config_schema_find(name, &key));
		assert_int_equal(key, i);
		for (; row; row = row->elsewhere) {
			check_row(row);
			assert_string_equal(row->key, name);
			assert_int_equal(where & row->where, 0);
			where |= row->where;
		}
		assert_int_equal(config_schema_where(key), where);
	}
}

static void a_key_is_found_by_kind_of_section(void **state)
{
	(void)state;
	static const struct {
		enum config_key key;
		enum config_kind kind;
		const char *wanted; /* default; NULL: may not stand there */
	} rows[] = {
	        {CONFIG_PROXY_BUFFER_SIZE_KEY, CONFIG_TCP, "256k"},
	        {CONFIG_PROXY_BUFFER_SIZE_KEY, CONFIG_LOCATION, "16k"},
	        {CONFIG_PROXY_BUFFER_SIZE_KEY, CONFIG_HTTP_DEFAULTS, "16k"},
	        {CONFIG_PROXY_BUFFER_SIZE_KEY, CONFIG_UPSTREAM, NULL},
	        {CONFIG_KEEPALIVE_TIMEOUT_KEY, CONFIG_UPSTREAM, "60s"},
	        {CONFIG_KEEPALIVE_TIMEOUT_KEY, CONFIG_HTTP, "75s"},
	        {CONFIG_KEEPALIVE_TIMEOUT_KEY, CONFIG_TCP, NULL},
	        {CONFIG_PROXY_SSL_ALPN_KEY, CONFIG_LOCATION, "http/1.1"},
	        {CONFIG_LISTEN_KEY, CONFIG_HTTP, "*:80"},
	        {CONFIG_LISTEN_KEY, CONFIG_HTTP_DEFAULTS, NULL},
	        {CONFIG_SHUTDOWN_TIMEOUT_KEY, CONFIG_TCP_DEFAULTS, "0"},
	        {CONFIG_SHUTDOWN_TIMEOUT_KEY, CONFIG_LOCATION, "1h"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct config_schema_row *row = config_schema_row_in(
		        rows[i].key, rows[i].kind);
		assert_int_equal(row != NULL, rows[i].wanted != NULL);
		if (row)
			assert_string_equal(row->default_text, rows[i].wanted);
	}
}

static void check_default(const struct config_schema_row *row)
{
	char text[128], fault[200], *rest = text, *word;
	const char *items[8];
	struct config_words words = {items, 0};
	struct config_value value;

	if (!row->default_text)
		return;
	snprintf(text, sizeof(text), "%s", row->default_text);
	while ((word = strsep(&rest, " ")))
		items[words.count++] = word;
	if (!row->parse(&words, &value, fault, sizeof(fault)))
		fail_msg("%s = %s: %s", row->key, row->default_text, fault);
}

static void defaults_are_values(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++)
		for (const struct config_schema_row *row = config_schema_row((enum config_key)i);
		        row; row = row->elsewhere)
			check_default(row);
}

static void suggestions_are_near_and_may_stand_there(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum config_kind kind;
		const char *wanted;
	} rows[] = {
	        {"proxy_ssl_verfiy", CONFIG_TCP, "proxy_ssl_verify"},
	        {"proxy_ssl_verfiy", CONFIG_TLS, "proxy_ssl_verify"},
	        {"proxy_ssl_verfiy", CONFIG_MAIN, NULL},
	        {"wrokers", CONFIG_MAIN, "workers"},
	        {"lisen", CONFIG_TCP, "listen"},
	        {"lisen", CONFIG_TCP_DEFAULTS, NULL},
	        {"sever", CONFIG_UPSTREAM, "server"},
	        {"PROXY_TIMEOUT", CONFIG_TCP, NULL},
	        {"proxy-pass", CONFIG_TCP, "proxy_pass"},
	        {"", CONFIG_TCP, NULL},
	        {"gzip", CONFIG_TCP, NULL},
	        {"sever_name", CONFIG_HTTP, "server_name"},
	        {"sever_name", CONFIG_LOCATION, NULL},
	        {"proxy_set_headers", CONFIG_LOCATION, "proxy_set_header"},
	        {"proxy_read_timeout", CONFIG_TCP, NULL},
	        {"proxy_ssl_crl", CONFIG_TCP, NULL},
	        {"proxy_ssl_certificatekey", CONFIG_TCP, "proxy_ssl_certificate_key"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *got = config_schema_suggest(rows[i].name, rows[i].kind);
		if (!got != !rows[i].wanted || (got && strcmp(got, rows[i].wanted) != 0))
			fail_msg("'%s' in %s: '%s'", rows[i].name,
			        config_kind_words(rows[i].kind)->word, got ? got : "none");
	}
}

/* Every single slip of the keyboard in every key leads back to a key. */
static void one_slip_is_always_near(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++) {
		const struct config_schema_row *row = config_schema_row((enum config_key)i);
		size_t length = strlen(row->key);
		enum config_kind kind = CONFIG_MAIN;
		while (!(row->where & 1U << kind))
			kind++;
		for (size_t at = 0; at < length; at++) {
			char name[64];
			snprintf(
			        name, sizeof(name), "%.*s%s", (int)at, row->key, row->key + at + 1);
			assert_non_null(config_schema_suggest(name, kind));
			snprintf(name, sizeof(name), "%s", row->key);
			name[at] = '#';
			assert_string_equal(config_schema_suggest(name, kind), row->key);
		}
	}
}

static void long_words_are_near_nothing(void **state)
{
	(void)state;
	char name[200];

	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_null(config_schema_suggest(name, CONFIG_TCP));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_row_is_whole),
	        cmocka_unit_test(a_key_is_found_by_kind_of_section),
	        cmocka_unit_test(defaults_are_values),
	        cmocka_unit_test(suggestions_are_near_and_may_stand_there),
	        cmocka_unit_test(one_slip_is_always_near),
	        cmocka_unit_test(long_words_are_near_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
