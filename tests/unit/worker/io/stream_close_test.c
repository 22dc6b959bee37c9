/* SPDX-License-Identifier: BSD-2-Clause */
/* stream_close_test.c - closing, aborting and reopening from inside the stream's own events. */
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

static const enum stream_event events[] = {
        STREAM_READY, STREAM_DATA, STREAM_DRAINED, STREAM_EOF, STREAM_FAILED};
enum { EVENTS = sizeof(events) / sizeof(events[0]) };

/* All five events in one life: bytes with READY's flight, a short write, an end, a failing write.
 */
static void live(struct stream_rig *rig)
{
	struct stream *stream = &rig->stream;

	fake_step_add(
	        &rig->peer, FAKE_HANDSHAKE, (struct fake_step){.result = IO_OK, .answers = true});
	fake_write_short(&rig->peer, 0);
	fake_step_add(&rig->peer, FAKE_WRITE, (struct fake_step){.count = SIZE_MAX});
	fake_step_add(&rig->peer, FAKE_WRITE, (struct fake_step){.count = SIZE_MAX});
	fake_fail(&rig->peer, FAKE_WRITE, CLOSE_UPSTREAM_RESET);
	fake_read(&rig->peer, "bytes");
	fake_read_end(&rig->peer, "", IO_EOF);
	stream_start(stream, false);
	fake_loop_fire_in_turn(&stream->watch, EVENT_READ | EVENT_WRITE);
	fake_loop_fire_in_turn(&stream->watch, EVENT_READ);
	if (stream->state == STREAM_OPEN && !rig->peer.closed) {
		rig_put(rig, "in time");
		stream_flush(stream);
		rig_put(rig, "too late");
		stream_flush(stream);
	}
	fake_loop_end_turn(rig->io->loop);
}

static void a_whole_life_has_all_five_events(void **state)
{
	struct fixture *fixture = *state;

	rig_open(&fixture->rig, IO_UPSTREAM, 1000);
	live(&fixture->rig);
	assert_true(rig_events_are(&fixture->rig, "RdDEF"));
}

static bool is_chosen(const struct stream_rig *rig, enum stream_event event)
{
	return *(const enum stream_event *)rig->context == event;
}

static void close_on_event(struct stream_rig *rig, enum stream_event event)
{
	if (is_chosen(rig, event))
		stream_close(&rig->stream);
}

static void abort_on_event(struct stream_rig *rig, enum stream_event event)
{
	if (is_chosen(rig, event))
		stream_abort(&rig->stream);
}

static void a_stream_may_be_ended_in_each_of_its_events(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < 2 * EVENTS; i++) {
		bool cut = i >= EVENTS;
		enum stream_event chosen = events[i % EVENTS];
		struct stream_rig rig;
		rig_init(&rig, &fixture->io);
		rig.hook = cut ? abort_on_event : close_on_event;
		rig.context = &chosen;
		rig_open(&rig, IO_UPSTREAM, 1000);
		live(&rig);
		assert_int_equal(rig.stream.state, STREAM_CLOSED);
		assert_true(rig.peer.closed);
		assert_int_equal(rig.peer.cut, cut);
		assert_int_equal(fake_loop_watch_count(fixture->io.loop), 0);
		assert_int_equal(fake_loop_timer_count(fixture->io.loop), 0);
		assert_int_equal(buffer_pool_lent_bytes(fixture->io.pool), 0);
		rig_close(&rig);
	}
}

static void fail_on_data(struct stream_rig *rig, enum stream_event event)
{
	if (event != STREAM_DATA)
		return;
	rig_put(rig, "answer");
	stream_flush(&rig->stream);
}

static void failing_in_an_event_is_the_last_event(void **state)
{
	static const enum io_result results[] = {IO_OK, IO_EOF, IO_ERROR};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < 3; i++) {
		struct stream_rig rig;
		rig_init(&rig, &fixture->io);
		rig_open_ready(&rig);
		rig.hook = fail_on_data;
		fake_fail(&rig.peer, FAKE_WRITE, CLOSE_UPSTREAM_RESET);
		fake_read_end(&rig.peer, "question", results[i]);
		rig_readable(&rig);
		assert_true(rig_events_are(&rig, "DF"));
		assert_int_equal(rig.stream.state, STREAM_BROKEN);
		rig_close(&rig);
	}
}

/* ---- closed and opened anew, in place, as a dialer does that tries another server ---- */

struct reopening {
	enum stream_event event;
	struct fake_peer second;
	bool done;
};

