/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tunnel_test.c - each row of the table at the top of tunnel.c, from both sides.
 *
 * A direction has a source and a target; every case that looks at one direction runs twice, with
 * the client and with the upstream as its source.
 */
#include "tests/support/fake_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { POOL_BYTES = 4 << 20, BULK_BYTES = 48 << 20 };

/* One direction of a session, named from its source. */
struct direction {
	struct fake_session fake;
	struct fake_peer *source, *target;
	struct stream *from, *to;
	enum close_reason reset, truncated; /* the reasons of the source's failures */
};

static struct direction *direction_create(bool from_client)
{
	struct direction *direction = malloc(sizeof(*direction));
	struct fake_session *fake = &direction->fake;

	fake_session_init(fake, POOL_BYTES);
	direction->source = from_client ? &fake->client : &fake->upstream;
	direction->target = from_client ? &fake->upstream : &fake->client;
	direction->reset = from_client ? CLOSE_CLIENT_RESET : CLOSE_UPSTREAM_RESET;
	direction->truncated = from_client ? CLOSE_CLIENT_TRUNCATED : CLOSE_UPSTREAM_TRUNCATED;
	return direction;
}

static void start(struct direction *direction)
{
	struct fake_session *fake = &direction->fake;

	fake_session_open(fake);
	fake_session_connect(fake);
	bool from_client = direction->source == &fake->client;
	direction->from = from_client ? &fake->session->client : &fake->session->upstream;
	direction->to = from_client ? &fake->session->upstream : &fake->session->client;
}

static void direction_destroy(struct direction *direction)
{
	fake_session_destroy(&direction->fake);
	free(direction);
}

static bool readable(struct stream *stream)
{
	return fake_session_fire(stream, EVENT_READ);
}

static bool writable(struct stream *stream)
{
	return fake_session_fire(stream, EVENT_WRITE);
}

static void send_text(struct direction *direction, const char *text)
{
	fake_read(direction->source, text);
	assert_true(readable(direction->from));
}

/* The target's socket is full: of `text` it takes nothing. */
static void send_into_full_target(struct direction *direction, const char *text)
{
	fake_write_short(direction->target, 0);
	send_text(direction, text);
	assert_false(stream_is_drained(direction->to));
}

static void end_source(struct direction *direction, const char *text, enum io_result end)
{
	enum close_reason reason = end == IO_TRUNCATED ? direction->truncated : direction->reset;

	fake_step_add(direction->source, FAKE_READ,
	        (struct fake_step){.result = end,
	                .bytes = (const unsigned char *)text,
	                .count = strlen(text),
	                .reason = reason});
	assert_true(readable(direction->from));
}

static bool both_cut(const struct direction *direction)
{
	return direction->source->closed && direction->source->cut && direction->target->closed &&
	       direction->target->cut;
}

static bool both_closed_cleanly(const struct direction *direction)
{
	return direction->source->closed && !direction->source->cut && direction->target->closed &&
	       !direction->target->cut;
}

static bool ended_as(const struct direction *direction, enum close_reason reason)
{
	return fake_session_ended_as(&direction->fake, reason);
}

static bool is_running(const struct direction *direction)
{
	return !direction->fake.session->closed;
}

/* ---- no end ---- */

static void bytes_pass_as_they_come(struct direction *direction)
{
	start(direction);
	send_text(direction, "one ");
	send_text(direction, "two");
	assert_true(fake_received_is(direction->target, "one two"));
	assert_true(is_running(direction));
	assert_int_equal(buffer_pool_lent_bytes(direction->fake.host.io.pool), 0);
}

static void a_full_target_stops_the_source_by_itself(struct direction *direction)
{
	start(direction);
	direction->source->source_bytes = BULK_BYTES;
	fake_write_short(direction->target, 10);
	while (readable(direction->from))
		assert_true(direction->source->source_given <= 4 * 256 * 1024);
	assert_int_equal(direction->from->watch.events, 0);
	assert_true(writable(direction->to));
	assert_true(readable(direction->from));
}

/* The target's socket takes odd amounts, with refusals and kept bytes in between. */
static void a_large_transfer_arrives_whole(struct direction *direction)
{
	unsigned turn = 0;

	start(direction);
	direction->source->source_bytes = BULK_BYTES;
	while (!direction->target->finished) {
		if (fake_script_is_done(direction->target)) {
			direction->target->queues[FAKE_WRITE] = (struct fake_queue){.count = 0};
			fake_write_short(direction->target, 100 + turn % 30000);
			fake_write_kept(direction->target, 20000);
		}
		bool moved = readable(direction->from);
		moved |= turn++ % 3 == 0 && writable(direction->to);
		assert_true(moved || direction->to->watch.events & EVENT_WRITE);
		assert_true(buffer_pool_lent_bytes(direction->fake.host.io.pool) <= 2 * 256 * 1024);
	}
	assert_true(fake_received_pattern(direction->target, BULK_BYTES));
}

