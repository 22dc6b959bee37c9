/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ticket_key.c - two places for a key, and a sequence number that tells which one holds.
 *
 * The writer fills the place that nobody reads and then moves the number. A reader that finds the
 * number moved while it copied reads again; it never waits for a writer, living or dead.
 */
#include "shared/ticket_key.h"

#include "shared/check.h"
#include "shared/shared_memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

enum {
	TICKET_KEY_MAGIC = 0x544b4559,
	SEGMENT_MAGIC = 0x544b5347,
	SEGMENT_VERSION = 1,
	KEY_WORDS = TICKET_KEY_BYTES / 8,
};

struct segment {
	struct shared_header header;
	_Atomic uint32_t sequence; /* the key stands in places[sequence % 2] */
	_Alignas(64) _Atomic uint64_t places[2][KEY_WORDS];
};
_Static_assert(sizeof(struct segment) == 64 + 2 * TICKET_KEY_BYTES, "a place is a cache line");

struct ticket_key {
	unsigned magic;
	struct shared_memory memory;
	struct segment *segment;
};

static bool random_bytes(uint8_t *bytes, size_t size)
{
	while (size > 0) {
		ssize_t got = getrandom(bytes, size, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		bytes += got;
		size -= (size_t)got;
	}
	return true;
}

struct ticket_key *ticket_key_create(void)
{
	uint8_t bytes[TICKET_KEY_BYTES];

	struct ticket_key *ticket_key = calloc(1, sizeof(*ticket_key));
	if (!ticket_key)
		return NULL;
	if (!random_bytes(bytes, sizeof(bytes)) ||
	        !shared_memory_create(&ticket_key->memory, "sealane-ticket-key",
	                sizeof(struct segment), SEGMENT_MAGIC, SEGMENT_VERSION)) {
		free(ticket_key);
		return NULL;
	}
	/* Out of swap where the limits allow it. */
	mlock(ticket_key->memory.base, ticket_key->memory.size);
	ticket_key->segment = ticket_key->memory.base;
	ticket_key->magic = TICKET_KEY_MAGIC;
	ticket_key_publish(ticket_key, bytes);
	explicit_bzero(bytes, sizeof(bytes));
	return ticket_key;
}

void ticket_key_destroy(struct ticket_key *ticket_key)
{
	if (!ticket_key)
		return;
	CHECK_OBJ(ticket_key, TICKET_KEY_MAGIC);
	ticket_key->magic = 0;
	shared_memory_destroy(&ticket_key->memory);
	free(ticket_key);
}

void ticket_key_publish(struct ticket_key *ticket_key, const uint8_t bytes[TICKET_KEY_BYTES])
{
	uint64_t words[KEY_WORDS];

	CHECK_OBJ(ticket_key, TICKET_KEY_MAGIC);
	struct segment *segment = ticket_key->segment;
	uint32_t next = atomic_load_explicit(&segment->sequence, memory_order_relaxed) + 1;
	memcpy(words, bytes, sizeof(words));
	atomic_thread_fence(memory_order_release);
	for (size_t i = 0; i < KEY_WORDS; i++)
		atomic_store_explicit(
		        &segment->places[next % 2][i], words[i], memory_order_relaxed);
	atomic_store_explicit(&segment->sequence, next, memory_order_release);
	explicit_bzero(words, sizeof(words));
}

void ticket_key_read(const struct ticket_key *ticket_key, uint8_t bytes_out[TICKET_KEY_BYTES])
{
	uint64_t words[KEY_WORDS];
	uint32_t before, after;

	CHECK_OBJ(ticket_key, TICKET_KEY_MAGIC);
	const struct segment *segment = ticket_key->segment;
	do {
		before = atomic_load_explicit(&segment->sequence, memory_order_acquire);
		for (size_t i = 0; i < KEY_WORDS; i++)
			words[i] = atomic_load_explicit(
			        &segment->places[before % 2][i], memory_order_relaxed);
		atomic_thread_fence(memory_order_acquire);
		after = atomic_load_explicit(&segment->sequence, memory_order_relaxed);
	} while (before != after);
	memcpy(bytes_out, words, sizeof(words));
	explicit_bzero(words, sizeof(words));
}
