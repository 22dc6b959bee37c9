/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dialer_test.c - attempts one after another: real sockets on the loopback, a clock moved by hand.
 *
 * What a server is asked in TLS is for tests with real peers; here all servers are plain.
 */
#include "worker/upstream/dialer.h"

#include "shared/upstream_state.h"
#include "tests/support/fake_loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { SERVERS_MAX = 1000, POOL_BYTES = 1 << 20, CONNECT_MS = 5000, SESSION = 7 };

/* A server listens, or its port is bound and refuses. */
struct fixture {
	struct io_context io;
	struct dialer dialer;
	struct scoreboard_row row;
	struct dial dial;
	struct upstream_connection *connection; /* taken when it connected */
	struct dial_settings settings;
	struct config_endpoint endpoints[SERVERS_MAX];
	struct config_group group;
	struct config config;
	struct upstream_state *state;
	int sockets[SERVERS_MAX];
	bool sure;
	size_t server_count;
	unsigned calls; /* of the dial's function */
	bool connected;
	enum close_reason reason;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->io.loop = event_loop_create();
	fixture->io.pool = buffer_pool_create(POOL_BYTES, POOL_BYTES);
	fixture->io.resets = reset_queue_create(fixture->io.loop);
	fixture->dialer.io = &fixture->io;
	fixture->dialer.row = &fixture->row;
	upstream_connections_init(&fixture->dialer.connections, &fixture->io);
	fixture->group = (struct config_group){.name = "test", .endpoints = fixture->endpoints};
	fixture->settings = (struct dial_settings){.group = &fixture->group,
	        .connect_timeout_ms = CONNECT_MS,
	        .next_upstream = NEXT_UPSTREAM_ERROR | NEXT_UPSTREAM_TIMEOUT};
	log_set_sinks(NULL, 0);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	if (fixture->dialer.balancer)
		dial_cancel(&fixture->dial);
	upstream_connection_close(fixture->connection);
	idle_pool_destroy(fixture->dialer.pool);
	fake_loop_end_turn(fixture->io.loop);
	upstream_connections_destroy(&fixture->dialer.connections);
	balancer_destroy(fixture->dialer.balancer);
	upstream_state_destroy(fixture->state);
	reset_queue_destroy(fixture->io.resets);
	buffer_pool_destroy(fixture->io.pool);
	event_loop_destroy(fixture->io.loop);
	for (size_t i = 0; i < fixture->server_count; i++) {
		if (fixture->sockets[i] >= 0)
			close(fixture->sockets[i]);
	}
	free(fixture);
	return 0;
}

static void add_server(struct fixture *fixture, bool listens)
{
	size_t i = fixture->server_count++;
	struct config_endpoint *endpoint = &fixture->endpoints[i];
	socklen_t size = sizeof(endpoint->address.in);

	*endpoint = (struct config_endpoint){.server = "test",
	        .host = "test",
	        .weight = 1,
	        .max_fails = 1,
	        .fail_timeout_ms = 10000,
	        .state_index = (uint32_t)i};
	endpoint->address = (struct address){
	        .in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
	        .length = size};
	fixture->sockets[i] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fixture->sockets[i], &endpoint->address.any, size), 0);
	assert_int_equal(getsockname(fixture->sockets[i], &endpoint->address.any, &size), 0);
	if (listens)
		assert_int_equal(listen(fixture->sockets[i], 8), 0);
}

/* The same refusing port again and again, so that a thousand servers need one socket. */
static void add_refusing_servers(struct fixture *fixture, size_t count)
{
	add_server(fixture, false);
	for (size_t i = 1; i < count; i++) {
		fixture->endpoints[i] = fixture->endpoints[0];
		fixture->endpoints[i].state_index = (uint32_t)i;
		fixture->sockets[i] = -1;
	}
	fixture->server_count = count;
}

static void on_dialled(struct dial *dial, bool connected, enum close_reason reason)
{
	struct fixture *fixture = LIST_OBJECT(dial, struct fixture, dial);

	fixture->calls++;
	fixture->connected = connected;
	fixture->reason = reason;
	if (connected)
		fixture->connection = dial_take_connection(dial);
}

static void start(struct fixture *fixture)
{
	fixture->group.endpoint_count = fixture->server_count;
	fixture->config = (struct config){.groups = &fixture->group,
	        .group_count = 1,
	        .endpoint_count = fixture->server_count};
	fixture->state = upstream_state_create(fixture->server_count, 1);
	fixture->dialer.balancer = balancer_create(&fixture->config, fixture->state);
	fixture->dialer.pool = idle_pool_create(&fixture->config, &fixture->io);
	assert_non_null(fixture->dialer.balancer);
	dial_init(&fixture->dial, &fixture->dialer);
	dial_start(&fixture->dial, &fixture->settings, SESSION, fixture->sure, on_dialled);
	assert_int_equal(fixture->calls, 0); /* never from inside */
	fake_loop_end_turn(fixture->io.loop);
}

