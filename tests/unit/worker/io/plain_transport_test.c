/* SPDX-License-Identifier: BSD-2-Clause */
/* plain_transport_test.c - what recv and send say, in the words of a transport. */
#include "worker/io/plain_transport.h"

#include "tests/support/tcp_pair.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { BULK_BYTES = 8 << 20 };

/* A TCP connection over the loopback: ours does not block, theirs does. */
struct fixture {
	int ours, theirs;
	struct transport *transport;
};

static int set_up(void **state)
{
	struct fixture *fixture = malloc(sizeof(*fixture));

	tcp_pair(&fixture->ours, &fixture->theirs, 0);
	fixture->transport = plain_transport_create(fixture->ours, IO_CLIENT);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	fixture->transport->ops->close(fixture->transport, false);
	close(fixture->ours);
	close(fixture->theirs);
	free(fixture);
	return 0;
}

static enum io_result do_read(struct fixture *fixture, char *room, size_t size, size_t *got_out)
{
	return fixture->transport->ops->read(fixture->transport, room, size, got_out);
}

static enum io_result do_write(struct fixture *fixture, const char *bytes, size_t length)
{
	size_t put = SIZE_MAX;
	enum io_result result = fixture->transport->ops->write(
	        fixture->transport, bytes, length, &put);

	assert_true(result != IO_OK || put == length);
	return result;
}

static void needs_no_handshake_and_keeps_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct transport *transport = fixture->transport;

	assert_int_equal(transport->ops->handshake(transport), IO_OK);
	assert_int_equal(transport->ops->pending(transport), 0);
	assert_int_equal(transport->read_room_min, 1);
	assert_true(transport->ops->cut_needs_reset);
}

static void reads_what_is_there_and_says_when_nothing_is(void **state)
{
	struct fixture *fixture = *state;
	char room[8];
	size_t got = 99;

	assert_int_equal(do_read(fixture, room, sizeof(room), &got), IO_WANT_READ);
	assert_int_equal(got, 0);
	assert_int_equal(send(fixture->theirs, "0123456789", 10, 0), 10);
	assert_int_equal(do_read(fixture, room, sizeof(room), &got), IO_OK);
	assert_int_equal(got, 8);
	assert_true(fixture->transport->read_filled);
	assert_int_equal(do_read(fixture, room, sizeof(room), &got), IO_OK);
	assert_int_equal(got, 2);
	assert_false(fixture->transport->read_filled);
	assert_memory_equal(room, "89", 2);
}

static void tells_the_end_from_a_reset(void **state)
{
	struct fixture *fixture = *state;
	char room[8];
	size_t got;

	shutdown(fixture->theirs, SHUT_WR);
	assert_int_equal(do_read(fixture, room, sizeof(room), &got), IO_EOF);
	assert_null(fixture->transport->fault);
	setsockopt(fixture->theirs, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
	        sizeof(struct linger));
	close(fixture->theirs);
	fixture->theirs = -1;
	assert_int_equal(do_write(fixture, "x", 1), IO_ERROR);
	assert_int_equal(fixture->transport->fault->reason, CLOSE_CLIENT_RESET);
}

static void a_reset_is_the_fault_of_its_side(void **state)
{
	static const struct {
		enum io_side side;
		enum close_reason reason;
	} cases[] = {{IO_CLIENT, CLOSE_CLIENT_RESET}, {IO_UPSTREAM, CLOSE_UPSTREAM_RESET}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fixture fixture;
		char room[8];
		size_t got;
		tcp_pair(&fixture.ours, &fixture.theirs, 0);
		fixture.transport = plain_transport_create(fixture.ours, cases[i].side);
		setsockopt(fixture.theirs, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
		        sizeof(struct linger));
		close(fixture.theirs);
		assert_int_equal(do_read(&fixture, room, sizeof(room), &got), IO_ERROR);
		assert_int_equal(fixture.transport->fault->reason, cases[i].reason);
		assert_string_equal(fixture.transport->fault->text, "Connection reset by peer");
		/* The first cause stays; and no SIGPIPE. */
		assert_int_equal(do_write(&fixture, "x", 1), IO_ERROR);
		assert_string_equal(fixture.transport->fault->text, "Connection reset by peer");
		fixture.transport->ops->close(fixture.transport, true);
		close(fixture.ours);
	}
}

