/* SPDX-License-Identifier: BSD-2-Clause */
/* http_syntax.c - tokens by a table; field text eight bytes at a time, as each head passes here. */
#include "worker/http/http_syntax.h"

/* tchar of RFC 9110 5.6.2. */
static const bool token_bytes[256] = {
        ['!'] = true,
        ['#'] = true,
        ['$'] = true,
        ['%'] = true,
        ['&'] = true,
        ['\''] = true,
        ['*'] = true,
        ['+'] = true,
        ['-'] = true,
        ['.'] = true,
        ['^'] = true,
        ['_'] = true,
        ['`'] = true,
        ['|'] = true,
        ['~'] = true,
        ['0' ... '9'] = true,
        ['A' ... 'Z'] = true,
        ['a' ... 'z'] = true,
};

bool http_is_token_byte(char c)
{
	return token_bytes[(unsigned char)c];
}

size_t http_token_length(struct slice text)
{
	size_t length = 0;

	while (length < text.length && http_is_token_byte(text.data[length]))
		length++;
	return length;
}

bool http_is_token(struct slice text)
{
	return text.length > 0 && http_token_length(text) == text.length;
}

static bool is_field_byte(unsigned char c)
{
	return c == '\t' || (c >= 0x20 && c != 0x7f);
}

/* May say false for a word without control bytes (it does for tabs), never true for one with some.
 */
static bool word_is_plain(const char *bytes)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones * 0x80;
	uint64_t word, deletes;

	memcpy(&word, bytes, sizeof(word));
	deletes = word ^ (ones * 0x7f);
	return ((((word - ones * 0x20) & ~word) | ((deletes - ones) & ~deletes)) & high) == 0;
}

bool http_is_field_text(struct slice text)
{
	size_t i = 0;

	/* The last word may overlap the one before. */
	if (text.length >= sizeof(uint64_t)) {
		size_t last = text.length - sizeof(uint64_t);
		while (i < last && word_is_plain(text.data + i))
			i += sizeof(uint64_t);
		if (i >= last && word_is_plain(text.data + last))
			return true;
	}
	for (i = 0; i < text.length; i++)
		if (!is_field_byte((unsigned char)text.data[i]))
			return false;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct slice http_trim(struct slice text)
{
	while (text.length && is_blank(text.data[0])) {
		text.data++;
		text.length--;
	}
	while (text.length && is_blank(text.data[text.length - 1]))
		text.length--;
	return text;
}

bool http_list_next(struct slice *list, struct slice *element_out)
{
	while (list->length > 0) {
		slice_split(*list, ',', element_out, list);
		*element_out = http_trim(*element_out);
		if (element_out->length > 0)
			return true;
	}
	return false;
}

bool http_list_has(struct slice list, struct slice element)
{
	struct slice each;

	while (http_list_next(&list, &each))
		if (slice_equal_nocase(each, element))
			return true;
	return false;
}
