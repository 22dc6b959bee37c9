/* SPDX-License-Identifier: BSD-2-Clause */
/* http_exchange_test.c - attempts that fail: tried again as far as the request can be sent again.
 */
#include "tests/support/exchange_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GET "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
#define POST_BODY "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
#define PUT_BODY "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

static bool is_out(const struct exchange_rig *rig, size_t server)
{
	return upstream_state_endpoint(rig->state, server)->outage != 0;
}

/* ---- the next server ---- */

enum failure {
	REFUSES, /* the TCP connection */
	MUTE, /* no answer to connect */
	CLOSES, /* when it has the head */
	RESETS,
	TAKES_NOTHING, /* the write fails */
	SPEAKS_FIRST,
	CLOSES_IN_HEAD,
	SAYS_NOTHING,
	STOPS_IN_HEAD,
	BAD_ANSWER,
	UNASKED_101,
};

struct attempt_row {
	const char *request;
	enum failure failure;
	unsigned status; /* 0: the next server is tried */
	unsigned next_upstream;
};

static void fail_now(struct exchange_rig *rig, enum failure failure)
{
	size_t up = rig->upstream_count;

	if (failure == REFUSES) {
		exchange_rig_refuse(rig);
		return;
	}
	if (failure == MUTE) {
		exchange_rig_pass(rig, EXCHANGE_RIG_CONNECT_MS);
		return;
	}
	if (failure == TAKES_NOTHING)
		fake_fail(&rig->upstreams[up], FAKE_WRITE, CLOSE_UPSTREAM_RESET);
	exchange_rig_connect(rig);
	switch (failure) {
	case REFUSES:
	case MUTE:
	case TAKES_NOTHING:
		break;
	case CLOSES:
		exchange_rig_upstream_ends(rig, up, "", IO_EOF);
		break;
	case RESETS:
		exchange_rig_upstream_ends(rig, up, "", IO_ERROR);
		break;
	case SPEAKS_FIRST:
	case BAD_ANSWER:
		exchange_rig_upstream_says(rig, up, "SSH-2.0-OpenSSH_9.2\r\n");
		break;
	case CLOSES_IN_HEAD:
		exchange_rig_upstream_ends(rig, up, "HTTP/1.1 200 OK\r\n", IO_EOF);
		break;
	case SAYS_NOTHING:
		exchange_rig_pass(rig, EXCHANGE_RIG_PROXY_READ_MS);
		break;
	case STOPS_IN_HEAD:
		exchange_rig_upstream_says(rig, up, "HTTP/1.1 200 OK\r\n");
		exchange_rig_pass(rig, EXCHANGE_RIG_PROXY_READ_MS);
		break;
	case UNASKED_101:
		exchange_rig_upstream_says(rig, up,
		        "HTTP/1.1 101 Switching Protocols\r\n"
		        "Connection: upgrade\r\nUpgrade: x\r\n\r\n");
		break;
	}
}

static bool is_answered_with(const struct exchange_rig *rig, unsigned status)
{
	char line[40];

	snprintf(line, sizeof(line), "HTTP/1.1 %u ", status);
	return exchange_rig_begins(&rig->client, line) &&
	       exchange_rig_times(&rig->client, "HTTP/1.1 ") == 1;
}

static void check_attempt(const struct attempt_row *row, size_t i)
{
	struct exchange_rig rig;

	exchange_rig_init(&rig);
	rig.group.endpoint_count = 2;
	rig.proxied->next_upstream = row->next_upstream;
	exchange_rig_open(&rig);
	exchange_rig_client_says(&rig, row->request);
	fail_now(&rig, row->failure);
	if (!is_out(&rig, 0) || is_out(&rig, 1))
		fail_msg("row %zu: it counts against the wrong server", i);
	if (exchange_rig_is_dialling(&rig) != (row->status == 0))
		fail_msg("row %zu: another attempt %s", i, row->status ? "made" : "missed");
	if (row->status == 0) {
		size_t up = exchange_rig_connect(&rig);
		if (!exchange_rig_begins(&rig.upstreams[up], "GET ") &&
		        !exchange_rig_begins(&rig.upstreams[up], "P"))
			fail_msg("row %zu: the second server got no request", i);
		exchange_rig_upstream_says(&rig, up, ANSWER);
		assert_true(exchange_rig_finishes(&rig.client, "hello"));
		assert_int_equal(idle_pool_count(rig.host.dialer.pool), 1);
	}
	if (!is_answered_with(&rig, row->status ? row->status : 200))
		fail_msg("row %zu: %.*s", i, (int)rig.client.received_bytes, rig.client.received);
	assert_int_equal(exchange_rig_lines(&rig), 1);
	exchange_rig_destroy(&rig);
}

