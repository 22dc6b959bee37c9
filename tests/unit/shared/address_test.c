/* SPDX-License-Identifier: BSD-2-Clause */
/* address_test.c - literals in, text out, and what is no address. */
#include "shared/address.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct parse_case {
	const char *text;
	uint16_t default_port;
	const char *wanted; /* as formatted; NULL: refused */
};

static const struct parse_case parse_cases[] = {
        {"10.0.0.1:80", 0, "10.0.0.1:80"},
        {"0.9.10.99:1", 0, "0.9.10.99:1"},
        {"100.109.200.255:1", 0, "100.109.200.255:1"},
        {"10.0.0.1", 0, NULL},
        {"10.0.0.1", 443, "10.0.0.1:443"},
        {"10.0.0.1:80", 443, "10.0.0.1:80"},
        {"0.0.0.0:65535", 0, "0.0.0.0:65535"},
        {"10.0.0.1:0", 0, "10.0.0.1:0"},
        {"10.0.0.1:65536", 0, NULL},
        {"10.0.0.1:", 443, NULL},
        {"10.0.0.1:-1", 0, NULL},
        {"10.0.0.1: 80", 0, NULL},
        {"10.0.0.1:80x", 0, NULL},
        {"10.0.0:80", 0, NULL},
        {"10.0.0.256:80", 0, NULL},
        {"255.255.255.2555:80", 0, NULL}, /* as long as the room for an address and its end */
        {"[1111:2222:3333:4444:5555:6666:255.255.255.2555]:80", 0, NULL},
        {"10.0.0.01:80", 0, NULL},
        {"localhost:80", 0, NULL},
        {"", 80, NULL},
        {":80", 0, NULL},
        {"[::1]:80", 0, "[::1]:80"},
        {"[::1]", 0, NULL},
        {"[::1]", 443, "[::1]:443"},
        {"[2001:DB8:0:0::1]:1", 0, "[2001:db8::1]:1"},
        {"[::ffff:10.0.0.1]:80", 0, "[::ffff:10.0.0.1]:80"},
        {"[fe80::1%lo]:80", 0, "[fe80::1%1]:80"},
        {"[fe80::1%7]:80", 0, "[fe80::1%7]:80"},
        {"[fe80::1%no-such-link]:80", 0, NULL},
        {"[fe80::1%]:80", 0, NULL},
        {"::1", 80, NULL},
        {"[::1:80", 0, NULL},
        {"[::1]80", 0, NULL},
        {"[]:80", 0, NULL},
        {"[10.0.0.1]:80", 0, NULL},
        {"[1111:2222:3333:4444:5555:6666:7777:8888:9999]:80", 0, NULL},
        {"[11111111111111111111111111111111111111111111111111111111111]:80", 0, NULL},
};

static void literals_are_parsed_and_formatted(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(parse_cases) / sizeof(parse_cases[0]); i++) {
		const struct parse_case *each = &parse_cases[i];
		struct address address;
		char text[ADDRESS_TEXT_MAX];
		if (address_parse(slice_of(each->text), each->default_port, &address) !=
		        (each->wanted != NULL))
			fail_msg("'%s' should %s", each->text, each->wanted ? "do" : "be refused");
		if (each->wanted)
			assert_string_equal(
			        address_format(&address, text, sizeof(text)), each->wanted);
	}
}

static void a_nul_inside_is_no_address(void **state)
{
	struct address address;

	(void)state;
	assert_false(address_parse(SLICE("10.0.0.1\0:80"), 0, &address));
	assert_false(address_parse_ip(SLICE("10.0.0.1\0"), &address));
}

static void nothing_past_the_slice_is_read(void **state)
{
	static const char text[] = "10.0.0.1:8080";
	struct address address;

	(void)state;
	for (size_t length = 0; length < sizeof(text); length++) {
		char *exact = malloc(length + 1);
		assert_non_null(exact);
		memcpy(exact + 1, text, length);
		bool good = address_parse((struct slice){exact + 1, length}, 0, &address);
		assert_int_equal(good, length > strlen("10.0.0.1:"));
		free(exact);
	}
}

static void an_ip_stands_alone(void **state)
{
	struct address address;
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	assert_true(address_parse_ip(SLICE("::1"), &address));
	assert_string_equal(address_format_ip(&address, text, sizeof(text)), "::1");
	assert_int_equal(address_port(&address), 0);
	address_set_port(&address, 8443);
	assert_string_equal(address_format(&address, text, sizeof(text)), "[::1]:8443");
	assert_true(address_parse_ip(SLICE("10.1.2.3"), &address));
	assert_string_equal(address_format_ip(&address, text, sizeof(text)), "10.1.2.3");
	assert_false(address_parse_ip(SLICE("[::1]"), &address));
	assert_false(address_parse_ip(SLICE("10.1.2.3:80"), &address));
	assert_false(address_parse_ip(SLICE("example.com"), &address));
}

static void equal_means_family_ip_scope_and_port(void **state)
{
	static const char *const different[] = {"10.0.0.1:80", "10.0.0.1:81", "10.0.0.2:80",
	        "[::ffff:10.0.0.1]:80", "[fe80::1%1]:80", "[fe80::1%2]:80", "[fe80::1%1]:81"};
	enum { COUNT = sizeof(different) / sizeof(different[0]) };
	struct address none = {.length = 0};

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		struct address a;
		assert_true(address_parse(slice_of(different[i]), 0, &a));
		assert_false(address_equal(&a, &none));
		for (size_t j = 0; j < COUNT; j++) {
			struct address b;
			assert_true(address_parse(slice_of(different[j]), 0, &b));
			assert_int_equal(address_equal(&a, &b), i == j);
		}
	}
	assert_true(address_equal(&none, &none));
}

static void what_the_kernel_gives_is_taken_when_its_length_fits(void **state)
{
	struct sockaddr_storage storage = {.ss_family = AF_INET};
	const struct sockaddr *any = (const struct sockaddr *)&storage;
	struct address address;

	(void)state;
	((struct sockaddr_in *)&storage)->sin_port = htons(99);
	assert_true(address_from_sockaddr(any, sizeof(struct sockaddr_in), &address));
	assert_int_equal(address_port(&address), 99);
	assert_false(address_from_sockaddr(any, sizeof(struct sockaddr_in) - 1, &address));
	assert_false(address_from_sockaddr(any, sizeof(struct sockaddr_in6), &address));
	assert_false(address_from_sockaddr(any, 0, &address));
	storage.ss_family = AF_INET6;
	assert_true(address_from_sockaddr(any, sizeof(struct sockaddr_in6), &address));
	assert_false(address_from_sockaddr(any, sizeof(struct sockaddr_in), &address));
	storage.ss_family = AF_UNIX;
	assert_false(address_from_sockaddr(any, sizeof(struct sockaddr_in), &address));
}

static void no_address_is_a_dash(void **state)
{
	struct address none = {.length = 0};
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	assert_string_equal(address_format(&none, text, sizeof(text)), "-");
	assert_string_equal(address_format_ip(&none, text, sizeof(text)), "-");
	assert_int_equal(address_port(&none), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(literals_are_parsed_and_formatted),
	        cmocka_unit_test(a_nul_inside_is_no_address),
	        cmocka_unit_test(nothing_past_the_slice_is_read),
	        cmocka_unit_test(an_ip_stands_alone),
	        cmocka_unit_test(equal_means_family_ip_scope_and_port),
	        cmocka_unit_test(what_the_kernel_gives_is_taken_when_its_length_fits),
	        cmocka_unit_test(no_address_is_a_dash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
