/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dialer_test.c - attempts one after another: real sockets on the loopback, a clock moved by hand.
 *
 * What a server is asked in TLS is for tests with real peers; here all servers are plain.
 */
#include "shared/upstream_state.h"
#include "tests/support/dial_rig.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void a_server_that_answers_is_connected_to(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, true);
	dial_rig_start(rig);
	assert_int_equal(rig->dial.connection->stream.state, STREAM_CONNECTING);
	dial_rig_run(rig);
	assert_true(rig->connected);
	assert_int_equal(rig->connection->stream.state, STREAM_OPEN);
	assert_true(rig->dial.confirmed); /* there is no handshake to be judged */
	assert_int_equal(dial_rig_counted(rig, STAT_UPSTREAM_ATTEMPTS), 1);
	assert_int_equal(dial_rig_counted(rig, STAT_UPSTREAM_FAILURES), 0);
	assert_int_equal(fake_loop_timer_count(rig->io.loop), 0);
}

static void after_a_refusal_the_next_server_is_tried(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, false);
	dial_rig_add_server(rig, true);
	dial_rig_start(rig);
	dial_rig_run(rig);
	assert_true(rig->connected);
	assert_ptr_equal(rig->dial.endpoint, &rig->endpoints[1]);
	if (rig->dial.attempts == 2) {
		assert_ptr_equal(rig->dial.shown[0], &rig->endpoints[0]);
		assert_ptr_equal(rig->dial.shown[1], &rig->endpoints[1]);
		assert_true(dial_rig_is_out(rig, 0));
	}
	assert_false(dial_rig_is_out(rig, 1));
	assert_int_equal(dial_rig_counted(rig, STAT_UPSTREAM_ATTEMPTS), rig->dial.attempts);
	assert_int_equal(dial_rig_counted(rig, STAT_UPSTREAM_FAILURES), rig->dial.attempts - 1);
}

static void each_server_has_its_own_counts(void **state)
{
	static const struct {
		size_t server;
		enum upstream_stat stat;
		uint64_t wanted;
	} rows[] = {
	        {0, UPSTREAM_STAT_ATTEMPTS, 1},
	        {0, UPSTREAM_STAT_FAILURES, 1},
	        {0, UPSTREAM_STAT_REQUESTS, 0},
	        {1, UPSTREAM_STAT_ATTEMPTS, 1},
	        {1, UPSTREAM_STAT_FAILURES, 0},
	        {1, UPSTREAM_STAT_REQUESTS, 1},
	        {1, UPSTREAM_STAT_BYTES_OUT, 5},
	};
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, false);
	dial_rig_add_server(rig, true);
	rig->endpoints[1].backup = true; /* so that the first is tried first */
	dial_rig_start(rig);
	dial_rig_run(rig);
	assert_true(rig->connected);
	rig->connection->stream.bytes_out = 5;
	upstream_connection_count(rig->connection);
	upstream_connection_count(rig->connection); /* once is enough */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (upstream_state_counted(rig->state, rows[i].server, rows[i].stat) !=
		        rows[i].wanted)
			fail_msg("row %zu", i);
	assert_int_equal(rig->row.failed[CLOSE_UPSTREAM_CONNECT], 1);
	assert_int_equal(dial_rig_counted(rig, STAT_UPSTREAM_REQUESTS), 1);
	assert_int_equal(dial_rig_counted(rig, STAT_UPSTREAM_BYTES_OUT), 5);
}

static void when_all_refuse_the_last_reason_is_told(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_refusing_servers(rig, 3);
	dial_rig_start(rig);
	dial_rig_run(rig);
	assert_false(rig->connected);
	assert_int_equal(rig->reason, CLOSE_UPSTREAM_CONNECT);
	assert_int_equal(rig->dialer.connections.count, 0);
	assert_int_equal(rig->calls, 1);
	assert_true(rig->dial.attempts >= 3);
}

static void tries_have_a_limit(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_refusing_servers(rig, 5);
	rig->settings.tries_max = 2;
	dial_rig_start(rig);
	dial_rig_run(rig);
	assert_false(rig->connected);
	assert_int_equal(rig->dial.attempts, 2);
}

static void tries_end_with_their_time(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_refusing_servers(rig, 5);
	rig->settings.tries_timeout_ms = 100;
	dial_rig_start(rig);
	fake_loop_advance(rig->io.loop, 100);
	dial_rig_run(rig);
	assert_false(rig->connected);
	assert_int_equal(rig->dial.attempts, 1);
}

