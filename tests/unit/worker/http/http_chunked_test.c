/* SPDX-License-Identifier: BSD-2-Clause */
/* http_chunked_test.c - chunked bodies, each whole, cut in two everywhere, and byte by byte. */
#include "worker/http/http_chunked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_MAX = 32768 };

struct outcome {
	enum http_progress progress;
	size_t used, length;
	const char *refusal;
	char data[TEXT_MAX];
};

static void collect(void *opaque, struct slice data)
{
	struct outcome *outcome = opaque;

	assert_true(data.length > 0 && outcome->length + data.length <= sizeof(outcome->data));
	memcpy(outcome->data + outcome->length, data.data, data.length);
	outcome->length += data.length;
}

static void decode(struct slice bytes, size_t first, size_t others, struct outcome *outcome)
{
	struct http_chunked chunked = {0};
	struct http_refusal refusal;

	outcome->progress = HTTP_MORE;
	outcome->used = outcome->length = 0;
	outcome->refusal = NULL;
	for (size_t length = first, used; outcome->used < bytes.length; length = others) {
		size_t left = bytes.length - outcome->used;
		struct slice piece = {bytes.data + outcome->used, length < left ? length : left};
		outcome->progress = http_chunked_bytes(
		        &chunked, piece, &used, collect, outcome, &refusal);
		assert_true(used <= piece.length);
		outcome->used += used;
		if (outcome->progress == HTTP_REFUSED) {
			assert_int_equal(refusal.status, 400);
			outcome->refusal = refusal.text;
		}
		if (outcome->progress != HTTP_MORE)
			return;
		assert_int_equal(used, piece.length);
	}
}

#define S(literal)                             \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}
#define BARE "a line of the chunked body that does not end with CR LF"
#define SIZE "a malformed chunk size"
#define EXTENSION "a malformed chunk extension"
#define TRAILER "a malformed trailer field"
#define FORBIDDEN "a trailer field that is forbidden there"

