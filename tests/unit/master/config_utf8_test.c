/* SPDX-License-Identifier: BSD-2-Clause */
/* config_utf8_test.c - every lead byte, and the edges of every form. */
#include "master/config_utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The code point's bytes, however long a form is asked for. */
static size_t encode(uint32_t point, size_t length, char *bytes)
{
	static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = length; i-- > 1; point >>= 6)
		bytes[i] = (char)(0x80 | (point & 0x3f));
	bytes[0] = (char)(length == 1 ? point : leads[length] | point);
	return length;
}

static size_t shortest(uint32_t point)
{
	return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

static void only_shortest_forms_of_characters_count(void **state)
{
	(void)state;
	char bytes[4];

	for (uint32_t point = 1; point < 0x120000; point += point < 0x3000 ? 1 : 37) {
		bool is_character = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
		for (size_t length = 2; length <= 4; length++) {
			if (shortest(point) > length)
				continue;
			encode(point, length, bytes);
			size_t wanted = is_character && shortest(point) == length ? length : 0;
			size_t got = config_utf8_character((struct slice){bytes, length});
			if (got != wanted)
				fail_msg("U+%04x in %zu bytes: %zu", point, length, got);
			for (size_t cut = 0; cut < length; cut++)
				assert_int_equal(
				        config_utf8_character((struct slice){bytes, cut}), 0);
		}
	}
}

static void texts_are_checked_to_their_end(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool is_utf8;
	} rows[] = {
	        {"", true},
	        {"plain", true},
	        {"\xc3\xa9t\xc3\xa9", true},
	        {"\xf0\x9f\x98\x80", true},
	        {"plain\xff", false},
	        {"plain\xc3", false},
	        {"\x80", false},
	        {"\xc0\xaf", false},
	        {"\xed\xa0\x80", false},
	        {"\xf4\x90\x80\x80", false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(config_is_utf8(slice_of(rows[i].text)), rows[i].is_utf8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(only_shortest_forms_of_characters_count),
	        cmocka_unit_test(texts_are_checked_to_their_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