/* ---- end of file ---- */

static void eof_with_nothing_left_finishes_the_target_at_once(struct direction *direction)
{
	start(direction);
	end_source(direction, "", IO_EOF);
	assert_true(direction->target->finished);
	assert_false(direction->target->finish_was_closing); /* the other direction goes on */
	assert_true(is_running(direction));
}

static void eof_with_bytes_in_it_delivers_them_first(struct direction *direction)
{
	start(direction);
	end_source(direction, "last", IO_EOF);
	assert_true(fake_received_is(direction->target, "last"));
	assert_true(direction->target->finished);
}

static void eof_while_the_target_still_sends_is_remembered(struct direction *direction)
{
	start(direction);
	send_into_full_target(direction, "queued");
	end_source(direction, "", IO_EOF);
	assert_int_equal(stream_in_bytes(direction->from), 0);
	assert_false(direction->target->finished);
	writable(direction->to);
	assert_true(fake_received_is(direction->target, "queued"));
	assert_true(direction->target->finished);
	assert_true(is_running(direction));
}

static void eof_with_bytes_waiting_is_passed_on_after_them(struct direction *direction)
{
	start(direction);
	send_into_full_target(direction, "queued ");
	fake_write_short(direction->target, 7);
	fake_write_short(direction->target, 2);
	end_source(direction, "waiting", IO_EOF);
	assert_int_equal(stream_in_bytes(direction->from), 7);
	while (writable(direction->to))
		assert_true(is_running(direction));
	assert_true(fake_received_is(direction->target, "queued waiting"));
	assert_true(direction->target->finished);
}

static void the_other_direction_goes_on_after_an_end(struct direction *direction)
{
	start(direction);
	end_source(direction, "question", IO_EOF);
	fake_read(direction->target, "answer");
	readable(direction->to);
	assert_true(fake_received_is(direction->source, "answer"));
	assert_true(is_running(direction));
}

static void ends_both_ways_are_the_end(struct direction *direction)
{
	start(direction);
	end_source(direction, "one", IO_EOF);
	fake_read_end(direction->target, "two", IO_EOF);
	readable(direction->to);
	assert_true(ended_as(direction, CLOSE_DONE));
	assert_true(both_closed_cleanly(direction));
	assert_true(fake_received_is(direction->target, "one"));
	assert_true(fake_received_is(direction->source, "two"));
	/* The second FIN comes with close(2). */
	assert_true(direction->source->finished && direction->source->finish_was_closing);
}

static void the_end_waits_for_the_last_byte(struct direction *direction)
{
	start(direction);
	end_source(direction, "", IO_EOF);
	fake_write_short(direction->source, 1);
	fake_read_end(direction->target, "answer", IO_EOF);
	readable(direction->to);
	assert_true(is_running(direction));
	writable(direction->from);
	assert_true(ended_as(direction, CLOSE_DONE));
	assert_true(fake_received_is(direction->source, "answer"));
	assert_true(both_closed_cleanly(direction));
}

static void the_end_waits_for_a_finish_that_is_held_up(struct direction *direction)
{
	start(direction);
	end_source(direction, "", IO_EOF);
	fake_step_add(direction->source, FAKE_FINISH, (struct fake_step){.result = IO_WANT_WRITE});
	fake_read_end(direction->target, "", IO_EOF);
	readable(direction->to);
	assert_true(is_running(direction));
	writable(direction->from);
	assert_true(ended_as(direction, CLOSE_DONE));
	assert_true(both_closed_cleanly(direction));
}

/* The second end must reach its target though the first direction still has bytes to send. */
static void a_second_end_is_passed_on_while_the_first_is_still_sending(struct direction *direction)
{
	start(direction);
	send_into_full_target(direction, "slowly read");
	end_source(direction, "", IO_EOF);
	fake_read_end(direction->target, "", IO_EOF);
	readable(direction->to);
	assert_true(is_running(direction));
	assert_true(direction->source->finished);
	assert_false(direction->source->finish_was_closing); /* a FIN now, not when all is read */
	writable(direction->to);
	assert_true(ended_as(direction, CLOSE_DONE));
	assert_true(fake_received_is(direction->target, "slowly read"));
}

/* ---- cuts ---- */

static void a_cut_with_nothing_left_cuts_both_at_once(struct direction *direction)
{
	start(direction);
	end_source(direction, "", IO_ERROR);
	assert_true(ended_as(direction, direction->reset));
	assert_true(both_cut(direction));
	assert_false(direction->target->finished);
}

