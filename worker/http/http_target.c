/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_target.c - origin form as it came, absolute form as its origin form and its authority,
 * "*" for OPTIONS alone. The authority form belongs to CONNECT, which is refused before.
 */
#include "worker/http/http_target.h"

#include "shared/arena.h"
#include "worker/http/http_path.h"

static struct slice from(struct slice text, size_t start)
{
	return (struct slice){text.data + start, text.length - start};
}

/* Bytes above 0x7f are let through, as in nginx: clients do send paths in UTF-8. */
static const bool refused_bytes[256] = {
        [0 ... ' '] = true,
        ['#'] = true,
        [0x7f] = true,
};

static const char *check_bytes(struct slice target)
{
	if (target.length == 0)
		return "no target in the request line";
	for (size_t i = 0; i < target.length; i++) {
		unsigned char c = (unsigned char)target.data[i];
		if (!refused_bytes[c])
			continue;
		if (c == ' ')
			return "a blank too many in the request line";
		return c == '#' ? "a fragment in the target" : "a control byte in the target";
	}
	return NULL;
}

static bool has_scheme(struct slice target, struct slice scheme)
{
	return target.length >= scheme.length &&
	       slice_equal_nocase((struct slice){target.data, scheme.length}, scheme);
}

static size_t scheme_length(struct slice target)
{
	if (has_scheme(target, SLICE("http://")))
		return sizeof("http://") - 1;
	if (has_scheme(target, SLICE("https://")))
		return sizeof("https://") - 1;
	return 0;
}

struct slice http_target_default_port(struct slice received)
{
	return has_scheme(received, SLICE("https:")) ? SLICE("443") : SLICE("80");
}

/* "http://host?a=b" has an empty path, which is "/" (RFC 9110 4.2.3), and of an OPTIONS "*". */
static struct slice origin_form(
        const struct http_head *head, struct slice rest, struct arena *arena)
{
	if (rest.length > 0 && rest.data[0] == '/')
		return rest;
	if (rest.length == 0)
		return head->method == HTTP_METHOD_OPTIONS ? SLICE("*") : SLICE("/");
	char *target = arena_alloc(arena, rest.length + 1);
	target[0] = '/';
	memcpy(target + 1, rest.data, rest.length);
	return (struct slice){target, rest.length + 1};
}

const char *http_target_read(struct http_head *head, struct slice received, struct arena *arena,
        struct slice *authority_out)
{
	const char *fault = check_bytes(received);
	size_t scheme = scheme_length(received);
	struct slice path;

	*authority_out = (struct slice){NULL, 0};
	if (fault)
		return fault;
	head->target = received;
	if (scheme > 0) {
		size_t end = scheme;
		while (end < received.length && received.data[end] != '/' &&
		        received.data[end] != '?')
			end++;
		*authority_out = (struct slice){received.data + scheme, end - scheme};
		head->target = origin_form(head, from(received, end), arena);
	}
	if (slice_equal(head->target, SLICE("*"))) {
		head->path = SLICE("/");
		return head->method == HTTP_METHOD_OPTIONS ? NULL : "the target * without OPTIONS";
	}
	if (head->target.data[0] != '/')
		return "a target that is neither a path nor an http address";
	slice_split(head->target, '?', &path, &head->args);
	return http_path_normalise(path, arena, &head->path);
}
