/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tunnel_test.c - bytes both ways, back-pressure, and ends that are passed on: the upper rows of
 * the table in tunnel.c, each from both sides. The cuts are in tunnel_cut_test.c.
 */
#include "tests/support/direction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BULK_BYTES = 48 << 20 };

/* ---- no end ---- */

static void bytes_pass_as_they_come(struct direction *direction)
{
	direction_start(direction);
	direction_send(direction, "one ");
	direction_send(direction, "two");
	assert_true(fake_received_is(direction->target, "one two"));
	assert_true(direction_is_running(direction));
	assert_int_equal(buffer_pool_lent_bytes(direction->fake.host.io.pool), 0);
}

static void a_full_target_stops_the_source_by_itself(struct direction *direction)
{
	direction_start(direction);
	direction->source->source_bytes = BULK_BYTES;
	fake_write_short(direction->target, 10);
	while (fake_readable(direction->from))
		assert_true(direction->source->source_given <= 4 * 256 * 1024);
	assert_int_equal(direction->from->watch.events, 0);
	assert_true(fake_writable(direction->to));
	assert_true(fake_readable(direction->from));
}

/* The target's socket takes odd amounts, with refusals and kept bytes in between. */
static void a_large_transfer_arrives_whole(struct direction *direction)
{
	unsigned turn = 0;

	direction_start(direction);
	direction->source->source_bytes = BULK_BYTES;
	while (!direction->target->finished) {
		if (fake_script_is_done(direction->target)) {
			direction->target->queues[FAKE_WRITE] = (struct fake_queue){.count = 0};
			fake_write_short(direction->target, 100 + turn % 30000);
			fake_write_kept(direction->target, 20000);
		}
		bool moved = fake_readable(direction->from);
		moved |= turn++ % 3 == 0 && fake_writable(direction->to);
		assert_true(moved || direction->to->watch.events & EVENT_WRITE);
		assert_true(buffer_pool_lent_bytes(direction->fake.host.io.pool) <= 2 * 256 * 1024);
	}
	assert_true(fake_received_pattern(direction->target, BULK_BYTES));
}

/* ---- end of file ---- */

static void eof_with_nothing_left_finishes_the_target_at_once(struct direction *direction)
{
	direction_start(direction);
	direction_end(direction, "", IO_EOF);
	assert_true(direction->target->finished);
	assert_false(direction->target->finish_was_closing); /* the other direction goes on */
	assert_true(direction_is_running(direction));
}

static void eof_with_bytes_in_it_delivers_them_first(struct direction *direction)
{
	direction_start(direction);
	direction_end(direction, "last", IO_EOF);
	assert_true(fake_received_is(direction->target, "last"));
	assert_true(direction->target->finished);
}

static void eof_while_the_target_still_sends_is_remembered(struct direction *direction)
{
	direction_start(direction);
	direction_send_into_full(direction, "queued");
	direction_end(direction, "", IO_EOF);
	assert_int_equal(stream_in_bytes(direction->from), 0);
	assert_false(direction->target->finished);
	fake_writable(direction->to);
	assert_true(fake_received_is(direction->target, "queued"));
	assert_true(direction->target->finished);
	assert_true(direction_is_running(direction));
}

static void eof_with_bytes_waiting_is_passed_on_after_them(struct direction *direction)
{
	direction_start(direction);
	direction_send_into_full(direction, "queued ");
	fake_write_short(direction->target, 7);
	fake_write_short(direction->target, 2);
	direction_end(direction, "waiting", IO_EOF);
	assert_int_equal(stream_in_bytes(direction->from), 7);
	while (fake_writable(direction->to))
		assert_true(direction_is_running(direction));
	assert_true(fake_received_is(direction->target, "queued waiting"));
	assert_true(direction->target->finished);
}

static void the_other_direction_goes_on_after_an_end(struct direction *direction)
{
	direction_start(direction);
	direction_end(direction, "question", IO_EOF);
	fake_read(direction->target, "answer");
	fake_readable(direction->to);
	assert_true(fake_received_is(direction->source, "answer"));
	assert_true(direction_is_running(direction));
}

static void ends_both_ways_are_the_end(struct direction *direction)
{
	direction_start(direction);
	direction_end(direction, "one", IO_EOF);
	fake_read_end(direction->target, "two", IO_EOF);
	fake_readable(direction->to);
	assert_true(direction_ended_as(direction, CLOSE_DONE));
	assert_true(direction_was_closed(direction));
	assert_true(fake_received_is(direction->target, "one"));
	assert_true(fake_received_is(direction->source, "two"));
	/* The second FIN comes with close(2). */
	assert_true(direction->source->finished && direction->source->finish_was_closing);
}

static void the_end_waits_for_the_last_byte(struct direction *direction)
{
	direction_start(direction);
	direction_end(direction, "", IO_EOF);
	fake_write_short(direction->source, 1);
	fake_read_end(direction->target, "answer", IO_EOF);
	fake_readable(direction->to);
	assert_true(direction_is_running(direction));
	fake_writable(direction->from);
	assert_true(direction_ended_as(direction, CLOSE_DONE));
	assert_true(fake_received_is(direction->source, "answer"));
	assert_true(direction_was_closed(direction));
}