static const struct {
	struct slice bytes;
	const char *data, *refusal;
} cases[] = {
        {S("0\r\n\r\n"), "", NULL},
        {S("5\r\nhello\r\n0\r\n\r\n"), "hello", NULL},
        {S("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"), "hello world", NULL},
        {S("1\r\n\n\r\n1\r\n\r\r\n0\r\n\r\n"), "\n\r", NULL},
        {S("000000000000000000000005\r\nhello\r\n000\r\n\r\n"), "hello", NULL},
        {S("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"), "01234567890123456789", NULL},
        /* sizes */
        {S("9\r\n012345678\r\n0f\r\n0123456789abcde\r\n00F\r\n0123456789abcde\r\n0\r\n\r\n"),
                "0123456780123456789abcde0123456789abcde", NULL},
        {S("/\r\n"), NULL, SIZE},
        {S(":\r\n"), NULL, SIZE},
        {S("@\r\n"), NULL, SIZE},
        {S("G\r\n"), NULL, SIZE},
        {S("`\r\n"), NULL, SIZE},
        {S("\r\n"), NULL, SIZE},
        {S("\n"), NULL, SIZE},
        {S(" 5\r\n"), NULL, SIZE},
        {S("5 \r\n"), NULL, SIZE},
        {S("5\t\r\n"), NULL, SIZE},
        {S("0x5\r\n"), NULL, SIZE},
        {S("+5\r\n"), NULL, SIZE},
        {S("-5\r\n"), NULL, SIZE},
        {S("g\r\n"), NULL, SIZE},
        {S("5g\r\n"), NULL, SIZE},
        {S("5,5\r\n"), NULL, SIZE},
        {S(";a\r\n"), NULL, SIZE},
        {S("5\n"), NULL, SIZE},
        {S("5\rhello"), NULL, BARE},
        {S("5\r\r\n"), NULL, BARE},
        {S("\0"), NULL, SIZE},
        {S("7fffffffffffffff\r\n"), NULL, "a chunk size that is too big"},
        {S("10000000000000000\r\n"), NULL, "a chunk size that is too big"},
        {S("fffffffffffffffffffffffffff"), NULL, "a chunk size that is too big"},
        /* what follows the data */
        {S("5\r\nhello\n"), "hello", BARE},
        {S("5\r\nhello\rX"), "hello", BARE},
        {S("5\r\nhelloX"), "hello", BARE},
        {S("5\r\nhello!\r\n"), "hello", BARE},
        {S("5\r\nhello\r\n\r\n"), "hello", SIZE},
        {S("5\r\nhel\r\n0\r\n\r\n"), "hel\r\n", BARE},
        /* extensions */
        {S("5;a\r\nhello\r\n0;b=c\r\n\r\n"), "hello", NULL},
        {S("5;a=b;c=\"d e;f\\\"\r\\\t\";g\r\nhello\r\n"), NULL,
                "a control byte in a chunk extension"},
        {S("5;a=b;c=\"d e;f\\\"\\\t\";g\r\nhello\r\n0\r\n\r\n"), "hello", NULL},
        {S("5;a=\"\"\r\nhello\r\n0\r\n\r\n"), "hello", NULL},
        {S("5;\r\n"), NULL, EXTENSION},
        {S("5;;a\r\n"), NULL, EXTENSION},
        {S("5; a\r\n"), NULL, EXTENSION},
        {S("5;a \r\n"), NULL, EXTENSION},
        {S("5;a=\r\n"), NULL, EXTENSION},
        {S("5;a= b\r\n"), NULL, EXTENSION},
        {S("5;=b\r\n"), NULL, EXTENSION},
        {S("5;a=b=c\r\n"), NULL, EXTENSION},
        {S("5;a\"b\"\r\n"), NULL, EXTENSION},
        {S("5;a=b\"c\"\r\n"), NULL, EXTENSION},
        {S("5;a=\"b\"c\r\n"), NULL, EXTENSION},
        {S("5;a\n"), NULL, EXTENSION},
        {S("5;a=b\n"), NULL, EXTENSION},
        {S("5;a=\"b\"\n"), NULL, EXTENSION},
        {S("5;a=\"\n\""), NULL, "a control byte in a chunk extension"},
        {S("5;a\rb"), NULL, BARE},
        {S("5;\0"), NULL, EXTENSION},
        {S("5;\377"), NULL, EXTENSION},
        /* trailers */
        {S("0\r\nA: b\r\nC:\r\nD:\tf \r\n\r\n"), "", NULL},
        {S("0\r\nContent-Length-Is-Not-This-One-But-Much-Longer: 5\r\n\r\n"), "", NULL},
        {S("0\r\nContent-Lengt: 5\r\n\r\n"), "", NULL},
        {S("0\r\nDate: a\r\nExpires: b\r\nContent-Digest: c\r\n\r\n"), "", NULL},
        {S("0\r\nContent-Length: 5\r\n\r\n"), NULL, FORBIDDEN},
        {S("0\r\nA: b\r\ncontent-LENGTH: 5\r\n\r\n"), NULL, FORBIDDEN},
        {S("0\r\nTransfer-Encoding: chunked\r\n\r\n"), NULL, FORBIDDEN},
        {S("0\r\nHost: a\r\n\r\n"), NULL, FORBIDDEN},
        {S("0\r\nTrailer: a\r\n\r\n"), NULL, FORBIDDEN},
        {S("0\r\nContent-Length : 5\r\n\r\n"), NULL, TRAILER},
        {S("0\r\n: b\r\n\r\n"), NULL, TRAILER},
        {S("0\r\nA\r\n\r\n"), NULL, TRAILER},
        {S("0\r\nA b: c\r\n\r\n"), NULL, TRAILER},
        {S("0\r\n A: b\r\n\r\n"), NULL, TRAILER},
        {S("0\r\nA: b\r\n c\r\n\r\n"), NULL, TRAILER},
        {S("0\r\nA: b\n\r\n"), NULL, "a control byte in a trailer field"},
        {S("0\r\nA: b\rX"), NULL, BARE},
        {S("0\r\nA: \0\r\n"), NULL, "a control byte in a trailer field"},
        {S("0\r\nA\0: b\r\n"), NULL, TRAILER},
        {S("0\r\n\n"), NULL, TRAILER},
        {S("0\r\n\r\r\n"), NULL, BARE},
        {S("0\r\nGET / HTTP/1.1\r\n"), NULL, TRAILER},
};

