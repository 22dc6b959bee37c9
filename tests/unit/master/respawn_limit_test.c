/* SPDX-License-Identifier: BSD-2-Clause */
/* respawn_limit_test.c - ten at once, then one a second, then at once again. */
#include "master/respawn_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { START = 5000 };

static void ten_are_replaced_at_once(void **state)
{
	struct respawn_limit limit = {0};

	(void)state;
	for (int i = 0; i < RESPAWN_BURST; i++)
		assert_int_equal(respawn_limit_delay(&limit, START + (uint64_t)i), 0);
	assert_int_equal(respawn_limit_delay(&limit, START + 10), RESPAWN_PAUSE_MS);
}

static void one_that_always_dies_is_replaced_once_a_second(void **state)
{
	struct respawn_limit limit = {0};
	uint64_t now_ms = START, started = 0;

	(void)state;
	while (now_ms < START + 60 * 1000) {
		now_ms += respawn_limit_delay(&limit, now_ms) + 1; /* it lives for 1 ms */
		started++;
	}
	assert_in_range(started, 60, 72);
}

static void after_a_quiet_time_it_is_at_once_again(void **state)
{
	struct respawn_limit limit = {0};

	(void)state;
	for (int i = 0; i < 3 * RESPAWN_BURST; i++)
		respawn_limit_delay(&limit, START);
	assert_int_equal(respawn_limit_delay(&limit, START + 5000), RESPAWN_PAUSE_MS);
	assert_int_equal(respawn_limit_delay(&limit, START + 5000 + 2 * RESPAWN_WINDOW_MS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(ten_are_replaced_at_once),
	        cmocka_unit_test(one_that_always_dies_is_replaced_once_a_second),
	        cmocka_unit_test(after_a_quiet_time_it_is_at_once_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
