/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text_writer.h - text piece by piece into a fixed buffer, in one pass, without printf.
 *
 * Heads and log lines are made with it for every request. Like snprintf it goes on counting when
 * the buffer is full: `used` is then the length that would have been needed, and what stands in the
 * buffer is of no use.
 */
#ifndef WORKER_IO_TEXT_WRITER_H
#define WORKER_IO_TEXT_WRITER_H

#include "shared/slice.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text_writer {
	char *out;
	size_t size;
	size_t used; /* beyond `size`: it did not fit */
};

enum { TEXT_UINT_MAX = 20 }; /* digits of the largest number */

/* Room for `length` bytes that the caller fills; NULL: they do not fit, and are counted only. */
static inline char *text_take(struct text_writer *writer, size_t length)
{
	size_t start = writer->used;

	writer->used += length;
	return writer->used <= writer->size ? writer->out + start : NULL;
}

static inline void text_put(struct text_writer *writer, struct slice text)
{
	char *to = text_take(writer, text.length);

	if (to && text.length)
		memcpy(to, text.data, text.length);
}

static inline void text_put_char(struct text_writer *writer, char c)
{
	char *to = text_take(writer, 1);

	if (to)
		*to = c;
}

/* Decimal, without leading zeros. Returns the digits, which lie at the end of `buffer`. */
static inline struct slice text_of_uint(uint64_t number, char buffer[TEXT_UINT_MAX])
{
	size_t start = TEXT_UINT_MAX;

	do {
		buffer[--start] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	return (struct slice){buffer + start, TEXT_UINT_MAX - start};
}

static inline void text_put_uint(struct text_writer *writer, uint64_t number)
{
	char digits[TEXT_UINT_MAX];

	text_put(writer, text_of_uint(number, digits));
}

#endif
