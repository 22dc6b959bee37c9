/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_session_store.c - a segment of sets, two sides of them.
 *
 * The segment starts with a header and the library's tag; the guards of all sets follow, then the
 * sets, of the client side first.
 */
#include "shared/tls_session_store.h"

#include "shared/check.h"
#include "shared/shared_memory.h"
#include "shared/tls_session_set.h"

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	STORE_MAGIC = 0x53455353,
	SEGMENT_MAGIC = 0x54534553,
	SEGMENT_VERSION = 1,
	LIBRARY_BYTES = 48,
	USUAL_SESSION_BYTES = 2048,
	COPY_TRIES = 100,
};

struct segment {
	struct shared_header header;
	char library[LIBRARY_BYTES]; /* padded with zeros */
	struct tls_session_guard guards[]; /* then the sets */
};
_Static_assert(sizeof(struct segment) == 64, "all lies on cache lines");

struct side {
	struct tls_session_guard *guards;
	struct tls_session_set *sets;
	size_t count; /* of guards and of sets, at least 1 */
	struct tls_session_limits limits;
};

/* Not shared: each process has its own since the fork, the same in all. */
struct tls_session_store {
	unsigned magic;
	struct shared_memory memory;
	struct side sides[TLS_SESSION_SIDE_COUNT];
	int32_t pid; /* this process's, for its locks: asking each time would be a system call */
};

struct geometry {
	size_t client, server; /* sets */
};

static size_t raised(size_t size)
{
	return size < TLS_SESSION_STORE_BYTES_MIN ? TLS_SESSION_STORE_BYTES_MIN : size;
}

static struct geometry geometry_of(size_t size)
{
	size_t sets = (raised(size) - sizeof(struct segment)) /
	              (sizeof(struct tls_session_guard) + sizeof(struct tls_session_set));

	return (struct geometry){.client = sets - sets / 4, .server = sets / 4};
}

size_t tls_session_store_capacity(size_t size)
{
	size_t set_bytes = (size_t)TLS_SESSION_SET_BLOCKS * TLS_SESSION_BLOCK_BYTES;

	return geometry_of(size).client * (set_bytes / USUAL_SESSION_BYTES);
}

static void lay_out(struct tls_session_store *store, const struct geometry *geometry)
{
	size_t total = geometry->client + geometry->server;
	struct tls_session_guard *guards = ((struct segment *)store->memory.base)->guards;
	struct tls_session_set *sets = (struct tls_session_set *)(void *)(guards + total);
	/* A 64th of the client side is as many blocks as there are sets, of 64 blocks each. */
	_Static_assert(TLS_SESSION_SET_BLOCKS == 64, "a 64th of a set is a block");
	unsigned blocks_max = geometry->client < TLS_SESSION_SET_BLOCKS ? (unsigned)geometry->client
	                                                                : TLS_SESSION_SET_BLOCKS;

	store->sides[TLS_SESSION_CLIENT_SIDE] = (struct side){
	        .guards = guards,
	        .sets = sets,
	        .count = geometry->client,
	        .limits = {TLS_SESSIONS_PER_IDENTITY, blocks_max},
	};
	store->sides[TLS_SESSION_SERVER_SIDE] = (struct side){
	        .guards = guards + geometry->client,
	        .sets = sets + geometry->client,
	        .count = geometry->server,
	        .limits = {1, TLS_SESSION_SET_BLOCKS},
	};
}

struct tls_session_store *tls_session_store_create(size_t size, const char *library)
{
	struct geometry geometry = geometry_of(size);

	struct tls_session_store *store = calloc(1, sizeof(*store));
	if (!store)
		return NULL;
	if (!shared_memory_create(&store->memory, "sealane-sessions", raised(size), SEGMENT_MAGIC,
	            SEGMENT_VERSION)) {
		free(store);
		return NULL;
	}
	strncpy(((struct segment *)store->memory.base)->library, library, LIBRARY_BYTES - 1);
	lay_out(store, &geometry);
	store->magic = STORE_MAGIC;
	tls_session_store_attach(store);
	return store;
}

void tls_session_store_destroy(struct tls_session_store *store)
{
	if (!store)
		return;
	CHECK_OBJ(store, STORE_MAGIC);
	store->magic = 0;
	shared_memory_destroy(&store->memory);
	free(store);
}

void tls_session_store_attach(struct tls_session_store *store)
{
	CHECK_OBJ(store, STORE_MAGIC);
	store->pid = (int32_t)getpid();
}

static size_t index_of(const struct side *side, const struct tls_session_key *key)
{
	uint64_t hash;

	memcpy(&hash, key->bytes, sizeof(hash));
	return hash % side->count;
}

/* The key's guard held and its set, or false. */
static bool enter(struct tls_session_store *store, enum tls_session_side which,
        const struct tls_session_key *key, struct tls_session_guard **guard_out,
        struct tls_session_set **set_out)
{
	CHECK_OBJ(store, STORE_MAGIC);
	const struct side *side = &store->sides[which];
	size_t index = index_of(side, key);
	*guard_out = &side->guards[index];
	*set_out = &side->sets[index];
	return tls_session_guard_lock(*guard_out, store->pid);
}

