/* SPDX-License-Identifier: BSD-2-Clause */
/* idle_pool_test.c - what is kept, for how long, and to whom it is given. */
#include "tests/support/pool_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t other[UPSTREAM_IDENTITY_BYTES] = {1};

/* ---- kept and given out ---- */

static void what_was_given_is_taken_again(void **state)
{
	struct pool_rig *rig = *state;
	size_t number = pool_rig_add(rig, 0);

	assert_int_equal(idle_pool_count(rig->pool), 1);
	struct upstream_connection *connection = pool_rig_take(rig, 0);
	assert_ptr_equal(connection, rig->connections[number]);
	assert_int_equal(connection->exchanges, 2);
	assert_int_equal(idle_pool_count(rig->pool), 0);
	assert_null(pool_rig_take(rig, 0));
	upstream_connection_close(connection);
}

static void the_youngest_comes_first(void **state)
{
	struct pool_rig *rig = *state;
	size_t first = pool_rig_add(rig, 0), second = pool_rig_add(rig, 0);

	assert_ptr_equal(pool_rig_take(rig, 0), rig->connections[second]);
	assert_ptr_equal(pool_rig_take(rig, 0), rig->connections[first]);
	pool_rig_give(rig, second);
	pool_rig_give(rig, first);
	assert_ptr_equal(pool_rig_take(rig, 0), rig->connections[first]);
	pool_rig_give(rig, first);
}

static void another_endpoint_has_its_own(void **state)
{
	struct pool_rig *rig = *state;

	pool_rig_add(rig, 0);
	assert_null(pool_rig_take(rig, 1)); /* of the same group */
	assert_null(pool_rig_take(rig, 2));
}

static void another_identity_has_its_own(void **state)
{
	struct pool_rig *rig = *state;
	uint8_t same[UPSTREAM_IDENTITY_BYTES], last[UPSTREAM_IDENTITY_BYTES] = {0};
	size_t mine = pool_rig_open(rig, 0, pool_rig_plain), theirs = pool_rig_open(rig, 0, other);

	pool_rig_give(rig, mine);
	pool_rig_give(rig, theirs); /* the youngest */
	last[UPSTREAM_IDENTITY_BYTES - 1] = 1;
	assert_null(idle_pool_take(rig->pool, &rig->endpoints[0], last, false));
	memcpy(same, pool_rig_plain, sizeof(same)); /* equal by content, as two locations are */
	assert_ptr_equal(
	        idle_pool_take(rig->pool, &rig->endpoints[0], same, false), rig->connections[mine]);
	assert_null(idle_pool_take(rig->pool, &rig->endpoints[0], same, false));
	pool_rig_give(rig, mine);
}

static void giving_and_taking_cost_no_system_call(void **state)
{
	struct pool_rig *rig = *state;
	size_t number = pool_rig_add(rig, 0);
	size_t changes = fake_loop_watch_changes(rig->io.loop);

	for (int i = 0; i < POOL_RIG_REQUESTS / 2; i++) {
		assert_ptr_equal(pool_rig_take(rig, 0), rig->connections[number]);
		pool_rig_give(rig, number);
		pool_rig_pass(rig, 1);
	}
	assert_int_equal(fake_loop_watch_changes(rig->io.loop), changes);
	assert_int_equal(fake_loop_timer_count(rig->io.loop), 1);
	assert_int_equal(rig->peers[number].calls[FAKE_READ], 0);
	assert_int_equal(rig->peers[number].calls[FAKE_WRITE], 0);
}

static void idle_connections_hold_no_buffer(void **state)
{
	struct pool_rig *rig = *state;
	size_t number = pool_rig_open(rig, 0, pool_rig_plain);
	struct stream *stream = &rig->connections[number]->stream;

	fake_read(&rig->peers[number], "answer");
	assert_true(pool_rig_readable(rig, number));
	buffer_taken(stream->in, 6);
	assert_true(buffer_pool_lent_bytes(rig->io.pool) > 0);
	pool_rig_give(rig, number);
	assert_int_equal(idle_pool_count(rig->pool), 1);
	assert_int_equal(buffer_pool_lent_bytes(rig->io.pool), 0);
}

/* ---- bounds ---- */

static void bounds_of_zero_keep_none(void **state)
{
	struct pool_rig *rig = *state;
	struct config_group *group = &rig->groups[0], usual = *group;
	uint32_t *bounds[] = {&group->keepalive, &group->keepalive_timeout_ms,
	        &group->keepalive_requests, &group->keepalive_time_ms};

	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		*bounds[i] = 0;
		size_t number = pool_rig_add(rig, 0);
		assert_true(pool_rig_ended_gently(rig, number));
		*group = usual;
	}
	assert_int_equal(idle_pool_count(rig->pool), 0);
}

