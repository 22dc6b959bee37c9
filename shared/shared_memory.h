/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shared_memory.h - a mapped segment that master and workers share.
 *
 * Backed by a memfd, so that it can be handed to a new binary; kept out of core dumps, never on disk. Every segment
 * starts with a header that says what it is, so that a segment of another kind or version is never taken for one.
 */
#ifndef SHARED_SHARED_MEMORY_H
#define SHARED_SHARED_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shared_header {
	uint32_t magic, version;
	uint64_t size; /* of the whole segment, bytes */
};

struct shared_memory {
	void *base; /* a struct shared_header first; page aligned, zeroed behind it */
	size_t size;
	int fd;
};

/* false with errno. */
bool shared_memory_create(
	struct shared_memory *memory, const char *name, size_t size, uint32_t magic, uint32_t version);
/* Unmaps it from this process; others keep it. */
void shared_memory_destroy(struct shared_memory *memory);

#endif