static void the_end_waits_for_a_finish_that_is_held_up(struct direction *direction)
{
	direction_start(direction);
	direction_end(direction, "", IO_EOF);
	fake_step_add(direction->source, FAKE_FINISH, (struct fake_step){.result = IO_WANT_WRITE});
	fake_read_end(direction->target, "", IO_EOF);
	fake_readable(direction->to);
	assert_true(direction_is_running(direction));
	fake_writable(direction->from);
	assert_true(direction_ended_as(direction, CLOSE_DONE));
	assert_true(direction_was_closed(direction));
}

/* The second end must reach its target though the first direction still has bytes to send. */
static void a_second_end_is_passed_on_while_the_first_is_still_sending(struct direction *direction)
{
	direction_start(direction);
	direction_send_into_full(direction, "slowly read");
	direction_end(direction, "", IO_EOF);
	fake_read_end(direction->target, "", IO_EOF);
	fake_readable(direction->to);
	assert_true(direction_is_running(direction));
	assert_true(direction->source->finished);
	assert_false(direction->source->finish_was_closing); /* a FIN now, not when all is read */
	fake_writable(direction->to);
	assert_true(direction_ended_as(direction, CLOSE_DONE));
	assert_true(fake_received_is(direction->target, "slowly read"));
}

/* ---- half_close off ---- */

static void without_half_close_the_first_end_is_the_end(struct direction *direction)
{
	direction->fake.settings.half_close = false;
	direction_start(direction);
	direction_send_into_full(direction, "queued");
	direction_end(direction, "", IO_EOF);
	assert_true(direction_is_running(direction));
	fake_writable(direction->to);
	assert_true(direction_ended_as(direction, CLOSE_DONE));
	assert_true(direction_was_closed(direction));
	assert_true(fake_received_is(direction->target, "queued"));
	assert_true(direction->target->finished && direction->target->finish_was_closing);
}

/* ---- how it begins ---- */

static void what_happened_before_the_upstream_was_there_counts(struct direction *direction)
{
	struct fake_session *fake = &direction->fake;

	fake_read_end(&fake->client, "early", IO_EOF);
	fake_session_open(fake);
	assert_true(fake_readable(&fake->session->client));
	assert_int_equal(stream_in_bytes(&fake->session->client), 5);
	fake_session_connect(fake);
	assert_true(fake_received_is(&fake->upstream, "early"));
	assert_true(fake->upstream.finished);
	assert_false(fake->session->closed);
}

static void it_may_be_closed_from_outside_at_any_time(struct direction *direction)
{
	direction_start(direction);
	direction_send_into_full(direction, "queued");
	session_close(direction->fake.session, CLOSE_SHUTDOWN_TIMEOUT);
	session_close(direction->fake.session, CLOSE_DONE); /* the first reason stays */
	fake_loop_end_turn(direction->fake.host.io.loop);
	assert_true(direction_ended_as(direction, CLOSE_SHUTDOWN_TIMEOUT));
	assert_true(direction_was_cut(direction));
}

static void an_empty_pool_only_delays(struct direction *direction)
{
	struct buffer_pool *pool = direction->fake.host.io.pool;

	direction_start(direction);
	struct buffer *all = buffer_pool_lend(pool, DIRECTION_POOL_BYTES);
	fake_read_end(direction->source, "late", IO_EOF);
	fake_readable(direction->from);
	assert_false(fake_readable(direction->from));
	buffer_pool_return(pool, &all);
	assert_true(fake_readable(direction->from));
	assert_true(fake_received_is(direction->target, "late"));
	assert_true(direction->target->finished);
}

#define CASE(test)                                                \
	{                                                         \
		.name = #test, .test_func = direction_run_both,   \
		.initial_state = (void *)&(direction_fn *){test}, \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(bytes_pass_as_they_come),
	        CASE(a_full_target_stops_the_source_by_itself),
	        CASE(a_large_transfer_arrives_whole),
	        CASE(eof_with_nothing_left_finishes_the_target_at_once),
	        CASE(eof_with_bytes_in_it_delivers_them_first),
	        CASE(eof_while_the_target_still_sends_is_remembered),
	        CASE(eof_with_bytes_waiting_is_passed_on_after_them),
	        CASE(the_other_direction_goes_on_after_an_end),
	        CASE(ends_both_ways_are_the_end),
	        CASE(the_end_waits_for_the_last_byte),
	        CASE(the_end_waits_for_a_finish_that_is_held_up),
	        CASE(a_second_end_is_passed_on_while_the_first_is_still_sending),
	        CASE(without_half_close_the_first_end_is_the_end),
	        CASE(what_happened_before_the_upstream_was_there_counts),
	        CASE(it_may_be_closed_from_outside_at_any_time),
	        CASE(an_empty_pool_only_delays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
