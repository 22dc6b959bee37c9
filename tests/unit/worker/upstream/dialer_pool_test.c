/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dialer_pool_test.c - connections used again, those that turn out dead, and failures after READY.
 */
#include "tests/support/dial_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* As a location of HTTP asks for it, in a group that keeps connections. */
static void ask_for_pooled(struct dial_rig *rig)
{
	rig->group.keepalive = 4;
	rig->group.keepalive_timeout_ms = 60000;
	rig->group.keepalive_requests = 100;
	rig->group.keepalive_time_ms = 3600000;
	rig->settings.pooled = true;
	rig->settings.answer_confirms = true;
}

/* One connection waits in the pool. */
static struct upstream_connection *fill_pool(struct dial_rig *rig)
{
	ask_for_pooled(rig);
	dial_rig_start(rig);
	dial_rig_run(rig);
	assert_true(rig->connected);
	struct upstream_connection *connection = rig->connection;
	dial_rig_give(rig);
	assert_int_equal(idle_pool_count(rig->dialer.pool), 1);
	return connection;
}

/* Dials, which ends within this turn if nothing has to be connected. */
static void dial_next(struct dial_rig *rig)
{
	dial_rig_start_again(rig, &rig->settings);
}

static void drop(struct dial_rig *rig)
{
	upstream_connection_close(rig->connection);
	rig->connection = NULL;
}

/* Until it is the turn of the server whose connection waits. */
static void dial_until_reused(struct dial_rig *rig)
{
	dial_next(rig);
	while (!rig->dial.reused) {
		dial_rig_run(rig);
		drop(rig);
		dial_next(rig);
	}
}

/* What was used again is dead, and another takes its place. */
static void replace(struct dial_rig *rig)
{
	rig->calls = 0;
	dial_again(&rig->dial);
	drop(rig);
	assert_int_equal(rig->calls, 0);
	fake_loop_end_turn(rig->io.loop);
	assert_int_equal(rig->calls, 0); /* it connects */
	dial_rig_run(rig);
}

/* ---- used again ---- */

static void a_pooled_connection_is_used_at_once(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, true);
	struct upstream_connection *connection = fill_pool(rig);
	size_t changes = fake_loop_watch_changes(rig->io.loop);
	dial_next(rig);
	assert_int_equal(rig->calls, 1);
	assert_true(rig->connected && rig->dial.reused);
	assert_ptr_equal(rig->connection, connection);
	assert_int_equal(connection->exchanges, 2);
	assert_int_equal(rig->dial.attempts, 1);
	assert_ptr_equal(rig->dial.shown[0], &rig->endpoints[0]);
	assert_int_equal(dial_rig_counted(rig, STAT_UPSTREAM_REUSED), 1);
	assert_int_equal(dial_rig_counted(rig, STAT_UPSTREAM_ATTEMPTS), 1);
	assert_int_equal(dial_rig_counted(rig, STAT_UPSTREAM_REQUESTS), 2);
	assert_int_equal(fake_loop_watch_changes(rig->io.loop), changes);
}

static void without_one_it_connects(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, true);
	fill_pool(rig);
	dial_next(rig);
	struct upstream_connection *first = rig->connection;
	dial_next(rig);
	assert_int_equal(rig->calls, 0);
	dial_rig_run(rig);
	assert_true(rig->connected);
	assert_false(rig->dial.reused);
	assert_int_equal(rig->connection->exchanges, 1);
	upstream_connection_close(first);
}

static void who_does_not_ask_gets_none(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, true);
	fill_pool(rig);
	rig->settings.pooled = false;
	dial_next(rig);
	dial_rig_run(rig);
	assert_false(rig->dial.reused);
	assert_int_equal(idle_pool_count(rig->dialer.pool), 1);
}