/* Until the dial has ended, whatever the kernel says of each attempt. */
static void run(struct fixture *fixture)
{
	while (fixture->calls == 0) {
		struct stream *stream = &fixture->dial.connection->stream;
		struct pollfd poll_fd = {.fd = stream->fd, .events = POLLOUT};
		assert_int_equal(poll(&poll_fd, 1, 5000), 1);
		assert_true(fake_loop_fire(&stream->watch, EVENT_WRITE));
	}
}

static uint64_t counted(const struct fixture *fixture, enum stat_counter counter)
{
	return fixture->row.counters[counter];
}

static bool is_out(const struct fixture *fixture, size_t server)
{
	return upstream_state_endpoint(fixture->state, server)->outage != 0;
}

static void a_server_that_answers_is_connected_to(void **state)
{
	struct fixture *fixture = *state;

	add_server(fixture, true);
	start(fixture);
	assert_int_equal(fixture->dial.connection->stream.state, STREAM_CONNECTING);
	run(fixture);
	assert_true(fixture->connected);
	assert_int_equal(fixture->connection->stream.state, STREAM_OPEN);
	assert_true(fixture->dial.confirmed); /* there is no handshake to be judged */
	assert_int_equal(counted(fixture, STAT_UPSTREAM_ATTEMPTS), 1);
	assert_int_equal(counted(fixture, STAT_UPSTREAM_FAILURES), 0);
	assert_int_equal(fake_loop_timer_count(fixture->io.loop), 0);
}

static void after_a_refusal_the_next_server_is_tried(void **state)
{
	struct fixture *fixture = *state;

	add_server(fixture, false);
	add_server(fixture, true);
	start(fixture);
	run(fixture);
	assert_true(fixture->connected);
	assert_ptr_equal(fixture->dial.endpoint, &fixture->endpoints[1]);
	if (fixture->dial.attempts == 2) {
		assert_ptr_equal(fixture->dial.shown[0], &fixture->endpoints[0]);
		assert_ptr_equal(fixture->dial.shown[1], &fixture->endpoints[1]);
		assert_true(is_out(fixture, 0));
	}
	assert_false(is_out(fixture, 1));
	assert_int_equal(counted(fixture, STAT_UPSTREAM_ATTEMPTS), fixture->dial.attempts);
	assert_int_equal(counted(fixture, STAT_UPSTREAM_FAILURES), fixture->dial.attempts - 1);
}

static void when_all_refuse_the_last_reason_is_told(void **state)
{
	struct fixture *fixture = *state;

	add_refusing_servers(fixture, 3);
	start(fixture);
	run(fixture);
	assert_false(fixture->connected);
	assert_int_equal(fixture->reason, CLOSE_UPSTREAM_CONNECT);
	assert_int_equal(fixture->dialer.connections.count, 0);
	assert_int_equal(fixture->calls, 1);
	assert_true(fixture->dial.attempts >= 3);
}

static void tries_have_a_limit(void **state)
{
	struct fixture *fixture = *state;

	add_refusing_servers(fixture, 5);
	fixture->settings.tries_max = 2;
	start(fixture);
	run(fixture);
	assert_false(fixture->connected);
	assert_int_equal(fixture->dial.attempts, 2);
}

static void tries_end_with_their_time(void **state)
{
	struct fixture *fixture = *state;

	add_refusing_servers(fixture, 5);
	fixture->settings.tries_timeout_ms = 100;
	start(fixture);
	fake_loop_advance(fixture->io.loop, 100);
	run(fixture);
	assert_false(fixture->connected);
	assert_int_equal(fixture->dial.attempts, 1);
}

static void a_thousand_dead_servers_are_no_recursion(void **state)
{
	struct fixture *fixture = *state;

	add_refusing_servers(fixture, SERVERS_MAX);
	start(fixture);
	run(fixture);
	assert_false(fixture->connected);
	assert_true(fixture->dial.attempts > SERVERS_MAX / 3); /* some share a bit of the tries */
	assert_non_null(fixture->dial.shown[DIAL_ATTEMPTS_SHOWN - 1]);
}

static void without_an_answer_the_attempt_ends_with_its_time(void **state)
{
	struct fixture *fixture = *state;

	add_server(fixture, true);
	start(fixture);
	fake_loop_advance(fixture->io.loop, CONNECT_MS - 1);
	assert_int_equal(fixture->calls, 0);
	fake_loop_advance(fixture->io.loop, 1);
	assert_int_equal(fixture->calls, 1);
	assert_int_equal(fixture->reason, CLOSE_UPSTREAM_CONNECT_TIMEOUT);
	assert_int_equal(counted(fixture, STAT_UPSTREAM_FAILURES), 1);
}

