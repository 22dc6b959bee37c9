/* SPDX-License-Identifier: BSD-2-Clause */
/* stream_read_test.c - filling `in`: room, ends, and a pool that has nothing to lend. */
#include "tests/support/stream_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { POOL_BYTES = 1 << 20 };

struct fixture {
	struct io_context io;
	struct stream_rig rig;
};

static int set_up(void **state)
{
	struct fixture *fixture = malloc(sizeof(*fixture));

	rig_io_init(&fixture->io, POOL_BYTES);
	rig_init(&fixture->rig, &fixture->io);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	rig_close(&fixture->rig);
	rig_io_destroy(&fixture->io);
	free(fixture);
	return 0;
}

static void data_waits_in_the_buffer_until_it_is_taken(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	fake_read(&rig->peer, "one");
	fake_read(&rig->peer, "two");
	rig_readable(rig);
	assert_true(rig_events_are(rig, "D"));
	assert_int_equal(stream_in_bytes(&rig->stream), 3);
	rig_readable(rig);
	assert_true(rig_events_are(rig, "D"));
	assert_true(rig_take_is(rig, "onetwo"));
	assert_int_equal(buffer_pool_lent_bytes(fixture->io.pool), 0);
	assert_int_equal(rig->stream.bytes_in, 6);
	assert_int_equal(fake_loop_noted_reads(fixture->io.loop), 2);
}

static void the_transport_knows_that_its_socket_was_reported_readable(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	assert_false(rig->stream.transport->readable);
	rig_readable(rig);
	assert_true(rig->stream.transport->readable);
}

static void a_read_in_vain_keeps_no_buffer(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	rig_readable(rig);
	assert_int_equal(rig->peer.calls[FAKE_READ], 1);
	assert_true(rig_events_are(rig, ""));
	assert_int_equal(buffer_pool_lent_bytes(fixture->io.pool), 0);
	assert_int_equal(rig->stream.watch.events, EVENT_READ);
}

static void a_full_buffer_stops_reading_until_bytes_are_taken(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	rig->peer.source_bytes = 1 << 20;
	assert_true(rig_readable(rig));
	assert_int_equal(stream_in_bytes(&rig->stream), BUFFER_SMALL_BYTES);
	assert_false(rig_readable(rig));
	buffer_taken(rig->stream.in, 1);
	stream_resume(&rig->stream);
	assert_true(rig_readable(rig));
	assert_int_equal(stream_in_bytes(&rig->stream), BUFFER_SMALL_BYTES);
	for (size_t i = 0; i < BUFFER_SMALL_BYTES; i++)
		assert_int_equal(
		        rig->stream.in->data[rig->stream.in->start + i], fake_pattern(i + 1));
}

static void reading_stops_when_less_room_is_left_than_the_transport_needs(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig->peer.read_room_min = 30000;
	rig_open_ready(rig);
	fake_read(&rig->peer, "some");
	fake_step_add(&rig->peer, FAKE_READ,
	        (struct fake_step){.result = IO_OK, .bytes = calloc(1, 7000), .count = 7000});
	const unsigned char *bytes = rig->peer.queues[FAKE_READ].steps[1].bytes;
	assert_true(rig_readable(rig));
	assert_true(rig_readable(rig)); /* 36,864 - 4 is room enough */
	assert_false(rig_readable(rig)); /* 36,864 - 7,004 is not */
	buffer_taken(rig->stream.in, 7000);
	stream_resume(&rig->stream);
	assert_true(
	        rig_readable(rig)); /* the room is at the end again, or the peer would complain */
	free((void *)(size_t)bytes);
}

static void who_fills_a_small_buffer_gets_a_large_one_next(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	rig->peer.source_bytes = 1 << 20;
	rig_readable(rig);
	assert_int_equal(rig->stream.in->capacity, BUFFER_SMALL_BYTES);
	buffer_taken(rig->stream.in, stream_in_bytes(&rig->stream));
	stream_resume(&rig->stream);
	rig_readable(rig);
	assert_int_equal(rig->stream.in->capacity, RIG_LARGE_BYTES);
	assert_int_equal(stream_in_bytes(&rig->stream), RIG_LARGE_BYTES);
}

static void a_small_read_ends_the_time_of_large_buffers(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	rig->peer.source_bytes = BUFFER_SMALL_BYTES + 100;
	rig_readable(rig);
	buffer_taken(rig->stream.in, stream_in_bytes(&rig->stream));
	stream_resume(&rig->stream);
	rig_readable(rig);
	assert_int_equal(rig->stream.in->capacity, RIG_LARGE_BYTES);
	assert_false(rig->stream.bulk);
}

/* ---- ends ---- */

