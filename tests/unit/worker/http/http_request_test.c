/* SPDX-License-Identifier: BSD-2-Clause */
/* http_request_test.c - a request on its way: bodies, limits, who is answered instead. */
#include "tests/support/exchange_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GET_FINE "GET /fine HTTP/1.1\r\nHost: a\r\n\r\n"
#define CHUNKED "Host: a\r\nTransfer-Encoding: chunked\r\n\r\n"
#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

/* ---- refused by ourselves ---- */

static void what_is_refused_is_answered_and_the_rest_not_read(void **state)
{
	static const struct {
		const char *request;
		unsigned status;
	} rows[] = {
	        {"GET / HTTP/1.1\r\n\r\n", 400},
	        {"\x16\x03\x01", 400},
	        {"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n", 413},
	        {"POST /fine HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n", 413},
	        {"POST /x HTTP/1.1\r\n" CHUNKED "zz\r\n", 400},
	        {"POST /fine HTTP/1.1\r\n" CHUNKED "zz\r\n", 400},
	        {"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 405},
	        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exchange_rig rig;
		char line[40];
		exchange_rig_init(&rig);
		rig.locations[0].client_max_body_size = rig.proxied->client_max_body_size = 100;
		exchange_rig_open(&rig);
		exchange_rig_prime(&rig);
		exchange_rig_client_says(&rig, rows[i].request);
		snprintf(line, sizeof(line), "HTTP/1.1 %u ", rows[i].status);
		exchange_rig_client_says(&rig, GET_FINE);
		if (!exchange_rig_begins(&rig.client, line) ||
		        !exchange_rig_holds(&rig.client, "Connection: close\r\n") ||
		        exchange_rig_times(&rig.client, "HTTP/1.1 ") != 1 || !rig.client.finished)
			fail_msg("row %zu: %.*s", i, (int)rig.client.received_bytes,
			        rig.client.received);
		assert_true(exchange_rig_logged(&rig, " end=client_bad_request\n"));
		assert_int_equal(exchange_rig_lines(&rig), 1);
		exchange_rig_destroy(&rig);
	}
}

/* Chunks beyond the limit never reach the upstream as a whole request. */
static void a_chunked_body_has_the_same_limit(void **state)
{
	struct exchange_rig *rig = *state;

	rig->proxied->client_max_body_size = 10;
	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	exchange_rig_client_says(rig, "POST /x HTTP/1.1\r\n" CHUNKED "5\r\n01234\r\n");
	exchange_rig_client_says(rig, "5\r\n56789\r\n");
	assert_int_equal(rig->client.received_bytes, 0);
	exchange_rig_client_says(rig, "1\r\nx\r\n0\r\n\r\n");
	assert_true(exchange_rig_begins(&rig->client, "HTTP/1.1 413 "));
	assert_true(rig->upstreams[up].closed);
	assert_false(exchange_rig_finishes(&rig->upstreams[up], "0\r\n\r\n"));
}

/* ---- bodies ---- */

static void a_body_may_be_as_long_as_the_limit(void **state)
{
	static const char *const requests[] = {
	        "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
	        "POST /x HTTP/1.1\r\n" CHUNKED "5\r\nhello\r\n0\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct exchange_rig rig;
		exchange_rig_init(&rig);
		rig.proxied->client_max_body_size = 5;
		exchange_rig_open(&rig);
		size_t up = exchange_rig_prime(&rig);
		exchange_rig_client_says(&rig, requests[i]);
		/* One framing, not two. */
		assert_int_equal(
		        exchange_rig_times(&rig.upstreams[up], "Content-Length: ") +
		                exchange_rig_times(&rig.upstreams[up], "Transfer-Encoding: "),
		        1);
		exchange_rig_upstream_says(&rig, up, ANSWER);
		assert_true(exchange_rig_begins(&rig.client, "HTTP/1.1 200 OK\r\n"));
		exchange_rig_destroy(&rig);
	}
}

/* Of a client that has sent all of it, and its end. */
static void a_body_outlives_its_client_while_the_upstream_is_slow(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	exchange_rig_client_says(
	        rig, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\nsome");
	fake_write_short(&rig->upstreams[up], 1);
	exchange_rig_client_says(rig, "body");
	exchange_rig_client_ends(rig, "more");
	assert_false(rig->session->closed);
	while (exchange_rig_upstream_writable(rig, up))
		;
	assert_true(exchange_rig_finishes(&rig->upstreams[up], "\r\n\r\nsomebodymore"));
	exchange_rig_upstream_says(rig, up, ANSWER);
	assert_true(exchange_rig_finishes(&rig->client, "hello"));
	assert_true(exchange_rig_ended_as(rig, CLOSE_DONE));
}

static void a_head_longer_than_a_buffer_goes_on(void **state)
{
	enum { LONG = 2 * BUFFER_SMALL_BYTES };
	struct exchange_rig *rig = *state;
	char *request = calloc(1, LONG + 100);

	assert_non_null(request);
	rig->server.client_max_header_size = 2 * LONG;
	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	strcpy(request, "GET /x HTTP/1.1\r\nHost: a\r\nX: ");
	memset(request + strlen(request), 'x', LONG);
	strcat(request, "\r\n\r\n");
	exchange_rig_client_says(rig, request);
	while (exchange_rig_fire(rig, &rig->session->client, EVENT_READ) &&
	        !rig->upstreams[up].received_bytes)
		;
	assert_true(rig->upstreams[up].received_bytes > LONG);
	assert_true(exchange_rig_finishes(&rig->upstreams[up], "xx\r\n\r\n"));
	free(request);
}

static void an_upstream_is_told_when_it_is_not_kept(void **state)
{
	(void)state;
	for (uint32_t keepalive = 0; keepalive < 2; keepalive++) {
		struct exchange_rig rig;
		exchange_rig_init(&rig);
		rig.group.keepalive = keepalive;
		exchange_rig_open(&rig);
		exchange_rig_client_says(&rig, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
		size_t up = exchange_rig_connect(&rig);
		assert_int_equal(exchange_rig_holds(&rig.upstreams[up], "Connection: close\r\n"),
		        keepalive == 0);
		exchange_rig_destroy(&rig);
	}
}

static void a_body_waits_for_the_dial(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	exchange_rig_client_says(rig, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nbo");
	exchange_rig_client_says(rig, "dy");
	size_t up = exchange_rig_connect(rig);
	assert_int_equal(rig->upstreams[up].calls[FAKE_WRITE], 1);
	assert_true(exchange_rig_finishes(&rig->upstreams[up], "\r\n\r\nbody"));
	exchange_rig_client_says(rig, "more");
	assert_int_equal(rig->upstreams[up].calls[FAKE_WRITE], 2);
	assert_true(exchange_rig_finishes(&rig->upstreams[up], "\r\n\r\nbodymore"));
}

/* The far end of forgetting DRAINED: big transfers stall. */
static void a_large_body_arrives_through_a_narrow_socket(void **state)
{
	enum { BYTES = 8 << 20 };
	struct exchange_rig *rig = *state;
	char head[100];

	rig->proxied->client_max_body_size = 0;
	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	snprintf(head, sizeof(head), "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n",
	        BYTES);
	exchange_rig_client_says(rig, head);
	exchange_rig_forget(&rig->upstreams[up]);
	rig->client.source_bytes = BYTES;
	for (int i = 0; i < 60; i++)
		fake_write_short(&rig->upstreams[up], 100000);
	bool moved = true;
	while (moved) {
		moved = exchange_rig_fire(rig, &rig->session->client, EVENT_READ);
		moved |= exchange_rig_upstream_writable(rig, up);
		if (rig->client.read_ended)
			break;
	}
	assert_true(fake_received_pattern(&rig->upstreams[up], BYTES));
	exchange_rig_upstream_says(rig, up, ANSWER);
	assert_true(exchange_rig_finishes(&rig->client, "hello"));
	assert_int_equal(buffer_pool_lent_bytes(rig->host.io.pool), 0);
}

static void a_dropped_body_is_read_before_the_answer(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	exchange_rig_client_says(rig, "POST /fine HTTP/1.1\r\n" CHUNKED "5\r\n01234\r\n");
	assert_int_equal(rig->client.received_bytes, 0);
	exchange_rig_client_says(rig, "0\r\n\r\n" GET_FINE);
	assert_int_equal(exchange_rig_times(&rig->client, "\r\n\r\nfine"), 2);
	assert_false(exchange_rig_holds(&rig->client, "Connection: close"));
}

static void who_waits_for_100_gets_the_answer_instead(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	exchange_rig_client_says(rig, "POST /fine HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
	                              "Expect: 100-continue\r\n\r\n");
	assert_true(exchange_rig_begins(&rig->client, "HTTP/1.1 200 OK\r\n"));
	assert_true(exchange_rig_holds(&rig->client, "Connection: close\r\n"));
	assert_true(rig->client.finished);
	assert_false(rig->session->closed); /* its body may be on its way */
	exchange_rig_client_ends(rig, "body");
	assert_true(exchange_rig_ended_as(rig, CLOSE_DONE));
}

static void who_does_not_wait_for_100_keeps_its_connection(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	exchange_rig_client_says(rig, "POST /fine HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
	                              "Expect: 100-continue\r\n\r\nbody" GET_FINE);
	assert_int_equal(exchange_rig_times(&rig->client, "\r\n\r\nfine"), 2);
}

/* ---- early answers ---- */

static void an_answer_before_the_requests_end_cuts_the_request(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	exchange_rig_client_says(
	        rig, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nbody");
	exchange_rig_upstream_says(
	        rig, up, "HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nnever");
	assert_true(exchange_rig_begins(&rig->client, "HTTP/1.1 403 Forbidden\r\n"));
	assert_true(exchange_rig_holds(&rig->client, "Connection: close\r\n"));
	assert_true(exchange_rig_finishes(&rig->client, "\r\n\r\nnever"));
	assert_true(rig->upstreams[up].closed);
	assert_int_equal(idle_pool_count(rig->host.dialer.pool), 0);
	assert_true(rig->client.finished);
	size_t sent = rig->upstreams[up].received_bytes;
	exchange_rig_client_says(rig, "more of the body" GET_FINE);
	assert_int_equal(rig->upstreams[up].received_bytes, sent);
	assert_int_equal(exchange_rig_times(&rig->client, "HTTP/1.1 "), 1);
	exchange_rig_client_ends(rig, "");
	assert_true(exchange_rig_ended_as(rig, CLOSE_DONE));
}

static void an_early_answer_with_a_long_body_is_relayed_whole(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	exchange_rig_client_says(rig, "POST /x HTTP/1.1\r\n" CHUNKED "4\r\nbody\r\n");
	exchange_rig_upstream_says(
	        rig, up, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	exchange_rig_client_says(rig, "4\r\nbody\r\n");
	exchange_rig_upstream_says(rig, up, "5\r\nhello\r\n");
	assert_false(rig->client.finished);
	exchange_rig_upstream_says(rig, up, "0\r\n\r\n");
	assert_true(exchange_rig_finishes(&rig->client, "5\r\nhello\r\n0\r\n\r\n"));
	assert_true(rig->client.finished);
	assert_true(rig->upstreams[up].closed);
}

/* The upstream answers and closes before it has taken the body: the answer counts. */
static void an_answer_is_not_lost_when_the_upstream_takes_no_more(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	exchange_rig_client_says(
	        rig, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nbody");
	fake_fail(&rig->upstreams[up], FAKE_WRITE, CLOSE_UPSTREAM_RESET);
	fake_read_end(&rig->upstreams[up],
	        "HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nnever", IO_EOF);
	exchange_rig_client_says(rig, "more");
	assert_true(exchange_rig_begins(&rig->client, "HTTP/1.1 403 Forbidden\r\n"));
	assert_true(exchange_rig_finishes(&rig->client, "\r\n\r\nnever"));
	assert_true(rig->client.finished);
}

#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, exchange_rig_set_up, exchange_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_is_refused_is_answered_and_the_rest_not_read),
	        CASE(a_chunked_body_has_the_same_limit),
	        cmocka_unit_test(a_body_may_be_as_long_as_the_limit),
	        CASE(a_body_outlives_its_client_while_the_upstream_is_slow),
	        CASE(a_head_longer_than_a_buffer_goes_on),
	        cmocka_unit_test(an_upstream_is_told_when_it_is_not_kept),
	        CASE(a_body_waits_for_the_dial),
	        CASE(a_large_body_arrives_through_a_narrow_socket),
	        CASE(a_dropped_body_is_read_before_the_answer),
	        CASE(who_waits_for_100_gets_the_answer_instead),
	        CASE(who_does_not_wait_for_100_keeps_its_connection),
	        CASE(an_answer_before_the_requests_end_cuts_the_request),
	        CASE(an_early_answer_with_a_long_body_is_relayed_whole),
	        CASE(an_answer_is_not_lost_when_the_upstream_takes_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
