/* SPDX-License-Identifier: BSD-2-Clause */
/* http_variables_test.c - every variable, with and without what it is taken from. */
#include "worker/http/http_variables.h"

#include "shared/arena.h"
#include "tests/support/http_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int setup(void **state)
{
	static struct http_rig rig;

	http_rig_init(&rig);
	*state = &rig;
	return 0;
}

static int teardown(void **state)
{
	http_rig_destroy(*state);
	return 0;
}

static void expect_named(
        struct http_rig *rig, enum variable variable, const char *name, const char *wanted)
{
	struct slice value = http_variable(&rig->facts, variable, slice_of(name), rig->arena);

	assert_non_null(value.data); /* an empty body is not the same as none */
	if (!slice_equal(value, slice_of(wanted)))
		fail_msg("variable %d %s: \"%.*s\", not \"%s\"", variable, name, (int)value.length,
		        value.data, wanted);
}

static void expect(struct http_rig *rig, enum variable variable, const char *wanted)
{
	expect_named(rig, variable, "", wanted);
}

static void each_has_its_value(void **state)
{
	struct http_rig *rig = *state;
	char pid[32];

	rig->facts.status = 502;
	rig->facts.upstream_status = 200;
	rig->session.facts.client_tls = (struct tls_facts){
	        "TLSv1.3", "TLS_AES_128_GCM_SHA256", true};
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	expect(rig, VARIABLE_HOST, "example.com");
	expect(rig, VARIABLE_PROXY_HOST, "backend.example.com");
	expect(rig, VARIABLE_REMOTE_ADDR, "192.0.2.7");
	expect(rig, VARIABLE_REMOTE_PORT, "50123");
	expect(rig, VARIABLE_SCHEME, "https");
	expect(rig, VARIABLE_REQUEST_URI, "/a%20b?c=d");
	expect(rig, VARIABLE_REQUEST_METHOD, "GET");
	expect(rig, VARIABLE_URI, "/a b");
	expect(rig, VARIABLE_ARGS, "c=d");
	expect(rig, VARIABLE_SERVER_NAME, "www.example.com");
	expect(rig, VARIABLE_SERVER_PORT, "8080");
	expect(rig, VARIABLE_PID, pid);
	expect(rig, VARIABLE_SSL_PROTOCOL, "TLSv1.3");
	expect(rig, VARIABLE_SSL_CIPHER, "TLS_AES_128_GCM_SHA256");
	expect(rig, VARIABLE_SSL_SESSION_REUSED, "r");
	expect(rig, VARIABLE_UPSTREAM_STATUS, "200");
	expect(rig, VARIABLE_STATUS, "502");
	rig->session.facts.client_tls.resumed = false;
	expect(rig, VARIABLE_SSL_SESSION_REUSED, ".");
}

static void nothing_where_it_does_not_apply(void **state)
{
	struct http_rig *rig = *state;

	rig->facts.request = NULL;
	rig->facts.location = NULL;
	expect(rig, VARIABLE_HOST, "www.example.com");
	expect(rig, VARIABLE_PROXY_ADD_X_FORWARDED_FOR, "192.0.2.7");
	expect(rig, VARIABLE_SCHEME, "http");
	rig->facts.server = NULL;
	static const enum variable empty[] = {VARIABLE_HOST, VARIABLE_PROXY_HOST,
	        VARIABLE_REQUEST_URI, VARIABLE_REQUEST_METHOD, VARIABLE_URI, VARIABLE_ARGS,
	        VARIABLE_SERVER_NAME, VARIABLE_HTTP, VARIABLE_SSL_PROTOCOL, VARIABLE_SSL_CIPHER,
	        VARIABLE_SSL_SESSION_REUSED, VARIABLE_SSL_SERVER_NAME, VARIABLE_SSL_CLIENT_VERIFY,
	        VARIABLE_SSL_CLIENT_S_DN, VARIABLE_SSL_CLIENT_I_DN, VARIABLE_SSL_CLIENT_SERIAL,
	        VARIABLE_UPSTREAM_ADDR, VARIABLE_UPSTREAM_STATUS, VARIABLE_STATUS};
	for (size_t i = 0; i < COUNT(empty); i++)
		expect_named(rig, empty[i], "x", "");
}

static void host_is_the_servers_where_the_request_has_none(void **state)
{
	struct http_rig *rig = *state;

	rig->head.host = SLICE("");
	expect(rig, VARIABLE_HOST, "www.example.com");
	rig->server.server_name_count = 0;
	expect(rig, VARIABLE_HOST, "");
	expect(rig, VARIABLE_SERVER_NAME, "");
}

static void addresses_of_ipv6_have_no_brackets(void **state)
{
	struct http_rig *rig = *state;

	assert_true(address_parse(SLICE("[2001:db8::1]:65535"), 0, &rig->session.client_address));
	expect(rig, VARIABLE_REMOTE_ADDR, "2001:db8::1");
	expect(rig, VARIABLE_REMOTE_PORT, "65535");
	expect(rig, VARIABLE_PROXY_ADD_X_FORWARDED_FOR, "2001:db8::1");
}

