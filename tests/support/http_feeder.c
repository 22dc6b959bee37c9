/* SPDX-License-Identifier: BSD-2-Clause */
/* http_feeder.c - see the header. */
#include "tests/support/http_feeder.h"

#include "shared/arena.h"
#include "shared/check.h"

#include <stdio.h>
#include <stdlib.h>

static const char *framing_word(enum http_framing framing)
{
	switch (framing) {
	case HTTP_NO_BODY:
		return "none";
	case HTTP_BODY_SIZED:
		return "sized";
	case HTTP_BODY_CHUNKED:
		return "chunked";
	case HTTP_BODY_UNTIL_CLOSE:
		return "until-close";
	}
	return "?";
}

static void put(FILE *out, struct slice text)
{
	if (text.length > 0)
		fwrite(text.data, 1, text.length, out);
}

static void put_named(FILE *out, const char *name, struct slice text)
{
	if (text.length == 0)
		return;
	fprintf(out, " %s=", name);
	put(out, text);
}

static void request_words(FILE *out, const struct http_head *head)
{
	struct slice raw_path, raw_args;

	put(out, head->method_name);
	fputc(' ', out);
	put(out, head->target);
	fprintf(out, " 1.%u ", head->minor);
	put(out, head->authority.length > 0 ? head->authority : SLICE("-"));
	fprintf(out, " %s %s", framing_word(head->framing), head->keep_alive ? "keep" : "close");
	slice_split(head->target, '?', &raw_path, &raw_args);
	if (!slice_equal(raw_path, head->path))
		put_named(out, "path", head->path);
	put_named(out, "args", head->args);
	if (!slice_equal(head->host, head->authority))
		put_named(out, "host", head->host);
	fputs(head->expect_continue ? " expect" : "", out);
	fputs(head->idempotent ? "" : " once", out);
}

char *http_head_words(const struct http_head *head)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	CHECK(out);
	if (head->kind == HTTP_REQUEST) {
		request_words(out, head);
	} else {
		fprintf(out, "%u 1.%u %s %s", head->status, head->minor,
		        framing_word(head->framing), head->keep_alive ? "keep" : "close");
		put_named(out, "reason", head->reason);
	}
	if (head->has_content_length)
		fprintf(out, " length=%llu", (unsigned long long)head->content_length);
	put_named(out, "connection", head->connection);
	put_named(out, "upgrade", head->upgrade);
	for (size_t i = 0; i < head->field_count; i++) {
		fputs(" | ", out);
		put(out, head->fields[i].name);
		fputc('=', out);
		put(out, head->fields[i].value);
	}
	CHECK(fclose(out) == 0);
	return text;
}

static enum http_progress feed_piece(
        struct http_parser *parser, struct slice piece, struct http_verdict *verdict)
{
	char *copy = malloc(piece.length ? piece.length : 1);
	size_t used = 0;

	CHECK(copy);
	if (piece.length > 0)
		memcpy(copy, piece.data, piece.length);
	enum http_progress progress = http_parser_head_bytes(
	        parser, (struct slice){copy, piece.length}, &used);
	CHECK(used <= piece.length && (progress != HTTP_MORE || used == piece.length));
	verdict->used += used;
	free(copy);
	return progress;
}

/* How many bytes the piece from `offset` on has. */
typedef size_t piece_fn(void *opaque, size_t offset);

static struct http_verdict feed_pieces(
        const struct http_feed *feed, struct slice bytes, piece_fn *piece, void *opaque)
{
	struct arena *arena = arena_create(16384);
	struct http_verdict verdict = {.progress = HTTP_MORE};
	struct http_parser *parser = http_parser_create(
	        arena, feed->kind, feed->method, &feed->limits);
	size_t offset = 0;

	while (offset < bytes.length && verdict.progress == HTTP_MORE) {
		size_t length = piece(opaque, offset);
		if (length > bytes.length - offset)
			length = bytes.length - offset;
		verdict.progress = feed_piece(
		        parser, (struct slice){bytes.data + offset, length}, &verdict);
		offset += length;
	}
	const struct http_head *head = http_parser_head(parser);
	switch (verdict.progress) {
	case HTTP_MORE:
		verdict.head = strdup("");
		break;
	case HTTP_COMPLETE:
		CHECK(http_parser_has_begun(parser));
		verdict.head = http_head_words(head);
		break;
	case HTTP_REFUSED:
		verdict.status = http_parser_refusal(parser)->status;
		verdict.reason = http_parser_refusal(parser)->text;
		verdict.head = strndup(head->request_line.data ? head->request_line.data : "",
		        head->request_line.length);
		break;
	}
	CHECK(verdict.head);
	arena_destroy(arena);
	return verdict;
}

struct two_sizes {
	size_t first, others;
};

static size_t first_or_other(void *opaque, size_t offset)
{
	const struct two_sizes *sizes = opaque;

	return offset == 0 ? sizes->first : sizes->others;
}

struct http_verdict http_feed_cut(
        const struct http_feed *feed, struct slice bytes, size_t first, size_t others)
{
	struct two_sizes sizes = {first, others};

	return feed_pieces(feed, bytes, first_or_other, &sizes);
}

static size_t random_piece(void *opaque, size_t offset)
{
	uint32_t *seed = opaque;

	(void)offset;
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 16) % 4 ? 1 + (*seed >> 24) % 8 : 1 + (*seed >> 20) % 100;
}

struct http_verdict http_feed_randomly(
        const struct http_feed *feed, struct slice bytes, uint32_t seed)
{
	return feed_pieces(feed, bytes, random_piece, &seed);
}

bool http_verdict_equal(const struct http_verdict *a, const struct http_verdict *b)
{
	if (a->progress != b->progress)
		return false;
	if (a->progress == HTTP_REFUSED)
		return a->status == b->status && strcmp(a->reason, b->reason) == 0;
	return a->used == b->used && strcmp(a->head, b->head) == 0;
}

static bool fits(const struct http_case *expected, const struct http_verdict *verdict)
{
	if (expected->status > 0)
		return verdict->progress == HTTP_REFUSED && verdict->status == expected->status &&
		       strcmp(verdict->reason, expected->words) == 0;
	return verdict->progress == HTTP_COMPLETE && verdict->used == expected->bytes.length &&
	       strcmp(verdict->head, expected->words) == 0;
}

static void check_cut(const struct http_feed *feed, const struct http_case *expected,
        struct slice bytes, size_t first, size_t others)
{
	struct http_verdict verdict = http_feed_cut(feed, bytes, first, others);

	if (!fits(expected, &verdict)) {
		fprintf(stderr,
		        "%.*s\n-- in pieces of %zu and %zu: %u %s\n-- but got: %u, %zu bytes, "
		        "%u %s [%s]\n",
		        (int)expected->bytes.length, expected->bytes.data, first, others,
		        expected->status, expected->words, verdict.progress, verdict.used,
		        verdict.status, verdict.reason ? verdict.reason : "", verdict.head);
		abort();
	}
	free(verdict.head);
}

void http_case_check(
        const struct http_feed *feed, const struct http_case *expected, struct slice behind)
{
	size_t length = expected->bytes.length + behind.length;
	char *bytes = malloc(length);

	CHECK(bytes);
	memcpy(bytes, expected->bytes.data, expected->bytes.length);
	memcpy(bytes + expected->bytes.length, behind.data, behind.length);
	struct slice all = {bytes, length};
	for (size_t first = 1; first <= length; first++)
		check_cut(feed, expected, all, first, SIZE_MAX);
	check_cut(feed, expected, all, 1, 1);
	free(bytes);
}
