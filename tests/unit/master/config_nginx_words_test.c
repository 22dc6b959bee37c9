/* SPDX-License-Identifier: BSD-2-Clause */
/* config_nginx_words_test.c - hints are for words that are no keys of ours. */
#include "master/config_nginx_words.h"
#include "master/config_schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_word_has_its_hint(void **state)
{
	(void)state;
	assert_string_equal(config_nginx_hint("pid"), "write 'pid_file'");
	assert_null(config_nginx_hint("gzip"));
	assert_null(config_nginx_hint(""));
}

/* A key that comes to be takes its hint with it. */
static void no_key_has_a_hint(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++)
		if (config_nginx_hint(config_key_name((enum config_key)i)))
			fail_msg("%s is a key", config_key_name((enum config_key)i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_word_has_its_hint),
	        cmocka_unit_test(no_key_has_a_hint),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
