/* SPDX-License-Identifier: BSD-2-Clause */
/* http_readers.c - written without the parser's functions, so that they do not share its faults. */
#include "tests/support/http_readers.h"

#include "shared/check.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static bool named(const char *name, size_t length, const char *wanted)
{
	return strlen(wanted) == length && strncasecmp(name, wanted, length) == 0;
}

static void note_framing(struct http_reading *reading, const char *name, size_t name_length,
        const char *value, size_t value_length)
{
	if (named(name, name_length, "content-length")) {
		char number[32] = "";
		for (; value_length > 1 && *value == '0'; value_length--)
			value++;
		reading->lengths++;
		reading->length_valid = value_length > 0 && value_length < sizeof(number) &&
		                        strspn(value, "0123456789") >= value_length;
		if (reading->length_valid) {
			memcpy(number, value, value_length);
			reading->length = strtoull(number, NULL, 10);
			reading->length_valid = reading->length <= INT64_MAX;
		}
	}
	if (named(name, name_length, "transfer-encoding")) {
		reading->codings++;
		reading->chunked = named(value, value_length, "chunked");
	}
}

static void note_field(struct http_reading *reading, FILE *out, const char *name,
        size_t name_length, const char *value, size_t value_length)
{
	fputs(" | ", out);
	fwrite(name, 1, name_length, out);
	fputc('=', out);
	fwrite(value, 1, value_length, out);
	note_framing(reading, name, name_length, value, value_length);
}

static bool is_tchar(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

/* field-name ":" OWS field-value OWS, and no control byte in it. */
static bool read_strict_line(
        struct http_reading *reading, FILE *out, const char *line, size_t length)
{
	size_t name = 0;

	while (name < length && is_tchar(line[name]))
		name++;
	if (name == 0 || name == length || line[name] != ':')
		return false;
	size_t start = name + 1, end = length;
	while (start < end && (line[start] == ' ' || line[start] == '\t'))
		start++;
	while (end > start && (line[end - 1] == ' ' || line[end - 1] == '\t'))
		end--;
	for (size_t i = start; i < end; i++)
		if (iscntrl((unsigned char)line[i]) && line[i] != '\t')
			return false;
	note_field(reading, out, line, name, line + start, end - start);
	return true;
}

struct http_reading http_read_strictly(struct slice bytes)
{
	struct http_reading reading = {.readable = true};
	const char *at = bytes.data, *end = bytes.data + bytes.length;
	size_t size = 0;
	FILE *out = open_memstream(&reading.fields, &size);
	bool first = true;

	CHECK(out);
	for (;;) {
		const char *line_end = at < end ? memmem(at, (size_t)(end - at), "\r\n", 2) : NULL;
		size_t length = line_end ? (size_t)(line_end - at) : 0;
		if (!line_end || memchr(at, '\n', length) || memchr(at, '\r', length))
			reading.readable = false;
		else if (!first && length > 0)
			reading.readable = read_strict_line(&reading, out, at, length);
		if (!reading.readable)
			break;
		at = line_end + 2;
		if (!first && length == 0)
			break;
		first = false;
	}
	reading.used = (size_t)(at - bytes.data);
	CHECK(fclose(out) == 0);
	return reading;
}

/* Joins what is folded, in `text`, whose end may then lie before. */
static size_t unfold(char *text, size_t length)
{
	size_t out = 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\r')
			continue;
		if (text[i] == '\n' && i + 1 < length &&
		        (text[i + 1] == ' ' || text[i + 1] == '\t'))
			continue;
		text[out++] = text[i];
	}
	return out;
}

static void read_lax_line(struct http_reading *reading, FILE *out, char *line, size_t length)
{
	char *colon = memchr(line, ':', length);

	if (!colon)
		return;
	char *name_end = colon, *value = colon + 1, *value_end = line + length;
	while (name_end > line && isspace((unsigned char)name_end[-1]))
		name_end--;
	while (value < value_end && isspace((unsigned char)*value))
		value++;
	while (value_end > value && isspace((unsigned char)value_end[-1]))
		value_end--;
	note_field(
	        reading, out, line, (size_t)(name_end - line), value, (size_t)(value_end - value));
}

struct http_reading http_read_laxly(struct slice bytes)
{
	struct http_reading reading = {.readable = true};
	size_t size = 0;
	FILE *out = open_memstream(&reading.fields, &size);
	char *copy = malloc(bytes.length + 1);

	CHECK(out && copy);
	memcpy(copy, bytes.data, bytes.length);
	copy[bytes.length] = '\0';
	size_t left = unfold(copy, bytes.length);
	bool first = true;
	for (char *line = copy, *end; (end = memchr(line, '\n', left)); first = false) {
		size_t length = (size_t)(end - line);
		left -= length + 1;
		if (length == 0 && !first)
			break;
		if (!first)
			read_lax_line(&reading, out, line, length);
		line = end + 1;
	}
	free(copy);
	CHECK(fclose(out) == 0);
	return reading;
}
