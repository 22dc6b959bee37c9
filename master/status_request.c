/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status_request.c - lines that end in CR LF, the first of three words, the others of a name, a
 * colon and a value.
 *
 * Parsed from its beginning whenever something came: at most 8 KiB, and nothing to remember. Bytes
 * that no line may have are refused as soon as they come, so that who speaks TLS here need not wait
 * for a time-out to be told.
 */
#include "master/status_request.h"

#include <ctype.h>

enum { MORE = 0, OK = 200, BAD = 400, NOT_ALLOWED = 405, TOO_LARGE = 431, OTHER_VERSION = 505 };

static bool is_token(struct slice text)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if (c >= 0x80 || (!isalnum(c) && !memchr(marks, c, sizeof(marks) - 1)))
			return false;
	}
	return text.length > 0;
}

/* Takes the next line, without its end, from the front of `left`. */
static unsigned take_line(struct slice *left, struct slice *line_out)
{
	for (size_t i = 0; i < left->length; i++) {
		unsigned char c = (unsigned char)left->data[i];
		if (c == '\r' && i + 1 == left->length)
			return MORE;
		if (c == '\r' && left->data[i + 1] == '\n') {
			*line_out = (struct slice){left->data, i};
			*left = (struct slice){left->data + i + 2, left->length - i - 2};
			return OK;
		}
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return BAD;
	}
	return MORE;
}

static unsigned parse_version(struct slice version)
{
	if (slice_equal(version, SLICE("HTTP/1.1")) || slice_equal(version, SLICE("HTTP/1.0")))
		return OK;
	bool is_other = version.length == 8 && slice_starts_with(version, SLICE("HTTP/")) &&
	                isdigit((unsigned char)version.data[5]) && version.data[6] == '.' &&
	                isdigit((unsigned char)version.data[7]);
	return is_other ? OTHER_VERSION : BAD;
}

static bool is_target(struct slice target)
{
	for (size_t i = 0; i < target.length; i++)
		if (target.data[i] <= 0x20 || target.data[i] > 0x7e)
			return false;
	return slice_starts_with(target, SLICE("/"));
}

static unsigned parse_first_line(struct slice line, struct status_request *request)
{
	struct slice method, target, rest, query;

	if (!slice_split(line, ' ', &method, &rest) || !slice_split(rest, ' ', &target, &rest))
		return BAD;
	if (!is_token(method) || !is_target(target))
		return BAD;
	slice_split(target, '?', &request->path, &query);
	request->without_body = slice_equal(method, SLICE("HEAD"));
	unsigned verdict = parse_version(rest);
	if (verdict != OK)
		return verdict;
	return request->without_body || slice_equal(method, SLICE("GET")) ? OK : NOT_ALLOWED;
}

static bool is_field(struct slice line)
{
	struct slice name, value;

	return slice_split(line, ':', &name, &value) && is_token(name);
}

unsigned status_request_parse(struct slice bytes, struct status_request *request_out)
{
	struct slice left = bytes, line;
	unsigned first = MORE, got;

	*request_out = (struct status_request){0};
	while ((got = take_line(&left, &line)) == OK) {
		if (first == MORE) {
			first = parse_first_line(line, request_out);
			if (first == BAD || first == OTHER_VERSION)
				return first;
		} else if (line.length == 0) {
			return first;
		} else if (!is_field(line)) {
			return BAD;
		}
	}
	if (got == MORE && bytes.length >= STATUS_HEAD_MAX)
		return TOO_LARGE;
	return got;
}
