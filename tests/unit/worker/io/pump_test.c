/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pump_test.c - swapping, copying at edges, and the arithmetic of back-pressure.
 *
 * The transfer of 48 MB is not a matter of load: an owner that forgets to pump on DRAINED passes
 * any test whose bytes fit into the buffers on the way (see the_owner_has_to_pump_on_drained).
 */
#include "tests/support/stream_rig.h"
#include "worker/io/pump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { POOL_BYTES = 4 << 20, BULK_BYTES = 48 << 20 };

struct fixture {
	struct io_context io;
	struct stream_rig from, to;
};

static int set_up(void **state)
{
	struct fixture *fixture = malloc(sizeof(*fixture));

	rig_io_init(&fixture->io, POOL_BYTES);
	rig_init(&fixture->from, &fixture->io);
	rig_init(&fixture->to, &fixture->io);
	rig_open_ready(&fixture->from);
	rig_open_ready(&fixture->to);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	rig_close(&fixture->from);
	rig_close(&fixture->to);
	rig_io_destroy(&fixture->io);
	free(fixture);
	return 0;
}

static void arrive(struct fixture *fixture, const char *text)
{
	fake_read(&fixture->from.peer, text);
	assert_true(rig_readable(&fixture->from));
}

static size_t pump_all(struct fixture *fixture)
{
	return pump(&fixture->from.stream, &fixture->to.stream, SIZE_MAX);
}

static void moves_and_sends_what_has_arrived(void **state)
{
	struct fixture *fixture = *state;

	arrive(fixture, "hello");
	assert_int_equal(pump_all(fixture), 5);
	assert_true(fake_received_is(&fixture->to.peer, "hello"));
	assert_int_equal(buffer_pool_lent_bytes(fixture->io.pool), 0);
	assert_int_equal(pump_all(fixture), 0);
}

static void a_whole_buffer_moves_by_itself(void **state)
{
	struct fixture *fixture = *state;

	arrive(fixture, "hello");
	struct buffer *buffer = fixture->from.stream.in;
	fake_write_short(&fixture->to.peer, 1);
	assert_int_equal(pump(&fixture->from.stream, &fixture->to.stream, 5), 5);
	assert_ptr_equal(fixture->to.stream.out, buffer);
	assert_null(fixture->from.stream.in);
}

static void a_limit_cuts_a_buffer_by_copying(void **state)
{
	struct fixture *fixture = *state;

	arrive(fixture, "0123456789");
	assert_int_equal(pump(&fixture->from.stream, &fixture->to.stream, 0), 0);
	assert_int_equal(pump(&fixture->from.stream, &fixture->to.stream, 3), 3);
	assert_true(fake_received_is(&fixture->to.peer, "012"));
	assert_int_equal(stream_in_bytes(&fixture->from.stream), 7);
	assert_int_equal(pump(&fixture->from.stream, &fixture->to.stream, 7), 7);
	assert_true(fake_received_is(&fixture->to.peer, "0123456789"));
}

static void a_limit_needs_no_buffer_from_an_empty_pool(void **state)
{
	struct fixture *fixture = *state;

	arrive(fixture, "0123456789");
	struct buffer *rest = buffer_pool_lend(
	        fixture->io.pool, POOL_BYTES - buffer_pool_lent_bytes(fixture->io.pool));
	assert_non_null(rest);
	/* Nobody would tell the owner when to try again. */
	assert_int_equal(pump(&fixture->from.stream, &fixture->to.stream, 3), 3);
	assert_true(fake_received_is(&fixture->to.peer, "012"));
	buffer_pool_return(fixture->io.pool, &rest);
}

static void a_target_that_is_full_takes_nothing_more(void **state)
{
	struct fixture *fixture = *state;

	arrive(fixture, "first");
	fake_write_short(&fixture->to.peer, 1);
	assert_int_equal(pump_all(fixture), 5);
	arrive(fixture, "second");
	assert_int_equal(pump_all(fixture), 0);
	assert_int_equal(stream_in_bytes(&fixture->from.stream), 6);
	rig_writable(&fixture->to);
	assert_true(rig_events_are(&fixture->to, "d"));
	assert_int_equal(pump_all(fixture), 6);
	assert_true(fake_received_is(&fixture->to.peer, "firstsecond"));
}

static void moves_nothing_to_a_target_that_cannot_send(void **state)
{
	struct fixture *fixture = *state;

	arrive(fixture, "hello");
	stream_finish(&fixture->to.stream, false);
	assert_int_equal(pump_all(fixture), 0);
	stream_close(&fixture->to.stream);
	assert_int_equal(pump_all(fixture), 0);
	assert_int_equal(stream_in_bytes(&fixture->from.stream), 5);
}

static void moves_what_a_broken_source_had_sent(void **state)
{
	struct fixture *fixture = *state;

	fake_read_end(&fixture->from.peer, "whole", IO_TRUNCATED);
	rig_readable(&fixture->from);
	assert_true(rig_events_are(&fixture->from, "DF"));
	assert_int_equal(pump_all(fixture), 5);
	assert_true(fake_received_is(&fixture->to.peer, "whole"));
}

