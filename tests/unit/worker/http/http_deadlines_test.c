/* SPDX-License-Identifier: BSD-2-Clause */
/* http_deadlines_test.c - each thing that an exchange waits for, not long enough, and too long. */
#include "tests/support/exchange_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GET "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_FINE "GET /fine HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"

/* The whole client, told with 408 and closed behind a lingering close. */
static void check_408(struct exchange_rig *rig)
{
	assert_true(exchange_rig_begins(&rig->client, "HTTP/1.1 408 Request Timeout\r\n"));
	assert_true(exchange_rig_holds(&rig->client, "Connection: close\r\n"));
	assert_true(rig->client.finished);
	assert_true(exchange_rig_logged(rig, " 408 "));
	assert_true(exchange_rig_logged(rig, " end=client_timeout\n"));
}

/* ---- the client ---- */

static void a_head_has_its_time_in_all(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	exchange_rig_pass(rig, EXCHANGE_RIG_HEADER_MS - 1); /* from the first byte on */
	exchange_rig_client_says(rig, "GET /fine HT");
	for (int i = 0; i < 10; i++) {
		exchange_rig_pass(rig, EXCHANGE_RIG_HEADER_MS / 11);
		exchange_rig_client_says(rig, i ? "x" : "TP/1.1\r\nHost: x");
	}
	assert_int_equal(rig->client.received_bytes, 0);
	exchange_rig_pass(rig, EXCHANGE_RIG_HEADER_MS / 11);
	check_408(rig);
}

static void a_head_in_time_is_answered(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	exchange_rig_client_says(rig, "GET /fine HTTP/1.1\r\nHost: a\r\n");
	exchange_rig_pass(rig, EXCHANGE_RIG_HEADER_MS - 1);
	exchange_rig_client_says(rig, "\r\n");
	assert_true(exchange_rig_finishes(&rig->client, "fine"));
	assert_false(exchange_rig_holds(&rig->client, "Connection: close"));
}

static void each_piece_of_a_body_has_its_time(void **state)
{
	static const char *const rows[] = {"/x", "/fine"}; /* relayed, and dropped */

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exchange_rig rig;
		char head[100];
		exchange_rig_init(&rig);
		exchange_rig_open(&rig);
		exchange_rig_prime(&rig);
		snprintf(head, sizeof(head),
		        "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", rows[i]);
		exchange_rig_client_says(&rig, head);
		for (int j = 0; j < 8; j++) {
			exchange_rig_pass(&rig, EXCHANGE_RIG_BODY_MS - 1);
			exchange_rig_client_says(&rig, "b");
		}
		assert_int_equal(rig.client.received_bytes, 0);
		exchange_rig_pass(&rig, EXCHANGE_RIG_BODY_MS);
		check_408(&rig);
		assert_int_equal(idle_pool_count(rig.host.dialer.pool), i);
		exchange_rig_destroy(&rig);
	}
}

/* The client takes a little of the answer, now and then. */
static void begin_slow_reader(struct exchange_rig *rig, size_t pieces)
{
	for (size_t i = 0; i <= pieces; i++)
		fake_write_short(&rig->client, 1);
	exchange_rig_client_says(rig, GET_FINE);
	assert_int_equal(rig->client.received_bytes, 1);
	for (size_t i = 0; i < pieces; i++) {
		exchange_rig_pass(rig, EXCHANGE_RIG_SEND_MS - 1);
		exchange_rig_client_writable(rig);
	}
}

static void a_client_takes_something_now_and_then(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	begin_slow_reader(rig, 3);
	assert_int_equal(rig->client.received_bytes, 4);
	assert_false(rig->session->closed);
	exchange_rig_client_writable(rig);
	assert_true(exchange_rig_finishes(&rig->client, "fine"));
	exchange_rig_pass(rig, EXCHANGE_RIG_SEND_MS);
	assert_false(rig->session->closed);
}

static void a_client_that_takes_nothing_is_cut(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	begin_slow_reader(rig, 3);
	exchange_rig_pass(rig, 2 * EXCHANGE_RIG_SEND_MS); /* a byte is noticed when it is over */
	assert_true(exchange_rig_ended_as(rig, CLOSE_CLIENT_TIMEOUT));
	assert_true(rig->client.cut);
	assert_true(exchange_rig_logged(rig, " 200 up=- "));
}

static void a_client_that_takes_no_interim_answer_is_cut_at_once(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	fake_write_short(&rig->client, 0);
	exchange_rig_client_says(rig, GET);
	exchange_rig_upstream_says(rig, up, "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n");
	exchange_rig_pass(rig, EXCHANGE_RIG_SEND_MS);
	assert_true(exchange_rig_ended_as(rig, CLOSE_CLIENT_TIMEOUT));
	assert_true(rig->client.cut);
	assert_true(exchange_rig_logged(rig, " 499 "));
}

