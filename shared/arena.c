/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arena.c - chunks from mmap, so that they can be sealed page by page.
 *
 * A chunk's header stands at its own start; sealing covers it too, which is why an arena's own
 * struct is malloc'ed: destroying a sealed arena has to read it only.
 */
#include "shared/arena.h"

#include "shared/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The leak checker looks for pointers in malloc'ed memory, and has to be told of other memory that
 * holds some: credentials are found through a configuration's arena alone. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#define TELL_LEAK_CHECKER(verb, base, size) __lsan_##verb##_root_region(base, size)
#else
#define TELL_LEAK_CHECKER(verb, base, size) ((void)0)
#endif

enum { ARENA_MAGIC = 0x4152454e };

struct chunk {
	struct chunk *next;
	size_t size; /* header included */
	size_t used;
};

struct arena {
	unsigned magic;
	bool sealed;
	size_t chunk_size;
	struct chunk *chunks; /* newest first */
};

static void unmap(struct chunk *chunk)
{
	TELL_LEAK_CHECKER(unregister, chunk, chunk->size);
	munmap(chunk, chunk->size);
}

static size_t round_up(size_t size, size_t unit)
{
	CHECK(size <= SIZE_MAX - unit);
	return (size + unit - 1) / unit * unit;
}

struct arena *arena_create(size_t chunk_size)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (!arena)
		return NULL;
	arena->magic = ARENA_MAGIC;
	arena->chunk_size = round_up(chunk_size ? chunk_size : 1, (size_t)sysconf(_SC_PAGESIZE));
	return arena;
}

void arena_destroy(struct arena *arena)
{
	if (!arena)
		return;
	CHECK_OBJ(arena, ARENA_MAGIC);
	for (struct chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
		next = chunk->next;
		unmap(chunk);
	}
	arena->magic = 0;
	free(arena);
}

static void add_chunk(struct arena *arena, size_t size_needed)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t header = round_up(sizeof(struct chunk), _Alignof(max_align_t));
	size_t size = size_needed > SIZE_MAX / 2 ? SIZE_MAX / 2 : size_needed + header;

	if (size < arena->chunk_size)
		size = arena->chunk_size;
	size = round_up(size, page);
	struct chunk *chunk = mmap(
	        NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(chunk != MAP_FAILED);
	TELL_LEAK_CHECKER(register, chunk, size);
	chunk->next = arena->chunks;
	chunk->size = size;
	chunk->used = header;
	arena->chunks = chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	CHECK_OBJ(arena, ARENA_MAGIC);
	CHECK(!arena->sealed);

	size = round_up(size ? size : 1, _Alignof(max_align_t));
	if (!arena->chunks || arena->chunks->size - arena->chunks->used < size)
		add_chunk(arena, size);
	void *piece = (char *)arena->chunks + arena->chunks->used;
	arena->chunks->used += size;
	return piece;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
	CHECK(size == 0 || count <= SIZE_MAX / size);
	return arena_alloc(arena, count * size);
}

char *arena_copy(struct arena *arena, struct slice text)
{
	CHECK(text.length < SIZE_MAX);
	char *copy = arena_alloc(arena, text.length + 1);
	if (text.length)
		memcpy(copy, text.data, text.length);
	return copy;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
	va_list arguments, again;

	va_start(arguments, format);
	va_copy(again, arguments);
	int length = vsnprintf(NULL, 0, format, arguments);
	CHECK(length >= 0);
	char *text = arena_alloc(arena, (size_t)length + 1);
	vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	va_end(arguments);
	return text;
}

void arena_rewind(struct arena *arena)
{
	CHECK_OBJ(arena, ARENA_MAGIC);
	CHECK(!arena->sealed);
	while (arena->chunks && (arena->chunks->next || arena->chunks->size > arena->chunk_size)) {
		struct chunk *chunk = arena->chunks;
		arena->chunks = chunk->next;
		unmap(chunk);
	}
	if (!arena->chunks)
		return;
	size_t header = round_up(sizeof(struct chunk), _Alignof(max_align_t));
	memset((char *)arena->chunks + header, 0, arena->chunks->used - header);
	arena->chunks->used = header;
}

void arena_seal(struct arena *arena)
{
	CHECK_OBJ(arena, ARENA_MAGIC);
	arena->sealed = true;
	for (struct chunk *chunk = arena->chunks; chunk; chunk = chunk->next)
		CHECK(mprotect(chunk, chunk->size, PROT_READ) == 0);
}