static void on_second(struct stream *stream, enum stream_event event)
{
	struct stream_rig *rig = stream->owner;

	/* Capital letters were the first life; digits are the second. */
	rig->events[rig->event_count++] = (char)('0' + (int)event);
	rig->events[rig->event_count] = '\0';
}

static void reopen_on_event(struct stream_rig *rig, enum stream_event event)
{
	struct reopening *reopening = rig->context;

	if (reopening->done || event != reopening->event)
		return;
	reopening->done = true;
	stream_close(&rig->stream);
	stream_open(&rig->stream, fake_descriptor(),
	        fake_transport_create(&reopening->second, IO_UPSTREAM), false, RIG_LARGE_BYTES,
	        1000);
	stream_give(&rig->stream, on_second, rig);
	stream_start(&rig->stream, false);
}

static void a_stream_may_be_reopened_in_each_of_its_events(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < EVENTS; i++) {
		struct stream_rig rig;
		struct reopening reopening = {.event = events[i]};
		rig_init(&rig, &fixture->io);
		fake_peer_init(&reopening.second);
		fake_handshake(&reopening.second, IO_WANT_READ);
		rig.hook = reopen_on_event;
		rig.context = &reopening;
		rig_open(&rig, IO_UPSTREAM, 1000);
		live(&rig);
		assert_true(reopening.done);
		assert_true(rig.peer.closed);
		/* The rest of the turn may have belonged to the new one already, which only asked.
		 */
		while (rig.stream.state == STREAM_HANDSHAKING)
			assert_true(rig_readable(&rig));
		assert_int_equal(rig.stream.state, STREAM_OPEN);
		assert_int_equal(rig.stream.bytes_in, 0);
		assert_int_equal(rig.stream.bytes_out, 0);
		assert_false(rig.stream.eof_seen);
		assert_int_equal(rig.events[rig.event_count - 1], '0' + STREAM_READY);
		fake_read(&reopening.second, "second life");
		assert_true(rig_readable(&rig));
		assert_true(rig_take_is(&rig, "second life"));
		rig_close(&rig);
		fake_peer_free(&reopening.second);
	}
}

/* ---- given to another owner ---- */

static void give_on_ready(struct stream_rig *rig, enum stream_event event)
{
	if (event == STREAM_READY)
		stream_give(&rig->stream, on_second, rig);
}

static void another_owner_hears_the_rest(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig->hook = give_on_ready;
	fake_read(&rig->peer, "hello");
	rig_open(rig, IO_CLIENT, 1000);
	stream_start(&rig->stream, true);
	assert_true(rig_events_are(rig, "R1"));
}

/* ---- outside of events ---- */

static void closing_twice_is_fine(void **state)
{
	struct fixture *fixture = *state;

	stream_close(&fixture->rig.stream); /* never opened */
	stream_abort(&fixture->rig.stream);
	rig_open_ready(&fixture->rig);
	stream_close(&fixture->rig.stream);
	stream_close(&fixture->rig.stream);
	stream_abort(&fixture->rig.stream);
	assert_false(fixture->rig.peer.cut);
}

static void closing_gives_everything_back(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	fake_write_short(&rig->peer, 1);
	rig_put(rig, "unsent");
	stream_flush(&rig->stream);
	fake_read(&rig->peer, "unread");
	rig_readable(rig);
	assert_int_equal(buffer_pool_lent_bytes(fixture->io.pool), 2 * BUFFER_SMALL_BYTES);
	stream_abort(&rig->stream);
	assert_true(rig->peer.cut);
	assert_int_equal(buffer_pool_lent_bytes(fixture->io.pool), 0);
	assert_int_equal(fake_loop_watch_count(fixture->io.loop), 0);
	assert_null(rig->stream.transport);
	assert_int_equal(rig->stream.fd, -1);
}

static void work_left_for_the_end_of_the_turn_dies_with_the_stream(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig->peer.read_room_min = BUFFER_SMALL_BYTES;
	rig_open_ready(rig);
	fake_read(&rig->peer, "seen");
	fake_read_inside(&rig->peer, "hidden");
	rig_readable(rig);
	assert_true(rig_take_is(rig, "seen"));
	stream_close(&rig->stream);
	fake_loop_end_turn(fixture->io.loop);
	assert_true(rig_events_are(rig, "D"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(a_whole_life_has_all_five_events),
	        CASE(a_stream_may_be_ended_in_each_of_its_events),
	        CASE(failing_in_an_event_is_the_last_event),
	        CASE(a_stream_may_be_reopened_in_each_of_its_events),
	        CASE(another_owner_hears_the_rest),
	        CASE(closing_twice_is_fine),
	        CASE(closing_gives_everything_back),
	        CASE(work_left_for_the_end_of_the_turn_dies_with_the_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
