/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_head.c - reads heads line by line, in whatever pieces they arrive.
 *
 * A head nearly always arrives whole, and then no byte of it is copied but the first line.
 */
#include "tests/bench/http_head.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void http_head_reset(struct http_head *head)
{
	head->complete = head->has_length = head->chunked = head->close = false;
	head->content_length = 0;
	head->first_line[0] = '\0';
	head->line_length = 0;
}

/* The value of the field `name` (with its colon), or NULL when the line is another field. */
static const char *value_of(const char *line, size_t length, const char *name)
{
	size_t name_length = strlen(name);

	if (length < name_length || strncasecmp(line, name, name_length) != 0)
		return NULL;
	return line + name_length + strspn(line + name_length, " \t");
}

/* `line` is followed by its line end, or a zero. */
static void take_field(struct http_head *head, const char *line, size_t length)
{
	const char *value;

	if ((value = value_of(line, length, "Content-Length:"))) {
		head->has_length = true;
		head->content_length = strtoull(value, NULL, 10);
	} else if ((value = value_of(line, length, "Connection:"))) {
		head->close = !strncasecmp(value, "close", strlen("close"));
	} else if (value_of(line, length, "Transfer-Encoding:")) {
		head->chunked = true;
	}
}

static void take_line(struct http_head *head, const char *line, size_t length)
{
	if (length && line[length - 1] == '\r')
		length--;
	if (head->first_line[0]) {
		head->complete = length == 0;
		take_field(head, line, length);
		return;
	}
	if (length >= HTTP_FIRST_LINE_MAX)
		length = HTTP_FIRST_LINE_MAX - 1;
	memcpy(head->first_line, line, length);
	head->first_line[length] = '\0';
}

/* Of a line that is too long only the end is lost, and nothing there is looked at. */
static void keep(struct http_head *head, const char *bytes, size_t size)
{
	size_t room = HTTP_LINE_MAX - 1 - head->line_length;
	size_t kept = size < room ? size : room;

	memcpy(head->line + head->line_length, bytes, kept);
	head->line_length += kept;
	head->line[head->line_length] = '\0';
}

size_t http_head_take(struct http_head *head, const char *bytes, size_t size)
{
	size_t taken = 0;

	while (!head->complete && taken < size) {
		const char *line = bytes + taken;
		const char *end = memchr(line, '\n', size - taken);
		size_t length = end ? (size_t)(end - line) : size - taken;

		taken += end ? length + 1 : length;
		if (!end || head->line_length)
			keep(head, line, length);
		if (!end)
			break;
		if (head->line_length)
			take_line(head, head->line, head->line_length);
		else
			take_line(head, line, length);
		head->line_length = 0;
	}
	return taken;
}
