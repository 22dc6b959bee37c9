/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_http_chunked.c - chunked bodies, in random cuts (first byte), against a slow decoder that
 * has the whole body before it and reads it rule by rule of RFC 9112 7.1.
 */
#include "shared/check.h"
#include "worker/http/http_chunked.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BODY_MAX = 20000 };

struct decoded {
	enum http_progress progress;
	size_t used, length;
	char data[BODY_MAX];
};

/* The slow decoder's place in the body. */
struct scan {
	struct slice body;
	size_t at;
	size_t overhead;
};

/* What a rule finds: it is there, it is not, or the body ends before that is known. */
enum found { YES, NO, CUT };

static enum found take(struct scan *scan, char wanted)
{
	if (scan->at == scan->body.length)
		return CUT;
	if (scan->body.data[scan->at] != wanted)
		return NO;
	scan->at++;
	return YES;
}

static enum found crlf(struct scan *scan)
{
	enum found found = take(scan, '\r');

	return found == YES ? take(scan, '\n') : found;
}

static bool is_tchar(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static enum found token(struct scan *scan)
{
	size_t start = scan->at;

	while (scan->at < scan->body.length && is_tchar(scan->body.data[scan->at]))
		scan->at++;
	if (scan->at == scan->body.length)
		return CUT;
	return scan->at > start ? YES : NO;
}

static enum found quoted(struct scan *scan)
{
	for (scan->at++; scan->at < scan->body.length; scan->at++) {
		char c = scan->body.data[scan->at];
		if (c == '"') {
			scan->at++;
			return YES;
		}
		if (c == '\\' && ++scan->at == scan->body.length)
			return CUT;
		c = scan->body.data[scan->at];
		if (iscntrl((unsigned char)c) && c != '\t')
			return NO;
	}
	return CUT;
}

/* *( ";" token [ "=" ( token / quoted-string ) ] ) CRLF */
static enum found extensions(struct scan *scan)
{
	enum found found;

	while ((found = take(scan, ';')) == YES) {
		if ((found = token(scan)) != YES)
			return found;
		if ((found = take(scan, '=')) == CUT)
			return CUT;
		if (found == NO)
			continue;
		if (scan->at == scan->body.length)
			return CUT;
		found = scan->body.data[scan->at] == '"' ? quoted(scan) : token(scan);
		if (found != YES)
			return found;
	}
	return found == CUT ? CUT : crlf(scan);
}

static enum found size_line(struct scan *scan, uint64_t *size_out)
{
	char digits[32] = "";
	size_t count = 0, start = scan->at;

	while (scan->at < scan->body.length && isxdigit((unsigned char)scan->body.data[scan->at])) {
		char c = scan->body.data[scan->at++];
		if (count > 0 || c != '0')
			digits[count++] = c;
		if (count > 15)
			return NO;
	}
	*size_out = strtoull(digits, NULL, 16);
	if (scan->at == scan->body.length)
		return CUT;
	return scan->at > start ? extensions(scan) : NO;
}

static enum found trailer_line(struct scan *scan)
{
	static const char *const forbidden[] = {
	        "content-length", "transfer-encoding", "host", "trailer"};
	size_t start = scan->at;
	enum found found = token(scan);

	if (found != YES)
		return found;
	size_t length = scan->at - start;
	if (take(scan, ':') == NO)
		return NO;
	for (size_t i = 0; i < 4; i++)
		if (strlen(forbidden[i]) == length &&
		        strncasecmp(scan->body.data + start, forbidden[i], length) == 0)
			return NO;
	while (scan->at < scan->body.length) {
		char c = scan->body.data[scan->at];
		if (c == '\r')
			return crlf(scan);
		if (iscntrl((unsigned char)c) && c != '\t')
			return NO;
		scan->at++;
	}
	return CUT;
}

static enum found trailer(struct scan *scan)
{
	enum found found;

	for (;;) {
		if (scan->at == scan->body.length)
			return CUT;
		if (scan->body.data[scan->at] == '\r')
			return crlf(scan);
		if ((found = trailer_line(scan)) != YES)
			return found;
	}
}

/* A fault behind the limit is not reached. */
static bool too_long(struct scan *scan, size_t start, bool faulty)
{
	scan->overhead += scan->at + (faulty ? 1 : 0) - start;
	return scan->overhead > HTTP_CHUNK_OVERHEAD_MAX;
}

static enum http_progress progress_of(enum found found)
{
	return found == CUT ? HTTP_MORE : found == NO ? HTTP_REFUSED : HTTP_COMPLETE;
}

static void decode_slowly(struct slice body, struct decoded *out)
{
	struct scan scan = {.body = body};
	uint64_t size;

	out->length = 0;
	for (;;) {
		size_t start = scan.at;
		enum found found = size_line(&scan, &size);
		if (found == YES && size == 0)
			found = trailer(&scan);
		out->used = scan.at;
		out->progress = too_long(&scan, start, found == NO) ? HTTP_REFUSED
		                                                    : progress_of(found);
		if (found != YES || size == 0 || out->progress == HTTP_REFUSED)
			return;
		size_t left = body.length - scan.at;
		size_t length = size < left ? (size_t)size : left;
		memcpy(out->data + out->length, body.data + scan.at, length);
		out->length += length;
		scan.at += length;
		start = scan.at;
		found = length < size ? CUT : crlf(&scan);
		out->progress = too_long(&scan, start, found == NO) ? HTTP_REFUSED
		                                                    : progress_of(found);
		if (found != YES || out->progress == HTTP_REFUSED)
			return;
		scan.overhead -= size + 16 < scan.overhead ? (size_t)size + 16 : scan.overhead;
	}
}

static void collect(void *opaque, struct slice data)
{
	struct decoded *out = opaque;

	CHECK(data.length > 0 && data.length <= sizeof(out->data) - out->length);
	memcpy(out->data + out->length, data.data, data.length);
	out->length += data.length;
}

static void decode_in_pieces(struct slice body, uint32_t seed, struct decoded *out)
{
	struct http_chunked chunked = {0};
	struct http_refusal refusal;

	out->progress = HTTP_MORE;
	out->used = out->length = 0;
	while (out->progress == HTTP_MORE && out->used < body.length) {
		size_t left = body.length - out->used, used = 0;
		seed = seed * 1664525u + 1013904223u;
		size_t length = 1 + (seed >> 16) % ((seed >> 28) % 4 ? 6 : 300);
		if (length > left)
			length = left;
		char *copy = malloc(length);
		CHECK(copy);
		memcpy(copy, body.data + out->used, length);
		out->progress = http_chunked_bytes(
		        &chunked, (struct slice){copy, length}, &used, collect, out, &refusal);
		free(copy);
		CHECK(used <= length && (out->progress != HTTP_MORE || used == length));
		out->used += used;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct decoded slow, pieces;

	if (size < 1 || size > BODY_MAX)
		return 0;
	struct slice body = {(const char *)data + 1, size - 1};
	decode_slowly(body, &slow);
	decode_in_pieces(body, data[0] * 2654435761u, &pieces);
	CHECK(slow.progress == pieces.progress);
	CHECK(slow.length == pieces.length && memcmp(slow.data, pieces.data, slow.length) == 0);
	CHECK(slow.progress != HTTP_COMPLETE || slow.used == pieces.used);
	return 0;
}
