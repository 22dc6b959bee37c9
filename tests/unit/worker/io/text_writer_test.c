/* SPDX-License-Identifier: BSD-2-Clause */
/* text_writer_test.c - a buffer of every size between nothing and enough. */
#include "worker/io/text_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static size_t write_all(char *out, size_t size)
{
	struct text_writer writer = {.out = out, .size = size};

	text_put(&writer, SLICE("one "));
	text_put(&writer, (struct slice){NULL, 0});
	text_put_char(&writer, '=');
	text_put_uint(&writer, 0);
	text_put_uint(&writer, UINT64_MAX);
	return writer.used;
}

static void what_does_not_fit_is_counted_and_not_written(void **state)
{
	static const char wanted[] = "one =018446744073709551615";
	enum { LENGTH = sizeof(wanted) - 1 };

	(void)state;
	for (size_t size = 0; size < LENGTH; size++) {
		char buffer[LENGTH + 1];
		memset(buffer, '#', sizeof(buffer));
		assert_int_equal(write_all(buffer, size), LENGTH);
		for (size_t i = size; i < sizeof(buffer); i++)
			assert_int_equal(buffer[i], '#');
	}
	char buffer[LENGTH];
	assert_int_equal(write_all(buffer, sizeof(buffer)), LENGTH);
	assert_memory_equal(buffer, wanted, LENGTH);
	assert_int_equal(write_all(NULL, 0), LENGTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_does_not_fit_is_counted_and_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
