/* SPDX-License-Identifier: BSD-2-Clause */
/* http_fields_test.c - each field that does not go on, and those that look like it and do. */
#include "worker/http/http_fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static const struct {
	const char *name;
	const char *connection; /* options of the sender */
	const char *rule; /* name of a header rule */
	bool of_request, of_response; /* goes on */
} names[] = {
        {"Accept", "", NULL, true, true},
        {"X", "", NULL, true, true},
        /* one hop's */
        {"Connection", "", NULL, false, false},
        {"CONNECTION", "", NULL, false, false},
        {"Keep-Alive", "", NULL, false, false},
        {"Proxy-Connection", "", NULL, false, false},
        {"TE", "", NULL, false, false},
        {"te", "", NULL, false, false},
        {"Trailer", "", NULL, false, false},
        {"Transfer-Encoding", "", NULL, false, false},
        {"Upgrade", "", NULL, false, false},
        {"Proxy-Authorization", "", NULL, false, false},
        {"Proxy-Authenticate", "", NULL, false, false},
        {"Authorization", "", NULL, true, true},
        {"WWW-Authenticate", "", NULL, true, true},
        {"Upgrade-Insecure-Requests", "", NULL, true, true},
        {"Trailers", "", NULL, true, true},
        {"Keep-Alivf", "", NULL, true, true},
        /* written afresh */
        {"Host", "", NULL, false, true},
        {"Content-Length", "", NULL, false, false},
        {"Content-length", "", NULL, false, false},
        {"Expect", "", NULL, false, true},
        {"Content-Type", "", NULL, true, true},
        /* named by Connection */
        {"X-Secret", "X-Secret", NULL, false, false},
        {"x-secret", "close, X-SECRET", NULL, false, false},
        {"X-Secret", " close ,,\t X-Secret\t, foo", NULL, false, false},
        {"X-Secret", "X-Secre, X-Secrett, Secret", NULL, true, true},
        {"X-Secret", "\"X-Secret\"", NULL, true, true},
        {"X-Secret", ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,X-Secret", NULL, false, false},
        {"Close", "close", NULL, false, false},
        /* set by a rule */
        {"X-Real-IP", "", "X-Real-IP", false, false},
        {"x-real-ip", "", "X-Real-IP", false, false},
        {"X-Real-IP", "", "x_real_ip", false, false},
        {"X-Real-IQ", "", "X-Real-IP", true, true},
        {"X-Real-I", "", "X-Real-IP", true, true},
        /* servers that make variables of names take '_' for '-' */
        {"X_Real_IP", "", NULL, false, true},
        {"_", "", NULL, false, true},
        {"X-Forwarded_For", "", "X-Forwarded-For", false, false},
        /* a length that differs by 64 from one that is looked at */
        {"TttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttE", "", NULL, true,
                true},
};

static void what_goes_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct http_head request = {
		        .kind = HTTP_REQUEST, .connection = slice_of(names[i].connection)};
		struct http_head response = {
		        .kind = HTTP_RESPONSE, .connection = slice_of(names[i].connection)};
		struct config_header_rule rule = {.name = slice_of(names[i].rule)};
		struct http_field_filter filter;

		http_field_filter_init(&filter, &request, &rule, names[i].rule != NULL);
		if (http_field_passes(&filter, slice_of(names[i].name)) != names[i].of_request)
			fail_msg("row %zu: request, %s", i, names[i].name);
		http_field_filter_init(&filter, &response, &rule, names[i].rule != NULL);
		if (http_field_passes(&filter, slice_of(names[i].name)) != names[i].of_response)
			fail_msg("row %zu: response, %s", i, names[i].name);
	}
}

static void options_beyond_the_limit_strip_nothing(void **state)
{
	char text[HTTP_CONNECTION_OPTIONS_MAX * 5 + 32];
	size_t used = 0;

	(void)state;
	for (size_t i = 1; i < HTTP_CONNECTION_OPTIONS_MAX; i++)
		used += (size_t)sprintf(text + used, "o%03zu,", i);
	sprintf(text + used, "last,one-more");
	struct http_head head = {.kind = HTTP_REQUEST, .connection = slice_of(text)};
	struct http_field_filter filter;
	http_field_filter_init(&filter, &head, NULL, 0);
	assert_false(http_field_passes(&filter, SLICE("o001")));
	assert_false(http_field_passes(&filter, SLICE("last")));
	assert_true(http_field_passes(&filter, SLICE("one-more")));
	assert_false(http_field_passes(&filter, SLICE("te")));
}

static void rules_are_found_by_any_spelling(void **state)
{
	const struct config_header_rule rules[] = {
	        {.name = {"X-One", 5}}, {.name = {"X_Two", 5}}, {.name = {"Host", 4}}};

	(void)state;
	assert_ptr_equal(http_header_rule(rules, 3, SLICE("x_one")), &rules[0]);
	assert_ptr_equal(http_header_rule(rules, 3, SLICE("X-TWO")), &rules[1]);
	assert_ptr_equal(http_header_rule(rules, 3, SLICE("host")), &rules[2]);
	assert_null(http_header_rule(rules, 3, SLICE("hosts")));
	assert_null(http_header_rule(rules, 2, SLICE("host")));
	assert_null(http_header_rule(NULL, 0, SLICE("host")));
}

static void http_2_is_not_offered(void **state)
{
	(void)state;
	assert_true(http_upgrade_passes(SLICE("websocket")));
	assert_true(http_upgrade_passes(SLICE("foo/2, h2cx")));
	assert_false(http_upgrade_passes(SLICE("h2c")));
	assert_false(http_upgrade_passes(SLICE("websocket ,\tH2C")));
	assert_false(http_upgrade_passes(SLICE("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_goes_on),
	        cmocka_unit_test(options_beyond_the_limit_strip_nothing),
	        cmocka_unit_test(rules_are_found_by_any_spelling),
	        cmocka_unit_test(http_2_is_not_offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