static void other_settings_have_their_own(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, true);
	fill_pool(rig);
	struct dial_settings others = rig->settings;
	others.identity[5] = 1;
	dial_rig_start_again(rig, &others);
	dial_rig_run(rig);
	assert_false(rig->dial.reused);
	dial_rig_give(rig);
	struct dial_settings equal = others;
	equal.buffer_bytes_max = 256 * 1024;
	dial_rig_start_again(rig, &equal);
	assert_true(rig->dial.reused);
	assert_int_equal(rig->connection->stream.buffer_bytes_max, 256 * 1024);
}

static void who_cannot_repeat_gets_no_old_one(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, true);
	fill_pool(rig);
	rig->sure = true;
	fake_loop_advance(rig->io.loop, 30000);
	dial_next(rig);
	dial_rig_run(rig);
	assert_true(rig->connected);
	assert_false(rig->dial.reused);
	dial_rig_give(rig);
	dial_next(rig); /* a young one */
	assert_true(rig->dial.reused);
}

/* ---- found dead ---- */

static void a_stale_one_is_replaced_by_a_fresh_one(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, true);
	fill_pool(rig);
	dial_next(rig);
	struct upstream_connection *first = rig->connection;
	dial_next(rig);
	dial_rig_run(rig);
	dial_rig_give(rig);
	idle_pool_give(rig->dialer.pool, first);
	dial_next(rig);
	assert_ptr_equal(rig->connection, first);
	replace(rig);
	assert_true(rig->connected);
	assert_false(rig->dial.reused);
	assert_ptr_equal(rig->dial.endpoint, &rig->endpoints[0]);
	assert_int_equal(rig->dial.attempts, 1);
	assert_int_equal(dial_rig_counted(rig, STAT_UPSTREAM_FAILURES), 0);
	assert_int_equal(dial_rig_counted(rig, STAT_HTTP_STALE_RETRIES), 1);
	assert_int_equal(idle_pool_count(rig->dialer.pool), 1); /* it was not tried */
}

static void a_stale_one_teaches_how_long_they_live(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, true);
	fill_pool(rig);
	fake_loop_advance(rig->io.loop, 100); /* less than an unknown one is taken to live */
	dial_next(rig);
	assert_int_equal(rig->dial.reused_after_ms, 100);
	replace(rig);
	dial_rig_give(rig);
	rig->sure = true;
	fake_loop_advance(rig->io.loop, 50); /* half of it */
	dial_next(rig);
	assert_false(rig->dial.reused);
	dial_rig_run(rig);
}

/* The server is gone for good: that is a failure, and the next server's turn. */
static void a_fresh_one_that_fails_counts(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, true);
	dial_rig_add_server(rig, true);
	fill_pool(rig);
	dial_until_reused(rig);
	size_t gone = rig->dial.endpoint->state_index;
	close(rig->sockets[gone]);
	rig->sockets[gone] = -1;
	rig->calls = 0;
	replace(rig);
	assert_true(rig->connected);
	assert_int_equal(rig->dial.endpoint->state_index, 1 - gone);
	assert_int_equal(rig->dial.attempts, 2);
	assert_int_equal(dial_rig_counted(rig, STAT_UPSTREAM_FAILURES), 1);
	assert_true(dial_rig_is_out(rig, gone));
}

static void a_stale_one_is_not_the_servers_fault(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, true);
	fill_pool(rig);
	dial_next(rig);
	assert_true(rig->dial.reused);
	assert_false(dial_failed(&rig->dial, CLOSE_UPSTREAM_CLOSED, "closed", false));
	assert_int_equal(dial_rig_counted(rig, STAT_UPSTREAM_FAILURES), 0);
	/* What was silent, or had begun to answer, is. */
	assert_false(dial_failed(&rig->dial, CLOSE_UPSTREAM_TIMEOUT, "timed out", false));
	assert_int_equal(dial_rig_counted(rig, STAT_UPSTREAM_FAILURES), 1);
	dial_confirm(&rig->dial);
	assert_false(dial_failed(&rig->dial, CLOSE_UPSTREAM_CLOSED, "closed", false));
	assert_int_equal(dial_rig_counted(rig, STAT_UPSTREAM_FAILURES), 2);
}

/* ---- after READY ---- */

