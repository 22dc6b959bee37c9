/* SPDX-License-Identifier: BSD-2-Clause */
/* http_text.c - doubles as it grows; a text that comes at once takes exactly its own size. */
#include "worker/http/http_text.h"

#include "shared/arena.h"

/* Enough for the usual head that does not come at once. */
enum { CAPACITY_FIRST = 2048 };

void http_text_add(struct http_text *text, struct arena *arena, struct slice bytes, bool last)
{
	size_t needed = text->length + bytes.length;

	if (needed > text->capacity) {
		size_t capacity = last ? needed : needed * 2;
		if (!last && capacity < CAPACITY_FIRST)
			capacity = CAPACITY_FIRST;
		char *data = arena_alloc(arena, capacity);
		if (text->length > 0)
			memcpy(data, text->data, text->length);
		text->data = data;
		text->capacity = capacity;
	}
	if (bytes.length > 0)
		memcpy(text->data + text->length, bytes.data, bytes.length);
	text->length = needed;
}

struct slice http_text_slice(const struct http_text *text)
{
	return (struct slice){text->data, text->length};
}