static void beyond_keepalive_the_least_recently_used_goes(void **state)
{
	struct pool_rig *rig = *state;
	size_t elsewhere = pool_rig_add(rig, 2), first = pool_rig_add(rig, 0);
	size_t second = pool_rig_add(rig, 1);

	pool_rig_take(rig, 0);
	pool_rig_give(rig, first); /* the second is now the least recently used */
	pool_rig_add(rig, 0);
	assert_false(rig->peers[second].closed);
	pool_rig_add(rig, 0);
	assert_true(pool_rig_ended_gently(rig, second)); /* another endpoint, the same group */
	assert_false(rig->peers[first].closed);
	assert_false(rig->peers[elsewhere].closed);
	assert_int_equal(idle_pool_count(rig->pool), POOL_RIG_KEEPALIVE + 1);
}

static void each_expires_at_its_own_time(void **state)
{
	struct pool_rig *rig = *state;

	rig->groups[1].keepalive_timeout_ms = 1000;
	size_t first = pool_rig_add(rig, 0);
	pool_rig_pass(rig, 10000);
	size_t second = pool_rig_add(rig, 0), brief = pool_rig_add(rig, 2);
	pool_rig_pass(rig, 999);
	assert_false(rig->peers[brief].closed);
	pool_rig_pass(rig, 1);
	assert_true(pool_rig_ended_gently(rig, brief));
	pool_rig_pass(rig, POOL_RIG_TIMEOUT_MS - 11000 - 1);
	assert_false(rig->peers[first].closed);
	pool_rig_pass(rig, 1);
	assert_true(pool_rig_ended_gently(rig, first));
	assert_false(rig->peers[second].closed);
	pool_rig_pass(rig, 10000);
	assert_true(pool_rig_ended_gently(rig, second));
	assert_int_equal(fake_loop_timer_count(rig->io.loop), 0);
}

static void use_starts_the_idle_time_anew(void **state)
{
	struct pool_rig *rig = *state;
	size_t number = pool_rig_add(rig, 0);

	for (int i = 0; i < 5; i++) {
		pool_rig_pass(rig, POOL_RIG_TIMEOUT_MS - 1);
		assert_non_null(pool_rig_take(rig, 0));
		pool_rig_give(rig, number);
	}
	pool_rig_pass(rig, POOL_RIG_TIMEOUT_MS - 1);
	assert_false(rig->peers[number].closed);
	pool_rig_pass(rig, 1);
	assert_true(pool_rig_ended_gently(rig, number));
}

static void requests_are_counted(void **state)
{
	struct pool_rig *rig = *state;

	rig->groups[0].keepalive_requests = 3;
	size_t number = pool_rig_add(rig, 0);
	assert_non_null(pool_rig_take(rig, 0));
	pool_rig_give(rig, number);
	assert_non_null(pool_rig_take(rig, 0)); /* the third */
	pool_rig_give(rig, number);
	assert_true(pool_rig_ended_gently(rig, number));
	assert_null(pool_rig_take(rig, 0));
}

static void an_old_connection_is_not_kept(void **state)
{
	struct pool_rig *rig = *state;

	rig->groups[0].keepalive_time_ms = 5000;
	size_t number = pool_rig_add(rig, 0);
	pool_rig_pass(rig, 4999);
	assert_non_null(pool_rig_take(rig, 0));
	pool_rig_give(rig, number);
	assert_non_null(pool_rig_take(rig, 0));
	pool_rig_pass(rig, 1);
	pool_rig_give(rig, number);
	assert_true(pool_rig_ended_gently(rig, number));
}

/* ---- requests that cannot be repeated ---- */

/* The server closes a connection after so long. */
static void server_closes_after(struct pool_rig *rig, size_t endpoint, uint64_t ms)
{
	size_t number = pool_rig_add(rig, endpoint);

	pool_rig_pass(rig, ms);
	fake_read_end(&rig->peers[number], "", IO_EOF);
	assert_true(pool_rig_readable(rig, number));
}

/* Whether one that was idle for so long is given to whom cannot repeat. It is gone afterwards. */
static bool is_sure_after(struct pool_rig *rig, size_t endpoint, uint64_t ms)
{
	size_t number = pool_rig_add(rig, endpoint);

	pool_rig_pass(rig, ms);
	bool sure = pool_rig_take_sure(rig, endpoint);
	if (!sure)
		assert_ptr_equal(pool_rig_take(rig, endpoint), rig->connections[number]);
	upstream_connection_close(rig->connections[number]);
	return sure;
}

static void an_unknown_server_is_taken_for_a_hasty_one(void **state)
{
	struct pool_rig *rig = *state;

	assert_true(is_sure_after(rig, 0, 99));
	assert_false(is_sure_after(rig, 0, 100));
}