static void ends_come_after_the_last_bytes(void **state)
{
	static const struct {
		const char *text;
		enum io_result end;
		const char *events;
	} cases[] = {
	        {"", IO_EOF, "E"},
	        {"last", IO_EOF, "DE"},
	        {"", IO_TRUNCATED, "F"},
	        {"last", IO_TRUNCATED, "DF"},
	        {"", IO_ERROR, "F"},
	        {"last", IO_ERROR, "DF"},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stream_rig rig;
		rig_init(&rig, &fixture->io);
		rig_open_ready(&rig);
		fake_read_end(&rig.peer, cases[i].text, cases[i].end);
		rig_readable(&rig);
		assert_true(rig_events_are(&rig, cases[i].events));
		assert_false(rig_readable(&rig));
		assert_int_equal(stream_in_bytes(&rig.stream), strlen(cases[i].text));
		assert_int_equal(rig.stream.eof_seen, cases[i].end == IO_EOF);
		assert_int_equal(
		        rig.stream.state, cases[i].end == IO_EOF ? STREAM_OPEN : STREAM_BROKEN);
		assert_true(rig_take_is(&rig, cases[i].text));
		assert_int_equal(buffer_pool_lent_bytes(fixture->io.pool), 0);
		rig_close(&rig);
	}
}

static void writing_goes_on_after_the_other_side_has_ended(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	fake_read_end(&rig->peer, "", IO_EOF);
	rig_readable(rig);
	fake_write_short(&rig->peer, 2);
	rig_put(rig, "answer");
	stream_flush(&rig->stream);
	assert_int_equal(rig->stream.watch.events, EVENT_WRITE);
	rig_writable(rig);
	assert_true(rig_events_are(rig, "Ed"));
	assert_true(fake_received_is(&rig->peer, "answer"));
}

static void a_failure_keeps_nothing_that_was_to_be_sent(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	fake_write_short(&rig->peer, 2);
	rig_put(rig, "answer");
	stream_flush(&rig->stream);
	fake_read_end(&rig->peer, "", IO_ERROR);
	rig_readable(rig);
	assert_true(rig_events_are(rig, "F"));
	assert_int_equal(buffer_pool_lent_bytes(fixture->io.pool), 0);
	assert_int_equal(fake_loop_watch_count(fixture->io.loop), 0);
	stream_flush(&rig->stream); /* harmless */
	stream_finish(&rig->stream, false);
	stream_resume(&rig->stream);
	assert_true(rig_events_are(rig, ""));
}

/* ---- a pool that has nothing to lend ---- */

static void an_empty_pool_stops_reading_until_a_buffer_comes_back(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;
	struct buffer *all = buffer_pool_lend(fixture->io.pool, POOL_BYTES);

	rig_open_ready(rig);
	fake_read(&rig->peer, "late");
	assert_true(rig_readable(rig));
	assert_true(rig_events_are(rig, ""));
	assert_false(rig_readable(rig)); /* no spinning on a descriptor that stays readable */
	buffer_pool_return(fixture->io.pool, &all);
	assert_true(rig_readable(rig));
	assert_true(rig_events_are(rig, "D"));
	assert_true(rig_take_is(rig, "late"));
}

static void who_waits_for_a_buffer_still_writes(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	fake_write_short(&rig->peer, 1);
	rig_put(rig, "ab");
	stream_flush(&rig->stream);
	struct buffer *all = buffer_pool_lend(
	        fixture->io.pool, POOL_BYTES - buffer_pool_lent_bytes(fixture->io.pool));
	rig_readable(rig);
	assert_int_equal(rig->stream.watch.events, EVENT_WRITE);
	rig_writable(rig); /* which gives the waiting stream its own buffer back */
	assert_true(rig_events_are(rig, "d"));
	assert_int_equal(rig->stream.watch.events, EVENT_READ);
	buffer_pool_return(fixture->io.pool, &all);
}

static void a_small_buffer_does_where_no_large_one_is_left(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;
	struct buffer *most = buffer_pool_lend(
	        fixture->io.pool, POOL_BYTES - 2 * BUFFER_SMALL_BYTES);

	rig_open_ready(rig);
	rig->peer.source_bytes = 1 << 20;
	rig_readable(rig);
	buffer_taken(rig->stream.in, stream_in_bytes(&rig->stream));
	stream_resume(&rig->stream);
	rig_readable(rig);
	assert_int_equal(rig->stream.in->capacity, BUFFER_SMALL_BYTES);
	buffer_pool_return(fixture->io.pool, &most);
}

static void closing_while_waiting_for_a_buffer_forgets_the_wait(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;
	struct buffer *all = buffer_pool_lend(fixture->io.pool, POOL_BYTES);

	rig_open_ready(rig);
	rig_readable(rig);
	stream_close(&rig->stream);
	assert_true(list_is_empty(&rig->stream.waiter.link));
	buffer_pool_return(fixture->io.pool, &all);
	assert_int_equal(fake_loop_watch_count(fixture->io.loop), 0);
}

