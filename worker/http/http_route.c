/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_route.c - host to server, path to location, and the URI that goes on.
 *
 * A prefix is a prefix of the text, as in nginx: "/up" matches "/upstream". With a replacement that
 * allows "/up../x" to become "/new/../x", which the upstream would take for a path outside of
 * "/new/"; so a prefix does not match where its replacement would make a dot segment.
 */
#include "worker/http/http_route.h"

#include "shared/arena.h"

#include <string.h>

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* As memcmp of the lower-case `name` and of `host` put in lower case. */
static int compare_name(struct slice name, struct slice host)
{
	size_t length = name.length < host.length ? name.length : host.length;

	for (size_t i = 0; i < length; i++) {
		int difference = (unsigned char)name.data[i] - (unsigned char)lower(host.data[i]);
		if (difference)
			return difference;
	}
	if (name.length == host.length)
		return 0;
	return name.length < host.length ? -1 : 1;
}

const struct config_http *http_route_server(
        const struct config_http_names *names, struct slice host)
{
	size_t first = 0, end = names->name_count;

	if (host.length > 1 && host.data[host.length - 1] == '.')
		host.length--; /* the root's, of a name written in full */
	while (first < end) {
		size_t middle = first + (end - first) / 2;
		int order = compare_name(names->names[middle].name, host);
		if (order == 0)
			return names->names[middle].http;
		if (order < 0)
			first = middle + 1;
		else
			end = middle;
	}
	return names->standard;
}

static struct slice rest_after(struct slice text, size_t length)
{
	return (struct slice){text.data + length, text.length - length};
}

/* What `replacement` ends with behind its last slash, and what `rest` begins with before its first,
 * are one segment together. */
static bool makes_dot_segment(struct slice replacement, struct slice rest)
{
	size_t dots = 0;

	for (size_t i = replacement.length; i > 0 && replacement.data[i - 1] != '/'; i--, dots++)
		if (replacement.data[i - 1] != '.')
			return false;
	for (size_t i = 0; i < rest.length && rest.data[i] != '/'; i++, dots++)
		if (rest.data[i] != '.')
			return false;
	return dots == 1 || dots == 2;
}

static bool matches(const struct config_location *location, struct slice path)
{
	if (location->exact)
		return slice_equal(location->path, path);
	if (!slice_starts_with(path, location->path))
		return false;
	return !location->replaces_uri ||
	       !makes_dot_segment(location->replacement, rest_after(path, location->path.length));
}

const struct config_location *http_route_location(const struct config_http *http, struct slice path)
{
	if (path.length == 0 || path.data[0] != '/')
		path = SLICE("/"); /* OPTIONS *: of the server as a whole */
	for (size_t i = 0; i < http->location_count; i++)
		if (matches(&http->locations[i], path))
			return &http->locations[i];
	return http->unmatched;
}

/* Not as they are in a path: nginx's set, controls, blanks, delimiters, and what is not ASCII. */
static bool is_escaped(unsigned char c)
{
	static const uint32_t escaped[8] = {
	        0xffffffff, /* controls */
	        0xd000002d, /* SP " # % < > ? */
	        0x50000000, /* \ ^ */
	        0xb8000001, /* ` { | } DEL */
	        0xffffffff,
	        0xffffffff,
	        0xffffffff,
	        0xffffffff,
	};

	return escaped[c / 32] >> c % 32 & 1;
}

static char *put_escaped(char *to, struct slice path)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < path.length; i++) {
		unsigned char c = (unsigned char)path.data[i];
		if (!is_escaped(c)) {
			*to++ = (char)c;
			continue;
		}
		*to++ = '%';
		*to++ = hex[c >> 4];
		*to++ = hex[c & 15];
	}
	return to;
}

static char *put(char *to, struct slice text)
{
	if (text.length)
		memcpy(to, text.data, text.length);
	return to + text.length;
}

struct slice http_route_target(const struct config_location *location,
        const struct http_head *request, struct arena *arena)
{
	struct slice path = request->path, replacement = location->replacement;

	if (!location->replaces_uri || !slice_starts_with(request->target, SLICE("/")) ||
	        !slice_starts_with(path, location->path))
		return request->target;
	struct slice rest = rest_after(path, location->path.length);
	/* nginx would send "//x" here, which some servers take for a host. */
	if (slice_ends_with(replacement, SLICE("/")) && slice_starts_with(rest, SLICE("/")))
		rest = rest_after(rest, 1);

	char *target = arena_alloc(
	        arena, replacement.length + 3 * rest.length + 1 + request->args.length);
	char *end = put_escaped(put(target, replacement), rest);
	if (request->args.length) {
		*end++ = '?';
		end = put(end, request->args);
	}
	return (struct slice){target, (size_t)(end - target)};
}
