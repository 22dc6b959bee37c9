/* SPDX-License-Identifier: BSD-2-Clause */
/* config_words_test.c - blanks, quotes, escapes and comments. */
#include "master/config_words.h"

#include "shared/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { JOINED_MAX = 512 };

/* Words between | signs, or "! fault". */
static void split(const char *text, char *joined)
{
	struct arena *arena = arena_create(4096);
	struct config_word_result result;
	char fault[300];
	size_t used = 0;

	if (!config_words_split(arena, slice_of(text), &result, fault, sizeof(fault))) {
		snprintf(joined, JOINED_MAX, "! %s", fault);
	} else {
		joined[0] = '\0';
		for (size_t i = 0; i < result.count; i++)
			used += (size_t)snprintf(
			        joined + used, JOINED_MAX - used, "|%s", result.items[i]);
		snprintf(joined + used, JOINED_MAX - used, "| %zu", result.used);
	}
	arena_destroy(arena);
}

static void words_are_split(void **state)
{
	(void)state;
	static const struct {
		const char *text, *wanted;
	} rows[] = {
	        {"", "| 0"},
	        {"   ", "| 0"},
	        {"a", "|a| 1"},
	        {"a  b\tc", "|a|b|c| 6"},
	        {"a ; b", "|a| 1"},
	        {"a # b", "|a| 1"},
	        {"a\t#", "|a| 1"},
	        {"; a", "| 0"},
	        {"#", "| 0"},
	        {"\"a b\"", "|a b| 5"},
	        {"\"\"", "|| 2"},
	        {"\"\" \"\"", "||| 5"},
	        {"\"a;b\" c", "|a;b|c| 7"},
	        {"\"a #\" c # d", "|a #|c| 7"},
	        {"\"a\\\"b\"", "|a\"b| 6"},
	        {"\"a\\\\\"", "|a\\| 5"},
	        {"\"a\\nb\\tc\"", "|a\nb\tc| 9"},
	        {"\"^/v1/.*\\.json$\"", "|^/v1/.*\\.json$| 16"},
	        {"\"\\d+\"", "|\\d+| 5"},
	        {"a\\b", "|a\\b| 3"},
	        {"HIGH:!aNULL:!MD5", "|HIGH:!aNULL:!MD5| 16"},
	        {"k=v", "|k=v| 3"},
	        {"\xc3\xa9", "|\xc3\xa9| 2"},
	        {"\"a", "! a quote is not closed"},
	        {"\"a\\\"", "! a quote is not closed"},
	        {"\"", "! a quote is not closed"},
	        {"\"a\"b", "! a closing quote is followed by 'b'; divide words by a blank"},
	        {"\"a\";", "! a closing quote is followed by ';'; divide words by a blank"},
	        {"a\"b\"", "! a quote inside a word; put the whole word in quotes and write \\\" "
	                   "inside it"},
	        {"a;", "! an unquoted ';' in 'a'; quote it; nginx's closing ';' is not wanted "
	               "here"},
	        {"a b;", "! an unquoted ';' in 'b'; quote it; nginx's closing ';' is not wanted "
	                 "here"},
	        {"a#b", "! an unquoted '#' in 'a'; quote it; nginx's closing ';' is not wanted "
	                "here"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char joined[JOINED_MAX];
		split(rows[i].text, joined);
		assert_string_equal(joined, rows[i].wanted);
	}
}

/* Cut anywhere, a text is still words or a fault, and never longer than itself. */
static void cut_texts_are_harmless(void **state)
{
	(void)state;
	static const char text[] = "one \"two \\\" \\\\ 2\" three\t\"\" x=\"y ; \"#four";
	for (size_t first = 0; first < sizeof(text); first++) {
		for (size_t length = 0; first + length < sizeof(text); length++) {
			struct arena *arena = arena_create(4096);
			struct config_word_result result;
			char fault[300] = "";
			if (config_words_split(arena, (struct slice){text + first, length}, &result,
			            fault, sizeof(fault)))
				assert_true(result.used <= length && result.count <= length);
			else
				assert_true(fault[0] != '\0');
			arena_destroy(arena);
		}
	}
}

static size_t mapped_bytes(void)
{
	size_t pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%zu", &pages), 1);
	fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* 32,768 words in 64 KiB take little more than 64 KiB, not a copy of the rest for each. */
static void many_words_take_little_memory(void **state)
{
	(void)state;
	enum { WORDS = 32 * 1024, LIMIT = 64 << 20 };
	struct config_word_result result;
	struct arena *arena = arena_create(4096);
	char *text = malloc(2 * WORDS), fault[100];

	for (size_t i = 0; i < 2 * WORDS; i++)
		text[i] = i % 2 ? ' ' : 'a';
	size_t before = mapped_bytes();
	assert_true(config_words_split(
	        arena, (struct slice){text, 2 * WORDS}, &result, fault, sizeof(fault)));
	assert_true(mapped_bytes() < before + LIMIT);
	assert_int_equal(result.count, WORDS);
	for (size_t i = 0; i < WORDS; i++)
		assert_string_equal(result.items[i], "a");
	free(text);
	arena_destroy(arena);
}

static void nul_is_a_fault(void **state)
{
	(void)state;
	struct arena *arena = arena_create(4096);
	struct config_word_result result;
	char fault[100];

	assert_false(config_words_split(
	        arena, (struct slice){"a\0b", 3}, &result, fault, sizeof(fault)));
	assert_string_equal(fault, "a NUL byte");
	arena_destroy(arena);
}

static void titles_end_at_the_last_bracket(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t end; /* SIZE_MAX: none */
	} rows[] = {
	        {"[a]", 2},
	        {"[a] ; ]", 2},
	        {"[a] # ]", 2},
	        {"[location shop ~ ^/[a-z]+$]", 26},
	        {"[a \"]\"]", 6},
	        {"[a \"\\\"]\"]", 8},
	        {"[a]]", 3},
	        {"[a", SIZE_MAX},
	        {"[a \"]", SIZE_MAX},
	        {"[", SIZE_MAX},
	        {"[ ;]", SIZE_MAX},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t end = SIZE_MAX;
		bool found = config_words_title_end(slice_of(rows[i].text), &end);
		assert_int_equal(found, rows[i].end != SIZE_MAX);
		assert_true(!found || end == rows[i].end);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(words_are_split),
	        cmocka_unit_test(cut_texts_are_harmless),
	        cmocka_unit_test(many_words_take_little_memory),
	        cmocka_unit_test(nul_is_a_fault),
	        cmocka_unit_test(titles_end_at_the_last_bracket),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