size_t tls_session_store_take(struct tls_session_store *store, enum tls_session_side side,
        const struct tls_session_key *key, int64_t now, void *buffer, size_t buffer_size,
        struct tls_session_info *info_out)
{
	struct tls_session_guard *guard;
	struct tls_session_set *set;

	CHECK(buffer_size >= TLS_SESSION_BYTES_MAX);
	if (!enter(store, side, key, &guard, &set))
		return 0;
	size_t length = tls_session_set_take(set, guard, key, now, buffer, info_out);
	tls_session_guard_unlock(guard);
	return length;
}

bool tls_session_store_put(struct tls_session_store *store, enum tls_session_side side,
        const struct tls_session_key *key, const struct tls_session_info *info, struct slice data)
{
	struct tls_session_guard *guard;
	struct tls_session_set *set;

	if (!enter(store, side, key, &guard, &set))
		return false;
	bool stored = tls_session_set_put(set, guard, &store->sides[side].limits, key, info, data);
	tls_session_guard_unlock(guard);
	return stored;
}

bool tls_session_store_drop(struct tls_session_store *store, enum tls_session_side side,
        const struct tls_session_key *key)
{
	struct tls_session_guard *guard;
	struct tls_session_set *set;

	if (!enter(store, side, key, &guard, &set))
		return false;
	tls_session_set_drop(set, key);
	tls_session_guard_unlock(guard);
	return true;
}

static uint64_t value_of(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* The master's, at a reload: a few turns of the processor for a worker that is just inside. */
static bool lock_patiently(struct tls_session_guard *guard, int32_t pid)
{
	for (int i = 0; i < COPY_TRIES; i++) {
		if (tls_session_guard_lock(guard, pid))
			return true;
		sched_yield();
	}
	return false;
}

static size_t copy_set(struct tls_session_set *set, struct tls_session_store *to,
        enum tls_session_side side, int64_t now)
{
	uint8_t buffer[TLS_SESSION_BYTES_MAX];
	struct tls_session_key key;
	struct tls_session_info info;
	size_t copied = 0;
	ssize_t length;

	for (unsigned rank = 0;
	        (length = tls_session_set_read(set, rank, now, buffer, &key, &info)) >= 0; rank++) {
		if (length == 0)
			continue;
		struct slice data = {(const char *)buffer, (size_t)length};
		copied += tls_session_store_put(to, side, &key, &info, data);
	}
	explicit_bzero(buffer, sizeof(buffer));
	return copied;
}

static const char *library_of(const struct tls_session_store *store)
{
	return ((const struct segment *)store->memory.base)->library;
}

size_t tls_session_store_copy(
        struct tls_session_store *to, struct tls_session_store *from, int64_t now)
{
	size_t copied = 0;

	CHECK_OBJ(from, STORE_MAGIC);
	CHECK_OBJ(to, STORE_MAGIC);
	if (strncmp(library_of(from), library_of(to), LIBRARY_BYTES) != 0)
		return 0;
	for (int side = 0; side < TLS_SESSION_SIDE_COUNT; side++) {
		for (size_t i = 0; i < from->sides[side].count; i++) {
			struct tls_session_guard *guard = &from->sides[side].guards[i];
			if (value_of(&guard->stored) == 0 || !lock_patiently(guard, from->pid))
				continue;
			copied += copy_set(
			        &from->sides[side].sets[i], to, (enum tls_session_side)side, now);
			tls_session_guard_unlock(guard);
		}
	}
	return copied;
}

void tls_session_store_release_locks_of(struct tls_session_store *store, pid_t pid)
{
	CHECK_OBJ(store, STORE_MAGIC);
	for (int side = 0; side < TLS_SESSION_SIDE_COUNT; side++) {
		for (size_t i = 0; i < store->sides[side].count; i++)
			tls_session_guard_release(&store->sides[side].guards[i], (int32_t)pid);
	}
}

struct tls_session_counts tls_session_store_counts(
        const struct tls_session_store *store, enum tls_session_side side)
{
	struct tls_session_counts counts = {0};

	CHECK_OBJ(store, STORE_MAGIC);
	for (size_t i = 0; i < store->sides[side].count; i++) {
		const struct tls_session_guard *guard = &store->sides[side].guards[i];
		counts.hits += value_of(&guard->hits);
		counts.misses += value_of(&guard->misses);
		counts.stored += value_of(&guard->stored);
		counts.evicted += value_of(&guard->evicted);
		counts.too_big += value_of(&guard->too_big);
		counts.broken += value_of(&guard->broken);
		counts.busy += atomic_load_explicit(&guard->busy, memory_order_relaxed);
	}
	return counts;
}

void *tls_session_store_memory(struct tls_session_store *store, size_t *size_out)
{
	CHECK_OBJ(store, STORE_MAGIC);
	*size_out = store->memory.size;
	return store->memory.base;
}