static void within_their_time_there_are_more(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_refusing_servers(rig, 5);
	rig->settings.tries_timeout_ms = 100;
	dial_rig_start(rig);
	fake_loop_advance(rig->io.loop, 99);
	dial_rig_run(rig);
	assert_true(rig->dial.attempts > 1);
}

static void a_server_that_was_out_is_back_once_it_answers(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, true);
	dial_rig_add_server(rig, true);
	rig->endpoints[1].backup = true;
	dial_rig_start(rig);
	dial_rig_run(rig);
	assert_false(dial_failed(&rig->dial, CLOSE_UPSTREAM_RESET, "reset", false));
	upstream_connection_close(rig->connection);
	rig->connection = NULL;
	assert_true(dial_rig_is_out(rig, 0));
	fake_loop_advance(rig->io.loop, rig->endpoints[0].fail_timeout_ms);
	dial_rig_start_again(rig, &rig->settings);
	dial_rig_run(rig);
	assert_ptr_equal(rig->dial.endpoint, &rig->endpoints[0]);
	assert_false(dial_rig_is_out(rig, 0));
}

static void a_thousand_dead_servers_are_no_recursion(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_refusing_servers(rig, DIAL_RIG_SERVERS_MAX);
	dial_rig_start(rig);
	dial_rig_run(rig);
	assert_false(rig->connected);
	assert_true(
	        rig->dial.attempts > DIAL_RIG_SERVERS_MAX / 3); /* some share a bit of the tries */
	assert_non_null(rig->dial.shown[DIAL_ATTEMPTS_SHOWN - 1]);
}

static void without_an_answer_the_attempt_ends_with_its_time(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, true);
	dial_rig_start(rig);
	fake_loop_advance(rig->io.loop, DIAL_RIG_CONNECT_MS - 1);
	assert_int_equal(rig->calls, 0);
	fake_loop_advance(rig->io.loop, 1);
	assert_int_equal(rig->calls, 1);
	assert_int_equal(rig->reason, CLOSE_UPSTREAM_CONNECT_TIMEOUT);
	assert_int_equal(dial_rig_counted(rig, STAT_UPSTREAM_FAILURES), 1);
}

static void a_group_without_a_usable_server_says_so(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, true);
	rig->endpoints[0].down = true;
	dial_rig_start(rig);
	assert_int_equal(rig->calls, 1);
	assert_int_equal(rig->reason, CLOSE_NO_UPSTREAM);
	assert_int_equal(rig->dial.attempts, 0);
}

static void a_cancelled_dial_counts_no_failure(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, true);
	dial_rig_start(rig);
	dial_cancel(&rig->dial);
	assert_null(rig->dial.connection);
	fake_loop_advance(rig->io.loop, 2 * DIAL_RIG_CONNECT_MS);
	assert_int_equal(rig->calls, 0);
	assert_int_equal(dial_rig_counted(rig, STAT_UPSTREAM_FAILURES), 0);
	dial_cancel(&rig->dial); /* fine at any time */
}

/* ---- source addresses ---- */

static void sources_take_turns(void **state)
{
	struct dial_rig *rig = *state;
	struct address sources[2];
	struct sockaddr_in from = {.sin_family = AF_UNSPEC};
	socklen_t size = sizeof(from);

	for (size_t i = 0; i < 2; i++)
		sources[i] = (struct address){
		        .in = {.sin_family = AF_INET,
		                .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)i)},
		        .length = sizeof(sources[i].in)};
	rig->group.bind_addresses = sources;
	rig->group.bind_address_count = 2;
	rig->dialer.bind_turn = 1;
	dial_rig_add_server(rig, true);
	dial_rig_start(rig);
	dial_rig_run(rig);
	assert_true(rig->connected);
	assert_int_equal(
	        getsockname(rig->connection->stream.fd, (struct sockaddr *)&from, &size), 0);
	assert_int_equal(from.sin_addr.s_addr, sources[1].in.sin_addr.s_addr);
	assert_int_equal(rig->dialer.bind_turn, 2);
}

static void sources_of_another_family_are_passed_over(void **state)
{
	struct dial_rig *rig = *state;
	struct address sources[2] = {
	        {.in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT},
	                .length = sizeof(sources[0].in6)},
	        {.in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1)},
	                .length = sizeof(sources[1].in)},
	};
	struct sockaddr_in from = {.sin_family = AF_UNSPEC};
	socklen_t size = sizeof(from);

	rig->group.bind_addresses = sources;
	rig->group.bind_address_count = 2;
	dial_rig_add_server(rig, true);
	dial_rig_start(rig);
	dial_rig_run(rig);
	assert_true(rig->connected);
	assert_int_equal(
	        getsockname(rig->connection->stream.fd, (struct sockaddr *)&from, &size), 0);
	assert_int_equal(from.sin_addr.s_addr, sources[1].in.sin_addr.s_addr);
}

