/* SPDX-License-Identifier: BSD-2-Clause */
/* http_body_test.c - bodies of every framing, in every cut, into sockets that take little. */
#include "shared/arena.h"
#include "tests/support/stream_rig.h"
#include "worker/http/http_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { POOL_BYTES = 4 << 20, BULK_BYTES = 48 << 20 };

struct fixture {
	struct io_context io;
	struct stream_rig from, to;
	struct arena *arena;
	struct http_body body;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	rig_io_init(&fixture->io, POOL_BYTES);
	rig_init(&fixture->from, &fixture->io);
	rig_init(&fixture->to, &fixture->io);
	rig_open_ready(&fixture->from);
	rig_open_ready(&fixture->to);
	fixture->arena = arena_create(4096);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	rig_close(&fixture->from);
	rig_close(&fixture->to);
	rig_io_destroy(&fixture->io);
	arena_destroy(fixture->arena);
	free(fixture);
	return 0;
}

static void begin_sized(struct fixture *fixture, uint64_t length)
{
	struct http_head head = {.framing = HTTP_BODY_SIZED, .content_length = length};

	http_body_begin(&fixture->body, &head, NULL, HTTP_BODY_SIZED);
}

static void begin_chunked(struct fixture *fixture, enum http_framing to)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
	const struct http_limits limits = {.head_bytes_max = 4096, .line_bytes_max = 4096};
	struct http_parser *parser = http_parser_create(
	        fixture->arena, HTTP_RESPONSE, HTTP_METHOD_GET, &limits);
	size_t used = 0;

	assert_int_equal(http_parser_head_bytes(parser, SLICE(text), &used), HTTP_COMPLETE);
	http_body_begin(&fixture->body, http_parser_head(parser), parser, to);
}

static void begin_until_close(struct fixture *fixture, enum http_framing to)
{
	struct http_head head = {.framing = HTTP_BODY_UNTIL_CLOSE};

	http_body_begin(&fixture->body, &head, NULL, to);
}

static void arrive(struct fixture *fixture, const char *text)
{
	fake_read(&fixture->from.peer, text);
	assert_true(rig_readable(&fixture->from));
}

static enum http_progress relay(struct fixture *fixture)
{
	return http_body_relay(&fixture->body, &fixture->from.stream, &fixture->to.stream);
}

static void no_body_is_complete_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct http_head head = {.framing = HTTP_NO_BODY};

	http_body_begin(&fixture->body, &head, NULL, HTTP_NO_BODY);
	arrive(fixture, "GET /next");
	rig_put(&fixture->to, "head");
	assert_int_equal(relay(fixture), HTTP_COMPLETE);
	assert_true(fake_received_is(&fixture->to.peer, "head"));
	assert_int_equal(stream_in_bytes(&fixture->from.stream), 9);
}

static void a_sized_body_ends_where_its_length_says(void **state)
{
	struct fixture *fixture = *state;

	begin_sized(fixture, 5);
	arrive(fixture, "hel");
	assert_int_equal(relay(fixture), HTTP_MORE);
	arrive(fixture, "loGET");
	assert_int_equal(relay(fixture), HTTP_COMPLETE);
	assert_true(fake_received_is(&fixture->to.peer, "hello"));
	assert_true(rig_take_is(&fixture->from, "GET"));
	assert_int_equal(fixture->body.moved, 5);
}

static void head_and_body_leave_in_one_write(void **state)
{
	struct fixture *fixture = *state;

	begin_sized(fixture, 5);
	arrive(fixture, "hello");
	rig_put(&fixture->to, "head ");
	assert_int_equal(relay(fixture), HTTP_COMPLETE);
	assert_true(fake_received_is(&fixture->to.peer, "head hello"));
	assert_int_equal(fixture->to.peer.calls[FAKE_WRITE], 1);
}

static void the_last_bytes_of_a_connection_are_told_to_be_so(void **state)
{
	struct fixture *fixture = *state;

	begin_sized(fixture, 5);
	fixture->body.ends_connection = true;
	arrive(fixture, "hel");
	rig_put(&fixture->to, "head ");
	assert_int_equal(relay(fixture), HTTP_MORE);
	assert_false(fixture->to.peer.last_was_told);
	arrive(fixture, "lo");
	rig_put(&fixture->to, "-");
	assert_int_equal(relay(fixture), HTTP_COMPLETE);
	assert_true(fixture->to.peer.last_was_told);
	stream_finish(&fixture->to.stream, true);
}

