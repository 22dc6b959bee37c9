/* SPDX-License-Identifier: BSD-2-Clause */
/* config_messages_test.c - what is kept, and how it is printed. */
#include "master/config_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *printed(const struct config_messages *messages, bool json, bool errors_only)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	assert_non_null(file);
	config_messages_print(messages, file, json, errors_only);
	assert_int_equal(fclose(file), 0);
	return text;
}

static void assert_printed(
        const struct config_messages *messages, bool json, bool errors_only, const char *wanted)
{
	char *text = printed(messages, json, errors_only);

	assert_string_equal(text, wanted);
	free(text);
}

static void fill(struct config_messages *messages)
{
	const struct config_origin line = {"a.ini", 7}, file = {"b.ini", 0};

	config_messages_init(messages);
	config_messages_add(messages, CONFIG_ERROR, &line, "wrong %s", "key");
	config_messages_add(messages, CONFIG_WARNING, &file, "odd");
	config_messages_add(messages, CONFIG_NOTICE, NULL, "nowhere");
	config_messages_add(messages, CONFIG_NOTICE, &line, "by the way");
}

static void lines_say_severity_and_place(void **state)
{
	(void)state;
	struct config_messages messages;

	fill(&messages);
	assert_printed(&messages, false, false,
	        "a.ini:7: wrong key\nwarning: b.ini: odd\nnotice: nowhere\n"
	        "notice: a.ini:7: by the way\n");
	assert_printed(&messages, false, true, "a.ini:7: wrong key\n");
	assert_int_equal(messages.error_count, 1);
	assert_int_equal(messages.warning_count, 1);
	config_messages_clear(&messages);
	assert_printed(&messages, false, false, "");
}

static void json_is_an_object_a_line(void **state)
{
	(void)state;
	struct config_messages messages;

	fill(&messages);
	assert_printed(&messages, true, false,
	        "{\"severity\":\"error\",\"file\":\"a.ini\",\"line\":7,\"text\":\"wrong key\"}\n"
	        "{\"severity\":\"warning\",\"file\":\"b.ini\",\"line\":null,\"text\":\"odd\"}\n"
	        "{\"severity\":\"notice\",\"file\":null,\"line\":null,\"text\":\"nowhere\"}\n"
	        "{\"severity\":\"notice\",\"file\":\"a.ini\",\"line\":7,\"text\":\"by the "
	        "way\"}\n");
	config_messages_clear(&messages);
	config_messages_add(&messages, CONFIG_ERROR, &(struct config_origin){"\xff\"\\.ini", 1},
	        "tab\t line\n \x7f \xc3\xa9 \xe2\x82 \xf0\x9f\x98\x80");
	assert_printed(&messages, true, false,
	        "{\"severity\":\"error\",\"file\":\"\\ufffd\\\"\\\\.ini\",\"line\":1,\"text\":"
	        "\"tab\\u0009 line\\u000a \\u007f \xc3\xa9 \\ufffd\\ufffd \xf0\x9f\x98\x80\"}\n");
	config_messages_clear(&messages);
}

static void what_was_said_is_not_said_again(void **state)
{
	(void)state;
	const struct config_origin line = {"a.ini", 7}, other = {"a.ini", 8};
	struct config_messages messages;

	config_messages_init(&messages);
	for (size_t i = 0; i < 3; i++) {
		config_messages_add(&messages, CONFIG_ERROR, &line, "same");
		config_messages_add(&messages, CONFIG_ERROR, &other, "same");
		config_messages_add(&messages, CONFIG_WARNING, &line, "same");
	}
	assert_int_equal(messages.count, 3);
	assert_int_equal(messages.error_count, 2);
	assert_int_equal(messages.warning_count, 1);
	config_messages_clear(&messages);
}

static void errors_past_twenty_are_counted(void **state)
{
	(void)state;
	struct config_messages messages;

	config_messages_init(&messages);
	for (unsigned i = 1; i <= 21; i++)
		config_messages_add(&messages, CONFIG_ERROR, &(struct config_origin){"a", i}, "e");
	config_messages_add(&messages, CONFIG_WARNING, NULL, "w");
	assert_int_equal(messages.error_count, 21);
	assert_int_equal(messages.count, 21);
	char *text = printed(&messages, false, true);
	assert_non_null(strstr(text, "a:20: e\nand 1 more error\n"));
	free(text);
	config_messages_raise_warnings(&messages);
	text = printed(&messages, false, true);
	assert_non_null(strstr(text, "a:20: e\nw\nand 1 more error\n"));
	free(text);
	config_messages_clear(&messages);
}

static void a_small_buffer_cuts(void **state)
{
	(void)state;
	char buffer[8];
	const struct config_message message = {CONFIG_ERROR, "a.ini", 7, "wrong"};

	assert_string_equal(config_message_format(&message, buffer, sizeof(buffer)), "a.ini:7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(lines_say_severity_and_place),
	        cmocka_unit_test(json_is_an_object_a_line),
	        cmocka_unit_test(what_was_said_is_not_said_again),
	        cmocka_unit_test(errors_past_twenty_are_counted),
	        cmocka_unit_test(a_small_buffer_cuts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
