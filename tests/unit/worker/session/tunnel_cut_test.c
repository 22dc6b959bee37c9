/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tunnel_cut_test.c - ends that are none: the lower rows of the table in tunnel.c, each from both
 * sides.
 */
#include "tests/support/direction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- cuts ---- */

static void a_cut_with_nothing_left_cuts_both_at_once(struct direction *direction)
{
	direction_start(direction);
	direction_end(direction, "", IO_ERROR);
	assert_true(direction_ended_as(direction, direction->reset));
	assert_true(direction_was_cut(direction));
	assert_false(direction->target->finished);
}

static void a_truncation_is_a_cut(struct direction *direction)
{
	direction_start(direction);
	direction_end(direction, "whole", IO_TRUNCATED);
	assert_true(direction_ended_as(direction, direction->truncated));
	assert_true(direction_was_cut(direction));
	assert_true(fake_received_is(direction->target, "whole"));
	assert_false(direction->target->finished); /* must not be taken for the end */
}

static void a_cut_waits_until_what_arrived_whole_was_sent(struct direction *direction)
{
	static const enum io_result cuts[] = {IO_TRUNCATED, IO_ERROR};
	bool from_client = direction->source == &direction->fake.client;

	for (size_t i = 0; i < 2; i++) {
		struct direction *own = direction_create(from_client);
		direction_start(own);
		direction_send_into_full(own, "queued ");
		fake_write_short(own->target, 3);
		fake_write_kept(own->target, SIZE_MAX); /* the rest of "queued " */
		fake_write_kept(own->target, 1); /* gone; "waiting" is pumped, */
		fake_write_kept(own->target, SIZE_MAX); /* and kept as well */
		direction_end(own, "waiting", cuts[i]);
		while (direction_is_running(own))
			assert_true(fake_writable(own->to));
		assert_true(fake_received_is(own->target, "queued waiting"));
		assert_int_equal(own->target->tail_bytes, 0);
		assert_true(direction_ended_as(own, i == 0 ? own->truncated : own->reset));
		assert_true(direction_was_cut(own));
		assert_false(own->target->finished);
		direction_destroy(own);
	}
	direction_start(direction);
}

static void a_truncation_may_be_allowed_to_pass_as_an_end(struct direction *direction)
{
	direction->fake.settings.truncation_resets = false;
	direction_start(direction);
	direction_send_into_full(direction, "queued");
	direction_end(direction, "", IO_TRUNCATED);
	assert_true(direction_is_running(direction));
	fake_writable(direction->to);
	assert_true(direction_ended_as(direction, direction->truncated));
	assert_true(direction_was_closed(direction));
	assert_true(fake_received_is(direction->target, "queued"));
	assert_true(direction->target->finished);
}

static void a_reset_stays_a_cut_where_truncation_may_pass(struct direction *direction)
{
	direction->fake.settings.truncation_resets = false;
	direction_start(direction);
	direction_end(direction, "", IO_ERROR);
	assert_true(direction_was_cut(direction));
	assert_false(direction->target->finished);
}

static void a_target_that_fails_ends_both(struct direction *direction)
{
	direction_start(direction);
	fake_fail(direction->target, FAKE_WRITE, direction->target_reset);
	direction_send(direction, "into nothing");
	assert_true(direction_ended_as(direction, direction->target_reset));
	assert_true(direction_was_cut(direction));
}

static void what_a_failed_target_had_sent_still_arrives(struct direction *direction)
{
	direction_start(direction);
	fake_write_short(direction->source, 0);
	fake_read(direction->target, "an early ");
	fake_readable(direction->to);
	fake_read(direction->target, "answer");
	fake_readable(direction->to);
	fake_fail(direction->target, FAKE_WRITE, direction->target_reset);
	direction_send(direction, "into nothing");
	assert_true(direction_is_running(direction));
	fake_writable(direction->from);
	assert_true(direction_ended_as(direction, direction->target_reset));
	assert_true(fake_received_is(direction->source, "an early answer"));
}

static void bytes_between_two_broken_sides_go_nowhere(struct direction *direction)
{
	direction_start(direction);
	direction_send_into_full(direction, "queued");
	fake_write_short(direction->source, 0);
	fake_read(direction->target, "queued");
	fake_readable(direction->to);
	direction_end(direction, "waiting", IO_ERROR);
	assert_true(direction_is_running(direction));
	fake_read_end(direction->target, "waiting", IO_ERROR);
	fake_readable(direction->to);
	assert_int_equal(direction->fake.ended, 1);
	assert_true(direction_was_cut(direction));
}

static void a_failing_finish_is_a_cut(struct direction *direction)
{
	direction_start(direction);
	fake_fail(direction->target, FAKE_FINISH, direction->target_reset);
	direction_end(direction, "last", IO_EOF);
	assert_true(direction_ended_as(direction, direction->target_reset));
	assert_true(direction_was_cut(direction));
}

/* A key update arrives with the bytes on which the other side fails: its answer, still to be sent,
 * must not keep the session open for ever. */
static void an_answer_of_the_transport_does_not_hold_up_the_end(struct direction *direction)
{
	direction_start(direction);
	fake_fail(direction->target, FAKE_WRITE, direction->target_reset);
	fake_step_add(direction->source, FAKE_READ,
	        (struct fake_step){.result = IO_OK,
	                .bytes = (const unsigned char *)"bytes",
	                .count = 5,
	                .answers = true});
	fake_readable(direction->from);
	assert_true(direction_ended_as(direction, direction->target_reset));
	assert_true(direction_was_cut(direction));
}