/* What is there is more than has room in the buffer that has the head. */
static void check_behind_a_long_head(struct fixture *fixture, enum http_framing to)
{
	static char head[BUFFER_SMALL_BYTES - 2000 + 1];
	bool moves = true;

	begin_until_close(fixture, to);
	fixture->from.peer.source_bytes = 100000;
	assert_true(rig_readable(&fixture->from));
	assert_true(stream_in_bytes(&fixture->from.stream) > 10000);
	memset(head, 'h', sizeof(head) - 1);
	rig_put(&fixture->to, head);
	fake_write_short(&fixture->to.peer, 0);
	assert_int_equal(relay(fixture), HTTP_MORE);
	assert_in_range(fixture->body.moved, 1900, 2000);
	while (moves) {
		moves = rig_writable(&fixture->to);
		relay(fixture);
		moves |= rig_readable(&fixture->from);
	}
	assert_true(fixture->body.complete);
	assert_int_equal(fixture->body.moved, 100000);
}

static void a_body_fills_the_heads_buffer_and_no_more(void **state)
{
	check_behind_a_long_head(*state, HTTP_BODY_UNTIL_CLOSE);
}

static void chunks_fill_the_heads_buffer_and_no_more(void **state)
{
	check_behind_a_long_head(*state, HTTP_BODY_CHUNKED);
}

static void a_chunked_body_is_framed_afresh(void **state)
{
	struct fixture *fixture = *state;

	begin_chunked(fixture, HTTP_BODY_CHUNKED);
	arrive(fixture, "3;x=y\r\nabc\r\n0002\r\nde\r\n0\r\nX: y\r\n\r\nHTTP");
	rig_put(&fixture->to, "head ");
	assert_int_equal(relay(fixture), HTTP_COMPLETE);
	assert_true(fake_received_is(&fixture->to.peer, "head 5\r\nabcde\r\n0\r\n\r\n"));
	assert_int_equal(fixture->to.peer.calls[FAKE_WRITE], 1);
	assert_true(rig_take_is(&fixture->from, "HTTP"));
	assert_int_equal(fixture->body.moved, 5);
}

static void a_chunked_body_goes_plain_to_who_cannot_read_chunks(void **state)
{
	struct fixture *fixture = *state;

	begin_chunked(fixture, HTTP_BODY_UNTIL_CLOSE);
	arrive(fixture, "3\r\nabc\r\n");
	assert_int_equal(relay(fixture), HTTP_MORE);
	arrive(fixture, "0\r\n\r\n");
	assert_int_equal(relay(fixture), HTTP_COMPLETE);
	assert_true(fake_received_is(&fixture->to.peer, "abc"));
}

static void chunks_in_every_cut(void **state)
{
	struct fixture *fixture = *state;
	static const char text[] = "3\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n";
	char first[sizeof(text)], second[sizeof(text)];

	for (size_t cut = 1; cut < sizeof(text) - 1; cut++) {
		begin_chunked(fixture, HTTP_BODY_UNTIL_CLOSE);
		snprintf(first, sizeof(first), "%.*s", (int)cut, text);
		snprintf(second, sizeof(second), "%s", text + cut);
		fixture->to.peer.received_bytes = 0;
		arrive(fixture, first);
		assert_int_equal(relay(fixture), HTTP_MORE);
		arrive(fixture, second);
		assert_int_equal(relay(fixture), HTTP_COMPLETE);
		assert_true(fake_received_is(&fixture->to.peer, "abc0123456789"));
		arena_rewind(fixture->arena);
	}
}

static void bad_chunks_are_refused_behind_the_good_ones(void **state)
{
	struct fixture *fixture = *state;

	begin_chunked(fixture, HTTP_BODY_CHUNKED);
	arrive(fixture, "3\r\nabc\r\n");
	assert_int_equal(relay(fixture), HTTP_MORE);
	arrive(fixture, "zz\r\n");
	assert_int_equal(relay(fixture), HTTP_REFUSED);
	assert_int_equal(relay(fixture), HTTP_REFUSED);
	assert_true(fake_received_is(&fixture->to.peer, "3\r\nabc\r\n"));
}

static void a_body_until_close_becomes_chunks(void **state)
{
	struct fixture *fixture = *state;

	begin_until_close(fixture, HTTP_BODY_CHUNKED);
	arrive(fixture, "hello, this is it");
	assert_int_equal(relay(fixture), HTTP_MORE);
	fake_read_end(&fixture->from.peer, "", IO_EOF);
	assert_true(rig_readable(&fixture->from));
	assert_int_equal(relay(fixture), HTTP_COMPLETE);
	assert_true(fake_received_is(&fixture->to.peer, "11\r\nhello, this is it\r\n0\r\n\r\n"));
}

