/* SPDX-License-Identifier: BSD-2-Clause */
/* stream_write_test.c - sending `out`: short writes, what the transport keeps, and finishing. */
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

static void all_is_sent_and_the_buffer_goes_back(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	rig_put(rig, "hello");
	assert_false(stream_is_drained(&rig->stream));
	stream_flush(&rig->stream);
	assert_true(fake_received_is(&rig->peer, "hello"));
	assert_true(stream_is_drained(&rig->stream));
	assert_int_equal(buffer_pool_lent_bytes(fixture->io.pool), 0);
	assert_int_equal(rig->stream.bytes_out, 5);
	assert_int_equal(rig->stream.watch.events, EVENT_READ);
	assert_true(rig_events_are(rig, "")); /* nothing was held up, nothing is told */
}

static void short_writes_go_on_when_the_socket_takes_more(void **state)
{
	/* How many the socket takes each time; then all. */
	static const size_t takes[][4] = {{3}, {0}, {1, 1, 1}, {0, 0, 9}, {10}, {11}, {9, 0}};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(takes) / sizeof(takes[0]); i++) {
		struct stream_rig rig;
		size_t refusals = 0;
		rig_init(&rig, &fixture->io);
		rig_open_ready(&rig);
		for (size_t j = 0; j < 3 && (j == 0 || takes[i][j]); j++)
			fake_write_short(&rig.peer, takes[i][j]);
		rig_put(&rig, "0123456789");
		stream_flush(&rig.stream);
		while (rig_writable(&rig))
			assert_true(++refusals < 10);
		assert_true(fake_received_is(&rig.peer, "0123456789"));
		assert_true(rig_events_are(&rig, takes[i][0] < 10 ? "d" : ""));
		assert_true(stream_is_drained(&rig.stream));
		rig_close(&rig);
	}
}

static void what_is_held_up_waits_for_the_socket_and_not_for_a_flush(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	fake_write_short(&rig->peer, 3);
	rig_put(rig, "0123456789");
	stream_flush(&rig->stream);
	stream_flush(&rig->stream);
	rig_put(rig, "ab");
	stream_flush(&rig->stream);
	assert_int_equal(rig->peer.calls[FAKE_WRITE], 1);
	assert_int_equal(rig->stream.watch.events, EVENT_READ | EVENT_WRITE);
	rig_writable(rig);
	assert_true(rig_events_are(rig, "d"));
	assert_true(fake_received_is(&rig->peer, "0123456789ab"));
	assert_int_equal(rig->stream.bytes_out, 12);
}

static void drained_is_told_once_what_the_transport_keeps_is_gone(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	fake_write_kept(&rig->peer, SIZE_MAX); /* all encrypted, none sent */
	fake_write_short(&rig->peer, 0);
	rig_put(rig, "secret");
	stream_flush(&rig->stream);
	assert_int_equal(buffer_pool_lent_bytes(fixture->io.pool), 0);
	assert_false(stream_is_drained(&rig->stream));
	rig_writable(rig);
	assert_true(rig_events_are(rig, ""));
	rig_writable(rig);
	assert_true(rig_events_are(rig, "d"));
	assert_true(stream_is_drained(&rig->stream));
	assert_false(rig_writable(rig));
}

static void new_bytes_wait_behind_what_the_transport_keeps(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	fake_write_kept(&rig->peer, 4);
	fake_write_kept(&rig->peer, 1);
	rig_put(rig, "abcdef");
	stream_flush(&rig->stream);
	rig_writable(rig);
	assert_true(rig_events_are(rig, ""));
	rig_writable(rig);
	assert_true(rig_events_are(rig, "d"));
	assert_true(fake_received_is(&rig->peer, "abcdef"));
}

static void write_again(struct stream_rig *rig, enum stream_event event)
{
	if (event != STREAM_DRAINED)
		return;
	rig_put(rig, "more");
	stream_flush(&rig->stream);
}

static void drained_may_be_answered_with_more(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	rig->hook = write_again;
	fake_write_short(&rig->peer, 1);
	fake_step_add(&rig->peer, FAKE_WRITE, (struct fake_step){.count = SIZE_MAX});
	fake_write_short(&rig->peer, 1);
	rig_put(rig, "some");
	stream_flush(&rig->stream);
	rig_writable(rig);
	assert_true(rig_events_are(rig, "d"));
	rig->hook = NULL;
	rig_writable(rig);
	assert_true(rig_events_are(rig, "d"));
	assert_true(fake_received_is(&rig->peer, "somemore"));
}

static void a_write_that_fails_is_the_end(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	fake_fail(&rig->peer, FAKE_WRITE, CLOSE_UPSTREAM_RESET);
	rig_put(rig, "hello");
	stream_flush(&rig->stream);
	assert_true(rig_events_are(rig, "F"));
	assert_int_equal(buffer_pool_lent_bytes(fixture->io.pool), 0);
	assert_int_equal(fake_loop_watch_count(fixture->io.loop), 0);
	assert_true(stream_is_drained(&rig->stream)); /* there is nothing to wait for */
}