static void a_failed_attempt_goes_on_or_is_told(void **state)
{
	enum { ERROR = NEXT_UPSTREAM_ERROR, TIMEOUT = NEXT_UPSTREAM_TIMEOUT, BOTH = 3 };
	static const struct attempt_row rows[] = {
	        {GET, REFUSES, 0, BOTH},
	        {POST, REFUSES, 0, BOTH},
	        {POST_BODY, REFUSES, 0, BOTH},
	        {POST_BODY, REFUSES, 0, ERROR},
	        {GET, REFUSES, 502, TIMEOUT},
	        {GET, REFUSES, 502, 0},
	        {POST_BODY, MUTE, 0, BOTH},
	        {GET, MUTE, 504, ERROR},
	        {GET, CLOSES, 0, BOTH},
	        {GET, CLOSES, 502, 0},
	        {POST, CLOSES, 502, BOTH},
	        {POST_BODY, CLOSES, 502, BOTH},
	        {PUT_BODY, CLOSES, 502, BOTH}, /* idempotent, but its body is gone */
	        {GET, RESETS, 0, BOTH},
	        {POST, RESETS, 502, BOTH},
	        {GET, TAKES_NOTHING, 0, BOTH},
	        {POST, TAKES_NOTHING, 0, BOTH},
	        {POST_BODY, TAKES_NOTHING, 502, BOTH},
	        {GET, CLOSES_IN_HEAD, 0, BOTH},
	        {POST, CLOSES_IN_HEAD, 502, BOTH},
	        {GET, SAYS_NOTHING, 0, BOTH},
	        {GET, SAYS_NOTHING, 504, ERROR},
	        {POST, SAYS_NOTHING, 504, BOTH},
	        {GET, STOPS_IN_HEAD, 0, BOTH},
	        {GET, STOPS_IN_HEAD, 504, 0},
	        {GET, BAD_ANSWER, 502, BOTH},
	        {GET, SPEAKS_FIRST, 502, BOTH},
	        {GET, UNASKED_101, 502, BOTH},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_attempt(&rows[i], i);
}

static void when_all_have_failed_the_last_reason_is_told(void **state)
{
	struct exchange_rig *rig = *state;

	rig->group.endpoint_count = 3;
	exchange_rig_open(rig);
	exchange_rig_client_says(rig, GET);
	exchange_rig_refuse(rig);
	exchange_rig_refuse(rig);
	exchange_rig_pass(rig, EXCHANGE_RIG_CONNECT_MS);
	assert_true(is_answered_with(rig, 504));
	assert_true(exchange_rig_logged(rig, " end=upstream_connect_timeout\n"));
	assert_int_equal(rig->session->dial.attempts, 3);
}

static void a_group_without_a_usable_server_is_a_502(void **state)
{
	struct exchange_rig *rig = *state;

	rig->endpoints[0].down = true;
	exchange_rig_open(rig);
	exchange_rig_client_says(rig, GET);
	assert_true(is_answered_with(rig, 502));
	assert_true(exchange_rig_logged(rig, " end=no_upstream\n"));
}

static void each_reason_has_its_status(void **state)
{
	(void)state;
	for (int reason = 0; reason < CLOSE_REASON_COUNT; reason++) {
		unsigned wanted = 502;
		if (reason == CLOSE_UPSTREAM_CONNECT_TIMEOUT ||
		        reason == CLOSE_UPSTREAM_HANDSHAKE_TIMEOUT ||
		        reason == CLOSE_UPSTREAM_TIMEOUT)
			wanted = 504;
		if (reason == CLOSE_RESOURCES)
			wanted = 503;
		if (reason == CLOSE_BIND)
			wanted = 500;
		assert_int_equal(http_status_of((enum close_reason)reason), wanted);
	}
}

/* ---- what becomes of the client's connection ---- */

static void after_a_failed_upstream_the_client_is_kept_if_its_request_is_read(void **state)
{
	static const struct {
		const char *request;
		enum failure failure;
		bool kept;
	} rows[] = {
	        {GET, REFUSES, true},
	        {GET, CLOSES, true},
	        {GET, BAD_ANSWER, true},
	        {POST_BODY, CLOSES, true},
	        {POST_BODY, REFUSES, false}, /* the body is still in the buffer */
	        {"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nbody", CLOSES, false},
	        {"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", REFUSES, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exchange_rig rig;
		exchange_rig_init(&rig);
		exchange_rig_open(&rig);
		exchange_rig_client_says(&rig, rows[i].request);
		fail_now(&rig, rows[i].failure);
		if (!is_answered_with(&rig, 502) ||
		        exchange_rig_holds(&rig.client, "Connection: close") == rows[i].kept ||
		        rig.client.finished == rows[i].kept)
			fail_msg("row %zu", i);
		exchange_rig_client_says(&rig, "GET /fine HTTP/1.1\r\nHost: a\r\n\r\n");
		assert_int_equal(exchange_rig_finishes(&rig.client, "\r\n\r\nfine"), rows[i].kept);
		exchange_rig_destroy(&rig);
	}
}

/* ---- stale connections of the pool ---- */

static void a_stale_connection_is_replaced_by_a_fresh_one_once(void **state)
{
	struct exchange_rig *rig = *state;

	rig->group.endpoint_count = 2;
	exchange_rig_open(rig);
	size_t stale = exchange_rig_prime(rig);
	exchange_rig_prime(rig);
	exchange_rig_client_says(rig, GET);
	assert_int_equal(rig->upstreams[stale].received_bytes, 0); /* the youngest is taken */
	exchange_rig_upstream_ends(rig, 1, "", IO_EOF);
	assert_false(is_out(rig, 0));
	assert_ptr_equal(rig->session->dial.endpoint, &rig->endpoints[0]);
	size_t fresh = exchange_rig_connect(rig);
	assert_true(exchange_rig_begins(&rig->upstreams[fresh], "GET /x "));
	exchange_rig_upstream_ends(rig, fresh, "", IO_EOF);
	assert_true(is_out(rig, 0));
	assert_ptr_equal(rig->session->dial.endpoint, &rig->endpoints[1]);
	exchange_rig_upstream_says(rig, exchange_rig_connect(rig), ANSWER);
	assert_true(is_answered_with(rig, 200));
	assert_int_equal(rig->row.counters[STAT_HTTP_STALE_RETRIES], 1);
}

static void what_was_taken_of_a_stale_connection_decides(void **state)
{
	static const struct {
		const char *request;
		enum failure failure;
		bool again, counts;
	} rows[] = {
	        {GET, CLOSES, true, false},
	        {GET, RESETS, true, false},
	        {GET, TAKES_NOTHING, true, false},
	        {POST, TAKES_NOTHING, true, false},
	        {POST, CLOSES, false, false},
	        {PUT_BODY, CLOSES, false, false},
	        {GET, CLOSES_IN_HEAD, false, true},
	        {GET, SAYS_NOTHING, false, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exchange_rig rig;
		exchange_rig_init(&rig);
		rig.group.endpoint_count = 2;
		rig.proxied->next_upstream = 0;
		exchange_rig_open(&rig);
		if (rows[i].failure == TAKES_NOTHING)
			fake_fail(&rig.upstreams[0], FAKE_WRITE, CLOSE_UPSTREAM_RESET);
		exchange_rig_prime(&rig);
		exchange_rig_client_says(&rig, rows[i].request);
		if (rows[i].failure == SAYS_NOTHING)
			exchange_rig_pass(&rig, EXCHANGE_RIG_PROXY_READ_MS);
		else if (rows[i].failure != TAKES_NOTHING)
			exchange_rig_upstream_ends(&rig, 0,
			        rows[i].failure == CLOSES_IN_HEAD ? "HTTP/1.1 " : "",
			        rows[i].failure == RESETS ? IO_ERROR : IO_EOF);
		if (exchange_rig_is_dialling(&rig) != rows[i].again ||
		        is_out(&rig, 0) != rows[i].counts)
			fail_msg("row %zu", i);
		exchange_rig_destroy(&rig);
	}
}

static void a_post_that_was_not_taken_is_sent_again(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	size_t up = exchange_rig_prime(rig);
	exchange_rig_client_says(rig, GET);
	exchange_rig_upstream_says(rig, up, ANSWER);
	fake_fail(&rig->upstreams[up], FAKE_WRITE, CLOSE_UPSTREAM_RESET);
	exchange_rig_client_says(rig, POST);
	assert_true(exchange_rig_is_dialling(rig));
	exchange_rig_upstream_says(rig, exchange_rig_connect(rig), ANSWER);
	assert_int_equal(exchange_rig_times(&rig->client, "hello"), 2);
}

static void what_is_not_sure_gets_no_old_connection(void **state)
{
	struct exchange_rig *rig = *state;

	static const char *const requests[] = {POST_BODY, POST, PUT_BODY};

	exchange_rig_open(rig);
	exchange_rig_prime(rig);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		exchange_rig_pass(rig, 5000); /* within the time for the client's first byte */
		exchange_rig_client_says(rig, requests[i]);
		assert_true(exchange_rig_is_dialling(rig));
		size_t up = exchange_rig_connect(rig);
		exchange_rig_upstream_says(rig, up, ANSWER);
		assert_int_equal(idle_pool_count(rig->host.dialer.pool), i + 2);
	}
	exchange_rig_pass(rig, 5000);
	exchange_rig_client_says(rig, GET);
	assert_false(exchange_rig_is_dialling(rig));
	assert_non_null(rig->session->upstream);
}

#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, exchange_rig_set_up, exchange_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_failed_attempt_goes_on_or_is_told),
	        CASE(when_all_have_failed_the_last_reason_is_told),
	        CASE(a_group_without_a_usable_server_is_a_502),
	        cmocka_unit_test(each_reason_has_its_status),
	        cmocka_unit_test(after_a_failed_upstream_the_client_is_kept_if_its_request_is_read),
	        CASE(a_stale_connection_is_replaced_by_a_fresh_one_once),
	        cmocka_unit_test(what_was_taken_of_a_stale_connection_decides),
	        CASE(a_post_that_was_not_taken_is_sent_again),
	        CASE(what_is_not_sure_gets_no_old_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