static void fields_of_one_name_are_joined(void **state)
{
	struct http_rig *rig = *state;

	http_rig_fields(rig, "X-Forwarded-For: 10.0.0.1, 10.0.0.2\nCookie: a=1\n"
	                     "x-forwarded-for: 10.0.0.3\nX-Empty:\nX-One: 1\nX-Empty:\n"
	                     "cookie: b=2\nX-Some:\nX-Some: 2\nX-Some:\nX_One: other\n"
	                     "X-Three: 1\nX-THREE: 2\nX-three: 3");
	expect(rig, VARIABLE_PROXY_ADD_X_FORWARDED_FOR, "10.0.0.1, 10.0.0.2, 10.0.0.3, 192.0.2.7");
	expect_named(rig, VARIABLE_HTTP, "x-forwarded-for", "10.0.0.1, 10.0.0.2, 10.0.0.3");
	expect_named(rig, VARIABLE_HTTP, "cookie", "a=1; b=2");
	expect_named(rig, VARIABLE_HTTP, "x-one", "1");
	expect_named(rig, VARIABLE_HTTP, "x-some", "2");
	expect_named(rig, VARIABLE_HTTP, "x-empty", "");
	expect_named(rig, VARIABLE_HTTP, "x-three", "1, 2, 3");
	expect_named(rig, VARIABLE_HTTP, "x-none", "");
}

static void one_forwarded_address_gets_ours_behind_it(void **state)
{
	struct http_rig *rig = *state;

	http_rig_fields(rig, "X-Forwarded-For:\nX-Forwarded-For: 10.0.0.1");
	expect(rig, VARIABLE_PROXY_ADD_X_FORWARDED_FOR, "10.0.0.1, 192.0.2.7");
}

static void tried_servers_are_listed(void **state)
{
	struct http_rig *rig = *state;
	struct config_endpoint one, two;

	assert_true(address_parse(SLICE("10.0.0.1:443"), 0, &one.address));
	assert_true(address_parse(SLICE("[::1]:8443"), 0, &two.address));
	rig->session.dial.shown[0] = &one;
	rig->session.dial.shown[1] = &two;
	rig->session.dial.attempts = 1;
	expect(rig, VARIABLE_UPSTREAM_ADDR, "10.0.0.1:443");
	rig->session.dial.attempts = 2;
	expect(rig, VARIABLE_UPSTREAM_ADDR, "10.0.0.1:443, [::1]:8443");
}

static void no_value_can_end_a_line(void **state)
{
	struct http_rig *rig = *state;
	static struct http_field hostile = {{"x", 1}, {"a\r\nb\0c\x7f\td\xff", 10}};

	rig->head.path = (struct slice){"/a\r\n\0b\t\x7f\xc3\xa9", 10};
	expect(rig, VARIABLE_URI, "/a%0D%0A%00b\t%7F\xc3\xa9");
	rig->head.fields = &hostile;
	rig->head.field_count = 1;
	expect_named(rig, VARIABLE_HTTP, "x", "a\\x0D\\x0Ab\\x00c\\x7F\td\xff");
}

static void templates_join_their_parts(void **state)
{
	struct http_rig *rig = *state;
	const struct template_part parts[] = {
	        {VARIABLE_SCHEME, {"", 0}}, {VARIABLE_NONE, {"://", 3}}, {VARIABLE_HOST, {"", 0}},
	        {VARIABLE_HTTP, {"x-one", 5}},
	        {VARIABLE_NONE, {"\n", 1}}, /* the configuration's own words stay as they are */
	};
	static const char *const wanted[] = {"", "http", "http://", "http://example.com",
	        "http://example.comone", "http://example.comone\n"};

	http_rig_fields(rig, "X-One: one");
	for (size_t count = 0; count <= COUNT(parts); count++) {
		struct template template = {parts, count};
		struct slice value = http_template(&rig->facts, &template, rig->arena);
		assert_int_equal(value.length, strlen(wanted[count]));
		assert_memory_equal(value.data, wanted[count], value.length);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(each_has_its_value, setup, teardown),
	        cmocka_unit_test_setup_teardown(nothing_where_it_does_not_apply, setup, teardown),
	        cmocka_unit_test_setup_teardown(
	                host_is_the_servers_where_the_request_has_none, setup, teardown),
	        cmocka_unit_test_setup_teardown(
	                addresses_of_ipv6_have_no_brackets, setup, teardown),
	        cmocka_unit_test_setup_teardown(fields_of_one_name_are_joined, setup, teardown),
	        cmocka_unit_test_setup_teardown(
	                one_forwarded_address_gets_ours_behind_it, setup, teardown),
	        cmocka_unit_test_setup_teardown(tried_servers_are_listed, setup, teardown),
	        cmocka_unit_test_setup_teardown(no_value_can_end_a_line, setup, teardown),
	        cmocka_unit_test_setup_teardown(templates_join_their_parts, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
