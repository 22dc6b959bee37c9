/* SPDX-License-Identifier: BSD-2-Clause */
/* slice.c - comparing, trimming, splitting and reading numbers from text with a length. */
#include "shared/slice.h"

#include <strings.h>

bool slice_equal(struct slice a, struct slice b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool slice_equal_nocase(struct slice a, struct slice b)
{
	if (a.length != b.length)
		return false;
	for (size_t i = 0; i < a.length; i++)
		if (lower(a.data[i]) != lower(b.data[i]))
			return false;
	return true;
}

bool slice_starts_with(struct slice text, struct slice prefix)
{
	return text.length >= prefix.length &&
	       slice_equal((struct slice){text.data, prefix.length}, prefix);
}

bool slice_ends_with(struct slice text, struct slice suffix)
{
	if (text.length < suffix.length)
		return false;
	return slice_equal(
	        (struct slice){text.data + (text.length - suffix.length), suffix.length}, suffix);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice text)
{
	while (text.length && is_space(text.data[0])) {
		text.data++;
		text.length--;
	}
	while (text.length && is_space(text.data[text.length - 1]))
		text.length--;
	return text;
}

bool slice_split(struct slice text, char separator, struct slice *head_out, struct slice *rest_out)
{
	const char *at = text.length ? memchr(text.data, separator, text.length) : NULL;

	if (!at) {
		*head_out = text;
		*rest_out = (struct slice){NULL, 0};
		return false;
	}
	size_t head_length = (size_t)(at - text.data);
	*rest_out = (struct slice){at + 1, text.length - head_length - 1};
	*head_out = (struct slice){text.data, head_length};
	return true;
}

bool slice_to_uint64(struct slice text, uint64_t max, uint64_t *value_out)
{
	uint64_t value = 0;

	if (text.length == 0)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		uint64_t digit = (uint64_t)(text.data[i] - '0');
		if (digit > max || value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*value_out = value;
	return true;
}