static void a_truncation_is_a_cut(struct direction *direction)
{
	start(direction);
	end_source(direction, "whole", IO_TRUNCATED);
	assert_true(ended_as(direction, direction->truncated));
	assert_true(both_cut(direction));
	assert_true(fake_received_is(direction->target, "whole"));
	assert_false(direction->target->finished); /* must not be taken for the end */
}

static void a_cut_waits_until_what_arrived_whole_was_sent(struct direction *direction)
{
	static const enum io_result cuts[] = {IO_TRUNCATED, IO_ERROR};
	bool from_client = direction->source == &direction->fake.client;

	for (size_t i = 0; i < 2; i++) {
		struct direction *own = direction_create(from_client);
		start(own);
		send_into_full_target(own, "queued ");
		fake_write_short(own->target, 3);
		fake_write_kept(own->target, SIZE_MAX);
		fake_write_kept(own->target, SIZE_MAX);
		end_source(own, "waiting", cuts[i]);
		while (is_running(own))
			assert_true(writable(own->to));
		assert_true(fake_received_is(own->target, "queued waiting"));
		assert_int_equal(own->target->tail_bytes, 0);
		assert_true(ended_as(own, i == 0 ? own->truncated : own->reset));
		assert_true(both_cut(own));
		assert_false(own->target->finished);
		direction_destroy(own);
	}
	start(direction);
}

static void a_truncation_may_be_allowed_to_pass_as_an_end(struct direction *direction)
{
	direction->fake.settings.truncation_resets = false;
	start(direction);
	send_into_full_target(direction, "queued");
	end_source(direction, "", IO_TRUNCATED);
	assert_true(is_running(direction));
	writable(direction->to);
	assert_true(ended_as(direction, direction->truncated));
	assert_true(both_closed_cleanly(direction));
	assert_true(fake_received_is(direction->target, "queued"));
	assert_true(direction->target->finished);
}

static void a_reset_stays_a_cut_where_truncation_may_pass(struct direction *direction)
{
	direction->fake.settings.truncation_resets = false;
	start(direction);
	end_source(direction, "", IO_ERROR);
	assert_true(both_cut(direction));
	assert_false(direction->target->finished);
}

static void a_target_that_fails_ends_both(struct direction *direction)
{
	enum close_reason reason = direction->reset == CLOSE_CLIENT_RESET ? CLOSE_UPSTREAM_RESET
	                                                                  : CLOSE_CLIENT_RESET;

	start(direction);
	fake_fail(direction->target, FAKE_WRITE, reason);
	send_text(direction, "into nothing");
	assert_true(ended_as(direction, reason));
	assert_true(both_cut(direction));
}

static void what_a_failed_target_had_sent_still_arrives(struct direction *direction)
{
	enum close_reason reason = direction->reset == CLOSE_CLIENT_RESET ? CLOSE_UPSTREAM_RESET
	                                                                  : CLOSE_CLIENT_RESET;

	start(direction);
	fake_write_short(direction->source, 0);
	fake_read(direction->target, "an early ");
	readable(direction->to);
	fake_read(direction->target, "answer");
	readable(direction->to);
	fake_fail(direction->target, FAKE_WRITE, reason);
	send_text(direction, "into nothing");
	assert_true(is_running(direction));
	writable(direction->from);
	assert_true(ended_as(direction, reason));
	assert_true(fake_received_is(direction->source, "an early answer"));
}

static void bytes_between_two_broken_sides_go_nowhere(struct direction *direction)
{
	start(direction);
	send_into_full_target(direction, "queued");
	end_source(direction, "waiting", IO_ERROR);
	assert_true(is_running(direction));
	fake_read_end(direction->target, "", IO_ERROR);
	readable(direction->to);
	assert_int_equal(direction->fake.ended, 1);
	assert_true(both_cut(direction));
}

static void a_failing_finish_is_a_cut(struct direction *direction)
{
	enum close_reason reason = direction->reset == CLOSE_CLIENT_RESET ? CLOSE_UPSTREAM_RESET
	                                                                  : CLOSE_CLIENT_RESET;

	start(direction);
	fake_fail(direction->target, FAKE_FINISH, reason);
	end_source(direction, "last", IO_EOF);
	assert_true(ended_as(direction, reason));
	assert_true(both_cut(direction));
}

/* A key update arrives with the bytes on which the other side fails: its answer, still to be sent,
 * must not keep the session open for ever. */
