/* SPDX-License-Identifier: BSD-2-Clause */
/* session_test.c - waiting for the upstream, ending once, and memory that outlives the callback. */
#include "tests/support/fake_session.h"
#include "worker/upstream/idle_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { POOL_BYTES = 1 << 20 };

static int set_up(void **state)
{
	struct fake_session *fake = malloc(sizeof(*fake));

	fake_session_init(fake, POOL_BYTES);
	*state = fake;
	return 0;
}

static int tear_down(void **state)
{
	struct fake_session *fake = *state;

	fake_session_destroy(fake);
	free(fake);
	return 0;
}

static bool client_readable(struct fake_session *fake)
{
	return fake_session_fire(&fake->session->client, EVENT_READ);
}

/* ---- before the upstream is there ---- */

static void the_clients_bytes_wait_for_the_upstream(void **state)
{
	struct fake_session *fake = *state;

	fake_read(&fake->client, "early ");
	fake_read(&fake->client, "bird");
	fake_session_open(fake);
	client_readable(fake);
	client_readable(fake);
	assert_int_equal(stream_in_bytes(&fake->session->client), 10);
	fake_session_connect(fake);
	assert_true(fake_received_is(&fake->upstream, "early bird"));
}

static void a_client_that_floods_meanwhile_is_stopped(void **state)
{
	struct fake_session *fake = *state;

	fake->client.source_bytes = 10 << 20;
	fake_session_open(fake);
	while (client_readable(fake))
		;
	assert_int_equal(fake->client.source_given, BUFFER_SMALL_BYTES);
	fake_session_connect(fake);
	assert_true(client_readable(fake));
}

static void a_client_that_ends_meanwhile_still_gets_its_answer(void **state)
{
	struct fake_session *fake = *state;

	fake_read_end(&fake->client, "question", IO_EOF);
	fake_session_open(fake);
	client_readable(fake);
	assert_false(fake->session->closed);
	fake_session_connect(fake);
	assert_true(fake_received_is(&fake->upstream, "question"));
	fake_read_end(&fake->upstream, "answer", IO_EOF);
	fake_session_fire(fake->session->upstream, EVENT_READ);
	assert_true(fake_received_is(&fake->client, "answer"));
	assert_true(fake_session_ended_as(fake, CLOSE_DONE));
}

static void a_client_that_resets_meanwhile_ends_the_session(void **state)
{
	static const struct {
		enum io_result result;
		enum close_reason reason;
	} cases[] = {
	        {IO_ERROR, CLOSE_CLIENT_RESET},
	        {IO_TRUNCATED, CLOSE_CLIENT_TRUNCATED},
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fake_session fake;
		fake_session_init(&fake, POOL_BYTES);
		fake_step_add(&fake.client, FAKE_READ,
		        (struct fake_step){.result = cases[i].result, .reason = cases[i].reason});
		fake_session_open(&fake);
		client_readable(&fake);
		assert_true(fake_session_ended_as(&fake, cases[i].reason));
		assert_true(fake.client.cut);
		fake_session_destroy(&fake);
	}
}

static void an_upstream_that_fails_is_a_cut_for_the_client(void **state)
{
	struct fake_session *fake = *state;

	fake_handshake(&fake->upstream, IO_WANT_READ);
	fake_fail(&fake->upstream, FAKE_HANDSHAKE, CLOSE_UPSTREAM_VERIFY);
	fake_session_open(fake);
	fake_session_connect(fake);
	assert_false(fake->session->closed);
	fake_session_fire(fake->session->upstream, EVENT_READ);
	assert_true(fake_session_ended_as(fake, CLOSE_UPSTREAM_VERIFY));
	assert_true(fake->client.cut);
	assert_false(fake->client.finished);
}

/* ---- the end ---- */

static void a_session_ends_once_and_with_its_first_reason(void **state)
{
	struct fake_session *fake = *state;

	fake_session_open(fake);
	fake_session_connect(fake);
	session_close(fake->session, CLOSE_GENERATION_LIMIT);
	session_close(fake->session, CLOSE_DONE);
	session_close_failed(fake->session, &fake->session->client, true);
	fake_loop_end_turn(fake->host.io.loop);
	assert_true(fake_session_ended_as(fake, CLOSE_GENERATION_LIMIT));
	assert_int_equal(fake->row.closed[CLOSE_DONE], 0);
	assert_int_equal(fake->row.closed[CLOSE_CLIENT_RESET], 0);
}

static void only_a_done_session_is_closed_cleanly(void **state)
{
	(void)state;
	for (int reason = 0; reason < CLOSE_REASON_COUNT; reason++) {
		struct fake_session fake;
		fake_session_init(&fake, POOL_BYTES);
		fake_session_open(&fake);
		fake_session_connect(&fake);
		session_close(fake.session, (enum close_reason)reason);
		assert_int_equal(fake.client.cut, reason != CLOSE_DONE);
		assert_int_equal(fake.upstream.cut, reason != CLOSE_DONE);
		fake_session_destroy(&fake);
	}
}

