/* SPDX-License-Identifier: BSD-2-Clause */
/* upstream_count_test.c - each of a server's counters goes with one of its worker's. */
#include "worker/upstream/upstream_count.h"

#include "shared/config.h"
#include "shared/scoreboard.h"
#include "shared/upstream_state.h"
#include "worker/upstream/upstream_connection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static const enum stat_counter sums[UPSTREAM_STAT_COUNT] = {
        [UPSTREAM_STAT_ATTEMPTS] = STAT_UPSTREAM_ATTEMPTS,
        [UPSTREAM_STAT_FAILURES] = STAT_UPSTREAM_FAILURES,
        [UPSTREAM_STAT_REQUESTS] = STAT_UPSTREAM_REQUESTS,
        [UPSTREAM_STAT_REUSED] = STAT_UPSTREAM_REUSED,
        [UPSTREAM_STAT_BYTES_IN] = STAT_UPSTREAM_BYTES_IN,
        [UPSTREAM_STAT_BYTES_OUT] = STAT_UPSTREAM_BYTES_OUT,
        [UPSTREAM_STAT_HANDSHAKES_FULL] = STAT_UPSTREAM_HANDSHAKES_FULL,
        [UPSTREAM_STAT_HANDSHAKES_RESUMED] = STAT_UPSTREAM_HANDSHAKES_RESUMED,
};

struct fixture {
	struct scoreboard_row row;
	struct upstream_state *state;
	struct upstream_connections connections;
	struct config_endpoint endpoint; /* the second of two */
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->state = upstream_state_create(2, 1);
	upstream_connections_init(&fixture->connections, NULL, &fixture->row, fixture->state);
	fixture->endpoint.state_index = 1;
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	upstream_state_destroy(fixture->state);
	free(fixture);
	return 0;
}

static void each_goes_with_its_sum(void **state)
{
	struct fixture *fixture = *state;

	for (int stat = 0; stat < UPSTREAM_STAT_COUNT; stat++)
		upstream_count(&fixture->connections, &fixture->endpoint, (enum upstream_stat)stat,
		        10 + (uint64_t)stat);
	for (int stat = 0; stat < UPSTREAM_STAT_COUNT; stat++) {
		enum upstream_stat of = (enum upstream_stat)stat;
		assert_int_equal(fixture->row.counters[sums[stat]], 10 + stat);
		assert_int_equal(upstream_state_counted(fixture->state, 1, of), 10 + stat);
		assert_int_equal(upstream_state_counted(fixture->state, 0, of), 0);
	}
}

static void handshakes_are_full_or_resumed_and_take_their_time(void **state)
{
	struct fixture *fixture = *state;
	uint64_t ago_us = upstream_clock_us() - 2000000, now_us = 0;

	upstream_count_handshake(&fixture->connections, &fixture->endpoint, false, ago_us);
	upstream_count_handshake(&fixture->connections, &fixture->endpoint, true, ago_us);
	upstream_count_handshake(&fixture->connections, &fixture->endpoint, true, ago_us);
	now_us = upstream_clock_us();
	assert_int_equal(fixture->row.counters[STAT_UPSTREAM_HANDSHAKES_FULL], 1);
	assert_int_equal(fixture->row.counters[STAT_UPSTREAM_HANDSHAKES_RESUMED], 2);
	assert_in_range(fixture->row.observed_us[HISTOGRAM_UPSTREAM_HANDSHAKE_SECONDS],
	        3 * UINT64_C(2000000), 3 * (now_us - ago_us));
}

static uint64_t us_of_the_system(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void the_clock_is_the_systems(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint64_t before = us_of_the_system(), now = upstream_clock_us();
		assert_in_range(now, before, us_of_the_system());
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(each_goes_with_its_sum),
	        cmocka_unit_test(the_clock_is_the_systems),
	        CASE(handshakes_are_full_or_resumed_and_take_their_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