/* ---- deadlines ---- */

static void idleness_cuts_both(struct direction *direction)
{
	direction_start(direction);
	direction_send_into_full(direction, "stuck");
	fake_loop_advance(direction->fake.host.io.loop, 59999);
	assert_true(direction_is_running(direction));
	fake_loop_advance(direction->fake.host.io.loop, 1);
	assert_true(direction_ended_as(direction, CLOSE_IDLE_TIMEOUT));
	assert_true(direction_was_cut(direction));
}

static void a_byte_starts_the_idle_time_anew(struct direction *direction)
{
	direction_start(direction);
	for (int i = 0; i < 5; i++) {
		fake_loop_advance(direction->fake.host.io.loop, 59999);
		direction_send(direction, "x");
	}
	assert_true(direction_is_running(direction));
	fake_loop_advance(direction->fake.host.io.loop, 60000);
	assert_true(direction_ended_as(direction, CLOSE_IDLE_TIMEOUT));
}

static void a_slow_reader_is_not_idle(struct direction *direction)
{
	direction_start(direction);
	direction_send_into_full(direction, "0123456789");
	for (int i = 0; i < 4; i++) {
		fake_loop_advance(direction->fake.host.io.loop, 50000);
		fake_write_short(direction->target, 1);
		assert_true(
		        fake_writable(direction->to)); /* tells no event: bytes are still queued */
		assert_true(direction_is_running(direction));
	}
	fake_loop_advance(direction->fake.host.io.loop, 99999);
	assert_true(direction_is_running(direction));
	fake_loop_advance(
	        direction->fake.host.io.loop, 1); /* what is a whole time without a byte */
	assert_true(direction_ended_as(direction, CLOSE_IDLE_TIMEOUT));
}

/* ---- a refusal of our certificate, which TLS 1.3 tells after READY ---- */

static bool is_dialled_again(const struct fake_session *fake)
{
	return !fake->session->closed && !fake->session->upstream &&
	       !list_is_empty(&fake->session->dial.next_attempt.link);
}

/* The turn is not over afterwards: the next attempt waits for its end. */
static void refuse(struct fake_session *fake)
{
	fake_fail(&fake->upstream, FAKE_READ, CLOSE_UPSTREAM_REFUSED_US);
	fake_loop_fire_in_turn(&fake->session->upstream->watch, EVENT_READ);
}

static void a_refusal_before_any_byte_dials_another_server(struct direction *direction)
{
	struct fake_session *fake = &direction->fake;

	fake->unconfirmed = true;
	direction_start(direction);
	refuse(fake);
	assert_true(is_dialled_again(fake));
	assert_false(fake->client.closed);
	assert_true(fake->upstream.closed);
	/* The client's bytes wait meanwhile, and no idle deadline runs. */
	fake_read(&fake->client, "early");
	fake_loop_fire_in_turn(&fake->session->client.watch, EVENT_READ);
	assert_int_equal(stream_in_bytes(&fake->session->client), 5);
	assert_int_equal(fake_loop_timer_count(fake->host.io.loop), 0);
	session_close(fake->session, CLOSE_FAST_SHUTDOWN);
}

static void a_refusal_after_bytes_left_the_clients_buffer_is_the_end(struct direction *direction)
{
	struct fake_session *fake = &direction->fake;

	fake->unconfirmed = true;
	direction_start(direction);
	fake_write_short(
	        &fake->upstream, 0); /* none of them reached the socket, but they are gone */
	fake_read(&fake->client, "early");
	fake_readable(&fake->session->client);
	assert_int_equal(fake->session->upstream->bytes_out, 0);
	refuse(fake);
	assert_false(is_dialled_again(fake));
	fake_loop_end_turn(fake->host.io.loop);
	assert_true(direction_ended_as(direction, CLOSE_UPSTREAM_REFUSED_US));
	assert_true(direction_was_cut(direction));
}

static void a_refusal_after_an_answer_is_the_end(struct direction *direction)
{
	struct fake_session *fake = &direction->fake;

	fake->unconfirmed = true;
	direction_start(direction);
	fake_read(&fake->upstream, "hello");
	fake_readable(fake->session->upstream);
	refuse(fake);
	fake_loop_end_turn(fake->host.io.loop);
	assert_true(direction_ended_as(direction, CLOSE_UPSTREAM_REFUSED_US));
}

#define CASE(test)                                                \
	{                                                         \
		.name = #test, .test_func = direction_run_both,   \
		.initial_state = (void *)&(direction_fn *){test}, \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(a_cut_with_nothing_left_cuts_both_at_once),
	        CASE(a_truncation_is_a_cut),
	        CASE(a_cut_waits_until_what_arrived_whole_was_sent),
	        CASE(a_truncation_may_be_allowed_to_pass_as_an_end),
	        CASE(a_reset_stays_a_cut_where_truncation_may_pass),
	        CASE(a_target_that_fails_ends_both),
	        CASE(what_a_failed_target_had_sent_still_arrives),
	        CASE(bytes_between_two_broken_sides_go_nowhere),
	        CASE(a_failing_finish_is_a_cut),
	        CASE(an_answer_of_the_transport_does_not_hold_up_the_end),
	        CASE(idleness_cuts_both),
	        CASE(a_byte_starts_the_idle_time_anew),
	        CASE(a_slow_reader_is_not_idle),
	        CASE(a_refusal_before_any_byte_dials_another_server),
	        CASE(a_refusal_after_bytes_left_the_clients_buffer_is_the_end),
	        CASE(a_refusal_after_an_answer_is_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
