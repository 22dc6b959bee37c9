/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_path.c - percent-decoding and dot segments.
 *
 * Most paths have neither: they are looked at once and stay where they are.
 */
#include "worker/http/http_path.h"

#include "shared/arena.h"

static bool is_plain(struct slice raw)
{
	for (size_t i = 0; i < raw.length; i++) {
		char c = raw.data[i];
		if (c == '%')
			return false;
		if (c == '/' && i + 1 < raw.length &&
		        (raw.data[i + 1] == '/' || raw.data[i + 1] == '.'))
			return false;
	}
	return true;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static const char *decode(struct slice raw, char *out, size_t *length_out)
{
	size_t length = 0;

	for (size_t i = 0; i < raw.length; i++) {
		if (raw.data[i] != '%') {
			out[length++] = raw.data[i];
			continue;
		}
		if (raw.length - i < 3)
			return "a path that ends within an escape";
		int high = hex_value(raw.data[i + 1]), low = hex_value(raw.data[i + 2]);
		if (high < 0 || low < 0)
			return "an escape in the path that is not two hex digits";
		if (high == 0 && low == 0)
			return "%00 in the path";
		out[length++] = (char)(high * 16 + low);
		i += 2;
	}
	*length_out = length;
	return NULL;
}

/* Takes the last segment and its '/' off; false at the root. */
static bool drop_segment(const char *path, size_t *length)
{
	if (*length == 0)
		return false;
	do
		(*length)--;
	while (path[*length] != '/');
	return true;
}

/* In place: what is written never overtakes what is read. `path` starts with '/'. */
static const char *resolve(char *path, size_t size, size_t *length_out)
{
	size_t length = 0;
	bool folder = false; /* the last segment leaves a '/' at the end */

	for (size_t start = 1, end; start <= size; start = end + 1) {
		const char *slash = start < size ? memchr(path + start, '/', size - start) : NULL;
		end = slash ? (size_t)(slash - path) : size;
		struct slice segment = {path + start, end - start};

		folder = true;
		if (slice_equal(segment, SLICE("..")) && !drop_segment(path, &length))
			return "a path that climbs above the root";
		if (segment.length == 0 || slice_equal(segment, SLICE(".")) ||
		        slice_equal(segment, SLICE("..")))
			continue;
		folder = false;
		path[length++] = '/';
		memmove(path + length, segment.data, segment.length);
		length += segment.length;
	}
	if (folder)
		path[length++] = '/';
	*length_out = length;
	return NULL;
}

const char *http_path_normalise(struct slice raw, struct arena *arena, struct slice *path_out)
{
	if (is_plain(raw)) {
		*path_out = raw;
		return NULL;
	}
	char *path = arena_alloc(arena, raw.length);
	size_t length = 0;
	const char *fault = decode(raw, path, &length);
	if (!fault)
		fault = resolve(path, length, &length);
	*path_out = (struct slice){path, length};
	return fault;
}