static void its_memory_lives_until_the_turn_is_over(void **state)
{
	struct fake_session *fake = *state;

	fake_session_open(fake);
	fake_session_connect(fake);
	assert_int_equal(fake->host.session_count, 1);
	session_close(fake->session, CLOSE_DONE);
	assert_int_equal(fake->host.session_count, 0);
	assert_true(list_is_empty(&fake->host.sessions));
	assert_int_equal(fake->ended, 0);
	assert_true(fake->session->closed); /* may still be asked */
	fake_loop_end_turn(fake->host.io.loop);
	assert_int_equal(fake->ended, 1);
}

static void its_memory_serves_the_next_one(void **state)
{
	struct fake_session *fake = *state;

	fake_session_open(fake);
	struct session *first = fake->session;
	session_close(first, CLOSE_DONE);
	fake_loop_end_turn(fake->host.io.loop);
	assert_int_equal(fake->host.spare_count, 1);
	fake_peer_free(&fake->client);
	fake_peer_init(&fake->client);
	fake->ended = 0;
	fake_session_open(fake);
	assert_ptr_equal(fake->session, first);
	assert_int_equal(fake->session->number, 2);
	assert_false(fake->session->closed);
	assert_int_equal(fake->host.spare_count, 0);
}

static void its_bytes_are_counted_as_the_clients_see_them(void **state)
{
	struct fake_session *fake = *state;

	fake_read_end(&fake->client, "12345", IO_EOF);
	fake_read_end(&fake->upstream, "123", IO_EOF);
	fake_session_open(fake);
	fake_session_connect(fake);
	client_readable(fake);
	fake_session_fire(fake->session->upstream, EVENT_READ);
	assert_true(fake_session_ended_as(fake, CLOSE_DONE));
	assert_int_equal(fake->row.counters[STAT_CLIENT_BYTES_IN], 5);
	assert_int_equal(fake->row.counters[STAT_CLIENT_BYTES_OUT], 3);
}

/* ---- the upstream's connection comes and goes ---- */

static void keep_connections(struct fake_session *fake)
{
	fake->group.keepalive = 1;
	fake->group.keepalive_requests = 10;
	fake->group.keepalive_timeout_ms = fake->group.keepalive_time_ms = 60000;
}

static void a_reusable_connection_outlives_its_session(void **state)
{
	struct fake_session *fake = *state;

	keep_connections(fake);
	fake_session_open(fake);
	fake_session_connect(fake);
	session_release_upstream(fake->session, true);
	assert_null(fake->session->upstream);
	session_close(fake->session, CLOSE_CLIENT_RESET);
	fake_loop_end_turn(fake->host.io.loop);
	assert_true(fake->client.cut);
	assert_false(fake->upstream.closed);
	assert_int_equal(idle_pool_count(fake->host.dialer.pool), 1);
}

static void any_other_ends_when_it_is_released(void **state)
{
	struct fake_session *fake = *state;

	keep_connections(fake);
	fake_session_open(fake);
	fake_session_connect(fake);
	session_release_upstream(fake->session, false);
	assert_null(fake->session->upstream);
	assert_true(fake->upstream.closed);
	session_release_upstream(fake->session, true); /* fine when there is none */
	session_drop_upstream(fake->session);
	assert_false(fake->session->closed);
}

static void on_dialled(struct dial *dial, bool connected, enum close_reason reason)
{
	(void)dial;
	fail_msg("told of %d, %d after the end", connected, (int)reason);
}

static void a_dial_ends_with_its_session(void **state)
{
	struct fake_session *fake = *state;

	fake_session_open(fake);
	dial_start(&fake->session->dial, &fake->dial_settings, 1, false, on_dialled);
	session_close(fake->session, CLOSE_CLIENT_RESET);
	fake_loop_end_turn(fake->host.io.loop);
	assert_int_equal(fake->host.dialer.connections.count, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(the_clients_bytes_wait_for_the_upstream),
	        CASE(a_client_that_floods_meanwhile_is_stopped),
	        CASE(a_client_that_ends_meanwhile_still_gets_its_answer),
	        CASE(a_client_that_resets_meanwhile_ends_the_session),
	        CASE(an_upstream_that_fails_is_a_cut_for_the_client),
	        CASE(a_session_ends_once_and_with_its_first_reason),
	        CASE(only_a_done_session_is_closed_cleanly),
	        CASE(its_memory_lives_until_the_turn_is_over),
	        CASE(its_memory_serves_the_next_one),
	        CASE(its_bytes_are_counted_as_the_clients_see_them),
	        CASE(a_reusable_connection_outlives_its_session),
	        CASE(any_other_ends_when_it_is_released),
	        CASE(a_dial_ends_with_its_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
