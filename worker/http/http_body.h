/* SPDX-License-Identifier: BSD-2-Clause */
/* http_body.h - moves one message's body from stream to stream, and finds its end. */
#ifndef WORKER_HTTP_HTTP_BODY_H
#define WORKER_HTTP_HTTP_BODY_H

#include "worker/http/http_parser.h"
#include "worker/io/stream.h"

struct http_body {
	enum http_framing from, to; /* how it comes, how it goes */
	uint64_t left; /* HTTP_BODY_SIZED: data bytes still to come */
	uint64_t moved; /* data bytes taken so far */
	/* Set after http_body_begin: */
	uint64_t bytes_max; /* of data; 0: no limit */
	bool ends_connection; /* stream_finish follows its end at once */
	bool begun; /* some byte of it has left the source's buffer */
	struct http_parser *parser; /* HTTP_BODY_CHUNKED: that of its head */
	bool complete, refused;
};

/* Of a message with this head, whose parser is still needed when the body is chunked. */
void http_body_begin(struct http_body *body, const struct http_head *head,
        struct http_parser *parser, enum http_framing to);

bool http_body_is_too_long(const struct http_body *body);

/* Moves what has arrived at `from` as far as `to` takes it, behind what is in `to->out` already (a
 * head), and starts sending. `to` NULL: the data is dropped. HTTP_COMPLETE: all is queued. Call
 * again on DATA and EOF of `from` and on DRAINED of `to`. FAILED of `to` may be told before it
 * returns. Of a body that is too long, the end is never told to `to`. */
enum http_progress http_body_relay(struct http_body *body, struct stream *from, struct stream *to);

#endif
