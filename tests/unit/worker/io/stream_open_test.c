/* SPDX-License-Identifier: BSD-2-Clause */
/* stream_open_test.c - connecting, handshakes in turns, the deadline, and what READY brings. */
#include "tests/support/stream_rig.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { POOL_BYTES = 1 << 20, DEADLINE_MS = 5000 };

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

static void nothing_happens_before_start(void **state)
{
	struct fixture *fixture = *state;

	rig_open(&fixture->rig, IO_CLIENT, DEADLINE_MS);
	assert_int_equal(fixture->rig.peer.calls[FAKE_HANDSHAKE], 0);
	assert_int_equal(fake_loop_watch_count(fixture->io.loop), 0);
	assert_true(rig_events_are(&fixture->rig, ""));
}

static void is_ready_at_once_when_no_handshake_is_needed(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	rig_open(rig, IO_CLIENT, DEADLINE_MS);
	stream_start(&rig->stream, false);
	assert_true(rig_events_are(rig, "R"));
	assert_int_equal(rig->stream.watch.events, EVENT_READ);
	assert_int_equal(rig->peer.calls[FAKE_READ], 0); /* nobody said that something is there */
	assert_int_equal(fake_loop_timer_count(fixture->io.loop), 0);
	assert_int_equal(buffer_pool_lent_bytes(fixture->io.pool), 0);
}

static void start_reads_at_once_when_bytes_are_surely_there(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	fake_read(&rig->peer, "hello");
	rig_open(rig, IO_CLIENT, DEADLINE_MS);
	stream_start(&rig->stream, true);
	assert_true(rig_events_are(rig, "RD"));
	assert_int_equal(rig->peer.calls[FAKE_READ], 1);
	assert_true(rig_take_is(rig, "hello"));
}

static void a_handshake_takes_the_turns_it_wants(void **state)
{
	static const enum io_result turns[] = {
	        IO_WANT_READ, IO_WANT_WRITE, IO_WANT_WRITE, IO_WANT_READ};
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	for (size_t i = 0; i < 4; i++)
		fake_handshake(&rig->peer, turns[i]);
	rig_open(rig, IO_CLIENT, DEADLINE_MS);
	stream_start(&rig->stream, false);
	for (size_t i = 0; i < 4; i++) {
		unsigned wanted = turns[i] == IO_WANT_READ ? EVENT_READ : EVENT_WRITE;
		assert_int_equal(rig->stream.watch.events, wanted);
		assert_true(rig_events_are(rig, ""));
		assert_false(fake_loop_fire(&rig->stream.watch, 3 - wanted));
		assert_true(fake_loop_fire(&rig->stream.watch, wanted));
	}
	assert_true(rig_events_are(rig, "R"));
	assert_int_equal(rig->peer.calls[FAKE_HANDSHAKE], 5);
	assert_int_equal(fake_loop_timer_count(fixture->io.loop), 0);
}

static void a_handshake_that_fails_says_why(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	fake_handshake(&rig->peer, IO_WANT_READ);
	fake_fail(&rig->peer, FAKE_HANDSHAKE, CLOSE_UPSTREAM_VERIFY);
	rig_open(rig, IO_UPSTREAM, DEADLINE_MS);
	stream_start(&rig->stream, false);
	rig_readable(rig);
	assert_true(rig_events_are(rig, "F"));
	assert_int_equal(rig->stream.transport->fault->reason, CLOSE_UPSTREAM_VERIFY);
	assert_int_equal(fake_loop_watch_count(fixture->io.loop), 0);
	assert_int_equal(fake_loop_timer_count(fixture->io.loop), 0);
}

static void the_deadline_ends_a_handshake_as_the_side_demands(void **state)
{
	static const struct {
		enum io_side side;
		enum close_reason reason;
	} cases[] = {
	        {IO_CLIENT, CLOSE_CLIENT_HANDSHAKE_TIMEOUT},
	        {IO_UPSTREAM, CLOSE_UPSTREAM_HANDSHAKE_TIMEOUT},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < 2; i++) {
		struct stream_rig rig;
		rig_init(&rig, &fixture->io);
		fake_handshake(&rig.peer, IO_WANT_READ);
		rig_open(&rig, cases[i].side, DEADLINE_MS);
		stream_start(&rig.stream, false);
		fake_loop_advance(fixture->io.loop, DEADLINE_MS - 1);
		assert_true(rig_events_are(&rig, ""));
		fake_loop_advance(fixture->io.loop, 1);
		assert_true(rig_events_are(&rig, "F"));
		assert_int_equal(rig.stream.transport->fault->reason, cases[i].reason);
		rig_close(&rig);
	}
}

static void the_deadline_ends_with_ready(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	fake_handshake(&rig->peer, IO_WANT_READ);
	rig_open(rig, IO_CLIENT, DEADLINE_MS);
	stream_start(&rig->stream, false);
	fake_loop_advance(fixture->io.loop, DEADLINE_MS - 1);
	rig_readable(rig);
	assert_true(rig_events_are(rig, "R"));
	fake_loop_advance(fixture->io.loop, 10 * DEADLINE_MS);
	assert_true(rig_events_are(rig, ""));
}

/* ---- what READY brings ---- */

static void let_answer_wait(struct fake_peer *peer)
{
	fake_step_add(peer, FAKE_HANDSHAKE, (struct fake_step){.result = IO_OK, .answers = true});
}

static void the_last_flight_leaves_after_ready(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	let_answer_wait(&rig->peer);
	rig_open(rig, IO_UPSTREAM, DEADLINE_MS);
	stream_start(&rig->stream, false);
	assert_true(rig_events_are(rig, "R"));
	assert_int_equal(rig->peer.calls[FAKE_WRITE], 1);
	assert_true(stream_is_drained(&rig->stream));
	assert_int_equal(rig->stream.watch.events, EVENT_READ);
}