static void check(size_t i, struct slice all, size_t first, size_t others)
{
	static struct outcome outcome;

	decode(all, first, others, &outcome);
	if (cases[i].refusal) {
		assert_int_equal(outcome.progress, HTTP_REFUSED);
		assert_string_equal(outcome.refusal, cases[i].refusal);
	} else {
		assert_int_equal(outcome.progress, HTTP_COMPLETE);
		assert_int_equal(outcome.used, cases[i].bytes.length);
	}
	if (cases[i].data) {
		assert_int_equal(outcome.length, strlen(cases[i].data));
		assert_memory_equal(outcome.data, cases[i].data, outcome.length);
	}
}

static void every_case_in_every_cut(void **state)
{
	char bytes[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice all = {bytes, cases[i].bytes.length + 3};
		assert_true(all.length <= sizeof(bytes));
		memcpy(bytes, cases[i].bytes.data, cases[i].bytes.length);
		memcpy(bytes + cases[i].bytes.length, "GET", 3);
		for (size_t first = 1; first <= all.length; first++)
			check(i, all, first, SIZE_MAX);
		check(i, all, 1, 1);
	}
}

/* `count` times `part` between the other two. */
static struct slice build(
        char *out, const char *start, const char *part, size_t count, const char *end)
{
	size_t length = strlen(start);

	memcpy(out, start, length);
	for (size_t i = 0; i < count; i++, length += strlen(part))
		memcpy(out + length, part, strlen(part));
	memcpy(out + length, end, strlen(end));
	return (struct slice){out, length + strlen(end)};
}

static void framing_may_cost_only_so_much(void **state)
{
	static char text[200000];
	static struct outcome outcome;
	static const char too_long[] = "chunk extensions or trailers that are too long";
	static const struct {
		const char *start, *part, *end;
		size_t accepted, refused;
	} costs[] = {
	        {"5;a=", "b", "\r\nhello\r\n0\r\n\r\n", 8180, 8200},
	        {"5;a=\"", "b", "\"\r\nhello\r\n0\r\n\r\n", 8180, 8200},
	        {"", "0", "5\r\nhello\r\n0\r\n\r\n", 8180, 8200},
	        {"0\r\nA: ", "b", "\r\n\r\n", 8180, 8200},
	        {"0\r\n", "A: b\r\n", "\r\n", 1364, 1366},
	        /* usual chunks do not add up, be they ever so small; ones with long extensions do
	         */
	        {"", "1\r\na\r\n", "0\r\n\r\n", 20000, 0},
	        {"", "a;signature=0123456789\r\n0123456789\r\n", "0\r\n\r\n", 3000, 0},
	        {"", "1;a=01234567890123456789012345678\r\na\r\n", "0\r\n\r\n", 380, 480},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
		struct slice all = build(
		        text, costs[i].start, costs[i].part, costs[i].accepted, costs[i].end);
		decode(all, SIZE_MAX, 1, &outcome);
		assert_int_equal(outcome.progress, HTTP_COMPLETE);
		if (costs[i].refused == 0)
			continue;
		all = build(text, costs[i].start, costs[i].part, costs[i].refused, costs[i].end);
		decode(all, SIZE_MAX, 1, &outcome);
		assert_int_equal(outcome.progress, HTTP_REFUSED);
		assert_string_equal(outcome.refusal, too_long);
		size_t used = outcome.used;
		decode(all, 1, 1, &outcome);
		assert_int_equal(outcome.used, used);
	}
}

static void the_biggest_chunk_is_counted_down(void **state)
{
	struct http_chunked chunked = {0};
	struct http_refusal refusal;
	static struct outcome outcome;
	size_t used;

	(void)state;
	assert_int_equal(http_chunked_bytes(&chunked, SLICE("fffffffffffffff\r\nab"), &used,
	                         collect, &outcome, &refusal),
	        HTTP_MORE);
	assert_int_equal(chunked.left, UINT64_C(0xfffffffffffffff) - 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_case_in_every_cut),
	        cmocka_unit_test(framing_may_cost_only_so_much),
	        cmocka_unit_test(the_biggest_chunk_is_counted_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
