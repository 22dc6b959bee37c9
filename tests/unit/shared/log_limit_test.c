/* SPDX-License-Identifier: BSD-2-Clause */
/* log_limit_test.c - what is written, what is held back, and what is told of it, by a clock moved
 * by hand. */
#include "shared/log_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct {
	unsigned count;
	enum log_level level;
	char text[1024];
} told;

static void tell(enum log_level level, struct slice text)
{
	told.count++;
	told.level = level;
	snprintf(told.text, sizeof(told.text), "%.*s", (int)text.length, text.data);
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct log_limit));
	told.count = 0;
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static unsigned written_of(struct log_limit *limit, unsigned times, const char *text, uint64_t now)
{
	unsigned written = 0;

	for (unsigned i = 0; i < times; i++)
		written += log_limit_allows(limit, LOG_ERROR, slice_of(text), now, tell);
	return written;
}

static void five_are_written_and_the_rest_is_told_after_ten_seconds(void **state)
{
	assert_int_equal(written_of(*state, 100, "refused", 1000), 5);
	log_limit_tick(*state, 10999, tell);
	assert_int_equal(told.count, 0);
	log_limit_tick(*state, 11000, tell);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.level, LOG_ERROR);
	assert_string_equal(told.text, "repeated 95 times in the last 10 s: refused");
	log_limit_tick(*state, 30000, tell);
	assert_int_equal(told.count, 1);
	assert_int_equal(written_of(*state, 6, "refused", 30000), 5);
}

static void a_window_that_is_over_is_told_before_the_next_sentence(void **state)
{
	written_of(*state, 7, "refused", 0);
	assert_int_equal(written_of(*state, 7, "refused", 12400), 5);
	assert_int_equal(told.count, 1);
	assert_string_equal(told.text, "repeated 2 times in the last 12 s: refused");
}

static void nothing_held_back_is_nothing_told(void **state)
{
	assert_int_equal(written_of(*state, 5, "refused", 0), 5);
	log_limit_tick(*state, 20000, tell);
	assert_int_equal(told.count, 0);
}

static void sentences_and_levels_are_counted_apart(void **state)
{
	assert_int_equal(written_of(*state, 6, "a", 0), 5);
	assert_int_equal(written_of(*state, 6, "b", 0), 5);
	assert_int_equal(written_of(*state, 6, "", 0), 5);
	assert_true(log_limit_allows(*state, LOG_WARN, SLICE("a"), 0, tell));
}

static void a_full_table_tells_of_the_oldest_and_forgets_it(void **state)
{
	written_of(*state, 8, "oldest", 1);
	for (unsigned i = 1; i < LOG_LIMIT_ENTRIES; i++) {
		char text[16];
		snprintf(text, sizeof(text), "line %u", i);
		assert_int_equal(written_of(*state, 1, text, 2), 1);
	}
	assert_int_equal(told.count, 0);
	assert_int_equal(written_of(*state, 1, "newest", 3001), 1);
	assert_int_equal(told.count, 1);
	assert_string_equal(told.text, "repeated 3 times in the last 3 s: oldest");
}

static void a_long_sentence_is_compared_whole_and_told_cut(void **state)
{
	char text[LOG_LIMIT_TEXT_MAX * 2];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(written_of(*state, 6, text, 0), 5);
	text[sizeof(text) - 2] = 'y';
	assert_int_equal(written_of(*state, 1, text, 0), 1);
	log_limit_tick(*state, 10000, tell);
	assert_int_equal(told.count, 1);
	assert_int_equal(strlen(told.text),
	        strlen("repeated 1 times in the last 10 s: ") + LOG_LIMIT_TEXT_MAX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(five_are_written_and_the_rest_is_told_after_ten_seconds),
	        TEST(a_window_that_is_over_is_told_before_the_next_sentence),
	        TEST(nothing_held_back_is_nothing_told),
	        TEST(sentences_and_levels_are_counted_apart),
	        TEST(a_full_table_tells_of_the_oldest_and_forgets_it),
	        TEST(a_long_sentence_is_compared_whole_and_told_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