static void a_cut_body_until_close_is_never_complete(void **state)
{
	struct fixture *fixture = *state;

	begin_until_close(fixture, HTTP_BODY_CHUNKED);
	fake_read_end(&fixture->from.peer, "abc", IO_TRUNCATED);
	assert_true(rig_readable(&fixture->from));
	assert_int_equal(relay(fixture), HTTP_MORE);
	assert_true(fake_received_is(&fixture->to.peer, "3\r\nabc\r\n"));
}

static void a_dropped_body_goes_nowhere(void **state)
{
	struct fixture *fixture = *state;

	begin_sized(fixture, 5);
	arrive(fixture, "helloGET");
	assert_int_equal(
	        http_body_relay(&fixture->body, &fixture->from.stream, NULL), HTTP_COMPLETE);
	assert_true(rig_take_is(&fixture->from, "GET"));
	begin_chunked(fixture, HTTP_BODY_CHUNKED);
	arrive(fixture, "1\r\na\r\n0\r\n\r\n");
	assert_int_equal(
	        http_body_relay(&fixture->body, &fixture->from.stream, NULL), HTTP_COMPLETE);
	assert_int_equal(fixture->body.moved, 1);
}

/* A target that takes a little at a time, and the relay only goes on when it is DRAINED. */
static void bulk_through_a_slow_target(void **state)
{
	struct fixture *fixture = *state;
	uint64_t steps = 0;

	begin_sized(fixture, BULK_BYTES);
	fixture->from.peer.source_bytes = BULK_BYTES;
	enum http_progress progress = HTTP_MORE;
	while (progress == HTTP_MORE && ++steps < 1000000) {
		if (steps % 3 == 0)
			fake_write_short(&fixture->to.peer, 1000);
		rig_readable(&fixture->from);
		progress = relay(fixture);
		rig_writable(&fixture->to);
	}
	assert_int_equal(progress, HTTP_COMPLETE);
	while (rig_writable(&fixture->to))
		;
	assert_true(fake_received_pattern(&fixture->to.peer, BULK_BYTES));
	assert_true(buffer_pool_lent_bytes(fixture->io.pool) <= 2 * RIG_LARGE_BYTES);
}

static void bulk_until_close_becomes_chunks(void **state)
{
	struct fixture *fixture = *state;
	uint64_t steps = 0;

	begin_until_close(fixture, HTTP_BODY_CHUNKED);
	fixture->from.peer.source_bytes = 1 << 20;
	enum http_progress progress = HTTP_MORE;
	while (progress == HTTP_MORE && ++steps < 100000) {
		if (steps % 3 == 0)
			fake_write_short(&fixture->to.peer, 100);
		rig_readable(&fixture->from);
		progress = relay(fixture);
		rig_writable(&fixture->to);
	}
	assert_int_equal(progress, HTTP_COMPLETE);
	assert_int_equal(fixture->body.moved, 1 << 20);
}

/* The end has come, what came before it has not left yet. */
static void a_body_until_close_is_not_complete_before_it_has_left(void **state)
{
	struct fixture *fixture = *state;

	begin_until_close(fixture, HTTP_BODY_UNTIL_CLOSE);
	fixture->from.peer.source_bytes = 100000;
	for (int i = 0; i < 20; i++)
		fake_write_short(&fixture->to.peer, 100);
	bool moves = true;
	while (moves && !fixture->body.complete) {
		moves = rig_readable(&fixture->from);
		enum http_progress progress = relay(fixture);
		assert_int_equal(progress == HTTP_COMPLETE, fixture->body.moved == 100000);
		moves |= rig_writable(&fixture->to);
	}
	while (rig_writable(&fixture->to))
		;
	assert_true(fake_received_pattern(&fixture->to.peer, 100000));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(no_body_is_complete_at_once),
	        TEST(a_sized_body_ends_where_its_length_says),
	        TEST(head_and_body_leave_in_one_write),
	        TEST(the_last_bytes_of_a_connection_are_told_to_be_so),
	        TEST(a_body_fills_the_heads_buffer_and_no_more),
	        TEST(chunks_fill_the_heads_buffer_and_no_more),
	        TEST(a_chunked_body_is_framed_afresh),
	        TEST(a_chunked_body_goes_plain_to_who_cannot_read_chunks),
	        TEST(chunks_in_every_cut),
	        TEST(bad_chunks_are_refused_behind_the_good_ones),
	        TEST(a_body_until_close_becomes_chunks),
	        TEST(a_cut_body_until_close_is_never_complete),
	        TEST(a_dropped_body_goes_nowhere),
	        TEST(bulk_through_a_slow_target),
	        TEST(bulk_until_close_becomes_chunks),
	        TEST(a_body_until_close_is_not_complete_before_it_has_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
