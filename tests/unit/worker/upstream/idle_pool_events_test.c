/* SPDX-License-Identifier: BSD-2-Clause */
/* idle_pool_events_test.c - what servers do to idle connections, and what is too unquiet to be one.
 */
#include "tests/support/pool_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- events of idle connections ---- */

static void a_byte_or_an_end_drops_it(void **state)
{
	static const struct {
		const char *bytes;
		enum io_result result;
		bool gently;
	} cases[] = {
	        {"HTTP/1.1 408 Request Timeout\r\n", IO_OK, true},
	        {"bye", IO_EOF, true},
	        {"", IO_EOF, true},
	        {"", IO_TRUNCATED, false},
	        {"", IO_ERROR, false},
	};
	struct pool_rig *rig = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t number = pool_rig_add(rig, 0);
		fake_read_end(&rig->peers[number], cases[i].bytes, cases[i].result);
		assert_true(pool_rig_readable(rig, number));
		assert_int_equal(idle_pool_count(rig->pool), 0);
		assert_true(rig->peers[number].closed);
		assert_false(rig->peers[number].cut);
		assert_int_equal(rig->peers[number].finished, cases[i].gently);
		assert_null(pool_rig_take(rig, 0));
		assert_int_equal(rig->memory.count, 0); /* the turn is over */
	}
}

/* What TLS 1.3 sends after its handshake goes no further than the transport. */
static void a_ticket_alone_keeps_it(void **state)
{
	struct pool_rig *rig = *state;
	size_t number = pool_rig_add(rig, 0);

	fake_read(&rig->peers[number], "");
	fake_step_add(&rig->peers[number], FAKE_READ, /* and a key update: it is answered */
	        (struct fake_step){.result = IO_OK, .answers = true});
	assert_true(pool_rig_readable(rig, number));
	assert_true(pool_rig_readable(rig, number));
	assert_int_equal(rig->peers[number].calls[FAKE_WRITE], 1);
	assert_int_equal(idle_pool_count(rig->pool), 1);
	assert_int_equal(buffer_pool_lent_bytes(rig->io.pool), 0);
	assert_ptr_equal(pool_rig_take(rig, 0), rig->connections[number]);
	pool_rig_give(rig, number);
}

/* ---- whatever is pending ---- */

static void what_is_not_quiet_is_not_kept(void **state)
{
	struct pool_rig *rig = *state;
	size_t unread = pool_rig_open(rig, 0, pool_rig_plain),
	       inside = pool_rig_open(rig, 0, pool_rig_plain);
	size_t unsent = pool_rig_open(rig, 0, pool_rig_plain),
	       ended = pool_rig_open(rig, 0, pool_rig_plain);
	size_t failed = pool_rig_open(rig, 0, pool_rig_plain),
	       finished = pool_rig_open(rig, 0, pool_rig_plain);

	fake_read(&rig->peers[unread], "more than the answer");
	pool_rig_readable(rig, unread);
	fake_read_inside(&rig->peers[inside], "more");
	fake_write_short(&rig->peers[unsent], 0);
	struct stream *stream = &rig->connections[unsent]->stream;
	stream->out = buffer_pool_lend(rig->io.pool, 1);
	buffer_filled(stream->out, 1);
	stream_flush(stream);
	fake_read_end(&rig->peers[ended], "", IO_EOF);
	pool_rig_readable(rig, ended);
	fake_read_end(&rig->peers[failed], "", IO_ERROR);
	pool_rig_readable(rig, failed);
	stream_finish(&rig->connections[finished]->stream, false);
	for (size_t i = 0; i < rig->count; i++) {
		pool_rig_give(rig, i);
		assert_true(rig->peers[i].closed);
		assert_false(rig->peers[i].cut);
	}
	assert_int_equal(idle_pool_count(rig->pool), 0);
	assert_int_equal(buffer_pool_lent_bytes(rig->io.pool), 0);
}

static void what_has_become_unquiet_is_not_given_out(void **state)
{
	struct pool_rig *rig = *state;
	size_t older = pool_rig_add(rig, 0), younger = pool_rig_add(rig, 0);

	fake_read_inside(&rig->peers[younger], "there already, and no event yet");
	assert_ptr_equal(pool_rig_take(rig, 0), rig->connections[older]);
	assert_true(pool_rig_ended_gently(rig, younger));
	pool_rig_give(rig, older);
}

