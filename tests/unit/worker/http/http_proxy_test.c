/* SPDX-License-Identifier: BSD-2-Clause */
/* http_proxy_test.c - exchanges one after another, for as long as the client's connection is kept.
 */
#include "tests/support/exchange_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GET_FINE "GET /fine HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

enum { PIPELINED = 1000 };

/* ---- one after another ---- */

static void an_answer_is_written_once(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	exchange_rig_client_says(rig, GET_FINE);
	assert_int_equal(rig->client.calls[FAKE_WRITE], 1);
	assert_true(exchange_rig_begins(&rig->client, "HTTP/1.1 200 OK\r\n"));
	assert_true(exchange_rig_finishes(&rig->client, "\r\n\r\nfine"));
	assert_false(exchange_rig_holds(&rig->client, "Connection:"));
	assert_false(rig->session->closed);
	assert_true(exchange_rig_logged(rig, "\"GET /fine HTTP/1.1\" 200 up=- in=31 out="));
}

static void a_proxied_exchange_writes_once_to_each_side(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	exchange_rig_client_says(
	        rig, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
	assert_int_equal(rig->upstreams[up].calls[FAKE_WRITE], 1);
	assert_true(exchange_rig_begins(&rig->upstreams[up], "POST /x HTTP/1.1\r\n"));
	assert_true(exchange_rig_finishes(&rig->upstreams[up], "\r\n\r\nbody"));
	exchange_rig_upstream_says(rig, up, ANSWER);
	assert_int_equal(rig->client.calls[FAKE_WRITE], 1);
	assert_true(exchange_rig_begins(&rig->client, "HTTP/1.1 200 OK\r\n"));
	assert_true(exchange_rig_finishes(&rig->client, "\r\n\r\nhello"));
	assert_int_equal(idle_pool_count(rig->host.dialer.pool), 1);
	assert_null(rig->session->upstream);
}

static void a_last_answer_leaves_with_the_end(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	exchange_rig_client_says(rig, "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	exchange_rig_upstream_says(rig, up, ANSWER);
	assert_int_equal(rig->client.calls[FAKE_WRITE], 1);
	assert_true(rig->client.last_was_told && rig->client.finish_was_closing);
	assert_true(exchange_rig_ended_as(rig, CLOSE_DONE));
}

static void bytes_one_by_one_make_the_same_exchange(void **state)
{
	static const char request[] = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked"
	                              "\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
	static const char answer[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	                             "5\r\nhello\r\n0\r\n\r\n";
	struct exchange_rig *rig = *state;
	char byte[sizeof(request) + sizeof(answer)][2];
	size_t n = 0;

	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	for (size_t i = 0; request[i]; i++, n++) {
		byte[n][0] = request[i];
		byte[n][1] = '\0';
		assert_true(exchange_rig_client_says(rig, byte[n]));
	}
	assert_true(exchange_rig_finishes(&rig->upstreams[up], "\r\n0\r\n\r\n"));
	for (size_t i = 0; answer[i]; i++, n++) {
		byte[n][0] = answer[i];
		byte[n][1] = '\0';
		assert_true(exchange_rig_upstream_says(rig, up, byte[n]));
	}
	assert_true(exchange_rig_finishes(&rig->client, "1\r\no\r\n0\r\n\r\n"));
	assert_int_equal(idle_pool_count(rig->host.dialer.pool), 1);
	assert_int_equal(exchange_rig_lines(rig), 1);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	exchange_rig_client_says(rig, GET "GET /moved HTTP/1.1\r\nHost: a\r\n\r\n" GET_FINE);
	assert_int_equal(rig->client.received_bytes, 0);
	exchange_rig_upstream_says(rig, up, ANSWER);
	const char *all = (const char *)rig->client.received;
	const char *hello = memmem(all, rig->client.received_bytes, "hello", 5);
	const char *moved = memmem(all, rig->client.received_bytes, " 302 ", 5);
	const char *fine = memmem(all, rig->client.received_bytes, "\r\nfine", 6);
	assert_non_null(hello);
	assert_true(hello < moved && moved < fine);
	assert_int_equal(exchange_rig_lines(rig), 3);
}

static void a_thousand_pipelined_requests_are_no_recursion(void **state)
{
	struct exchange_rig *rig = *state;
	char *all = calloc(PIPELINED, sizeof(GET_FINE));

	assert_non_null(all);
	for (size_t i = 0; i < PIPELINED; i++)
		memcpy(all + i * (sizeof(GET_FINE) - 1), GET_FINE, sizeof(GET_FINE) - 1);
	exchange_rig_open(rig);
	exchange_rig_client_says(rig, all);
	assert_int_equal(exchange_rig_times(&rig->client, "\r\n\r\nfine"), PIPELINED);
	assert_int_equal(rig->row.counters[STAT_HTTP_REQUESTS], PIPELINED);
	/* Each went through the very same frames. */
	assert_int_equal(rig->client.write_frame_low, rig->client.write_frame_high);
	assert_false(rig->session->closed);
	free(all);
}

/* ---- keep-alive and its end ---- */

static void the_connection_ends_when_one_side_says_so(void **state)
{
	static const struct {
		const char *request;
		bool kept;
		const char *field; /* in the answer */
	} rows[] = {
	        {GET_FINE, true, NULL},
	        {"GET /fine HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false,
	                "Connection: close\r\n"},
	        {"GET /fine HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n", false,
	                "Connection: close\r\n"},
	        {"GET /fine HTTP/1.0\r\n\r\n", false, "Connection: close\r\n"},
	        {"GET /fine HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true,
	                "Connection: keep-alive\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exchange_rig rig;
		exchange_rig_init(&rig);
		exchange_rig_open(&rig);
		exchange_rig_client_says(&rig, rows[i].request);
		if (rig.session->closed == rows[i].kept)
			fail_msg("row %zu", i);
		if (rows[i].field)
			assert_true(exchange_rig_holds(&rig.client, rows[i].field));
		else
			assert_false(exchange_rig_holds(&rig.client, "Connection:"));
		if (!rows[i].kept)
			assert_true(rig.client.finished && !rig.client.cut);
		if (rig.client.last_was_told == rows[i].kept)
			fail_msg("row %zu: last bytes", i);
		exchange_rig_destroy(&rig);
	}
}

static void a_client_has_so_many_requests(void **state)
{
	struct exchange_rig *rig = *state;

	rig->server.keepalive_requests = 3;
	exchange_rig_open(rig);
	exchange_rig_client_says(rig, GET_FINE);
	exchange_rig_client_says(rig, GET_FINE);
	assert_false(exchange_rig_holds(&rig->client, "Connection: close"));
	exchange_rig_client_says(rig, GET_FINE);
	assert_true(exchange_rig_holds(&rig->client, "Connection: close"));
	assert_true(exchange_rig_ended_as(rig, CLOSE_DONE));
}

static void without_keepalive_timeout_each_answer_is_the_last(void **state)
{
	struct exchange_rig *rig = *state;

	rig->locations[0].keepalive_timeout_ms = 0;
	exchange_rig_open(rig);
	exchange_rig_client_says(rig, GET_FINE);
	assert_true(exchange_rig_holds(&rig->client, "Connection: close"));
	assert_true(exchange_rig_ended_as(rig, CLOSE_DONE));
}

static void an_idle_client_is_closed_in_time_and_cleanly(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	exchange_rig_client_says(rig, GET_FINE);
	exchange_rig_pass(rig, EXCHANGE_RIG_KEEPALIVE_MS - 1);
	exchange_rig_client_says(rig, GET_FINE);
	exchange_rig_pass(rig, EXCHANGE_RIG_KEEPALIVE_MS - 1);
	assert_false(rig->session->closed);
	exchange_rig_pass(rig, 1);
	assert_true(exchange_rig_ended_as(rig, CLOSE_DONE));
	assert_true(rig->client.finished && rig->client.finish_was_closing && !rig->client.cut);
	assert_int_equal(exchange_rig_times(&rig->client, "HTTP/1.1 "), 2);
}

static void who_says_nothing_at_all_is_closed_without_an_answer(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	exchange_rig_pass(rig, EXCHANGE_RIG_HEADER_MS - 1);
	assert_false(rig->session->closed);
	exchange_rig_pass(rig, 1);
	assert_true(exchange_rig_ended_as(rig, CLOSE_DONE));
	assert_int_equal(rig->client.received_bytes, 0);
	assert_int_equal(exchange_rig_lines(rig), 0);
}

static void a_client_that_has_ended_still_gets_its_answers(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	exchange_rig_client_ends(rig, GET GET_FINE);
	exchange_rig_upstream_says(rig, up, ANSWER);
	assert_true(exchange_rig_finishes(&rig->client, "fine"));
	assert_true(exchange_rig_ended_as(rig, CLOSE_DONE));
	assert_true(rig->client.finished);
	assert_int_equal(idle_pool_count(rig->host.dialer.pool), 1);
}

static void an_end_between_requests_is_none_of_an_abort(void **state)
{
	static const struct {
		const char *before;
		enum close_reason reason;
		size_t lines;
	} rows[] = {
	        {"", CLOSE_DONE, 0},
	        {"\r\n", CLOSE_DONE, 0},
	        {"GET /", CLOSE_CLIENT_ABORTED, 1},
	        {"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nbo", CLOSE_CLIENT_ABORTED,
	                1},
	        {"POST /fine HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nbo",
	                CLOSE_CLIENT_ABORTED, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exchange_rig rig;
		exchange_rig_init(&rig);
		exchange_rig_open(&rig);
		exchange_rig_prime(&rig);
		exchange_rig_client_ends(&rig, rows[i].before);
		if (!exchange_rig_ended_as(&rig, rows[i].reason) ||
		        exchange_rig_lines(&rig) != rows[i].lines)
			fail_msg("row %zu", i);
		exchange_rig_destroy(&rig);
	}
}

#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, exchange_rig_set_up, exchange_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(an_answer_is_written_once),
	        CASE(a_proxied_exchange_writes_once_to_each_side),
	        CASE(a_last_answer_leaves_with_the_end),
	        CASE(bytes_one_by_one_make_the_same_exchange),
	        CASE(pipelined_requests_are_answered_in_order),
	        CASE(a_thousand_pipelined_requests_are_no_recursion),
	        cmocka_unit_test(the_connection_ends_when_one_side_says_so),
	        CASE(a_client_has_so_many_requests),
	        CASE(without_keepalive_timeout_each_answer_is_the_last),
	        CASE(an_idle_client_is_closed_in_time_and_cleanly),
	        CASE(who_says_nothing_at_all_is_closed_without_an_answer),
	        CASE(a_client_that_has_ended_still_gets_its_answers),
	        cmocka_unit_test(an_end_between_requests_is_none_of_an_abort),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