static void write_first_bytes(struct stream_rig *rig, enum stream_event event)
{
	if (event != STREAM_READY)
		return;
	rig_put(rig, "first");
	stream_flush(&rig->stream);
}

static void the_first_bytes_take_the_last_flight_along(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	let_answer_wait(&rig->peer);
	rig->hook = write_first_bytes;
	rig_open(rig, IO_UPSTREAM, DEADLINE_MS);
	stream_start(&rig->stream, false);
	assert_int_equal(rig->peer.calls[FAKE_WRITE], 1);
	assert_true(fake_received_is(&rig->peer, "first"));
}

static void a_last_flight_that_is_refused_waits_for_the_socket(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	let_answer_wait(&rig->peer);
	fake_write_short(&rig->peer, 0);
	rig_open(rig, IO_UPSTREAM, DEADLINE_MS);
	stream_start(&rig->stream, false);
	assert_int_equal(rig->stream.watch.events, EVENT_READ | EVENT_WRITE);
	assert_false(stream_is_drained(&rig->stream));
	rig_writable(rig);
	assert_true(rig_events_are(rig, "Rd"));
	assert_true(stream_is_drained(&rig->stream));
}

static void bytes_that_came_with_the_handshake_are_read_without_an_event(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	fake_handshake(&rig->peer, IO_WANT_READ);
	fake_read_inside(&rig->peer, "early");
	rig_open(rig, IO_UPSTREAM, DEADLINE_MS);
	stream_start(&rig->stream, false);
	rig_readable(rig);
	assert_true(rig_events_are(rig, "RD"));
	assert_true(rig_take_is(rig, "early"));
}

static void such_bytes_are_read_when_an_empty_pool_has_buffers_again(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;
	struct buffer *all = buffer_pool_lend(fixture->io.pool, POOL_BYTES);

	fake_read_inside(&rig->peer, "early");
	rig_open(rig, IO_UPSTREAM, DEADLINE_MS);
	stream_start(&rig->stream, false);
	assert_true(rig_events_are(rig, "R"));
	buffer_pool_return(fixture->io.pool, &all);
	assert_true(rig_events_are(rig, "")); /* not from inside whoever returned it */
	fake_loop_end_turn(fixture->io.loop);
	assert_true(rig_events_are(rig, "D"));
	assert_true(rig_take_is(rig, "early"));
}

/* ---- connecting: the one thing that needs a real socket ---- */

static void open_connecting(struct stream_rig *rig, int fd)
{
	struct stream *stream = &rig->stream;

	rig_open(rig, IO_UPSTREAM, DEADLINE_MS);
	close(stream->fd);
	stream->state = STREAM_CONNECTING;
	stream->fd = fd;
	stream_start(stream, false);
}

static int connect_to_nobody(void)
{
	struct sockaddr_in address = {
	        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int taken = socket(AF_INET, SOCK_STREAM, 0); /* bound, so it is ours; never listens */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(taken, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(taken, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), -1);
	poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 1000);
	close(taken);
	return fd;
}

static void a_connected_socket_goes_on_to_the_handshake(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	fake_handshake(&rig->peer, IO_WANT_READ);
	open_connecting(rig, ends[0]);
	assert_int_equal(rig->stream.watch.events, EVENT_WRITE);
	rig_writable(rig);
	assert_true(rig_events_are(rig, ""));
	assert_int_equal(rig->stream.watch.events, EVENT_READ);
	rig_readable(rig);
	assert_true(rig_events_are(rig, "R"));
	close(ends[1]);
}

static void a_refused_connection_fails_and_says_so(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	open_connecting(rig, connect_to_nobody());
	rig_writable(rig);
	assert_true(rig_events_are(rig, "F"));
	assert_int_equal(rig->stream.transport->fault->reason, CLOSE_UPSTREAM_CONNECT);
	assert_string_equal(rig->stream.transport->fault->text, "Connection refused");
	assert_int_equal(rig->peer.calls[FAKE_HANDSHAKE], 0);
}

static void a_connect_without_an_answer_is_told_from_a_slow_handshake(void **state)
{
	struct fixture *fixture = *state;
	struct stream_rig *rig = &fixture->rig;

	open_connecting(rig, fake_descriptor());
	fake_loop_advance(fixture->io.loop, DEADLINE_MS);
	assert_true(rig_events_are(rig, "F"));
	assert_int_equal(rig->stream.transport->fault->reason, CLOSE_UPSTREAM_CONNECT_TIMEOUT);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(nothing_happens_before_start),
	        CASE(is_ready_at_once_when_no_handshake_is_needed),
	        CASE(start_reads_at_once_when_bytes_are_surely_there),
	        CASE(a_handshake_takes_the_turns_it_wants),
	        CASE(a_handshake_that_fails_says_why),
	        CASE(the_deadline_ends_a_handshake_as_the_side_demands),
	        CASE(the_deadline_ends_with_ready),
	        CASE(the_last_flight_leaves_after_ready),
	        CASE(the_first_bytes_take_the_last_flight_along),
	        CASE(a_last_flight_that_is_refused_waits_for_the_socket),
	        CASE(bytes_that_came_with_the_handshake_are_read_without_an_event),
	        CASE(such_bytes_are_read_when_an_empty_pool_has_buffers_again),
	        CASE(a_connected_socket_goes_on_to_the_handshake),
	        CASE(a_refused_connection_fails_and_says_so),
	        CASE(a_connect_without_an_answer_is_told_from_a_slow_handshake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
