/* SPDX-License-Identifier: BSD-2-Clause */
/* http_linger_test.c - how a client's connection ends behind an error of ours, and in a worker that
 * drains. */
#include "tests/support/exchange_rig.h"

#include "worker/http/http_proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GET_FINE "GET /fine HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

enum { LINGER_MS = 5000, DRAIN_IDLE_MS = 5000 };

/* ---- lingering ---- */

#define BAD "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"

static void after_an_error_of_ours_the_connection_lingers(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	exchange_rig_client_says(rig, BAD GET_FINE);
	assert_true(exchange_rig_begins(&rig->client, "HTTP/1.1 400 Bad Request\r\n"));
	assert_true(exchange_rig_holds(&rig->client, "Connection: close\r\n"));
	assert_true(rig->client.finished && !rig->client.finish_was_closing);
	assert_false(rig->session->closed);
	assert_true(exchange_rig_client_says(rig, GET_FINE));
	assert_int_equal(exchange_rig_times(&rig->client, "HTTP/1.1 "), 1);
	exchange_rig_client_ends(rig, "");
	assert_true(exchange_rig_ended_as(rig, CLOSE_DONE));
	assert_false(rig->client.cut);
}

static void who_has_ended_already_is_not_waited_for(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	exchange_rig_client_ends(rig, GET BAD "more");
	exchange_rig_upstream_says(rig, up, ANSWER);
	assert_true(exchange_rig_holds(&rig->client, "HTTP/1.1 400 Bad Request\r\n"));
	assert_true(exchange_rig_ended_as(rig, CLOSE_DONE));
	assert_false(rig->client.cut);
}

static void lingering_ends_in_time(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	exchange_rig_client_says(rig, BAD);
	for (int i = 0; i < 4; i++) {
		exchange_rig_pass(rig, LINGER_MS / 5);
		exchange_rig_client_says(rig, "more");
	}
	exchange_rig_pass(rig, LINGER_MS / 5 - 1);
	assert_false(rig->session->closed);
	exchange_rig_pass(rig, 1);
	assert_true(exchange_rig_ended_as(rig, CLOSE_DONE));
}

static void lingering_drops_no_more_than_a_mebibyte(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	exchange_rig_client_says(rig, BAD);
	rig->client.source_bytes = 16 << 20;
	while (exchange_rig_fire(rig, &rig->session->client, EVENT_READ))
		;
	assert_true(exchange_rig_ended_as(rig, CLOSE_DONE));
	assert_in_range(rig->client.source_given, 1 << 20, (1 << 20) + (256 << 10));
}

static void lingering_does_not_count_what_came_before(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	exchange_rig_client_says(rig, GET_FINE);
	rig->session->client.bytes_in += 2 << 20; /* as of a long body */
	exchange_rig_client_says(rig, BAD);
	exchange_rig_client_says(rig, "more");
	assert_false(rig->session->closed);
}

static void lingering_outlives_the_drain_that_begins(void **state)
{
	struct exchange_rig *rig = *state;

	rig->unmatched.keepalive_timeout_ms = 0;
	exchange_rig_open(rig);
	exchange_rig_client_says(rig, BAD);
	exchange_rig_pass(rig, LINGER_MS / 2);
	rig->host.draining = true;
	http_protocol.drain(rig->session);
	exchange_rig_pass(rig, LINGER_MS / 2 - 1);
	assert_false(rig->session->closed);
	exchange_rig_pass(rig, 1);
	assert_true(rig->session->closed);
}

static void clear_text_on_a_tls_port_is_told_so(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open_clear_text(rig);
	assert_true(exchange_rig_begins(&rig->client, "HTTP/1.1 400 Bad Request\r\n"));
	assert_true(
	        exchange_rig_holds(&rig->client, "The plain HTTP request was sent to HTTPS port"));
	assert_true(rig->client.finished);
	assert_true(exchange_rig_logged(rig, "\"-\" 400 "));
	exchange_rig_client_ends(rig, GET_FINE);
	assert_true(exchange_rig_ended_as(rig, CLOSE_DONE));
	assert_int_equal(exchange_rig_times(&rig->client, "HTTP/1.1 "), 1);
}

/* ---- draining ---- */

static void drain(struct exchange_rig *rig)
{
	rig->host.draining = true;
	http_protocol.drain(rig->session);
}

static void an_idle_client_of_a_draining_worker_has_five_seconds(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	exchange_rig_client_says(rig, GET_FINE);
	drain(rig);
	exchange_rig_pass(rig, DRAIN_IDLE_MS - 1);
	assert_false(rig->session->closed);
	exchange_rig_pass(rig, 1);
	assert_true(exchange_rig_ended_as(rig, CLOSE_DONE));
}

static void who_has_less_than_five_seconds_is_given_no_more(void **state)
{
	struct exchange_rig *rig = *state;

	rig->locations[0].keepalive_timeout_ms = DRAIN_IDLE_MS / 2;
	exchange_rig_open(rig);
	exchange_rig_client_says(rig, GET_FINE);
	drain(rig);
	exchange_rig_pass(rig, DRAIN_IDLE_MS / 2);
	assert_true(exchange_rig_ended_as(rig, CLOSE_DONE));
}

static void the_next_answer_of_a_draining_worker_is_the_last(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	exchange_rig_client_says(rig, GET_FINE);
	drain(rig);
	exchange_rig_client_says(rig, GET_FINE GET_FINE);
	assert_int_equal(exchange_rig_times(&rig->client, "HTTP/1.1 "), 2);
	assert_int_equal(exchange_rig_times(&rig->client, "Connection: close\r\n"), 1);
	assert_true(rig->client.finished);
}

static void an_answer_under_way_when_the_drain_begins_is_the_last(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	exchange_rig_client_says(rig, GET);
	drain(rig);
	exchange_rig_pass(rig, DRAIN_IDLE_MS);
	assert_false(rig->session->closed);
	exchange_rig_upstream_says(rig, up, ANSWER);
	assert_true(exchange_rig_holds(&rig->client, "Connection: close\r\n"));
	assert_true(exchange_rig_ended_as(rig, CLOSE_DONE));
}

static void an_answer_of_our_own_is_the_last_as_well(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	exchange_rig_client_says(rig, GET);
	drain(rig);
	exchange_rig_refuse(rig);
	assert_true(exchange_rig_begins(&rig->client, "HTTP/1.1 502 Bad Gateway\r\n"));
	assert_true(exchange_rig_holds(&rig->client, "Connection: close\r\n"));
	assert_true(exchange_rig_ended_as(rig, CLOSE_DONE));
}

#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, exchange_rig_set_up, exchange_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(after_an_error_of_ours_the_connection_lingers),
	        CASE(who_has_ended_already_is_not_waited_for),
	        CASE(lingering_ends_in_time),
	        CASE(lingering_drops_no_more_than_a_mebibyte),
	        CASE(lingering_does_not_count_what_came_before),
	        CASE(lingering_outlives_the_drain_that_begins),
	        CASE(clear_text_on_a_tls_port_is_told_so),
	        CASE(an_idle_client_of_a_draining_worker_has_five_seconds),
	        CASE(who_has_less_than_five_seconds_is_given_no_more),
	        CASE(the_next_answer_of_a_draining_worker_is_the_last),
	        CASE(an_answer_under_way_when_the_drain_begins_is_the_last),
	        CASE(an_answer_of_our_own_is_the_last_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