static void half_of_the_shortest_life_is_sure(void **state)
{
	struct pool_rig *rig = *state;

	server_closes_after(rig, 0, 160);
	server_closes_after(rig, 0, 120);
	server_closes_after(rig, 0, 121); /* which takes nothing back */
	assert_true(is_sure_after(rig, 0, 59));
	assert_false(is_sure_after(rig, 0, 60));
	assert_true(is_sure_after(rig, 1, 99)); /* of another server nothing is known */
}

static void one_that_was_found_closed_counts_as_well(void **state)
{
	struct pool_rig *rig = *state;

	idle_pool_note_stale(rig->pool, &rig->endpoints[0], 100);
	assert_true(is_sure_after(rig, 0, 49));
	assert_false(is_sure_after(rig, 0, 50));
}

static void a_longer_life_doubles_what_is_sure(void **state)
{
	struct pool_rig *rig = *state;

	server_closes_after(rig, 0, 160);
	assert_false(is_sure_after(rig, 0, 200)); /* but it has lived for 200, taken by others */
	assert_true(is_sure_after(rig, 0, 99));
	assert_false(is_sure_after(rig, 0, 10000));
	assert_true(is_sure_after(rig, 0, 199)); /* 400: doubled, no more */
	assert_false(is_sure_after(rig, 0, 200));
}

static void a_restart_is_forgotten(void **state)
{
	struct pool_rig *rig = *state;

	server_closes_after(rig, 0, 0);
	for (uint32_t i = 0; i < 3; i++)
		pool_rig_add(rig, 0);
	assert_null(pool_rig_take_sure(rig, 0));
	pool_rig_pass(rig, POOL_RIG_TIMEOUT_MS); /* all three outlive it: 100, 200, 400 */
	assert_int_equal(idle_pool_count(rig->pool), 0);
	assert_true(is_sure_after(rig, 0, 199));
	assert_false(is_sure_after(rig, 0, 200));
}

/* ---- making way ---- */

static void the_one_that_was_idle_for_longest_is_shed(void **state)
{
	struct pool_rig *rig = *state;
	size_t first = pool_rig_add(rig, 2);

	pool_rig_pass(rig, 1);
	size_t second = pool_rig_add(rig, 0);
	assert_true(idle_pool_shed(rig->pool));
	assert_true(pool_rig_ended_gently(rig, first));
	assert_false(rig->peers[second].closed);
	pool_rig_pass(rig, 1);
	size_t third = pool_rig_add(rig, 2);
	assert_true(idle_pool_shed(rig->pool));
	assert_true(pool_rig_ended_gently(rig, second));
	assert_false(rig->peers[third].closed);
	assert_true(idle_pool_shed(rig->pool));
	assert_false(idle_pool_shed(rig->pool));
}

static void a_draining_pool_ends_all_and_keeps_none(void **state)
{
	struct pool_rig *rig = *state;
	size_t first = pool_rig_add(rig, 0), second = pool_rig_add(rig, 2);
	size_t in_use = pool_rig_open(rig, 0, pool_rig_plain);

	idle_pool_drain(rig->pool);
	assert_true(pool_rig_ended_gently(rig, first));
	assert_true(pool_rig_ended_gently(rig, second));
	assert_int_equal(fake_loop_timer_count(rig->io.loop), 0);
	pool_rig_give(rig, in_use);
	assert_true(pool_rig_ended_gently(rig, in_use));
}

static void a_failing_goodbye_is_nobodys_business(void **state)
{
	struct pool_rig *rig = *state;
	size_t number = pool_rig_add(rig, 0);

	fake_fail(&rig->peers[number], FAKE_FINISH, CLOSE_UPSTREAM_RESET);
	pool_rig_pass(rig, POOL_RIG_TIMEOUT_MS);
	assert_true(rig->peers[number].closed);
	assert_int_equal(idle_pool_count(rig->pool), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, pool_rig_set_up, pool_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(what_was_given_is_taken_again),
	        CASE(the_youngest_comes_first),
	        CASE(another_endpoint_has_its_own),
	        CASE(another_identity_has_its_own),
	        CASE(giving_and_taking_cost_no_system_call),
	        CASE(idle_connections_hold_no_buffer),
	        CASE(bounds_of_zero_keep_none),
	        CASE(beyond_keepalive_the_least_recently_used_goes),
	        CASE(each_expires_at_its_own_time),
	        CASE(use_starts_the_idle_time_anew),
	        CASE(requests_are_counted),
	        CASE(an_old_connection_is_not_kept),
	        CASE(an_unknown_server_is_taken_for_a_hasty_one),
	        CASE(half_of_the_shortest_life_is_sure),
	        CASE(one_that_was_found_closed_counts_as_well),
	        CASE(a_longer_life_doubles_what_is_sure),
	        CASE(a_restart_is_forgotten),
	        CASE(the_one_that_was_idle_for_longest_is_shed),
	        CASE(a_draining_pool_ends_all_and_keeps_none),
	        CASE(a_failing_goodbye_is_nobodys_business),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
