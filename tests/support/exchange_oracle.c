/* SPDX-License-Identifier: BSD-2-Clause */
/* exchange_oracle.c - reading again what was sent. */
#include "tests/support/exchange_oracle.h"

#include "shared/arena.h"
#include "shared/check.h"
#include "worker/http/http_parser.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBER_LENGTH = 6 };

static const char *find(const char *from, const char *end, const char *text)
{
	return from < end ? memmem(from, (size_t)(end - from), text, strlen(text)) : NULL;
}

/* ---- answers ---- */

static bool is_interim(const char *line, const char *end)
{
	return end - line > 9 && line[9] == '1';
}

static void check_numbers(const char *from, const char *to, unsigned number)
{
	for (const char *at = from; (at = find(at, to, "[")); at++)
		if (to - at >= NUMBER_LENGTH && at[NUMBER_LENGTH - 1] == ']')
			CHECK((unsigned)atoi(at + 1) == number);
}

void exchange_oracle_check_answers(const struct fake_peer *client, unsigned requests)
{
	unsigned count = 0;

	if (!client->received_bytes)
		return;
	const char *begin = (const char *)client->received, *end = begin + client->received_bytes;
	for (const char *line = find(begin, end, "HTTP/1.1 "), *next; line; line = next) {
		next = find(line + 1, end, "HTTP/1.1 ");
		if (is_interim(line, end))
			continue;
		CHECK(count <= requests);
		check_numbers(line, next ? next : end, count);
		count++;
	}
}

/* ---- requests ---- */

static void ignore(void *opaque, struct slice data)
{
	(void)opaque;
	(void)data;
}

static void skip(struct slice *bytes, size_t count)
{
	bytes->data += count;
	bytes->length -= count;
}

/* False: it is cut. */
static bool read_body(const struct http_head *head, struct http_parser *parser, struct slice *bytes)
{
	size_t used = 0;

	if (head->framing == HTTP_NO_BODY)
		return true;
	if (head->framing == HTTP_BODY_SIZED) {
		bool whole = head->content_length <= bytes->length;
		skip(bytes, whole ? (size_t)head->content_length : bytes->length);
		return whole;
	}
	CHECK(head->framing == HTTP_BODY_CHUNKED);
	enum http_progress progress = http_parser_chunked_bytes(
	        parser, *bytes, &used, ignore, NULL);
	CHECK(progress != HTTP_REFUSED);
	skip(bytes, used);
	return progress == HTTP_COMPLETE;
}

/* False: it is cut. */
static bool read_request(struct arena *arena, struct slice *bytes)
{
	const struct http_limits limits = {.head_bytes_max = 65536, .line_bytes_max = 65536};
	struct http_parser *parser = http_parser_create(
	        arena, HTTP_REQUEST, HTTP_METHOD_OTHER, &limits);
	const char *begin = bytes->data;
	size_t used = 0;

	enum http_progress progress = http_parser_head_bytes(parser, *bytes, &used);
	CHECK(progress != HTTP_REFUSED);
	skip(bytes, used);
	if (progress != HTTP_COMPLETE)
		return false;
	const char *body = bytes->data;
	const char *number = find(begin, body, "[");
	CHECK(number && !find(number + 1, body, "["));
	bool whole = read_body(http_parser_head(parser), parser, bytes);
	CHECK(!find(body, bytes->data, "["));
	return whole;
}

bool exchange_oracle_check_requests(const struct fake_peer *upstream)
{
	bool whole = true;
	struct slice bytes = {(const char *)upstream->received, upstream->received_bytes};
	struct arena *arena = arena_create(4096);

	CHECK(arena);
	while (bytes.length && whole)
		whole = read_request(arena, &bytes);
	CHECK(bytes.length == 0);
	arena_destroy(arena);
	return whole;
}
