/* SPDX-License-Identifier: BSD-2-Clause */
/* json_test.c - commas, keys, escapes. */
#include "master/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void strings_are_escaped(void **state)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
	        {"", "\"\""},
	        {"plain", "\"plain\""},
	        {"a\"b\\c", "\"a\\\"b\\\\c\""},
	        {"tab\tline\n", "\"tab\\u0009line\\u000a\""},
	        {"\x01\x7f", "\"\\u0001\\u007f\""},
	        {"\xc3\xa9\xe2\x82\xac", "\"\xc3\xa9\xe2\x82\xac\""},
	        {"x\xff\xc3", "\"x\\ufffd\\ufffd\""},
	        {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text;
		size_t length;
		FILE *file = open_memstream(&text, &length);
		json_print_string(file, cases[i].text);
		fclose(file);
		assert_string_equal(text, cases[i].wanted);
		free(text);
	}
}

static void values_are_parted_by_commas(void **state)
{
	char *text;
	size_t length;
	struct json json = {.file = open_memstream(&text, &length)};

	(void)state;
	json_begin(&json, NULL, '{');
	json_number(&json, "a", UINT64_MAX);
	json_begin(&json, "b", '[');
	json_string(&json, NULL, "x");
	json_begin(&json, NULL, '{');
	json_end(&json, '}');
	json_bool(&json, NULL, true);
	json_end(&json, ']');
	json_begin(&json, "c", '[');
	json_end(&json, ']');
	json_signed(&json, "d", -1);
	json_string(&json, "e", NULL);
	json_bool(&json, "f", false);
	json_end(&json, '}');
	fclose(json.file);
	assert_string_equal(text,
	        "{\"a\":18446744073709551615,\"b\":[\"x\",{},true],\"c\":[],\"d\":-1,\"e\":null,"
	        "\"f\":false}");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(strings_are_escaped),
	        cmocka_unit_test(values_are_parted_by_commas),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
