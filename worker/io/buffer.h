/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buffer.h - bytes in flight, in a piece of memory of fixed size.
 *
 * Filled at the end, emptied at the start. Lent and taken back by the pool (buffer_pool.h); a
 * stream holds one only while there are bytes in it.
 */
#ifndef WORKER_IO_BUFFER_H
#define WORKER_IO_BUFFER_H

#include "shared/check.h"

#include <stddef.h>
#include <string.h>

struct buffer {
	struct buffer *next_free; /* the pool's */
	size_t capacity;
	size_t start, end; /* bytes [start, end) wait to be taken */
	unsigned char data[];
};

static inline size_t buffer_bytes(const struct buffer *buffer)
{
	return buffer ? buffer->end - buffer->start : 0;
}

static inline size_t buffer_room(const struct buffer *buffer)
{
	return buffer->capacity - buffer->end;
}

static inline void buffer_filled(struct buffer *buffer, size_t count)
{
	CHECK(count <= buffer_room(buffer));
	buffer->end += count;
}

static inline void buffer_taken(struct buffer *buffer, size_t count)
{
	CHECK(count <= buffer_bytes(buffer));
	buffer->start += count;
	if (buffer->start == buffer->end)
		buffer->start = buffer->end = 0;
}

/* Moves the bytes to the front, so that all room is at the end. */
static inline void buffer_compact(struct buffer *buffer)
{
	if (buffer->start == 0)
		return;
	memmove(buffer->data, buffer->data + buffer->start, buffer->end - buffer->start);
	buffer->end -= buffer->start;
	buffer->start = 0;
}

#endif
