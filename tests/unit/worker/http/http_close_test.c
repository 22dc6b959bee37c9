/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_close_test.c - a session that closes at every point of its exchanges.
 *
 * A story has one event after the other. It is told again and again, each time to a sudden end one
 * event later: between two events, or from inside of one, by a write or a finish that fails under
 * the step that made it. Nothing may be touched afterwards, nothing left over.
 */
#include "tests/support/exchange_rig.h"

#include "shared/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum who { CLIENT, UPSTREAM, CONNECT, STORY_END };

struct event {
	enum who who;
	const char *says;
};

static const struct event plain_story[] = {
        {CLIENT, "POST /x HTTP/1.1\r\n"},
        {CLIENT, "Host: a\r\nContent-Length: 8\r\n\r\nbo"},
        {CONNECT, NULL},
        {CLIENT, "dy"},
        {UPSTREAM, "HTTP/1.1 103 Early Hints\r\n\r\n"},
        {CLIENT, "more"},
        {UPSTREAM, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chu"},
        {UPSTREAM, "nked\r\n\r\n"},
        {UPSTREAM, "5\r\nhello\r\n"},
        {UPSTREAM, "5\r\nhello\r\n0\r\n\r\n"},
        {CLIENT, "GET /fine HTTP/1.1\r\nHost: a\r\n\r\n"},
        {CLIENT, "GET /x HTTP/1.1\r\nHost: a\r\n\r\nGET /moved HTTP/1.1\r\nHost: a\r\n\r\n"},
        {UPSTREAM, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
        {CLIENT, "POST /fine HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nbo"},
        {CLIENT, "dymore"},
        {CLIENT, "rubbish\r\n\r\n"},
        {CLIENT, "lingering"},
        {STORY_END, NULL},
};

static const struct event early_story[] = {
        {CLIENT, "PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {CONNECT, NULL},
        {CLIENT, "5\r\nhel"},
        {UPSTREAM, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"},
        {CLIENT, "lo"},
        {UPSTREAM, "hello"},
        {CLIENT, "\r\n0\r\n\r\n"},
        {STORY_END, NULL},
};

static const struct event upgrade_story[] = {
        {CLIENT, "GET /x HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nab"},
        {CONNECT, NULL},
        {UPSTREAM, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: "
                   "x\r\n\r\ncd"},
        {CLIENT, "ef"},
        {UPSTREAM, "gh"},
        {STORY_END, NULL},
};

static const struct event last_story[] = {
        {CLIENT, "GET /x HTTP/1.0\r\n\r\n"},
        {CONNECT, NULL},
        {UPSTREAM, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
        {STORY_END, NULL},
};

static const struct event retry_story[] = {
        {CLIENT, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"},
        {CONNECT, NULL},
        {UPSTREAM, NULL}, /* it ends */
        {CONNECT, NULL},
        {UPSTREAM, NULL},
        {STORY_END, NULL},
};

static const struct event *const stories[] = {
        plain_story,
        early_story,
        upgrade_story,
        last_story,
        retry_story,
};

enum { STORIES = sizeof(stories) / sizeof(stories[0]) };

static size_t length_of(const struct event *story)
{
	size_t length = 0;

	while (story[length].who != STORY_END)
		length++;
	return length;
}

static void tell_event(struct exchange_rig *rig, const struct event *event)
{
	switch (event->who) {
	case CLIENT:
		if (!rig->session->closed)
			exchange_rig_client_says(rig, event->says);
		break;
	case CONNECT:
		if (exchange_rig_is_dialling(rig))
			exchange_rig_connect(rig);
		break;
	case UPSTREAM:
		if (rig->upstream_count)
			exchange_rig_upstream_ends(rig, rig->upstream_count - 1,
			        event->says ? event->says : "", event->says ? IO_OK : IO_EOF);
		break;
	case STORY_END:
		break;
	}
}

static void tell(struct exchange_rig *rig, const struct event *story, size_t count)
{
	for (size_t i = 0; i < count; i++)
		tell_event(rig, &story[i]);
}

static void open_story(struct exchange_rig *rig)
{
	exchange_rig_init(rig);
	rig->group.endpoint_count = 2;
	exchange_rig_open(rig);
}

/* All that a session had is gone, but for what it gave to the pool. */
static void check_ended(struct exchange_rig *rig)
{
	CHECK(rig->session->closed && rig->ended == 1);
	CHECK(rig->client.closed);
	CHECK(rig->host.dialer.connections.count == idle_pool_count(rig->host.dialer.pool));
	CHECK(buffer_pool_lent_bytes(rig->host.io.pool) == 0);
}

/* ---- between two events ---- */

static void a_client_that_resets_at_any_time_ends_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < STORIES; i++) {
		for (size_t count = 0; count <= length_of(stories[i]); count++) {
			struct exchange_rig rig;
			open_story(&rig);
			tell(&rig, stories[i], count);
			if (!rig.session->closed)
				assert_true(exchange_rig_client_resets(&rig));
			check_ended(&rig);
			exchange_rig_destroy(&rig);
		}
	}
}

static void a_session_can_be_closed_at_any_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < STORIES; i++) {
		for (size_t count = 0; count <= length_of(stories[i]); count++) {
			struct exchange_rig rig;
			open_story(&rig);
			tell(&rig, stories[i], count);
			if (!rig.session->closed)
				session_close(rig.session, CLOSE_SHUTDOWN_TIMEOUT);
			fake_loop_end_turn(rig.host.io.loop);
			check_ended(&rig);
			exchange_rig_destroy(&rig);
		}
	}
}

static void whatever_stops_ends_in_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < STORIES; i++) {
		for (size_t count = 0; count <= length_of(stories[i]); count++) {
			struct exchange_rig rig;
			open_story(&rig);
			tell(&rig, stories[i], count);
			exchange_rig_pass(&rig, 300000);
			check_ended(&rig);
			exchange_rig_destroy(&rig);
		}
	}
}