static void last_words_are_read_after_a_write_that_fails(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	fake_write_short(&rig->peer, 2);
	fake_fail(&rig->peer, FAKE_WRITE, CLOSE_UPSTREAM_RESET);
	rig_put(rig, "hello");
	stream_flush(&rig->stream);
	fake_read(&rig->peer, "last words");
	fake_loop_fire(&rig->stream.watch, EVENT_READ | EVENT_WRITE);
	assert_true(rig_events_are(rig, "F"));
	assert_int_equal(rig->peer.calls[FAKE_READ], 1);
	assert_int_equal(stream_in_bytes(&rig->stream), strlen("last words"));
}

/* ---- finishing ---- */

static void finishing_with_nothing_queued_is_done_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	stream_finish(&rig->stream, false);
	assert_true(rig->peer.finished);
	assert_false(rig->peer.finish_was_closing);
	assert_true(rig->stream.finished);
	assert_true(stream_is_drained(&rig->stream));
	assert_int_equal(rig->stream.watch.events, EVENT_READ); /* the other direction goes on */
}

static void finishing_is_done_once(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	stream_finish(&rig->stream, false);
	stream_finish(&rig->stream, true);
	stream_flush(&rig->stream);
	assert_int_equal(rig->peer.calls[FAKE_FINISH], 1);
}

static void finishing_comes_after_the_last_byte(void **state)
{
	static const bool kept[] = {false, true}; /* by the transport, or by us */
	struct fixture *fixture = *state;

	for (size_t i = 0; i < 2; i++) {
		struct stream_rig rig;
		rig_init(&rig, &fixture->io);
		rig_open_ready(&rig);
		if (kept[i])
			fake_write_kept(&rig.peer, SIZE_MAX);
		else
			fake_write_short(&rig.peer, 2);
		rig_put(&rig, "last");
		stream_flush(&rig.stream);
		stream_finish(&rig.stream, false);
		assert_false(rig.peer.finished);
		assert_false(stream_is_drained(&rig.stream));
		rig_writable(&rig);
		assert_true(rig.peer.finished);
		assert_true(fake_received_is(&rig.peer, "last"));
		assert_true(rig_events_are(&rig, "d"));
		assert_true(stream_is_drained(&rig.stream));
		rig_close(&rig);
	}
}

static void finishing_takes_unsent_bytes_along(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	rig_put(rig, "last");
	stream_finish(&rig->stream, true);
	assert_true(fake_received_is(&rig->peer, "last"));
	assert_true(rig->peer.last_was_told);
	assert_true(rig->peer.finished);
	assert_true(rig->peer.finish_was_closing);
}

static void a_close_that_became_known_later_reaches_a_finish_that_waits(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	fake_write_short(&rig->peer, 2);
	rig_put(rig, "last");
	stream_flush(&rig->stream);
	stream_finish(&rig->stream, false);
	stream_finish(&rig->stream, true);
	rig_writable(rig);
	assert_true(rig->peer.finish_was_closing);
}

static void a_finish_that_is_held_up_is_drained_when_it_is_gone(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	fake_step_add(&rig->peer, FAKE_FINISH, (struct fake_step){.result = IO_WANT_WRITE});
	fake_write_short(&rig->peer, 0);
	stream_finish(&rig->stream, false);
	assert_true(rig->stream.finished);
	assert_false(stream_is_drained(&rig->stream));
	rig_writable(rig);
	assert_true(rig_events_are(rig, ""));
	rig_writable(rig);
	assert_true(rig_events_are(rig, "d"));
	assert_true(stream_is_drained(&rig->stream));
	assert_int_equal(rig->peer.calls[FAKE_FINISH], 1);
}

static void a_finish_that_fails_is_the_end(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	fake_fail(&rig->peer, FAKE_FINISH, CLOSE_UPSTREAM_RESET);
	stream_finish(&rig->stream, false);
	assert_true(rig_events_are(rig, "F"));
	assert_false(rig->stream.finished);
}

static void reading_goes_on_after_finishing(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open_ready(rig);
	stream_finish(&rig->stream, false);
	fake_read_end(&rig->peer, "answer", IO_EOF);
	rig_readable(rig);
	assert_true(rig_events_are(rig, "DE"));
	assert_true(rig_take_is(rig, "answer"));
	assert_int_equal(fake_loop_watch_count(fixture->io.loop), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(all_is_sent_and_the_buffer_goes_back),
	        CASE(short_writes_go_on_when_the_socket_takes_more),
	        CASE(what_is_held_up_waits_for_the_socket_and_not_for_a_flush),
	        CASE(drained_is_told_once_what_the_transport_keeps_is_gone),
	        CASE(new_bytes_wait_behind_what_the_transport_keeps),
	        CASE(drained_may_be_answered_with_more),
	        CASE(a_write_that_fails_is_the_end),
	        CASE(last_words_are_read_after_a_write_that_fails),
	        CASE(finishing_with_nothing_queued_is_done_at_once),
	        CASE(finishing_is_done_once),
	        CASE(finishing_comes_after_the_last_byte),
	        CASE(finishing_takes_unsent_bytes_along),
	        CASE(a_close_that_became_known_later_reaches_a_finish_that_waits),
	        CASE(a_finish_that_is_held_up_is_drained_when_it_is_gone),
	        CASE(a_finish_that_fails_is_the_end),
	        CASE(reading_goes_on_after_finishing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