static void on_answer_taken(struct stream *stream, enum stream_event event)
{
	(void)stream;
	(void)event;
}

struct last_answer {
	struct pool_rig *rig;
	size_t number;
	bool ended_at_once;
};

/* An exchange whose last byte makes it give the connection back, inside the event. */
static void on_last_answer(struct stream *stream, enum stream_event event)
{
	struct last_answer *answer = stream->owner;

	if (event != STREAM_DATA)
		fail_msg("only the first event is its own");
	buffer_taken(stream->in, stream_in_bytes(stream));
	pool_rig_give(answer->rig, answer->number);
	answer->ended_at_once = answer->rig->peers[answer->number].closed;
}

static void it_may_be_given_inside_its_own_event(void **state)
{
	struct pool_rig *rig = *state;
	static const enum io_result results[] = {IO_OK, IO_EOF, IO_ERROR};

	for (size_t i = 0; i < 3; i++) {
		size_t number = pool_rig_open(rig, 0, pool_rig_plain);
		struct last_answer answer = {.rig = rig, .number = number};
		stream_give(&rig->connections[number]->stream, on_last_answer, &answer);
		fake_read_end(&rig->peers[number], "answer", results[i]);
		assert_true(pool_rig_readable(rig, number));
		/* An end that came with the last bytes is known already. */
		assert_int_equal(answer.ended_at_once, results[i] != IO_OK);
	}
	assert_int_equal(idle_pool_count(rig->pool), 1);
	assert_int_equal(buffer_pool_lent_bytes(rig->io.pool), 0);
}

static void its_memory_lives_until_the_turn_is_over(void **state)
{
	struct pool_rig *rig = *state;
	size_t number = pool_rig_add(rig, 0);

	fake_read_end(&rig->peers[number], "", IO_EOF);
	assert_true(fake_loop_fire_in_turn(&rig->connections[number]->stream.watch, EVENT_READ));
	assert_int_equal(idle_pool_count(rig->pool), 0);
	assert_int_equal(rig->memory.count, 1);
	pool_rig_add(rig, 0);
	assert_ptr_not_equal(rig->connections[number + 1], rig->connections[number]);
	fake_loop_end_turn(rig->io.loop);
	assert_int_equal(rig->memory.count, 1);
	pool_rig_add(rig, 0);
	assert_ptr_equal(rig->connections[number + 2], rig->connections[number]);
}

/* ---- statistics ---- */

static void bytes_are_counted_when_an_exchange_is_over(void **state)
{
	struct pool_rig *rig = *state;
	size_t number = pool_rig_open(rig, 0, pool_rig_plain);
	struct stream *stream = &rig->connections[number]->stream;

	for (uint64_t i = 1; i <= 3; i++) {
		fake_read(&rig->peers[number], "answer");
		assert_true(pool_rig_readable(rig, number));
		buffer_taken(stream->in, 6);
		pool_rig_give(rig, number);
		assert_int_equal(rig->row.counters[STAT_UPSTREAM_BYTES_IN], 6 * i);
		pool_rig_take(rig, 0);
		stream_give(stream, on_answer_taken, NULL);
	}
	fake_read_end(&rig->peers[number], "cut", IO_TRUNCATED);
	assert_true(pool_rig_readable(rig, number));
	assert_int_equal(rig->row.counters[STAT_UPSTREAM_TRUNCATED], 0);
	upstream_connection_abort(rig->connections[number]);
	assert_int_equal(rig->row.counters[STAT_UPSTREAM_BYTES_IN], 21);
	assert_int_equal(rig->row.counters[STAT_UPSTREAM_TRUNCATED], 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, pool_rig_set_up, pool_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(a_byte_or_an_end_drops_it),
	        CASE(a_ticket_alone_keeps_it),
	        CASE(what_is_not_quiet_is_not_kept),
	        CASE(what_has_become_unquiet_is_not_given_out),
	        CASE(it_may_be_given_inside_its_own_event),
	        CASE(its_memory_lives_until_the_turn_is_over),
	        CASE(bytes_are_counted_when_an_exchange_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
