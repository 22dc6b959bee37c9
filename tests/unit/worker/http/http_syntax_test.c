/* SPDX-License-Identifier: BSD-2-Clause */
/* http_syntax_test.c - each byte at each place of texts of each length, against plain rules. */
#include "worker/http/http_syntax.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LENGTH_MAX = 27 };

static void field_text_has_no_control_bytes(void **state)
{
	(void)state;
	for (size_t length = 1; length <= LENGTH_MAX; length++) {
		for (size_t at = 0; at < length; at++) {
			for (int c = 0; c < 256; c++) {
				char *text = malloc(length);
				assert_non_null(text);
				memset(text, at % 2 ? 'a' : '\xff', length);
				text[at] = (char)c;
				bool expected = c == '\t' || (c >= ' ' && c != 0x7f);
				assert_int_equal(
				        http_is_field_text((struct slice){text, length}), expected);
				free(text);
			}
		}
	}
	assert_true(http_is_field_text((struct slice){NULL, 0}));
	/* a tab does not end the looking */
	assert_true(http_is_field_text(SLICE("abc\tdefghijklmnopq")));
	assert_false(http_is_field_text(SLICE("abc\tdefghijklm\x7fopq")));
	assert_false(http_is_field_text(SLICE("abcdefghijklmno\tp\n")));
}

static void tokens_are_of_their_bytes(void **state)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	(void)state;
	for (int c = 0; c < 256; c++) {
		char text[] = {'a', (char)c, 'b'};
		bool expected = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		                (c >= 'a' && c <= 'z') || (c && strchr(others, c));
		assert_int_equal(http_is_token_byte((char)c), expected);
		assert_int_equal(http_is_token((struct slice){text, 3}), expected);
		assert_int_equal(http_token_length((struct slice){text, 3}), expected ? 3 : 1);
	}
	assert_false(http_is_token((struct slice){NULL, 0}));
}

static void trimming_takes_blanks_and_tabs_alone(void **state)
{
	(void)state;
	assert_true(slice_equal(http_trim(SLICE("\t a b \t")), SLICE("a b")));
	assert_true(slice_equal(http_trim(SLICE("\ra\v")), SLICE("\ra\v")));
	assert_int_equal(http_trim(SLICE(" \t ")).length, 0);
}

static void lists_are_taken_apart(void **state)
{
	static const struct {
		const char *list;
		const char *elements[4];
	} cases[] = {
	        {"", {NULL}},
	        {",, ,\t,", {NULL}},
	        {"a", {"a"}},
	        {" a ,b\t,,c d ", {"a", "b", "c d"}},
	        {",a,", {"a"}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice list = slice_of(cases[i].list), element;
		for (size_t n = 0; cases[i].elements[n]; n++) {
			assert_true(http_list_next(&list, &element));
			assert_true(slice_equal(element, slice_of(cases[i].elements[n])));
		}
		assert_false(http_list_next(&list, &element));
	}
	assert_true(http_list_has(SLICE("a, CLOSE"), SLICE("close")));
	assert_false(http_list_has(SLICE("a, closed, close b"), SLICE("close")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(field_text_has_no_control_bytes),
	        cmocka_unit_test(tokens_are_of_their_bytes),
	        cmocka_unit_test(trimming_takes_blanks_and_tabs_alone),
	        cmocka_unit_test(lists_are_taken_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
