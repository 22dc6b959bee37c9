/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_http_target.c - what proxy_pass makes of a path, against a plain reading of it.
 *
 * The input is cut into a path, a prefix's length, a replacement and a query. The target must begin
 * with the replacement, decode to replacement and rest, keep the query, hold nothing that cannot
 * stand in a request line, and mean the same when the next server normalises it. Only where no
 * target could do that may the location refuse the path.
 */
#include "worker/http/http_route.h"

#include "shared/arena.h"
#include "worker/http/http_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 512 };

struct text {
	char bytes[4 * TEXT_MAX];
	size_t length;
};

static _Noreturn void differ(const char *what, struct slice target)
{
	fprintf(stderr, "%s: %.*s\n", what, (int)target.length, target.data);
	abort();
}

static struct slice slice_from(const struct text *text)
{
	return (struct slice){text->bytes, text->length};
}

static void append(struct text *text, struct slice more)
{
	if (more.length)
		memcpy(text->bytes + text->length, more.data, more.length);
	text->length += more.length;
}

/* Of an absolute path: without empty and dot segments (RFC 3986 5.2.4), slashes merged. */
static struct text normalised(struct slice path)
{
	struct text out = {.length = 0};

	for (size_t i = 0; i < path.length;) {
		size_t end = i;
		while (end < path.length && path.data[end] != '/')
			end++;
		struct slice segment = {path.data + i, end - i};
		bool last = end == path.length;
		if (slice_equal(segment, SLICE(".."))) {
			while (out.length && out.bytes[--out.length] != '/')
				;
			append(&out, SLICE("/"));
		} else if (segment.length == 0 || slice_equal(segment, SLICE("."))) {
			if (!out.length || out.bytes[out.length - 1] != '/')
				append(&out, SLICE("/"));
		} else {
			if (!out.length || out.bytes[out.length - 1] != '/')
				append(&out, SLICE("/"));
			append(&out, segment);
			if (!last)
				append(&out, SLICE("/"));
		}
		i = end + 1;
	}
	return out;
}

/* Bytes of the input as a path, which never holds NUL; most of them as ones that matter. */
static struct text path_from(const uint8_t *data, size_t size)
{
	static const char frequent[] = "/.%?# a\\";
	struct text raw = {.length = 0};

	append(&raw, SLICE("/"));
	for (size_t i = 0; i < size; i++)
		raw.bytes[raw.length++] = data[i] <= 0x40 ? frequent[data[i] % 8]
		                                          : (char)(data[i] - 0x40);
	return normalised(slice_from(&raw));
}

/* As it would stand in the configuration. */
static struct text encoded(struct slice path)
{
	struct text out = {.length = 0};

	for (size_t i = 0; i < path.length; i++) {
		unsigned char c = (unsigned char)path.data[i];
		if ((c >= 'a' && c <= 'z') || c == '/' || c == '.')
			out.bytes[out.length++] = (char)c;
		else
			out.length += (size_t)sprintf(out.bytes + out.length, "%%%02x", c);
	}
	return out;
}

static unsigned digit_of(char c, struct slice target)
{
	const char *at = c ? strchr("0123456789abcdef", c | 0x20) : NULL;

	if (!at)
		differ("not a percent-encoding", target);
	return (unsigned)(at - "0123456789abcdef");
}

static struct text decoded(struct slice path)
{
	struct text out = {.length = 0};

	for (size_t i = 0; i < path.length; i++) {
		unsigned char c = (unsigned char)path.data[i];
		if (c <= ' ' || c >= 0x7f || c == '#' || c == '"' || c == '<' || c == '>')
			differ("a byte that cannot stand there", path);
		if (c != '%') {
			out.bytes[out.length++] = (char)c;
			continue;
		}
		if (path.length - i < 3)
			differ("half a percent-encoding", path);
		out.bytes[out.length++] = (char)(digit_of(path.data[i + 1], path) << 4 |
		                                 digit_of(path.data[i + 2], path));
		i += 2;
	}
	return out;
}

/* Replacement and rest, both decoded, with one slash between them where both have one. */
static struct text expected(struct slice replacement, struct slice rest)
{
	struct text whole = {.length = 0};

	append(&whole, replacement);
	if (slice_ends_with(replacement, SLICE("/")) && slice_starts_with(rest, SLICE("/")))
		whole.length--;
	append(&whole, rest);
	return whole;
}

static void check_target(struct slice target, struct slice replacement_text,
        const struct text *wanted, struct slice args, struct arena *arena)
{
	struct slice path, query;
	bool has_query = slice_split(target, '?', &path, &query);

	if (!slice_starts_with(target, replacement_text))
		differ("does not begin with its replacement", target);
	if (has_query != (args.length > 0) || !slice_equal(query, args))
		differ("another query", target);
	struct text meaning = decoded(path);
	if (!slice_equal(slice_from(&meaning), slice_from(wanted)))
		differ("another path", target);
	struct slice as_server;
	if (http_path_normalise(path, arena, &as_server) ||
	        !slice_equal(as_server, slice_from(wanted)))
		differ("another path for the next server", target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *arena;
	if (!arena)
		arena = arena_create(1 << 16);
	if (size < 3 || size > TEXT_MAX)
		return 0;
	size_t body = size - 3, replacement_size = data[0] % (body + 1);
	size_t args_size = data[1] % (body - replacement_size + 1);
	const uint8_t *at = data + 3;
	struct text replacement = path_from(at, replacement_size);
	struct text replacement_text = encoded(slice_from(&replacement));
	char args_text[TEXT_MAX];
	for (size_t i = 0; i < args_size; i++)
		args_text[i] = (char)('!' + at[replacement_size + i] % 94);
	struct slice args = {args_text, args_size};
	struct text path = path_from(
	        at + replacement_size + args_size, body - replacement_size - args_size);
	size_t prefix = data[2] % path.length + 1;
	struct slice rest = {path.bytes + prefix, path.length - prefix};

	const struct config_location unmatched = {.return_status = 404};
	const struct config_location location = {.path = {path.bytes, prefix},
	        .replaces_uri = true,
	        .replacement = slice_from(&replacement_text)};
	const struct config_http http = {
	        .locations = &location, .location_count = 1, .unmatched = &unmatched};
	struct http_head request = {
	        .target = SLICE("/as/received"), .path = slice_from(&path), .args = args};

	struct text wanted = expected(slice_from(&replacement), rest);
	struct text again = normalised(slice_from(&wanted));
	bool stays = slice_equal(slice_from(&again), slice_from(&wanted));
	if (stays != (http_route_location(&http, request.path) == &location))
		differ(stays ? "refused" : "normalising changes it", slice_from(&wanted));
	if (stays)
		check_target(http_route_target(&location, &request, arena),
		        slice_from(&replacement_text), &wanted, args, arena);
	arena_rewind(arena);
	return 0;
}