/* ---- the upstream ---- */

static void check_504(struct exchange_rig *rig)
{
	assert_true(exchange_rig_begins(&rig->client, "HTTP/1.1 504 Gateway Timeout\r\n"));
	assert_true(exchange_rig_logged(rig, " 504 "));
	assert_true(exchange_rig_logged(rig, " end=upstream_timeout\n"));
	assert_null(rig->session->upstream);
	assert_int_equal(idle_pool_count(rig->host.dialer.pool), 0);
}

static void an_answer_has_its_time_to_begin(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	exchange_rig_prime(rig);
	exchange_rig_client_says(rig, GET);
	exchange_rig_pass(rig, EXCHANGE_RIG_PROXY_READ_MS - 1);
	assert_int_equal(rig->client.received_bytes, 0);
	exchange_rig_pass(rig, 1);
	check_504(rig);
	assert_false(rig->session->closed);
}

static void an_answers_head_has_its_time_in_all(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	exchange_rig_client_says(rig, GET);
	exchange_rig_pass(rig, EXCHANGE_RIG_PROXY_READ_MS - 1);
	exchange_rig_upstream_says(rig, up, "HTTP/1.1 200 OK\r\nServer: x");
	for (int i = 0; i < 9; i++) {
		exchange_rig_pass(rig, EXCHANGE_RIG_PROXY_READ_MS / 10);
		exchange_rig_upstream_says(rig, up, "x");
	}
	assert_int_equal(rig->client.received_bytes, 0);
	exchange_rig_pass(rig, EXCHANGE_RIG_PROXY_READ_MS / 10);
	check_504(rig);
}

static void after_an_interim_answer_the_time_begins_anew(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	exchange_rig_client_says(rig, GET);
	for (int i = 0; i < 5; i++) {
		exchange_rig_pass(rig, EXCHANGE_RIG_PROXY_READ_MS - 1);
		exchange_rig_upstream_says(rig, up, "HTTP/1.1 102 Processing\r\n\r\n");
	}
	exchange_rig_pass(rig, EXCHANGE_RIG_PROXY_READ_MS - 1);
	assert_int_equal(exchange_rig_times(&rig->client, "HTTP/1.1 102 "), 5);
	assert_int_equal(exchange_rig_times(&rig->client, "HTTP/1.1 504 "), 0);
	exchange_rig_pass(rig, 1);
	assert_int_equal(exchange_rig_times(&rig->client, "HTTP/1.1 504 "), 1);
}

static void a_body_that_waited_for_100_may_last(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	exchange_rig_client_says(rig, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n"
	                              "Expect: 100-continue\r\n\r\n");
	exchange_rig_upstream_says(rig, up, "HTTP/1.1 100 Continue\r\n\r\n");
	for (int i = 0; i < 9; i++) {
		exchange_rig_pass(rig, EXCHANGE_RIG_BODY_MS - 1);
		assert_true(exchange_rig_client_says(rig, "b"));
	}
	assert_true(exchange_rig_finishes(&rig->upstreams[up], "bbbbbbbbb"));
	exchange_rig_upstream_says(rig, up, "HTTP/1.1 204 No Content\r\n\r\n");
	assert_true(exchange_rig_holds(&rig->client, "HTTP/1.1 204 No Content\r\n"));
}

static void a_head_behind_an_interim_answer_is_still_limited(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	exchange_rig_client_says(rig, GET);
	exchange_rig_upstream_says(rig, up, "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 2");
	exchange_rig_pass(rig, EXCHANGE_RIG_PROXY_READ_MS - 1);
	exchange_rig_upstream_says(rig, up, "0");
	exchange_rig_pass(rig, 1);
	assert_true(exchange_rig_holds(&rig->client, "HTTP/1.1 504 "));
}

