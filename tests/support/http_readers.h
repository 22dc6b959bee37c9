/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_readers.h - two other readers of heads, to compare ours with: one that takes nothing but the
 * grammar, and one that takes whatever it finds, as careless programs do.
 */
#ifndef TESTS_SUPPORT_HTTP_READERS_H
#define TESTS_SUPPORT_HTTP_READERS_H

#include "worker/http/http_message.h"

struct http_reading {
	bool readable;
	size_t used; /* of the head with its empty line */
	char *fields; /* " | name=value" for each, as in http_head_words; the caller frees */
	size_t lengths,
	        codings; /* how many Content-Length and Transfer-Encoding fields there are */
	bool length_valid, chunked; /* a number below 2^63; exactly "chunked" */
	uint64_t length;
};

struct http_reading http_read_strictly(struct slice bytes);
/* Lines end with LF; blanks around names and CRs are dropped; folded lines are joined. */
struct http_reading http_read_laxly(struct slice bytes);

#endif
