/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json.h - JSON written value by value: commas, keys and escaping.
 *
 * A key is our own plain text, and NULL where there is none: in an array, and for the outermost
 * value. Nothing is checked for balance.
 */
#ifndef MASTER_JSON_H
#define MASTER_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A string with its quotes; bytes that are no UTF-8 (a file name may hold any) become U+FFFD. */
void json_print_string(FILE *file, const char *text);

struct json {
	FILE *file;
	bool comma_due;
};

/* `bracket`: '{' or '[', and its counterpart. */
void json_begin(struct json *json, const char *key, char bracket);
void json_end(struct json *json, char bracket);
void json_string(struct json *json, const char *key, const char *text); /* NULL: null */
void json_number(struct json *json, const char *key, uint64_t value);
void json_signed(struct json *json, const char *key, int64_t value);
void json_bool(struct json *json, const char *key, bool value);

#endif
