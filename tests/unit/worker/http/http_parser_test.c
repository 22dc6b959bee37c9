/* SPDX-License-Identifier: BSD-2-Clause */
/* http_parser_test.c - what is not about one head's meaning: limits, beginnings, what a refused
 * head leaves for the logs. */
#include "worker/http/http_parser.h"

#include "shared/arena.h"
#include "tests/support/http_feeder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct http_limits roomy = {65536, 16384};

static char *repeat(const char *start, const char *part, size_t count, const char *end)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	fputs(start, out);
	for (size_t i = 0; i < count; i++)
		fputs(part, out);
	fputs(end, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void assert_verdict(const struct http_feed *feed, const char *text,
        enum http_progress progress, unsigned status)
{
	static const size_t pieces[] = {1, 2, 3, 7, 100, 4096, SIZE_MAX};

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct http_verdict verdict = http_feed_cut(
		        feed, slice_of(text), pieces[i], pieces[i]);
		assert_int_equal(verdict.progress, progress);
		assert_int_equal(verdict.status, status);
		free(verdict.head);
	}
}

static void request_line_has_a_limit(void **state)
{
	char *text = repeat("GET /", "a", 91, " HTTP/1.1\r\nHost: a\r\n\r\n");
	struct http_feed feed = {HTTP_REQUEST, HTTP_METHOD_OTHER, {8192, 105}};

	(void)state;
	assert_verdict(&feed, text, HTTP_COMPLETE, 0);
	feed.limits.line_bytes_max = 104;
	assert_verdict(&feed, text, HTTP_REFUSED, 414);
	/* one that never ends is refused at the limit; a fault before it is what counts */
	text[98] = '\0';
	feed.limits.line_bytes_max = 96;
	assert_verdict(&feed, text, HTTP_MORE, 0);
	feed.limits.line_bytes_max = 95;
	assert_verdict(&feed, text, HTTP_REFUSED, 414);
	text[50] = '\x01';
	assert_verdict(&feed, text, HTTP_REFUSED, 400);
	free(text);
	/* a response has only the limit of its head */
	text = repeat("HTTP/1.1 200 ", "a", 500, "\r\n\r\n");
	feed = (struct http_feed){HTTP_RESPONSE, HTTP_METHOD_GET, {517, 10}};
	assert_verdict(&feed, text, HTTP_COMPLETE, 0);
	feed.limits.head_bytes_max = 516;
	assert_verdict(&feed, text, HTTP_REFUSED, 502);
	free(text);
}

static void head_has_a_limit(void **state)
{
	char *text = repeat("GET / HTTP/1.1\r\nHost: a\r\n", "A: b\r\n", 100, "\r\n");
	struct http_feed feed = {HTTP_REQUEST, HTTP_METHOD_OTHER, {627, 100}};

	(void)state;
	assert_verdict(&feed, text, HTTP_COMPLETE, 0);
	feed.limits.head_bytes_max = 626;
	assert_verdict(&feed, text, HTTP_REFUSED, 431);
	feed.limits.head_bytes_max = 20;
	assert_verdict(&feed, text, HTTP_REFUSED, 431);
	feed.limits.head_bytes_max = 10;
	assert_verdict(&feed, text, HTTP_REFUSED, 414);
	feed.limits = (struct http_limits){SIZE_MAX, SIZE_MAX};
	assert_verdict(&feed, text, HTTP_COMPLETE, 0);
	feed.limits = (struct http_limits){0, 0};
	assert_verdict(&feed, text, HTTP_REFUSED, 414);
	free(text);
}

