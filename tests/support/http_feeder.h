/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_feeder.h - feeds the HTTP parser in pieces and tells what it made of them.
 *
 * Each piece is a copy of its own that is gone before the next: nothing may be read beyond it, and
 * nothing of the head may lie in it.
 */
#ifndef TESTS_SUPPORT_HTTP_FEEDER_H
#define TESTS_SUPPORT_HTTP_FEEDER_H

#include "worker/http/http_parser.h"

struct http_feed {
	enum http_kind kind;
	enum http_method method; /* of the request that a response answers */
	struct http_limits limits;
};

struct http_verdict {
	enum http_progress progress;
	size_t used; /* of the bytes; of no meaning when refused */
	unsigned status; /* of a refusal */
	const char *reason; /* static */
	char *head; /* a complete head in words, or a refused one's request line; the caller frees
	             */
};

/* The first piece has `first` bytes, all others `others`. */
struct http_verdict http_feed_cut(
        const struct http_feed *feed, struct slice bytes, size_t first, size_t others);

/* Small pieces and some bigger ones, the same for the same seed. */
struct http_verdict http_feed_randomly(
        const struct http_feed *feed, struct slice bytes, uint32_t seed);

/* "GET /a 1.1 host none keep", then what else there is: " path=/b args=c ...". */
char *http_head_words(const struct http_head *head);

/* Whether both are the same but for what has no meaning. */
bool http_verdict_equal(const struct http_verdict *a, const struct http_verdict *b);

/* A row of a test's table: the head, and what it means or why it is refused. */
struct http_case {
	struct slice bytes;
	unsigned status; /* 0: accepted */
	const char *words; /* http_head_words, or the refusal's text */
};

/* Feeds it whole, cut in two everywhere, and byte by byte, `behind` following; stops the process,
 * with a line on what was different where, if any verdict is not the case's. */
void http_case_check(
        const struct http_feed *feed, const struct http_case *expected, struct slice behind);

#endif