static void the_source_reads_on_after_its_full_buffer_has_left(void **state)
{
	struct fixture *fixture = *state;

	fixture->from.peer.source_bytes = 1 << 20;
	rig_readable(&fixture->from);
	assert_false(rig_readable(&fixture->from));
	assert_int_equal(pump_all(fixture), BUFFER_SMALL_BYTES);
	assert_true(rig_readable(&fixture->from));
}

static void close_source_on_failure(struct stream_rig *rig, enum stream_event event)
{
	struct fixture *fixture = rig->context;

	if (event == STREAM_FAILED) {
		stream_close(&fixture->from.stream);
		stream_close(&fixture->to.stream);
	}
}

static void a_target_that_fails_may_end_both(void **state)
{
	struct fixture *fixture = *state;

	arrive(fixture, "hello");
	fixture->to.hook = close_source_on_failure;
	fixture->to.context = fixture;
	fake_fail(&fixture->to.peer, FAKE_WRITE, CLOSE_UPSTREAM_RESET);
	pump_all(fixture);
	assert_true(rig_events_are(&fixture->to, "F"));
	assert_int_equal(fake_loop_watch_count(fixture->io.loop), 0);
	assert_int_equal(buffer_pool_lent_bytes(fixture->io.pool), 0);
}

/* ---- back-pressure ---- */

static void pump_on_event(struct stream_rig *rig, enum stream_event event)
{
	if (event == STREAM_DATA || event == STREAM_DRAINED)
		pump_all(rig->context);
}

static void pump_on_data_only(struct stream_rig *rig, enum stream_event event)
{
	if (event == STREAM_DATA)
		pump_all(rig->context);
}

/* Turns until nobody waits for anything: the target's socket is full after every fifth write. */
static void run_transfer(struct fixture *fixture, uint64_t bytes, size_t *lent_most_out)
{
	struct stream_rig *from = &fixture->from, *to = &fixture->to;
	bool moved = true;

	from->peer.source_bytes = bytes;
	for (unsigned turn = 0; moved; turn++) {
		if (fake_script_is_done(&to->peer)) {
			to->peer.queues[FAKE_WRITE] = (struct fake_queue){.count = 0};
			fake_write_short(&to->peer, 100 + turn % 30000);
			fake_write_short(&to->peer, 0);
			fake_write_kept(&to->peer, 20000);
		}
		moved = rig_readable(from);
		moved |= turn % 5 == 0 && rig_writable(to);
		moved |= to->stream.watch.events & EVENT_WRITE;
		uint64_t lent = buffer_pool_lent_bytes(fixture->io.pool);
		if (lent > *lent_most_out)
			*lent_most_out = lent;
		from->event_count = to->event_count = 0;
	}
}

static void transfer_passes_whole_through_small_memory(void **state)
{
	struct fixture *fixture = *state;
	size_t lent_most = 0;

	fixture->from.hook = fixture->to.hook = pump_on_event;
	fixture->from.context = fixture->to.context = fixture;
	run_transfer(fixture, BULK_BYTES, &lent_most);
	assert_true(fake_received_pattern(&fixture->to.peer, BULK_BYTES));
	assert_true(fixture->from.stream.eof_seen);
	assert_true(lent_most <= 2 * RIG_LARGE_BYTES);
	assert_int_equal(buffer_pool_lent_bytes(fixture->io.pool), 0);
}

/* The fault that this file is about, planted: a small transfer does not notice, a large one stalls.
 */
static void the_owner_has_to_pump_on_drained(void **state)
{
	static const struct {
		uint64_t bytes;
		bool arrives;
	} cases[] = {{30000, true}, {BULK_BYTES, false}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		void *own = NULL;
		size_t lent_most = 0;
		set_up(&own);
		struct fixture *fixture = own;
		fixture->from.hook = fixture->to.hook = pump_on_data_only;
		fixture->from.context = fixture->to.context = fixture;
		run_transfer(fixture, cases[i].bytes, &lent_most);
		assert_int_equal(
		        fake_received_pattern(&fixture->to.peer, cases[i].bytes), cases[i].arrives);
		tear_down(&own);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(moves_and_sends_what_has_arrived),
	        CASE(a_whole_buffer_moves_by_itself),
	        CASE(a_limit_cuts_a_buffer_by_copying),
	        CASE(a_limit_needs_no_buffer_from_an_empty_pool),
	        CASE(a_target_that_is_full_takes_nothing_more),
	        CASE(moves_nothing_to_a_target_that_cannot_send),
	        CASE(moves_what_a_broken_source_had_sent),
	        CASE(the_source_reads_on_after_its_full_buffer_has_left),
	        CASE(a_target_that_fails_may_end_both),
	        CASE(transfer_passes_whole_through_small_memory),
	        cmocka_unit_test(the_owner_has_to_pump_on_drained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