static void each_piece_of_an_answer_has_its_time(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	exchange_rig_client_says(rig, GET);
	exchange_rig_upstream_says(rig, up, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
	for (int i = 0; i < 8; i++) {
		exchange_rig_pass(rig, EXCHANGE_RIG_PROXY_READ_MS - 1);
		exchange_rig_upstream_says(rig, up, "b");
	}
	assert_true(exchange_rig_finishes(&rig->client, "\r\n\r\nbbbbbbbb"));
	exchange_rig_pass(rig, EXCHANGE_RIG_PROXY_READ_MS);
	assert_true(exchange_rig_ended_as(rig, CLOSE_UPSTREAM_TIMEOUT));
	assert_true(rig->client.cut);
	assert_true(exchange_rig_logged(rig, " end=upstream_timeout\n"));
}

static void an_upstream_is_not_blamed_for_a_slow_client(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	exchange_rig_client_says(rig, GET);
	for (int i = 0; i < 5; i++)
		fake_write_short(&rig->client, 1);
	exchange_rig_upstream_says(rig, up, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nb");
	for (int i = 0; i < 4; i++) {
		exchange_rig_pass(rig, EXCHANGE_RIG_SEND_MS - 1);
		exchange_rig_client_writable(rig);
	}
	/* Twice, as its last byte is noticed when the time is over. */
	assert_true(4 * EXCHANGE_RIG_SEND_MS > 2 * EXCHANGE_RIG_PROXY_READ_MS);
	assert_false(rig->session->closed);
}

static void a_client_is_not_blamed_for_a_slow_upstream(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	exchange_rig_client_says(rig, POST "some");
	exchange_rig_forget(&rig->upstreams[up]);
	fake_write_short(&rig->upstreams[up], 1);
	exchange_rig_client_says(rig, " b");
	exchange_rig_client_says(rig, "od"); /* which has to wait */
	assert_true(EXCHANGE_RIG_BODY_MS < EXCHANGE_RIG_PROXY_SEND_MS);
	exchange_rig_pass(rig, EXCHANGE_RIG_PROXY_SEND_MS - 1);
	assert_int_equal(rig->client.received_bytes, 0);
	exchange_rig_upstream_writable(rig, up);
	assert_true(exchange_rig_finishes(&rig->upstreams[up], " bod"));
}

static void an_upstream_takes_something_now_and_then(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	for (int i = 0; i < 4; i++)
		fake_write_short(&rig->upstreams[up], 1);
	exchange_rig_client_says(rig, POST "some body");
	for (int i = 0; i < 3; i++) {
		exchange_rig_pass(rig, EXCHANGE_RIG_PROXY_SEND_MS - 1);
		exchange_rig_upstream_writable(rig, up);
	}
	assert_int_equal(rig->upstreams[up].received_bytes, 4);
	assert_int_equal(rig->client.received_bytes, 0);
	exchange_rig_pass(rig, 2 * EXCHANGE_RIG_PROXY_SEND_MS); /* as with the client */
	check_504(rig);
}

static void a_slow_client_of_a_slow_upstream_is_waited_for_no_longer(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	exchange_rig_client_says(rig, POST);
	exchange_rig_pass(rig, EXCHANGE_RIG_BODY_MS - 1);
	exchange_rig_client_says(rig, "some body");
	exchange_rig_pass(rig, EXCHANGE_RIG_PROXY_READ_MS - 1);
	assert_int_equal(rig->client.received_bytes, 0);
	exchange_rig_upstream_says(rig, up, "HTTP/1.1 204 No Content\r\n\r\n");
	assert_true(exchange_rig_begins(&rig->client, "HTTP/1.1 204 "));
	assert_int_equal(idle_pool_count(rig->host.dialer.pool), 1);
}

static void no_deadline_is_left_of_an_answered_exchange(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	exchange_rig_client_says(rig, GET);
	exchange_rig_upstream_says(rig, up, "HTTP/1.1 204 No Content\r\n\r\n");
	/* The client's keep-alive, and the pool's. */
	assert_int_equal(fake_loop_timer_count(rig->host.io.loop), 2);
}

#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, exchange_rig_set_up, exchange_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(a_head_has_its_time_in_all),
	        CASE(a_head_in_time_is_answered),
	        cmocka_unit_test(each_piece_of_a_body_has_its_time),
	        CASE(a_client_takes_something_now_and_then),
	        CASE(a_client_that_takes_nothing_is_cut),
	        CASE(a_client_that_takes_no_interim_answer_is_cut_at_once),
	        CASE(an_answer_has_its_time_to_begin),
	        CASE(an_answers_head_has_its_time_in_all),
	        CASE(after_an_interim_answer_the_time_begins_anew),
	        CASE(a_body_that_waited_for_100_may_last),
	        CASE(a_head_behind_an_interim_answer_is_still_limited),
	        CASE(each_piece_of_an_answer_has_its_time),
	        CASE(an_upstream_is_not_blamed_for_a_slow_client),
	        CASE(a_client_is_not_blamed_for_a_slow_upstream),
	        CASE(an_upstream_takes_something_now_and_then),
	        CASE(a_slow_client_of_a_slow_upstream_is_waited_for_no_longer),
	        CASE(no_deadline_is_left_of_an_answered_exchange),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