static void the_limit_of_a_head_is_named(void **state)
{
	static const struct {
		struct http_feed feed;
		const char *start, *reason;
	} rows[] = {
	        {{HTTP_REQUEST, HTTP_METHOD_OTHER, {200, 100}}, "GET / HTTP/1.1\r\n",
	                "a head that is too big for client_max_header_size"},
	        {{HTTP_RESPONSE, HTTP_METHOD_GET, {200, 100}}, "HTTP/1.1 200 OK\r\n",
	                "a head that is too big for proxy_buffer_size"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = repeat(rows[i].start, "A: b\r\n", 100, "\r\n");
		struct http_verdict verdict = http_feed_cut(
		        &rows[i].feed, slice_of(text), SIZE_MAX, SIZE_MAX);
		assert_string_equal(verdict.reason, rows[i].reason);
		free(verdict.head);
		free(text);
	}
}

static void fields_have_a_limit(void **state)
{
	struct http_feed feed = {HTTP_REQUEST, HTTP_METHOD_OTHER, roomy};
	struct http_feed response = {HTTP_RESPONSE, HTTP_METHOD_GET, roomy};
	char *text = repeat("GET / HTTP/1.1\r\nHost: a\r\n", "A:b\r\n", 999, "\r\n");

	(void)state;
	assert_verdict(&feed, text, HTTP_COMPLETE, 0);
	free(text);
	text = repeat("GET / HTTP/1.1\r\nHost: a\r\n", "A:b\r\n", 1000, "\r\n");
	assert_verdict(&feed, text, HTTP_REFUSED, 431);
	free(text);
	text = repeat("HTTP/1.1 200 OK\r\n", "A:b\r\n", 1001, "\r\n");
	assert_verdict(&response, text, HTTP_REFUSED, 502);
	free(text);
}

static void every_beginning_asks_for_more(void **state)
{
	static const char text[] = "\r\nGET /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
	const struct http_feed feed = {HTTP_REQUEST, HTTP_METHOD_OTHER, roomy};

	(void)state;
	for (size_t length = 0; length < sizeof(text) - 1; length++) {
		struct http_verdict verdict = http_feed_cut(
		        &feed, (struct slice){text, length}, 5, 3);
		assert_int_equal(verdict.progress, HTTP_MORE);
		free(verdict.head);
	}
}

static void empty_lines_are_no_beginning(void **state)
{
	struct arena *arena = arena_create(4096);
	struct http_parser *parser = http_parser_create(
	        arena, HTTP_REQUEST, HTTP_METHOD_OTHER, &roomy);
	size_t used;

	(void)state;
	assert_false(http_parser_has_begun(parser));
	assert_int_equal(http_parser_head_bytes(parser, SLICE("\r\n\r"), &used), HTTP_MORE);
	assert_int_equal(used, 3);
	assert_false(http_parser_has_begun(parser));
	assert_int_equal(http_parser_head_bytes(parser, SLICE("\nG"), &used), HTTP_MORE);
	assert_true(http_parser_has_begun(parser));
	arena_destroy(arena);
}

static void a_refused_head_leaves_its_first_line(void **state)
{
	static const struct {
		const char *text, *line, *name;
		enum http_method method;
	} cases[] = {
	        {"HEAD /a HTTP/1.1\r\nHost : a\r\n\r\n", "HEAD /a HTTP/1.1", "HEAD",
	                HTTP_METHOD_HEAD},
	        {"HEAD /a HTTP/1.1\r\n\r\n", "HEAD /a HTTP/1.1", "HEAD", HTTP_METHOD_HEAD},
	        {"POST /a HTTP/1.1\r\nA\x01", "POST /a HTTP/1.1", "POST", HTTP_METHOD_POST},
	        {"GET /a HTTP/3.0\r\nHost: a", "GET /a HTTP/3.0", "GET", HTTP_METHOD_GET},
	        {"FOO /a HTTP/1.1\r\n", "FOO /a HTTP/1.1", "FOO", HTTP_METHOD_OTHER},
	        {"FOO /a", "FOO /a", "FOO", HTTP_METHOD_OTHER},
	        {"\x16\x03", "\x16\x03", "", HTTP_METHOD_OTHER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *arena = arena_create(4096);
		struct http_parser *parser = http_parser_create(
		        arena, HTTP_REQUEST, HTTP_METHOD_OTHER, &roomy);
		size_t used;
		assert_int_equal(http_parser_head_bytes(parser, slice_of(cases[i].text), &used),
		        HTTP_REFUSED);
		const struct http_head *head = http_parser_head(parser);
		assert_true(slice_equal(head->request_line, slice_of(cases[i].line)));
		assert_true(slice_equal(head->method_name, slice_of(cases[i].name)));
		assert_int_equal(head->method, cases[i].method);
		arena_destroy(arena);
	}
}

static void fields_are_found_by_name(void **state)
{
	struct http_field fields[] = {
	        {SLICE("Host"), SLICE("a")}, {SLICE("A"), SLICE("")}, {SLICE("host"), SLICE("b")}};
	struct http_head head = {.fields = fields, .field_count = 3};

	(void)state;
	assert_true(slice_equal(http_head_field(&head, SLICE("HOST")), SLICE("a")));
	assert_non_null(http_head_field(&head, SLICE("a")).data);
	assert_null(http_head_field(&head, SLICE("b")).data);
}

static void collect(void *opaque, struct slice data)
{
	char *text = opaque;

	strncat(text, data.data, data.length);
}

static void a_chunked_body_follows_its_head(void **state)
{
	static const char head[] =
	        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
	static const char body[] = "3\r\nabc\r\n0\r\n\r\nGET";
	struct arena *arena = arena_create(4096);
	struct http_parser *parser = http_parser_create(
	        arena, HTTP_REQUEST, HTTP_METHOD_OTHER, &roomy);
	char data[16] = "";
	size_t used;

	(void)state;
	assert_int_equal(http_parser_head_bytes(parser, slice_of(head), &used), HTTP_COMPLETE);
	assert_int_equal(http_parser_chunked_bytes(parser, slice_of(body), &used, collect, data),
	        HTTP_COMPLETE);
	assert_int_equal(used, sizeof(body) - 1 - 3);
	assert_string_equal(data, "abc");

	parser = http_parser_create(arena, HTTP_REQUEST, HTTP_METHOD_OTHER, &roomy);
	assert_int_equal(http_parser_head_bytes(parser, slice_of(head), &used), HTTP_COMPLETE);
	assert_int_equal(http_parser_chunked_bytes(parser, SLICE("3\n"), &used, collect, data),
	        HTTP_REFUSED);
	assert_int_equal(http_parser_refusal(parser)->status, 400);

	parser = http_parser_create(arena, HTTP_RESPONSE, HTTP_METHOD_GET, &roomy);
	assert_int_equal(
	        http_parser_head_bytes(parser,
	                SLICE("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), &used),
	        HTTP_COMPLETE);
	assert_int_equal(
	        http_parser_chunked_bytes(parser, SLICE("x"), &used, collect, data), HTTP_REFUSED);
	assert_int_equal(http_parser_refusal(parser)->status, 502);
	arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(request_line_has_a_limit),
	        cmocka_unit_test(head_has_a_limit),
	        cmocka_unit_test(the_limit_of_a_head_is_named),
	        cmocka_unit_test(fields_have_a_limit),
	        cmocka_unit_test(every_beginning_asks_for_more),
	        cmocka_unit_test(empty_lines_are_no_beginning),
	        cmocka_unit_test(a_refused_head_leaves_its_first_line),
	        cmocka_unit_test(fields_are_found_by_name),
	        cmocka_unit_test(a_chunked_body_follows_its_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
