/* SPDX-License-Identifier: BSD-2-Clause */
/* http_response_test.c - an answer on its way: interim ones, framings, cuts, 101. */
#include "tests/support/exchange_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GET "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_10 "GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
#define UPGRADE "GET /x HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
#define SWITCHED \
	"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
#define SIZED "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define CHUNKED_FIELD "\r\nTransfer-Encoding: chunked\r\n"
#define EMPTY "Content-Length: 0\r\n\r\n"
#define CLOSED "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"

/* A client's request is on a pooled connection, number 0. */
static void begin(struct exchange_rig *rig, const char *request)
{
	exchange_rig_open(rig);
	exchange_rig_prime(rig);
	exchange_rig_client_says(rig, request);
	assert_int_equal(exchange_rig_times(&rig->upstreams[0], " HTTP/1.1\r\n"), 1);
}

/* ---- framings ---- */

static void each_framing_reaches_each_client(void **state)
{
	static const struct {
		const char *request, *answer;
		enum io_result end; /* IO_OK: none */
		const char *tail; /* of what the client gets */
		bool client_kept, upstream_kept;
	} rows[] = {
	        {GET, SIZED "hello", IO_OK, "\r\n\r\nhello", true, true},
	        {GET, CHUNKED "5\r\nhello\r\n0\r\n\r\n", IO_OK, "5\r\nhello\r\n0\r\n\r\n", true,
	                true},
	        {GET, CHUNKED "0\r\nX: y\r\n\r\n", IO_OK, "\r\n\r\n0\r\n\r\n", true, true},
	        {GET, CLOSED "hello", IO_EOF, "5\r\nhello\r\n0\r\n\r\n", true, false},
	        {GET_10, SIZED "hello", IO_OK, "\r\n\r\nhello", true, true},
	        {GET_10, CHUNKED "5\r\nhello\r\n0\r\n\r\n", IO_OK, "\r\n\r\nhello", false, true},
	        {GET_10, CLOSED "hello", IO_EOF, "\r\n\r\nhello", false, false},
	        {"HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n", SIZED, IO_OK, "Content-Length: 5\r\n\r\n",
	                true, true},
	        {"HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n", CHUNKED, IO_OK, "\r\n\r\n", true, true},
	        {GET, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", IO_OK, "\r\n\r\n",
	                true, true},
	        {GET, "HTTP/1.1 204 No Content\r\n\r\n", IO_OK, "\r\n\r\n", true, true},
	        {GET, "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", IO_OK, "hello", true,
	                false},
	        /* bytes that nobody asked for */
	        {GET, SIZED "hello!", IO_OK, "\r\n\r\nhello", true, false},
	        {GET, "HTTP/1.1 204 No Content\r\n\r\nx", IO_OK, "\r\n\r\n", true, false},
	        {GET, SIZED "hello" SIZED "other", IO_OK, "\r\n\r\nhello", true, false},
	        {"HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n", SIZED "hello", IO_OK, "\r\n\r\n", true,
	                false},
	        /* whole, and ended */
	        {GET, SIZED "hello", IO_EOF, "\r\n\r\nhello", true, false},
	        {GET, SIZED "hello", IO_ERROR, "\r\n\r\nhello", true, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exchange_rig rig;
		exchange_rig_init(&rig);
		begin(&rig, rows[i].request);
		exchange_rig_upstream_ends(&rig, 0, rows[i].answer, rows[i].end);
		if (!exchange_rig_finishes(&rig.client, rows[i].tail) ||
		        exchange_rig_times(&rig.client, "HTTP/1.1 ") != 1 ||
		        rig.session->closed == rows[i].client_kept || rig.client.cut ||
		        (rows[i].end == IO_OK && rig.client.calls[FAKE_WRITE] != 1) ||
		        (idle_pool_count(rig.host.dialer.pool) == 1) != rows[i].upstream_kept)
			fail_msg("row %zu: %.*s", i, (int)rig.client.received_bytes,
			        rig.client.received);
		bool chunked = exchange_rig_finishes(&rig.client, "\r\n0\r\n\r\n");
		bool head_only = rows[i].request[0] == 'H';
		if (!head_only &&
		        (exchange_rig_holds(&rig.client, CHUNKED_FIELD) != chunked ||
		                (chunked && exchange_rig_holds(&rig.client, "Content-Length"))))
			fail_msg("row %zu: another framing is said", i);
		exchange_rig_destroy(&rig);
	}
}

/* ---- what is counted, and answered by ourselves ---- */

static void each_answer_counts_in_its_class(void **state)
{
	static const struct {
		const char *request, *answer; /* NULL: our own */
		enum stat_counter stat;
	} rows[] = {
	        {UPGRADE, SWITCHED, STAT_HTTP_1XX},
	        {GET, "HTTP/1.1 200 OK\r\n" EMPTY, STAT_HTTP_2XX},
	        {GET, "HTTP/1.1 299 -\r\n" EMPTY, STAT_HTTP_2XX},
	        {GET, "HTTP/1.1 300 -\r\n" EMPTY, STAT_HTTP_3XX},
	        {GET, "HTTP/1.1 399 -\r\n" EMPTY, STAT_HTTP_3XX},
	        {GET, "HTTP/1.1 400 -\r\n" EMPTY, STAT_HTTP_4XX},
	        {GET, "HTTP/1.1 499 -\r\n" EMPTY, STAT_HTTP_4XX},
	        {GET, "HTTP/1.1 500 -\r\n" EMPTY, STAT_HTTP_5XX},
	        {GET, "HTTP/1.1 599 -\r\n" EMPTY, STAT_HTTP_5XX},
	        {"GET /moved HTTP/1.1\r\nHost: a\r\n\r\n", NULL, STAT_HTTP_3XX},
	};
	static const enum stat_counter stats[] = {
	        STAT_HTTP_1XX, STAT_HTTP_2XX, STAT_HTTP_3XX, STAT_HTTP_4XX, STAT_HTTP_5XX};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exchange_rig rig;
		exchange_rig_init(&rig);
		exchange_rig_open(&rig);
		exchange_rig_prime(&rig);
		exchange_rig_client_says(&rig, rows[i].request);
		if (rows[i].answer)
			exchange_rig_upstream_says(&rig, 0, rows[i].answer);
		for (size_t j = 0; j < sizeof(stats) / sizeof(stats[0]); j++)
			if (rig.row.counters[stats[j]] != (stats[j] == rows[i].stat))
				fail_msg("row %zu: class %zu", i, j + 1);
		exchange_rig_destroy(&rig);
	}
}