static void an_answer_of_the_transport_does_not_hold_up_the_end(struct direction *direction)
{
	enum close_reason reason = direction->reset == CLOSE_CLIENT_RESET ? CLOSE_UPSTREAM_RESET
	                                                                  : CLOSE_CLIENT_RESET;

	start(direction);
	fake_fail(direction->target, FAKE_WRITE, reason);
	fake_step_add(direction->source, FAKE_READ,
	        (struct fake_step){.result = IO_OK,
	                .bytes = (const unsigned char *)"bytes",
	                .count = 5,
	                .answers = true});
	readable(direction->from);
	assert_true(ended_as(direction, reason));
	assert_true(both_cut(direction));
}

/* ---- half_close off ---- */

static void without_half_close_the_first_end_is_the_end(struct direction *direction)
{
	direction->fake.settings.half_close = false;
	start(direction);
	send_into_full_target(direction, "queued");
	end_source(direction, "", IO_EOF);
	assert_true(is_running(direction));
	writable(direction->to);
	assert_true(ended_as(direction, CLOSE_DONE));
	assert_true(both_closed_cleanly(direction));
	assert_true(fake_received_is(direction->target, "queued"));
	assert_true(direction->target->finished && direction->target->finish_was_closing);
}

/* ---- deadlines ---- */

static void idleness_cuts_both(struct direction *direction)
{
	start(direction);
	send_into_full_target(direction, "stuck");
	fake_loop_advance(direction->fake.host.io.loop, 59999);
	assert_true(is_running(direction));
	fake_loop_advance(direction->fake.host.io.loop, 1);
	assert_true(ended_as(direction, CLOSE_IDLE_TIMEOUT));
	assert_true(both_cut(direction));
}

static void a_byte_starts_the_idle_time_anew(struct direction *direction)
{
	start(direction);
	for (int i = 0; i < 5; i++) {
		fake_loop_advance(direction->fake.host.io.loop, 59999);
		send_text(direction, "x");
	}
	assert_true(is_running(direction));
	fake_loop_advance(direction->fake.host.io.loop, 60000);
	assert_true(ended_as(direction, CLOSE_IDLE_TIMEOUT));
}

static void a_slow_reader_is_not_idle(struct direction *direction)
{
	start(direction);
	send_into_full_target(direction, "0123456789");
	for (int i = 0; i < 4; i++) {
		fake_loop_advance(direction->fake.host.io.loop, 50000);
		fake_write_short(direction->target, 1);
		assert_true(writable(direction->to)); /* tells no event: bytes are still queued */
		assert_true(is_running(direction));
	}
}

/* ---- how it begins ---- */

static void what_happened_before_the_upstream_was_there_counts(struct direction *direction)
{
	struct fake_session *fake = &direction->fake;

	fake_read_end(&fake->client, "early", IO_EOF);
	fake_session_open(fake);
	assert_true(readable(&fake->session->client));
	assert_int_equal(stream_in_bytes(&fake->session->client), 5);
	fake_session_connect(fake);
	assert_true(fake_received_is(&fake->upstream, "early"));
	assert_true(fake->upstream.finished);
	assert_false(fake->session->closed);
}

static void it_may_be_closed_from_outside_at_any_time(struct direction *direction)
{
	start(direction);
	send_into_full_target(direction, "queued");
	session_close(direction->fake.session, CLOSE_SHUTDOWN_TIMEOUT);
	session_close(direction->fake.session, CLOSE_DONE); /* the first reason stays */
	fake_loop_end_turn(direction->fake.host.io.loop);
	assert_true(ended_as(direction, CLOSE_SHUTDOWN_TIMEOUT));
	assert_true(both_cut(direction));
}

static void an_empty_pool_only_delays(struct direction *direction)
{
	struct buffer_pool *pool = direction->fake.host.io.pool;

	start(direction);
	struct buffer *all = buffer_pool_lend(pool, POOL_BYTES);
	fake_read_end(direction->source, "late", IO_EOF);
	readable(direction->from);
	assert_false(readable(direction->from));
	buffer_pool_return(pool, &all);
	assert_true(readable(direction->from));
	assert_true(fake_received_is(direction->target, "late"));
	assert_true(direction->target->finished);
}

typedef void direction_fn(struct direction *direction);

static void run_both_ways(void **state)
{
	direction_fn **test = *state;

	for (int from_client = 0; from_client < 2; from_client++) {
		struct direction *direction = direction_create(from_client);
		(*test)(direction);
		direction_destroy(direction);
	}
}

#define CASE(test)                                                \
	{                                                         \
		.name = #test, .test_func = run_both_ways,        \
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
	        CASE(without_half_close_the_first_end_is_the_end),
	        CASE(idleness_cuts_both),
	        CASE(a_byte_starts_the_idle_time_anew),
	        CASE(a_slow_reader_is_not_idle),
	        CASE(what_happened_before_the_upstream_was_there_counts),
	        CASE(it_may_be_closed_from_outside_at_any_time),
	        CASE(an_empty_pool_only_delays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