/* ---- from inside of one ---- */

static void fail_after(struct fake_peer *peer, enum fake_operation operation, size_t count,
        enum close_reason reason)
{
	for (size_t i = 0; i < count; i++)
		fake_step_add(
		        peer, operation, (struct fake_step){.result = IO_OK, .count = SIZE_MAX});
	fake_fail(peer, operation, reason);
}

static void a_client_that_fails_under_any_write_ends_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < STORIES; i++) {
		bool failed = true;
		for (size_t writes = 0; failed; writes++) {
			struct exchange_rig rig;
			open_story(&rig);
			fail_after(&rig.client, FAKE_WRITE, writes, CLOSE_CLIENT_RESET);
			tell(&rig, stories[i], length_of(stories[i]));
			failed = rig.client.calls[FAKE_WRITE] > writes;
			if (failed)
				check_ended(&rig);
			exchange_rig_destroy(&rig);
		}
	}
}

static void a_client_that_fails_under_the_finish_ends_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < STORIES; i++) {
		struct exchange_rig rig;
		open_story(&rig);
		fake_fail(&rig.client, FAKE_FINISH, CLOSE_CLIENT_RESET);
		tell(&rig, stories[i], length_of(stories[i]));
		if (rig.client.calls[FAKE_FINISH])
			check_ended(&rig);
		exchange_rig_destroy(&rig);
	}
}

/* The client is answered, or cut; it is never left waiting. */
static void an_upstream_that_fails_under_any_write_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < STORIES; i++) {
		bool failed = true;
		for (size_t writes = 0; failed; writes++) {
			struct exchange_rig rig;
			open_story(&rig);
			fail_after(&rig.upstreams[0], FAKE_WRITE, writes, CLOSE_UPSTREAM_RESET);
			tell(&rig, stories[i], length_of(stories[i]));
			failed = rig.upstreams[0].calls[FAKE_WRITE] > writes;
			if (failed) {
				assert_true(rig.upstreams[0].closed);
				exchange_rig_pass(&rig, 300000);
				check_ended(&rig);
			}
			exchange_rig_destroy(&rig);
		}
	}
}

static void sockets_that_take_a_byte_a_time_change_nothing(void **state)
{
	enum { WRITES = 60 };

	(void)state;
	for (size_t i = 0; i < STORIES; i++) {
		struct exchange_rig plain, slow;
		open_story(&plain);
		open_story(&slow);
		for (int j = 0; j < WRITES; j++) {
			fake_write_short(&slow.client, 1);
			fake_write_kept(&slow.upstreams[0], 1);
		}
		for (const struct event *event = stories[i]; event->who != STORY_END; event++) {
			tell_event(&plain, event);
			tell_event(&slow, event);
			while (exchange_rig_client_writable(&slow) ||
			        (slow.upstream_count && exchange_rig_upstream_writable(&slow, 0)))
				;
		}
		assert_int_equal(slow.client.received_bytes, plain.client.received_bytes);
		assert_int_equal(
		        slow.upstreams[0].received_bytes, plain.upstreams[0].received_bytes);
		assert_int_equal(slow.session->closed, plain.session->closed);
		assert_int_equal(exchange_rig_lines(&slow), exchange_rig_lines(&plain));
		exchange_rig_destroy(&slow);
		exchange_rig_destroy(&plain);
	}
}

/* Memory of an exchange whose steps are on the call stack. */
static void an_exchange_outlives_the_step_that_ends_it(void **state)
{
	struct exchange_rig rig;

	(void)state;
	open_story(&rig);
	fake_fail(&rig.client, FAKE_WRITE, CLOSE_CLIENT_RESET);
	fake_read(&rig.client, "GET /fine HTTP/1.1\r\nHost: a\r\n\r\n");
	fake_loop_fire_in_turn(&rig.session->client.watch, EVENT_READ);
	assert_true(rig.session->closed);
	assert_int_equal(rig.ended, 0);
	struct arena *other = http_host_lend_arena(rig.host.http);
	fake_loop_end_turn(rig.host.io.loop);
	assert_int_equal(rig.ended, 1);
	struct arena *its_own = http_host_lend_arena(rig.host.http);
	assert_ptr_not_equal(other, its_own);
	http_host_return_arena(rig.host.http, other);
	http_host_return_arena(rig.host.http, its_own);
	exchange_rig_destroy(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_client_that_resets_at_any_time_ends_all),
	        cmocka_unit_test(a_session_can_be_closed_at_any_time),
	        cmocka_unit_test(whatever_stops_ends_in_time),
	        cmocka_unit_test(a_client_that_fails_under_any_write_ends_all),
	        cmocka_unit_test(a_client_that_fails_under_the_finish_ends_all),
	        cmocka_unit_test(an_upstream_that_fails_under_any_write_is_told),
	        cmocka_unit_test(sockets_that_take_a_byte_a_time_change_nothing),
	        cmocka_unit_test(an_exchange_outlives_the_step_that_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