static void a_group_without_a_usable_server_says_so(void **state)
{
	struct fixture *fixture = *state;

	add_server(fixture, true);
	fixture->endpoints[0].down = true;
	start(fixture);
	assert_int_equal(fixture->calls, 1);
	assert_int_equal(fixture->reason, CLOSE_NO_UPSTREAM);
	assert_int_equal(fixture->dial.attempts, 0);
}

static void a_cancelled_dial_counts_no_failure(void **state)
{
	struct fixture *fixture = *state;

	add_server(fixture, true);
	start(fixture);
	dial_cancel(&fixture->dial);
	assert_null(fixture->dial.connection);
	fake_loop_advance(fixture->io.loop, 2 * CONNECT_MS);
	assert_int_equal(fixture->calls, 0);
	assert_int_equal(counted(fixture, STAT_UPSTREAM_FAILURES), 0);
	dial_cancel(&fixture->dial); /* fine at any time */
}

/* ---- source addresses ---- */

static void sources_take_turns(void **state)
{
	struct fixture *fixture = *state;
	struct address sources[2];
	struct sockaddr_in from = {.sin_family = AF_UNSPEC};
	socklen_t size = sizeof(from);

	for (size_t i = 0; i < 2; i++)
		sources[i] = (struct address){
		        .in = {.sin_family = AF_INET,
		                .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)i)},
		        .length = sizeof(sources[i].in)};
	fixture->group.bind_addresses = sources;
	fixture->group.bind_address_count = 2;
	fixture->dialer.bind_turn = 1;
	add_server(fixture, true);
	start(fixture);
	run(fixture);
	assert_true(fixture->connected);
	assert_int_equal(
	        getsockname(fixture->connection->stream.fd, (struct sockaddr *)&from, &size), 0);
	assert_int_equal(from.sin_addr.s_addr, sources[1].in.sin_addr.s_addr);
	assert_int_equal(fixture->dialer.bind_turn, 2);
}

static void a_source_that_cannot_be_used_is_told_from_a_dead_server(void **state)
{
	struct fixture *fixture = *state;
	struct address source = {
	        .in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201)}, /* 192.0.2.1 */
	        .length = sizeof(source.in)};

	fixture->group.bind_addresses = &source;
	fixture->group.bind_address_count = 1;
	add_server(fixture, true);
	start(fixture);
	assert_int_equal(fixture->calls, 1);
	assert_int_equal(fixture->reason, CLOSE_BIND);
}

/* ---- refused after READY ---- */

static void a_late_failure_counts_and_the_next_is_tried_if_it_may(void **state)
{
	struct fixture *fixture = *state;

	add_server(fixture, true);
	add_server(fixture, true);
	start(fixture);
	run(fixture);
	const struct config_endpoint *first = fixture->dial.endpoint;
	fixture->calls = 0;
	assert_true(dial_failed(&fixture->dial, CLOSE_UPSTREAM_REFUSED_US, "refused", true));
	upstream_connection_close(fixture->connection);
	assert_int_equal(fixture->calls, 0);
	fake_loop_end_turn(fixture->io.loop);
	run(fixture);
	assert_true(fixture->connected);
	assert_ptr_not_equal(fixture->dial.endpoint, first);
	assert_true(is_out(fixture, first->state_index));
	assert_int_equal(counted(fixture, STAT_UPSTREAM_FAILURES), 1);
}

static void a_late_failure_with_bytes_gone_is_only_counted(void **state)
{
	struct fixture *fixture = *state;

	add_server(fixture, true);
	add_server(fixture, true);
	start(fixture);
	run(fixture);
	assert_false(dial_failed(&fixture->dial, CLOSE_UPSTREAM_REFUSED_US, "refused", false));
	assert_int_equal(fixture->connection->stream.state, STREAM_OPEN); /* its owner's to end */
	assert_int_equal(counted(fixture, STAT_UPSTREAM_FAILURES), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(a_server_that_answers_is_connected_to),
	        CASE(after_a_refusal_the_next_server_is_tried),
	        CASE(when_all_refuse_the_last_reason_is_told),
	        CASE(tries_have_a_limit),
	        CASE(tries_end_with_their_time),
	        CASE(a_thousand_dead_servers_are_no_recursion),
	        CASE(without_an_answer_the_attempt_ends_with_its_time),
	        CASE(a_group_without_a_usable_server_says_so),
	        CASE(a_cancelled_dial_counts_no_failure),
	        CASE(sources_take_turns),
	        CASE(a_source_that_cannot_be_used_is_told_from_a_dead_server),
	        CASE(a_late_failure_counts_and_the_next_is_tried_if_it_may),
	        CASE(a_late_failure_with_bytes_gone_is_only_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