static void who_ends_after_its_call_leaves_the_buffer_to_the_next(void **state)
{
	static const bool fails[] = {false, true};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < 2; i++) {
		struct stream_rig first, next;
		struct buffer *small = buffer_pool_lend(fixture->io.pool, BUFFER_SMALL_BYTES);
		struct buffer *rest = buffer_pool_lend(
		        fixture->io.pool, POOL_BYTES - BUFFER_SMALL_BYTES);
		rig_init(&first, &fixture->io);
		rig_init(&next, &fixture->io);
		rig_open_ready(&first);
		rig_open_ready(&next);
		rig_readable(&first);
		rig_readable(&next);
		assert_int_equal(next.stream.watch.events, 0);
		buffer_pool_return(fixture->io.pool, &small);
		assert_int_equal(first.stream.watch.events, EVENT_READ);
		assert_int_equal(next.stream.watch.events, 0);
		if (fails[i]) {
			fake_fail(&first.peer, FAKE_FINISH, CLOSE_UPSTREAM_RESET);
			stream_finish(&first.stream, false);
		} else {
			stream_close(&first.stream);
		}
		assert_int_equal(next.stream.watch.events, EVENT_READ);
		buffer_pool_return(fixture->io.pool, &rest);
		rig_close(&first);
		rig_close(&next);
	}
}

/* ---- what the transport keeps ---- */

static void what_the_transport_holds_is_read_without_an_event(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	fake_read(&rig->peer, "seen");
	fake_read_inside(&rig->peer, "hidden");
	rig_readable(rig);
	assert_true(rig_events_are(rig, "DD"));
	assert_true(rig_take_is(rig, "seenhidden"));
}

static void what_the_transport_holds_is_read_when_there_is_room_again(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig->peer.read_room_min = BUFFER_SMALL_BYTES;
	rig_open_ready(rig);
	fake_read(&rig->peer, "seen");
	fake_read_inside(&rig->peer, "hidden");
	rig_readable(rig);
	assert_true(rig_events_are(rig, "D"));
	assert_true(rig_take_is(rig, "seen"));
	assert_true(rig_events_are(rig, "")); /* not from inside stream_resume */
	fake_loop_end_turn(fixture->io.loop);
	assert_true(rig_events_are(rig, "D"));
	assert_true(rig_take_is(rig, "hidden"));
}

static void note_drained(struct stream_rig *rig, enum stream_event event)
{
	if (event == STREAM_DATA)
		*(bool *)rig->context = stream_is_drained(&rig->stream);
}

static void an_answer_that_reading_made_is_sent_in_the_same_turn(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;
	bool was_drained = true;

	rig_open_ready(rig);
	rig->hook = note_drained;
	rig->context = &was_drained;
	fake_step_add(&rig->peer, FAKE_READ,
	        (struct fake_step){
	                .bytes = (const unsigned char *)"x", .count = 1, .answers = true});
	rig_readable(rig);
	assert_int_equal(rig->peer.calls[FAKE_WRITE], 1);
	assert_true(stream_is_drained(&rig->stream));
	/* Who waited for that, seeing the answer wait in DATA, is told. */
	assert_false(was_drained);
	assert_true(rig_events_are(rig, "Dd"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(data_waits_in_the_buffer_until_it_is_taken),
	        CASE(the_transport_knows_that_its_socket_was_reported_readable),
	        CASE(a_read_in_vain_keeps_no_buffer),
	        CASE(a_full_buffer_stops_reading_until_bytes_are_taken),
	        CASE(reading_stops_when_less_room_is_left_than_the_transport_needs),
	        CASE(who_fills_a_small_buffer_gets_a_large_one_next),
	        CASE(a_small_read_ends_the_time_of_large_buffers),
	        CASE(ends_come_after_the_last_bytes),
	        CASE(writing_goes_on_after_the_other_side_has_ended),
	        CASE(a_failure_keeps_nothing_that_was_to_be_sent),
	        CASE(an_empty_pool_stops_reading_until_a_buffer_comes_back),
	        CASE(who_waits_for_a_buffer_still_writes),
	        CASE(a_small_buffer_does_where_no_large_one_is_left),
	        CASE(closing_while_waiting_for_a_buffer_forgets_the_wait),
	        CASE(who_ends_after_its_call_leaves_the_buffer_to_the_next),
	        CASE(what_the_transport_holds_is_read_without_an_event),
	        CASE(what_the_transport_holds_is_read_when_there_is_room_again),
	        CASE(an_answer_that_reading_made_is_sent_in_the_same_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