static void what_redirects_has_a_location(void **state)
{
	static const struct {
		unsigned status;
		bool redirects;
	} rows[] = {{301, true}, {302, true}, {303, true}, {307, true}, {308, true}, {300, false},
	        {304, false}, {306, false}, {200, false}, {404, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exchange_rig rig;
		exchange_rig_init(&rig);
		rig.locations[1].return_status = rows[i].status;
		exchange_rig_open(&rig);
		exchange_rig_client_says(&rig, "GET /moved HTTP/1.1\r\nHost: a\r\n\r\n");
		if (exchange_rig_holds(&rig.client, "\r\nLocation: /there\r\n") !=
		        rows[i].redirects)
			fail_msg("status %u", rows[i].status);
		assert_true(exchange_rig_holds(&rig.client, "\r\nDate: "));
		assert_false(exchange_rig_holds(&rig.client, " 1970 ")); /* but now */
		exchange_rig_destroy(&rig);
	}
}

/* ---- cuts ---- */

static void a_cut_stays_a_cut(void **state)
{
	static const struct {
		const char *request, *answer, *more;
		enum io_result end;
		enum close_reason reason;
	} rows[] = {
	        {GET, SIZED "hel", "", IO_EOF, CLOSE_UPSTREAM_CLOSED},
	        {GET, SIZED "he", "l", IO_ERROR, CLOSE_UPSTREAM_RESET},
	        {GET, CHUNKED "5\r\nhel", "", IO_EOF, CLOSE_UPSTREAM_CLOSED},
	        {GET, CHUNKED "5\r\nhello\r\n", "", IO_EOF, CLOSE_UPSTREAM_CLOSED},
	        {GET, CHUNKED "5\r\nhello\r\n", "0\r\n", IO_EOF, CLOSE_UPSTREAM_CLOSED},
	        {GET, CHUNKED "5\r\nhello\r\n", "zz\r\n", IO_OK, CLOSE_UPSTREAM_BAD_RESPONSE},
	        {GET, CLOSED "hel", "", IO_TRUNCATED, CLOSE_UPSTREAM_TRUNCATED},
	        {GET, CLOSED "hel", "lo", IO_ERROR, CLOSE_UPSTREAM_RESET},
	        {GET_10, CLOSED "hel", "lo", IO_TRUNCATED, CLOSE_UPSTREAM_TRUNCATED},
	        {GET_10, CHUNKED "5\r\nhel", "lo", IO_EOF, CLOSE_UPSTREAM_CLOSED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exchange_rig rig;
		exchange_rig_init(&rig);
		begin(&rig, rows[i].request);
		exchange_rig_upstream_says(&rig, 0, rows[i].answer);
		exchange_rig_upstream_ends(&rig, 0, rows[i].more, rows[i].end);
		if (!exchange_rig_ended_as(&rig, rows[i].reason) || !rig.client.cut ||
		        rig.client.finished || exchange_rig_finishes(&rig.client, "0\r\n\r\n") ||
		        !exchange_rig_holds(&rig.client, "hel"))
			fail_msg("row %zu", i);
		assert_int_equal(idle_pool_count(rig.host.dialer.pool), 0);
		assert_true(exchange_rig_logged(&rig, " 200 up=127.0.0.1:"));
		exchange_rig_destroy(&rig);
	}
}

static void a_cut_comes_behind_the_last_whole_byte(void **state)
{
	struct exchange_rig *rig = *state;

	begin(rig, GET);
	fake_write_short(&rig->client, 3);
	exchange_rig_upstream_ends(rig, 0, SIZED "hel", IO_EOF);
	assert_int_equal(rig->client.received_bytes, 3);
	assert_false(rig->session->closed);
	exchange_rig_client_writable(rig);
	assert_true(exchange_rig_finishes(&rig->client, "hel"));
	assert_true(exchange_rig_ended_as(rig, CLOSE_UPSTREAM_CLOSED));
	assert_true(rig->client.cut);
}

static void a_slow_client_stops_a_fast_upstream(void **state)
{
	enum { BYTES = 8 << 20 };
	struct exchange_rig *rig = *state;

	begin(rig, GET);
	exchange_rig_upstream_says(rig, 0, "HTTP/1.1 200 OK\r\nContent-Length: 8388608\r\n\r\n");
	exchange_rig_forget(&rig->client);
	rig->upstreams[0].source_bytes = BYTES;
	for (int i = 0; i < 50; i++)
		fake_write_short(&rig->client, 100000);
	while (exchange_rig_fire(rig, exchange_rig_stream(rig, 0), EVENT_READ))
		;
	assert_true(rig->upstreams[0].source_given < (1 << 20));
	bool moved = true;
	while (moved && rig->client.received_bytes < BYTES) {
		moved = exchange_rig_client_writable(rig);
		moved |= exchange_rig_fire(rig, exchange_rig_stream(rig, 0), EVENT_READ);
	}
	assert_true(fake_received_pattern(&rig->client, BYTES));
	assert_false(rig->session->closed);
	assert_int_equal(buffer_pool_lent_bytes(rig->host.io.pool), 0);
}

/* ---- interim answers ---- */

static void interim_answers_are_passed_on_up_to_a_limit(void **state)
{
	struct exchange_rig *rig = *state;

	begin(rig, GET);
	for (int i = 0; i < 16; i++)
		exchange_rig_upstream_says(rig, 0, "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n");
	assert_int_equal(exchange_rig_times(&rig->client, "HTTP/1.1 103 Early Hints\r\n"), 16);
	exchange_rig_upstream_says(rig, 0, SIZED "hello");
	assert_true(exchange_rig_finishes(&rig->client, "\r\n\r\nhello"));
	exchange_rig_client_says(rig, GET); /* each request has as many */
	for (int i = 0; i < 17; i++)
		exchange_rig_upstream_says(rig, 0, "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n");
	assert_int_equal(exchange_rig_times(&rig->client, "HTTP/1.1 103 Early Hints\r\n"), 32);
	assert_int_equal(exchange_rig_times(&rig->client, "HTTP/1.1 502 "), 1);
}

static void an_old_client_gets_no_interim_answer(void **state)
{
	struct exchange_rig *rig = *state;

	begin(rig, GET_10);
	exchange_rig_upstream_says(rig, 0, "HTTP/1.1 100 Continue\r\n\r\n" SIZED "hello");
	assert_int_equal(exchange_rig_times(&rig->client, "HTTP/1.1 "), 1);
	assert_true(exchange_rig_finishes(&rig->client, "hello"));
}

static void a_client_that_takes_nothing_misses_interim_answers_only(void **state)
{
	struct exchange_rig *rig = *state;

	begin(rig, GET);
	fake_write_short(&rig->client, 4);
	exchange_rig_upstream_says(rig, 0, "HTTP/1.1 103 Early Hints\r\n\r\n");
	exchange_rig_upstream_says(rig, 0, "HTTP/1.1 103 Early Hints\r\n\r\n" SIZED "hello");
	assert_int_equal(rig->client.received_bytes, 4);
	exchange_rig_client_writable(rig);
	assert_int_equal(exchange_rig_times(&rig->client, "HTTP/1.1 103 "), 1);
	assert_int_equal(exchange_rig_times(&rig->client, "HTTP/1.1 200 "), 1);
	assert_true(exchange_rig_finishes(&rig->client, "hello"));
}

static void heads_longer_than_a_buffer_are_no_matter(void **state)
{
	enum { LONG = 60000 };
	struct exchange_rig *rig = *state;
	char *answer = calloc(1, LONG + 200);

	assert_non_null(answer);
	rig->proxied->proxy_buffer_size = 128 * 1024;
	strcpy(answer, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n");
	for (int i = 0; i < 10; i++) {
		strcat(answer, "X: ");
		memset(answer + strlen(answer), 'x', LONG / 10);
		strcat(answer, "\r\n");
	}
	strcat(answer, "\r\nhello");
	begin(rig, GET);
	exchange_rig_upstream_says(rig, 0, answer);
	while (exchange_rig_fire(rig, exchange_rig_stream(rig, 0), EVENT_READ) &&
	        !rig->client.received_bytes)
		;
	assert_true(rig->client.received_bytes > LONG);
	assert_true(exchange_rig_finishes(&rig->client, "\r\n\r\nhello"));
	free(answer);
}

/* ---- 101 ---- */

static void a_101_makes_a_tunnel_with_what_came_along(void **state)
{
	struct exchange_rig *rig = *state;

	begin(rig, UPGRADE "from the client");
	assert_false(exchange_rig_holds(&rig->upstreams[0], "from the client"));
	exchange_rig_upstream_says(rig, 0, SWITCHED "from the upstream");
	assert_true(exchange_rig_begins(&rig->client, "HTTP/1.1 101 Switching Protocols\r\n"));
	assert_true(
	        exchange_rig_finishes(&rig->client, "Upgrade: websocket\r\n\r\nfrom the upstream"));
	assert_true(exchange_rig_finishes(&rig->upstreams[0], "\r\n\r\nfrom the client"));
	exchange_rig_client_says(rig, "GET / HTTP/9");
	assert_true(exchange_rig_finishes(&rig->upstreams[0], "GET / HTTP/9"));
	assert_int_equal(exchange_rig_lines(rig), 0);
	exchange_rig_upstream_ends(rig, 0, "bye", IO_EOF);
	assert_true(rig->client.finished);
	exchange_rig_client_ends(rig, "");
	assert_true(exchange_rig_ended_as(rig, CLOSE_DONE));
	assert_int_equal(idle_pool_count(rig->host.dialer.pool), 0);
	assert_true(exchange_rig_logged(rig, " 101 "));
}

static void an_idle_tunnel_is_cut_after_proxy_read_timeout(void **state)
{
	struct exchange_rig *rig = *state;

	begin(rig, UPGRADE);
	exchange_rig_upstream_says(rig, 0, SWITCHED);
	exchange_rig_pass(rig, EXCHANGE_RIG_PROXY_READ_MS - 1);
	assert_false(rig->session->closed);
	exchange_rig_client_says(rig, "x");
	exchange_rig_pass(rig, EXCHANGE_RIG_PROXY_READ_MS);
	assert_true(exchange_rig_ended_as(rig, CLOSE_IDLE_TIMEOUT));
}

static void a_101_before_the_requests_end_is_refused(void **state)
{
	struct exchange_rig *rig = *state;

	begin(rig, "POST /x HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n"
	           "Content-Length: 9\r\n\r\nbody");
	exchange_rig_upstream_says(rig, 0, SWITCHED "leak");
	assert_true(exchange_rig_begins(&rig->client, "HTTP/1.1 502 Bad Gateway\r\n"));
	assert_false(exchange_rig_holds(&rig->client, "leak"));
	assert_true(rig->upstreams[0].closed);
}

static void a_101_to_nothing_is_refused(void **state)
{
	struct exchange_rig *rig = *state;

	begin(rig, UPGRADE);
	exchange_rig_upstream_says(
	        rig, 0, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\r\n");
	assert_true(exchange_rig_begins(&rig->client, "HTTP/1.1 502 Bad Gateway\r\n"));
	assert_true(rig->upstreams[0].closed);
}

static void an_upgrade_that_is_declined_is_an_answer_as_any(void **state)
{
	struct exchange_rig *rig = *state;

	begin(rig, UPGRADE);
	exchange_rig_upstream_says(rig, 0, SIZED "hello");
	assert_true(exchange_rig_finishes(&rig->client, "hello"));
	assert_int_equal(idle_pool_count(rig->host.dialer.pool), 1);
	assert_false(rig->session->closed);
}

#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, exchange_rig_set_up, exchange_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_framing_reaches_each_client),
	        cmocka_unit_test(each_answer_counts_in_its_class),
	        cmocka_unit_test(what_redirects_has_a_location),
	        cmocka_unit_test(a_cut_stays_a_cut),
	        CASE(a_cut_comes_behind_the_last_whole_byte),
	        CASE(a_slow_client_stops_a_fast_upstream),
	        CASE(interim_answers_are_passed_on_up_to_a_limit),
	        CASE(an_old_client_gets_no_interim_answer),
	        CASE(a_client_that_takes_nothing_misses_interim_answers_only),
	        CASE(heads_longer_than_a_buffer_are_no_matter),
	        CASE(a_101_makes_a_tunnel_with_what_came_along),
	        CASE(an_idle_tunnel_is_cut_after_proxy_read_timeout),
	        CASE(a_101_before_the_requests_end_is_refused),
	        CASE(a_101_to_nothing_is_refused),
	        CASE(an_upgrade_that_is_declined_is_an_answer_as_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
