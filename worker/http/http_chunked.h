/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_chunked.h - the chunked transfer coding (RFC 9112 7.1) to its data.
 *
 * Not llhttp's: built as Debian's node-llhttp is, that skips the two bytes behind a chunk's data
 * and the one behind a size's CR without a look at them.
 */
#ifndef WORKER_HTTP_HTTP_CHUNKED_H
#define WORKER_HTTP_HTTP_CHUNKED_H

#include "worker/http/http_parser.h"

/* The longest name that is forbidden in a trailer. */
enum { HTTP_TRAILER_NAME_MAX = 24 };

/* What the next byte has to be. */
enum http_chunked_state {
	CHUNKED_SIZE,
	CHUNKED_EXTENSION_NAME,
	CHUNKED_EXTENSION_VALUE,
	CHUNKED_QUOTED,
	CHUNKED_QUOTED_ESCAPE,
	CHUNKED_QUOTED_END,
	CHUNKED_SIZE_LF,
	CHUNKED_DATA,
	CHUNKED_DATA_CR,
	CHUNKED_DATA_LF,
	CHUNKED_TRAILER_START,
	CHUNKED_TRAILER_NAME,
	CHUNKED_TRAILER_VALUE,
	CHUNKED_TRAILER_LF,
	CHUNKED_END_LF,
};

/* Zeroed: at the start of a body. */
struct http_chunked {
	enum http_chunked_state state;
	bool extended; /* in this part of an extension a byte was seen */
	unsigned digits; /* of the size, without leading zeros */
	bool size_seen;
	uint64_t left; /* of the chunk's data */
	uint64_t size; /* of the chunk */
	size_t overhead; /* see HTTP_CHUNK_OVERHEAD_MAX */
	size_t name_length; /* of a trailer field; may exceed what `name` has kept */
	char name[HTTP_TRAILER_NAME_MAX];
};

/* As http_parser_chunked_bytes. */
enum http_progress http_chunked_bytes(struct http_chunked *chunked, struct slice bytes,
        size_t *used_out, http_data_fn *fn, void *opaque, struct http_refusal *refusal_out);

#endif
