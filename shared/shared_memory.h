/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shared_memory.h - a segment of memory that the master makes and all its workers share.
 *
 * One header file declares what is in one segment: fixed-width fields, no pointers, a
 * shared_header first. A segment is made before the fork, is zero at first, is left out of core
 * dumps, and is backed by a descriptor without a name, so that nothing is left behind by any death.
 */
#ifndef SHARED_SHARED_MEMORY_H
#define SHARED_SHARED_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shared_header {
	uint32_t magic; /* which kind of segment */
	uint32_t version; /* of its layout */
	uint64_t size; /* bytes, this header included */
};

struct shared_memory {
	void *base; /* a struct shared_header first; page aligned, zero behind it */
	size_t size; /* bytes, whole pages */
	int fd; /* the memfd, closed on exec; its size is sealed. The creator's own */
};

/* `name` is what /proc/PID/maps shows; `size` counts the header and is rounded up to pages. False
 * with errno, and nothing to destroy. */
bool shared_memory_create(struct shared_memory *memory, const char *name, size_t size,
        uint32_t magic, uint32_t version);
/* In the process that created it: unmaps and closes it; others keep it until they end. Fine when
 * nothing was created. */
void shared_memory_destroy(struct shared_memory *memory);

#endif
