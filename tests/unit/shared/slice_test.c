/* SPDX-License-Identifier: BSD-2-Clause */
/* slice_test.c - comparing, trimming, splitting and numbers, also at the ends of what a slice may
 * hold. */
#include "shared/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct slice empty = {NULL, 0};

static void equal_compares_length_and_bytes(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal, equal_nocase;
	} cases[] = {
	        {"", "", true, true},
	        {"a", "a", true, true},
	        {"a", "A", false, true},
	        {"aZ[", "Az[", false, true},
	        {"@", "`", false, false},
	        {"[", "{", false, false},
	        {"a", "ab", false, false},
	        {"\xc3\x84", "\xc3\xa4", false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice a = slice_of(cases[i].a), b = slice_of(cases[i].b);
		assert_int_equal(slice_equal(a, b), cases[i].equal);
		assert_int_equal(slice_equal(b, a), cases[i].equal);
		assert_int_equal(slice_equal_nocase(a, b), cases[i].equal_nocase);
	}
	assert_true(slice_equal(empty, SLICE("")));
	assert_true(slice_equal_nocase(empty, slice_of(NULL)));
	assert_false(slice_equal(SLICE("a\0b"), SLICE("a\0c")));
}

static void starts_and_ends(void **state)
{
	(void)state;
	assert_true(slice_starts_with(SLICE("abc"), SLICE("ab")));
	assert_true(slice_starts_with(SLICE("abc"), SLICE("abc")));
	assert_true(slice_starts_with(SLICE("abc"), empty));
	assert_true(slice_starts_with(empty, empty));
	assert_false(slice_starts_with(SLICE("abc"), SLICE("abcd")));
	assert_false(slice_starts_with(SLICE("abc"), SLICE("bc")));
	/* what stands in memory beside a slice is not part of it */
	assert_false(slice_starts_with((struct slice){"abcd", 3}, SLICE("abcd")));
	assert_false(slice_ends_with((struct slice){&"abc"[1], 2}, SLICE("abc")));
	assert_true(slice_ends_with(SLICE("abc"), SLICE("bc")));
	assert_true(slice_ends_with(SLICE("abc"), empty));
	assert_true(slice_ends_with(empty, empty));
	assert_false(slice_ends_with(SLICE("bc"), SLICE("abc")));
	assert_false(slice_ends_with(SLICE("abc"), SLICE("ab")));
}

static void trim_takes_blanks_off_both_ends(void **state)
{
	static const char *const cases[][2] = {{"", ""}, {" ", ""}, {" \t\r\n ", ""}, {"a", "a"},
	        {" a b\t", "a b"}, {"\r\na\r\n", "a"}, {"\va\f", "\va\f"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_true(slice_equal(slice_trim(slice_of(cases[i][0])), slice_of(cases[i][1])));
	assert_int_equal(slice_trim(empty).length, 0);
}

static void split_is_at_the_first_separator(void **state)
{
	static const struct {
		const char *text, *head, *rest;
		bool found;
	} cases[] = {
	        {"a=b=c", "a", "b=c", true},
	        {"=b", "", "b", true},
	        {"a=", "a", "", true},
	        {"=", "", "", true},
	        {"ab", "ab", "", false},
	        {"", "", "", false},
	};
	struct slice head, rest;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool found = slice_split(slice_of(cases[i].text), '=', &head, &rest);
		assert_int_equal(found, cases[i].found);
		assert_true(slice_equal(head, slice_of(cases[i].head)));
		assert_true(slice_equal(rest, slice_of(cases[i].rest)));
	}
	/* the text may be one of the outputs */
	rest = SLICE("a,b,c");
	assert_true(slice_split(rest, ',', &head, &rest));
	assert_true(slice_split(rest, ',', &head, &rest));
	assert_true(slice_equal(head, SLICE("b")));
	assert_true(slice_equal(rest, SLICE("c")));
}

static void numbers_are_digits_up_to_a_maximum(void **state)
{
	static const struct {
		const char *text;
		uint64_t max, wanted;
		bool good;
	} cases[] = {
	        {"0", 0, 0, true},
	        {"1", 0, 0, false},
	        {"007", 9, 7, true},
	        {"65535", 65535, 65535, true},
	        {"65536", 65535, 0, false},
	        {"18446744073709551615", UINT64_MAX, UINT64_MAX, true},
	        {"18446744073709551616", UINT64_MAX, 0, false},
	        {"99999999999999999999999", UINT64_MAX, 0, false},
	        {"5", 4, 0, false},
	        {"14", 13, 0, false},
	        {"", 9, 0, false},
	        {"-1", 9, 0, false},
	        {"+1", 9, 0, false},
	        {" 1", 9, 0, false},
	        {"1 ", 9, 0, false},
	        {"0x1", 9, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t value = 77;
		bool good = slice_to_uint64(slice_of(cases[i].text), cases[i].max, &value);
		if (good != cases[i].good)
			fail_msg(
			        "'%s' up to %llu", cases[i].text, (unsigned long long)cases[i].max);
		assert_int_equal(value, good ? cases[i].wanted : 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(equal_compares_length_and_bytes),
	        cmocka_unit_test(starts_and_ends),
	        cmocka_unit_test(trim_takes_blanks_off_both_ends),
	        cmocka_unit_test(split_is_at_the_first_separator),
	        cmocka_unit_test(numbers_are_digits_up_to_a_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
