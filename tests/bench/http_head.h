/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_head.h - reads the head of a request (upstream) or of an answer (load generator).
 *
 * Just as much of HTTP as tells where a message ends: both programs must cost next to nothing.
 */
#ifndef BENCH_HTTP_HEAD_H
#define BENCH_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_LINE_MAX 256
#define HTTP_FIRST_LINE_MAX 64

/* All zeroes at the beginning of a message. */
struct http_head {
	bool complete;
	bool has_length;
	bool chunked;
	bool close; /* "Connection: close" */
	uint64_t content_length;
	char first_line[HTTP_FIRST_LINE_MAX]; /* its beginning, terminated */
	char line[HTTP_LINE_MAX]; /* the beginning of a line whose end has not arrived */
	size_t line_length;
};

/* Begins another message; cheaper than zeroing all of it. */
void http_head_reset(struct http_head *head);

/* How many of the bytes belong to the head: all of them as long as it is not complete. */
size_t http_head_take(struct http_head *head, const char *bytes, size_t size);

#endif