/* The lowest one is what the next socket gets. */
static int free_descriptor(void)
{
	int fd = dup(STDIN_FILENO);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

static void a_source_that_cannot_be_used_is_told_from_a_dead_server(void **state)
{
	struct dial_rig *rig = *state;
	struct address source = {
	        .in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201)}, /* 192.0.2.1 */
	        .length = sizeof(source.in)};

	rig->group.bind_addresses = &source;
	rig->group.bind_address_count = 1;
	dial_rig_add_server(rig, true);
	dial_rig_add_server(rig, true); /* of an only one nothing is counted */
	dial_rig_start(rig);
	int next = free_descriptor();
	dial_rig_start_again(rig, &rig->settings);
	assert_int_equal(rig->calls, 1);
	assert_int_equal(rig->reason, CLOSE_BIND);
	assert_int_equal(dial_rig_counted(rig, STAT_UPSTREAM_FAILURES), 0);
	assert_false(dial_rig_is_out(rig, 0) || dial_rig_is_out(rig, 1));
	assert_int_equal(free_descriptor(), next);
}

/* What connect(2) itself says: there is no way to a multicast address. */
static void a_server_that_cannot_be_is_a_failure_and_leaves_nothing(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, false);
	rig->endpoints[0].address.in.sin_addr.s_addr = htonl(0xe0000001); /* 224.0.0.1 */
	dial_rig_start(rig);
	int next = free_descriptor();
	dial_rig_start_again(rig, &rig->settings);
	assert_int_equal(rig->calls, 1);
	assert_false(rig->connected);
	assert_int_equal(rig->reason, CLOSE_UPSTREAM_CONNECT);
	assert_int_equal(dial_rig_counted(rig, STAT_UPSTREAM_FAILURES), 2);
	assert_int_equal(free_descriptor(), next);
}

/* ---- refused after READY ---- */

static void a_late_failure_counts_and_the_next_is_tried_if_it_may(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, true);
	dial_rig_add_server(rig, true);
	dial_rig_start(rig);
	dial_rig_run(rig);
	const struct config_endpoint *first = rig->dial.endpoint;
	rig->calls = 0;
	assert_true(dial_failed(&rig->dial, CLOSE_UPSTREAM_REFUSED_US, "refused", true));
	upstream_connection_close(rig->connection);
	assert_int_equal(rig->calls, 0);
	fake_loop_end_turn(rig->io.loop);
	dial_rig_run(rig);
	assert_true(rig->connected);
	assert_ptr_not_equal(rig->dial.endpoint, first);
	assert_true(dial_rig_is_out(rig, first->state_index));
	assert_int_equal(dial_rig_counted(rig, STAT_UPSTREAM_FAILURES), 1);
}

static void a_late_failure_with_bytes_gone_is_only_counted(void **state)
{
	struct dial_rig *rig = *state;

	dial_rig_add_server(rig, true);
	dial_rig_add_server(rig, true);
	dial_rig_start(rig);
	dial_rig_run(rig);
	assert_false(dial_failed(&rig->dial, CLOSE_UPSTREAM_REFUSED_US, "refused", false));
	assert_int_equal(rig->connection->stream.state, STREAM_OPEN); /* its owner's to end */
	assert_int_equal(dial_rig_counted(rig, STAT_UPSTREAM_FAILURES), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, dial_rig_set_up, dial_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(a_server_that_answers_is_connected_to),
	        CASE(after_a_refusal_the_next_server_is_tried),
	        CASE(each_server_has_its_own_counts),
	        CASE(when_all_refuse_the_last_reason_is_told),
	        CASE(tries_have_a_limit),
	        CASE(tries_end_with_their_time),
	        CASE(within_their_time_there_are_more),
	        CASE(a_server_that_was_out_is_back_once_it_answers),
	        CASE(a_thousand_dead_servers_are_no_recursion),
	        CASE(without_an_answer_the_attempt_ends_with_its_time),
	        CASE(a_group_without_a_usable_server_says_so),
	        CASE(a_cancelled_dial_counts_no_failure),
	        CASE(sources_take_turns),
	        CASE(sources_of_another_family_are_passed_over),
	        CASE(a_source_that_cannot_be_used_is_told_from_a_dead_server),
	        CASE(a_server_that_cannot_be_is_a_failure_and_leaves_nothing),
	        CASE(a_late_failure_counts_and_the_next_is_tried_if_it_may),
	        CASE(a_late_failure_with_bytes_gone_is_only_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
