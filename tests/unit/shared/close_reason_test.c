/* SPDX-License-Identifier: BSD-2-Clause */
/* close_reason_test.c - every ending has a word of its own, fit for a log field and a counter's
 * name. */
#include "shared/close_reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void each_reason_has_its_own_word_and_text(void **state)
{
	(void)state;
	for (int i = 0; i < CLOSE_REASON_COUNT; i++) {
		const char *word = close_reason_word((enum close_reason)i);
		assert_int_equal(strspn(word, "abcdefghijklmnopqrstuvwxyz_"), strlen(word));
		assert_true(strlen(word) > 0);
		assert_true(strlen(close_reason_text((enum close_reason)i)) > strlen("ended"));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(word, close_reason_word((enum close_reason)j));
	}
}

static void rows_stand_where_their_enum_says(void **state)
{
	(void)state;
	assert_string_equal(close_reason_word(CLOSE_DONE), "done");
	assert_string_equal(close_reason_word(CLOSE_UPSTREAM_VERIFY), "upstream_verify");
	assert_string_equal(close_reason_word(CLOSE_RESOURCES), "resources");
	assert_int_equal(CLOSE_RESOURCES, CLOSE_REASON_COUNT - 1);
}

static void only_clean_ends_and_clients_that_left_are_no_errors(void **state)
{
	(void)state;
	for (int i = 0; i < CLOSE_REASON_COUNT; i++)
		assert_int_equal(close_reason_is_error((enum close_reason)i),
		        i != CLOSE_DONE && i != CLOSE_CLIENT_RESET && i != CLOSE_CLIENT_ABORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_reason_has_its_own_word_and_text),
	        cmocka_unit_test(rows_stand_where_their_enum_says),
	        cmocka_unit_test(only_clean_ends_and_clients_that_left_are_no_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
