/* SPDX-License-Identifier: BSD-2-Clause */
/* http_log_test.c - what a line of the access log says of its exchange, and of no other. */
#include "tests/support/exchange_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GET "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_FINE "GET /fine HTTP/1.1\r\nHost: a\r\n\r\n"
#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

static void each_exchange_counts_its_own_bytes(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	exchange_rig_client_says(rig, GET_FINE);
	exchange_rig_client_says(rig, GET_FINE GET_FINE);
	assert_int_equal(rig->client.received_bytes % 3, 0);
	char line[80];
	snprintf(line, sizeof(line), "\"GET /fine HTTP/1.1\" 200 up=- in=31 out=%zu ",
	        rig->client.received_bytes / 3);
	assert_int_equal(exchange_rig_lines(rig), 3);
	assert_int_equal(exchange_rig_logged_times(rig, line), 3);
}

static void a_line_tells_nothing_of_the_connection_before(void **state)
{
	struct exchange_rig *rig = *state;

	rig->group.keepalive = 0;
	rig->group.endpoint_count = 2;
	rig->endpoints[0].max_fails = 0;
	exchange_rig_open(rig);
	exchange_rig_client_says(rig, GET);
	size_t up = exchange_rig_connect(rig);
	upstream_connection_of(exchange_rig_stream(rig, up))->tls.protocol = "TLSv1.3";
	rig->session->facts.upstream_tls.protocol = "TLSv1.3";
	exchange_rig_pass(rig, 1234);
	exchange_rig_upstream_says(rig, up, ANSWER);
	assert_true(exchange_rig_logged(rig, " time=1.234 tls=TLSv1.3 "));
	assert_int_equal(rig->row.observed_us[HISTOGRAM_REQUEST_SECONDS], 1234000);
	rig->endpoints[0].down = rig->endpoints[1].down = true;
	exchange_rig_client_says(rig, GET);
	assert_true(exchange_rig_logged(rig, " 502 up=- "));
	assert_true(exchange_rig_logged(rig, " tls=- cipher=- session=- end=no_upstream\n"));
}

/* nginx's 499: nobody was there any more to answer. */
static void a_client_that_goes_before_the_answer_is_a_499(void **state)
{
	static const struct {
		enum io_result end;
		const char *line;
	} rows[] = {
	        {IO_ERROR, " 499 up=127.0.0.1:"},
	        {IO_EOF, " 499 up=127.0.0.1:"}, /* in the middle of its body */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exchange_rig rig;
		exchange_rig_init(&rig);
		exchange_rig_open(&rig);
		exchange_rig_prime(&rig);
		exchange_rig_client_says(
		        &rig, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nbody");
		if (rows[i].end == IO_ERROR)
			exchange_rig_client_resets(&rig);
		else
			exchange_rig_client_ends(&rig, "");
		assert_true(rig.session->closed);
		if (!exchange_rig_logged(&rig, rows[i].line))
			fail_msg("row %zu", i);
		exchange_rig_destroy(&rig);
	}
}

static void the_upstreams_end_has_its_reason(void **state)
{
	static const struct {
		const char *says;
		enum io_result end;
		const char *line;
	} rows[] = {
	        {"", IO_EOF, " end=upstream_closed\n"},
	        {"HTTP/1.1 ", IO_EOF, " end=upstream_closed\n"},
	        {"", IO_ERROR, " end=upstream_reset\n"},
	        {"HTTP/1.1 ", IO_ERROR, " end=upstream_reset\n"},
	        {"", IO_TRUNCATED, " end=upstream_truncated\n"},
	        {"SSH-2.0\r\n", IO_OK, " end=upstream_bad_response\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exchange_rig rig;
		exchange_rig_init(&rig);
		exchange_rig_open(&rig);
		exchange_rig_client_says(&rig, GET);
		exchange_rig_upstream_ends(
		        &rig, exchange_rig_connect(&rig), rows[i].says, rows[i].end);
		if (!exchange_rig_logged(&rig, " 502 up=127.0.0.1:") ||
		        !exchange_rig_logged(&rig, rows[i].line))
			fail_msg("row %zu", i);
		exchange_rig_destroy(&rig);
	}
}

static void a_session_that_we_end_has_no_status(void **state)
{
	struct exchange_rig *rig = *state;

	exchange_rig_open(rig);
	exchange_rig_prime(rig);
	exchange_rig_client_says(rig, GET);
	session_close(rig->session, CLOSE_WORKER_SHUTDOWN_TIMEOUT);
	assert_false(exchange_rig_logged(rig, " 499 "));
	assert_true(exchange_rig_logged(rig, " end=worker_shutdown_timeout\n"));
}

#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, exchange_rig_set_up, exchange_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(each_exchange_counts_its_own_bytes),
	        CASE(a_line_tells_nothing_of_the_connection_before),
	        cmocka_unit_test(a_client_that_goes_before_the_answer_is_a_499),
	        cmocka_unit_test(the_upstreams_end_has_its_reason),
	        CASE(a_session_that_we_end_has_no_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
