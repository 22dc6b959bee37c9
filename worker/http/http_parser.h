/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_parser.h - bytes to a checked head, and chunked bodies to their data. Sole user of llhttp.
 *
 * Takes bytes as they come, in any cuts, and keeps what it needs in the arena. It stops exactly
 * behind the head (or behind the last chunk's trailer), so that what follows stays the caller's.
 * What two parsers could read differently is refused, with the status to answer.
 */
#ifndef WORKER_HTTP_HTTP_PARSER_H
#define WORKER_HTTP_HTTP_PARSER_H

#include "worker/http/http_message.h"

struct arena;
struct http_parser;

struct http_limits {
	size_t head_bytes_max; /* beyond: 431, for a response 502 */
	size_t line_bytes_max; /* of the request line; beyond: 414 */
};

/* What a body's framing may cost beside its data: chunk extensions, trailers. */
enum { HTTP_CHUNK_OVERHEAD_MAX = 8 * 1024 };
/* Fields of a head; beyond: 431, for a response 502. */
enum { HTTP_FIELDS_MAX = 1000 };

enum http_progress { HTTP_MORE, HTTP_COMPLETE, HTTP_REFUSED };

struct http_refusal {
	unsigned status; /* to answer: 400, 405, 414, 417, 431, 501, 505; 502 for a response */
	const char *text; /* static; a sentence part for the error log: "two Host fields" */
};

/* One for each message, in the arena. `method` of the request that a response answers
 * (HTTP_METHOD_OTHER for requests): it decides about the response's body. The limits are copied. */
struct http_parser *http_parser_create(struct arena *arena, enum http_kind kind,
        enum http_method method, const struct http_limits *limits);

/* HTTP_COMPLETE: the head ends with the first *used_out bytes and http_parser_head has it;
 * HTTP_MORE: all were used. Empty lines before a request are skipped (RFC 9112 2.2). */
enum http_progress http_parser_head_bytes(
        struct http_parser *parser, struct slice bytes, size_t *used_out);
/* After HTTP_REFUSED it is good for logs alone: request_line, method_name and method as far as they
 * were read. */
const struct http_head *http_parser_head(const struct http_parser *parser);

/* Called with each piece of data, within the bytes that were given. */
typedef void http_data_fn(void *opaque, struct slice data);
/* After a head with HTTP_BODY_CHUNKED. Trailers are read, checked and dropped. */
enum http_progress http_parser_chunked_bytes(struct http_parser *parser, struct slice bytes,
        size_t *used_out, http_data_fn *fn, void *opaque);

/* Some byte of a message was seen (not only empty lines before it). */
bool http_parser_has_begun(const struct http_parser *parser);
const struct http_refusal *http_parser_refusal(const struct http_parser *parser);

#endif
