/* SPDX-License-Identifier: BSD-2-Clause */
/* config_utf8.c - UTF-8 as RFC 3629 has it: shortest forms, no surrogates, up to U+10FFFF. */
#include "master/config_utf8.h"

/* What the first byte says of the second: all others are 80 to bf. */
struct form {
	unsigned char first_least, first_most;
	unsigned char second_least, second_most;
	size_t length;
};

static const struct form forms[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3},
        {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static bool fits(const struct form *form, struct slice text)
{
	unsigned char first = (unsigned char)text.data[0];

	if (first < form->first_least || first > form->first_most || text.length < form->length)
		return false;
	unsigned char second = (unsigned char)text.data[1];
	if (second < form->second_least || second > form->second_most)
		return false;
	for (size_t i = 2; i < form->length; i++)
		if (((unsigned char)text.data[i] & 0xc0) != 0x80)
			return false;
	return true;
}

size_t config_utf8_character(struct slice text)
{
	if (text.length == 0)
		return 0;
	if ((unsigned char)text.data[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (fits(&forms[i], text))
			return forms[i].length;
	return 0;
}

bool config_is_utf8(struct slice text)
{
	while (text.length) {
		size_t length = config_utf8_character(text);
		if (!length)
			return false;
		text = (struct slice){text.data + length, text.length - length};
	}
	return true;
}
