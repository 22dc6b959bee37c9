/* SPDX-License-Identifier: BSD-2-Clause */
/* json.c - to a stdio file, so that the same code serves stderr and memory. */
#include "master/json.h"

#include "master/config_utf8.h"
#include "shared/slice.h"

#include <inttypes.h>

void json_print_string(FILE *file, const char *text)
{
	struct slice left = slice_of(text);

	putc('"', file);
	while (left.length) {
		size_t length = config_utf8_character(left);
		unsigned char c = (unsigned char)left.data[0];
		if (length == 0)
			fputs("\\ufffd", file);
		else if (c == '"' || c == '\\')
			fprintf(file, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(file, "\\u%04x", c);
		else
			fwrite(left.data, 1, length, file);
		length = length ? length : 1;
		left = (struct slice){left.data + length, left.length - length};
	}
	putc('"', file);
}

/* What stands before a value. */
static void start_value(struct json *json, const char *key)
{
	if (json->comma_due)
		putc(',', json->file);
	json->comma_due = true;
	if (key)
		fprintf(json->file, "\"%s\":", key);
}

void json_begin(struct json *json, const char *key, char bracket)
{
	start_value(json, key);
	putc(bracket, json->file);
	json->comma_due = false;
}

void json_end(struct json *json, char bracket)
{
	putc(bracket, json->file);
	json->comma_due = true;
}

void json_string(struct json *json, const char *key, const char *text)
{
	start_value(json, key);
	if (text)
		json_print_string(json->file, text);
	else
		fputs("null", json->file);
}

void json_number(struct json *json, const char *key, uint64_t value)
{
	start_value(json, key);
	fprintf(json->file, "%" PRIu64, value);
}

void json_signed(struct json *json, const char *key, int64_t value)
{
	start_value(json, key);
	fprintf(json->file, "%" PRId64, value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	start_value(json, key);
	fputs(value ? "true" : "false", json->file);
}
