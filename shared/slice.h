/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slice.h - text with a length, not owned, not terminated.
 *
 * Everything from outside travels as a slice. A slice never owns its bytes: the comment of the
 * function that hands one out says how long they live.
 */
#ifndef SHARED_SLICE_H
#define SHARED_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const char *data; /* may be NULL when length is 0 */
	size_t length;
};

#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})

static inline struct slice slice_of(const char *text)
{
	return (struct slice){text, text ? strlen(text) : 0};
}

bool slice_equal(struct slice a, struct slice b);
/* ASCII letters compare without case; other bytes as they are. */
bool slice_equal_nocase(struct slice a, struct slice b);
bool slice_starts_with(struct slice text, struct slice prefix);
bool slice_ends_with(struct slice text, struct slice suffix);

/* Without leading and trailing blanks, tabs, CR and LF. */
struct slice slice_trim(struct slice text);

/* Splits at the first `separator`: false, with all in *head_out and nothing in *rest_out, when
 * there is none. */
bool slice_split(struct slice text, char separator, struct slice *head_out, struct slice *rest_out);

/* Decimal digits only, no sign, nothing after them, at most `max`. */
bool slice_to_uint64(struct slice text, uint64_t max, uint64_t *value_out);

#endif