static void settings_say_which_failures_go_to_the_next(void **state)
{
	enum { ERROR = NEXT_UPSTREAM_ERROR, TIMEOUT = NEXT_UPSTREAM_TIMEOUT };
	static const struct {
		unsigned settings;
		enum close_reason reason;
		bool expected;
	} cases[] = {
	        {ERROR | TIMEOUT, CLOSE_UPSTREAM_CLOSED, true},
	        {ERROR | TIMEOUT, CLOSE_UPSTREAM_TIMEOUT, true},
	        {ERROR | TIMEOUT, CLOSE_UPSTREAM_BAD_RESPONSE, false},
	        {ERROR, CLOSE_UPSTREAM_CLOSED, true},
	        {ERROR, CLOSE_UPSTREAM_REFUSED_US, true},
	        {ERROR, CLOSE_UPSTREAM_VERIFY, true},
	        {ERROR, CLOSE_UPSTREAM_TIMEOUT, false},
	        {ERROR, CLOSE_UPSTREAM_CONNECT_TIMEOUT, false},
	        {ERROR, CLOSE_UPSTREAM_HANDSHAKE_TIMEOUT, false},
	        {TIMEOUT, CLOSE_UPSTREAM_CLOSED, false},
	        {TIMEOUT, CLOSE_UPSTREAM_TIMEOUT, true},
	        {TIMEOUT, CLOSE_UPSTREAM_CONNECT_TIMEOUT, true},
	        {0, CLOSE_UPSTREAM_CLOSED, false},
	        {0, CLOSE_UPSTREAM_TIMEOUT, false},
	};
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, true);
	dial_rig_add_server(rig, true);
	ask_for_pooled(rig);
	dial_rig_start(rig);
	dial_rig_run(rig);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rig->settings.next_upstream = cases[i].settings;
		assert_int_equal(
		        dial_failed(&rig->dial, cases[i].reason, "", true), cases[i].expected);
		assert_false(dial_failed(&rig->dial, cases[i].reason, "", false));
		assert_int_equal(
		        dial_rig_counted(rig, STAT_UPSTREAM_FAILURES), 2 * (uint64_t)(i + 1));
		dial_cancel(&rig->dial);
	}
}

static void settings_hold_for_connecting_as_well(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_refusing_servers(rig, 3);
	rig->settings.next_upstream = NEXT_UPSTREAM_TIMEOUT;
	dial_rig_start(rig);
	dial_rig_run(rig);
	assert_false(rig->connected);
	assert_int_equal(rig->dial.attempts, 1);
	assert_int_equal(rig->dialer.connections.count, 0);
}

/* A server that only takes connections does not come back by that. */
static void an_answer_is_success(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, true);
	ask_for_pooled(rig);
	dial_rig_start(rig);
	dial_rig_run(rig);
	assert_true(rig->connected);
	assert_false(rig->dial.confirmed);
	dial_confirm(&rig->dial);
	dial_rig_give(rig);
	dial_next(rig);
	assert_true(rig->dial.reused);
	assert_false(rig->dial.confirmed);
}

static void each_dial_has_its_own_tries(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, true);
	dial_rig_start(rig);
	for (int i = 0; i < 3; i++) {
		dial_rig_run(rig);
		assert_true(rig->connected);
		assert_int_equal(rig->dial.attempts, 1);
		drop(rig);
		dial_next(rig);
	}
	dial_cancel(&rig->dial);
}

/* ---- the end at any moment: tear_down checks that nothing is left over ---- */

static void a_dial_may_end_before_its_first_attempt(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, true);
	fill_pool(rig);
	dial_start(&rig->dial, &rig->settings, DIAL_RIG_SESSION, false, rig->dial.fn);
	rig->calls = 0;
	dial_cancel(&rig->dial);
	fake_loop_end_turn(rig->io.loop);
	assert_int_equal(rig->calls, 0);
	assert_int_equal(idle_pool_count(rig->dialer.pool), 1);
}