static void writes_until_the_socket_is_full(void **state)
{
	struct fixture *fixture = *state;
	struct transport *transport = fixture->transport;
	char *bytes = calloc(1, BULK_BYTES);
	size_t put = 0, all = 0;

	assert_int_equal(transport->ops->write(transport, bytes, BULK_BYTES, &put), IO_WANT_WRITE);
	assert_true(put > 0 && put < BULK_BYTES);
	while (transport->ops->write(transport, bytes, BULK_BYTES, &all) == IO_WANT_WRITE && all)
		put += all;
	assert_int_equal(all, 0); /* full is full */
	assert_int_equal(recv(fixture->theirs, bytes, put, MSG_WAITALL), put);
	assert_int_equal(do_write(fixture, "more", 4), IO_OK);
	free(bytes);
}

static void an_empty_write_does_nothing(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(do_write(fixture, NULL, 0), IO_OK);
}

static void finishing_sends_a_fin_unless_close_follows(void **state)
{
	struct fixture *fixture = *state;
	struct transport *transport = fixture->transport;
	char byte;

	assert_int_equal(transport->ops->finish(transport, true), IO_OK);
	assert_int_equal(recv(fixture->theirs, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(transport->ops->finish(transport, false), IO_OK);
	assert_int_equal(recv(fixture->theirs, &byte, 1, 0), 0);
}

/* What waits is there with the FIN, not before. */
static void check_last_bytes(struct fixture *fixture, bool closing)
{
	struct transport *transport = fixture->transport;
	char room[8];

	transport->last = true;
	assert_int_equal(do_write(fixture, "last ", 5), IO_OK);
	assert_int_equal(do_write(fixture, "ones", 4), IO_OK);
	assert_int_equal(recv(fixture->theirs, room, sizeof(room), MSG_DONTWAIT), -1);
	assert_int_equal(transport->ops->finish(transport, closing), IO_OK);
	assert_int_equal(recv(fixture->theirs, room, 8, MSG_WAITALL), 8);
	assert_memory_equal(room, "last one", 8);
	assert_int_equal(recv(fixture->theirs, room, 8, MSG_WAITALL), 1);
}

static void last_bytes_wait_for_the_fin(void **state)
{
	check_last_bytes(*state, false);
}

/* close(2) alone would throw them away, with bytes that nobody has read. */
static void last_bytes_are_not_lost_to_a_close(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(send(fixture->theirs, "unread", 6, 0), 6);
	check_last_bytes(fixture, true);
}

static void finishing_after_a_reset_is_no_fault_of_its_own(void **state)
{
	struct fixture *fixture = *state;
	char room[8];
	size_t got;

	setsockopt(fixture->theirs, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
	        sizeof(struct linger));
	close(fixture->theirs);
	fixture->theirs = -1;
	assert_int_equal(do_read(fixture, room, sizeof(room), &got), IO_ERROR);
	assert_int_equal(fixture->transport->ops->finish(fixture->transport, false), IO_OK);
}

static void the_first_cause_of_a_fault_stays(void **state)
{
	struct fixture *fixture = *state;
	struct transport *transport = fixture->transport;

	transport_fault(transport, CLOSE_CLIENT_PROTOCOL, "%s number %d", "cause", 1);
	transport_fault(transport, CLOSE_CLIENT_RESET, "cause number 2");
	transport_fault_errno(transport, ECONNRESET);
	assert_int_equal(transport->fault->reason, CLOSE_CLIENT_PROTOCOL);
	assert_string_equal(transport->fault->text, "cause number 1");
	transport_fault_clear(transport);
	assert_null(transport->fault);
	transport_fault_errno(transport, EPIPE);
	assert_string_equal(transport->fault->text, "closed by the other side");
}

static void a_long_fault_is_cut(void **state)
{
	struct fixture *fixture = *state;
	char text[5000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	transport_fault(fixture->transport, CLOSE_CLIENT_PROTOCOL, "%s", text);
	assert_int_equal(strlen(fixture->transport->fault->text), 1023);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(needs_no_handshake_and_keeps_nothing),
	        CASE(reads_what_is_there_and_says_when_nothing_is),
	        CASE(tells_the_end_from_a_reset),
	        CASE(a_reset_is_the_fault_of_its_side),
	        CASE(writes_until_the_socket_is_full),
	        CASE(an_empty_write_does_nothing),
	        CASE(finishing_sends_a_fin_unless_close_follows),
	        CASE(last_bytes_wait_for_the_fin),
	        CASE(last_bytes_are_not_lost_to_a_close),
	        CASE(finishing_after_a_reset_is_no_fault_of_its_own),
	        CASE(the_first_cause_of_a_fault_stays),
	        CASE(a_long_fault_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
