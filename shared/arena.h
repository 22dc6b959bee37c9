/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arena.h - memory that is given out piece by piece and freed at once.
 *
 * A configuration lives in one arena, sealed read-only before the workers are forked, so that a
 * stray write to it is a crash and not a changed setting. A session rewinds its arena after each
 * exchange.
 */
#ifndef SHARED_ARENA_H
#define SHARED_ARENA_H

#include "shared/slice.h"

#include <stddef.h>

struct arena;

/* Chunks of `chunk_size` bytes, rounded up to pages; NULL when memory is out. */
struct arena *arena_create(size_t chunk_size);
void arena_destroy(struct arena *arena); /* NULL is fine */

/* Zeroed, aligned for any type, never NULL: memory running out stops the process. */
void *arena_alloc(struct arena *arena, size_t size);
/* `count` elements of `size`; stops the process where the product would overflow. */
void *arena_alloc_array(struct arena *arena, size_t count, size_t size);
/* Terminated copies. */
char *arena_copy(struct arena *arena, struct slice text);
char *arena_format(struct arena *arena, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/* Frees everything given out since the arena was created, and keeps one chunk for the next user. */
void arena_rewind(struct arena *arena);

/* Makes every chunk read-only (PROT_READ); arena_alloc on a sealed arena is a bug. */
void arena_seal(struct arena *arena);

#endif
