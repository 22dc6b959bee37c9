/* SPDX-License-Identifier: BSD-2-Clause */
/* config_manual_test.c - the page tells of every key, and of nothing that is not one. */
#include "master/config_manual.h"

#include "master/config_schema.h"
#include "master/config_template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *page(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	assert_non_null(file);
	config_manual_print(file);
	assert_int_equal(fclose(file), 0);
	return text;
}

static size_t count(const char *text, const char *wanted)
{
	size_t found = 0;

	for (; (text = strstr(text, wanted)); text += strlen(wanted))
		found++;
	return found;
}

static void every_key_is_told_once(void **state)
{
	(void)state;
	char *text = page(), item[100];

	for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++) {
		snprintf(item, sizeof(item),
		        "\n.It Ic %s No = ", config_schema_row((enum config_key)i)->key);
		if (count(text, item) != 1)
			fail_msg("%s is told %zu times", item, count(text, item));
	}
	assert_int_equal(count(text, "\n.It Ic "), CONFIG_KEY_COUNT);
	assert_int_equal(count(text, "\n.Bl "), count(text, "\n.El\n"));
	free(text);
}

static void every_variable_is_told_once(void **state)
{
	(void)state;
	char *text = page(), item[100];

	for (unsigned i = VARIABLE_NONE + 1; i < VARIABLE_COUNT; i++) {
		snprintf(item, sizeof(item), "\n.It Va $%s\n",
		        config_variable_name((enum variable)i));
		if (count(text, item) != 1)
			fail_msg("%s is told %zu times", item, count(text, item));
	}
	assert_int_equal(count(text, "\n.It Va "), VARIABLE_COUNT - 1);
	free(text);
}

/* What starts with a dot is a macro: two letters, the first a capital. */
static void nothing_is_taken_for_a_macro(void **state)
{
	(void)state;
	char *text = page();

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		assert_true(*line != '\'');
		if (*line == '.')
			assert_true(line[1] >= 'A' && line[1] <= 'Z' && line[2] >= 'a' &&
			            (line[3] == ' ' || line[3] == '\n'));
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_key_is_told_once),
	        cmocka_unit_test(every_variable_is_told_once),
	        cmocka_unit_test(nothing_is_taken_for_a_macro),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
