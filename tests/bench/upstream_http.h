/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * upstream_http.h - the HTTP service of the upstream: GET /small and /large, with keep-alive.
 */
#ifndef BENCH_UPSTREAM_HTTP_H
#define BENCH_UPSTREAM_HTTP_H

#include "tests/bench/connection.h"

enum http_progress {
	HTTP_READING, /* all answers are out */
	HTTP_WRITING, /* the socket is full */
	HTTP_YIELDED, /* the socket takes more, but the others come first */
	HTTP_ENDED,
};

/* The answers, ready to be sent; made once and never freed. */
struct http_answers;
const struct http_answers *http_answers_create(void);

/* Reads what has arrived and sends what it asks for; adds to the counters. */
enum http_progress http_serve(const struct http_answers *answers, struct connection *connection,
        uint64_t *requests, uint64_t *sent);

#endif