static void a_dial_may_end_while_it_connects(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, true);
	ask_for_pooled(rig);
	dial_rig_start(rig);
	assert_non_null(rig->dial.connection);
	dial_cancel(&rig->dial);
	fake_loop_end_turn(rig->io.loop);
	assert_int_equal(rig->dialer.connections.count, 0);
}

static void what_nobody_took_ends_with_the_dial(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, true);
	fill_pool(rig);
	rig->takes_none = true;
	dial_next(rig); /* a pooled one */
	assert_non_null(rig->dial.connection);
	dial_cancel(&rig->dial);
	dial_next(rig); /* a fresh one */
	dial_rig_run(rig);
	assert_non_null(rig->dial.connection);
	dial_cancel(&rig->dial);
	fake_loop_end_turn(rig->io.loop);
	assert_int_equal(rig->dialer.connections.count, 0);
}

static void a_dial_may_end_before_it_goes_on(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, true);
	dial_rig_add_server(rig, true);
	fill_pool(rig);
	dial_until_reused(rig);
	rig->calls = 0;
	dial_again(&rig->dial);
	drop(rig);
	dial_cancel(&rig->dial);
	fake_loop_end_turn(rig->io.loop);
	dial_next(rig);
	dial_rig_run(rig);
	rig->calls = 0;
	assert_true(dial_failed(&rig->dial, CLOSE_UPSTREAM_CLOSED, "closed", true));
	drop(rig);
	dial_cancel(&rig->dial);
	fake_loop_end_turn(rig->io.loop);
	assert_int_equal(rig->calls, 0);
	assert_int_equal(rig->dialer.connections.count, 0);
}

/* ---- descriptors ---- */

static void idle_connections_make_way_for_new_ones(void **state)
{
	struct dial_rig *rig = *state;
	struct rlimit before, none;

	dial_rig_add_server(rig, true);
	fill_pool(rig);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	int next = dup(rig->sockets[0]);
	none.rlim_cur = (rlim_t)next; /* not one more than there are */
	close(next);
	rig->settings.pooled = false;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	dial_next(rig);
	dial_rig_run(rig);
	assert_true(rig->connected);
	assert_int_equal(idle_pool_count(rig->dialer.pool), 0);
	struct upstream_connection *held = rig->connection;
	dial_next(rig); /* and when none is left, it is said */
	assert_int_equal(rig->calls, 1);
	assert_int_equal(rig->reason, CLOSE_RESOURCES);
	assert_int_equal(dial_rig_counted(rig, STAT_UPSTREAM_FAILURES), 0); /* not the server's */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_ptr_equal(rig->connection, held);
}

/* ---- who is who ---- */

static void plain_settings_share(void **state)
{
	struct dial_settings one = {.tls_name = "a.example"}, two = {.pooled = true};

	(void)state;
	memset(two.identity, 7, sizeof(two.identity));
	dial_settings_identify(&one);
	dial_settings_identify(&two);
	assert_memory_equal(one.identity, two.identity, UPSTREAM_IDENTITY_BYTES);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, dial_rig_set_up, dial_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(a_pooled_connection_is_used_at_once),
	        CASE(without_one_it_connects),
	        CASE(who_does_not_ask_gets_none),
	        CASE(other_settings_have_their_own),
	        CASE(who_cannot_repeat_gets_no_old_one),
	        CASE(a_stale_one_is_replaced_by_a_fresh_one),
	        CASE(a_stale_one_teaches_how_long_they_live),
	        CASE(a_fresh_one_that_fails_counts),
	        CASE(a_stale_one_is_not_the_servers_fault),
	        CASE(settings_say_which_failures_go_to_the_next),
	        CASE(settings_hold_for_connecting_as_well),
	        CASE(an_answer_is_success),
	        CASE(each_dial_has_its_own_tries),
	        CASE(a_dial_may_end_before_its_first_attempt),
	        CASE(a_dial_may_end_while_it_connects),
	        CASE(what_nobody_took_ends_with_the_dial),
	        CASE(a_dial_may_end_before_it_goes_on),
	        CASE(idle_connections_make_way_for_new_ones),
	        CASE(plain_settings_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
