/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_session_store.c - a set-associative table that any process may die in.
 *
 * The segment is an array of sets of 64 KiB, a quarter of them for the server side. A key's first
 * bytes choose its set. A set has a lock (the pid of who is inside), entries, and blocks of 1 KiB
 * that the entries' data lies in; an entry names its blocks by a bit mask. There is no list, no
 * pointer and no free count: which blocks are free follows from the entries. An entry whose
 * checksum, length or mask does not fit is empty. So a process killed at any instruction, or a
 * flipped bit, costs an entry and never more.
 *
 * Sessions hold secrets: blocks are wiped when their entry goes.
 */
#include "shared/tls_session_store.h"

#include "shared/check.h"
#include "shared/shared_memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	STORE_MAGIC = 0x53534553,
	STORE_VERSION = 1,
	SET_BYTES = 64 * 1024,
	SET_ENTRIES = 32,
	SET_BLOCKS = 59,
	BLOCK_BYTES = 1024,
	TYPICAL_BLOCKS = 2,
};
#define ALL_BLOCKS ((UINT64_C(1) << SET_BLOCKS) - 1)

struct entry {
	uint64_t
	        checksum; /* over the rest of the entry and its data; an empty entry's never fits */
	uint64_t sequence; /* grows with each put into the set: the lowest is the oldest */
	uint64_t blocks;
	int64_t expires_at, full_handshake_at, chain_not_after;
	uint32_t length; /* 0: empty */
	uint16_t protocol, single_use;
	uint8_t key[32];
};

struct set {
	_Atomic int32_t lock; /* pid of the process inside, 0: nobody */
	uint32_t unused;
	uint64_t next_sequence;
	uint8_t padding[48];
	struct entry entries[SET_ENTRIES];
	uint8_t rest[SET_BYTES - 64 - SET_ENTRIES * sizeof(struct entry) -
	             SET_BLOCKS * BLOCK_BYTES];
	uint8_t blocks[SET_BLOCKS][BLOCK_BYTES];
};
_Static_assert(
        sizeof(struct entry) == 88, "the layout of an entry is part of the segment's version");
_Static_assert(sizeof(struct set) == SET_BYTES, "a set fills its 64 KiB");

struct store_header {
	struct shared_header shared;
	char library[32];
	uint64_t client_sets, server_sets;
	_Alignas(64) _Atomic uint64_t hits, misses, busy, too_big, evicted;
};

struct tls_session_store { /* this process's handle */
	struct shared_memory memory;
	struct store_header *header;
	struct set *sets; /* client side first */
	size_t client_sets, server_sets;
	int32_t pid;
};

static uint64_t mix(uint64_t hash, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;

	while (length) {
		uint64_t word = 0;
		size_t count = length < sizeof(word) ? length : sizeof(word);
		memcpy(&word, at, count);
		hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
		at += count;
		length -= count;
	}
	return hash;
}

static size_t blocks_for(size_t length)
{
	return (length + BLOCK_BYTES - 1) / BLOCK_BYTES;
}

static bool has_sound_shape(const struct entry *entry)
{
	return entry->length > 0 && entry->length <= TLS_SESSION_BYTES_MAX &&
	       (entry->blocks & ~ALL_BLOCKS) == 0 &&
	       (size_t)__builtin_popcountll(entry->blocks) == blocks_for(entry->length);
}

/* `entry` is a copy, so that nothing changes between check and use. */
static uint64_t checksum_of(const struct set *set, const struct entry *entry)
{
	uint64_t hash = mix(
	        STORE_MAGIC, &entry->sequence, sizeof(*entry) - sizeof(entry->checksum));
	uint64_t blocks = entry->blocks;
	size_t left = entry->length;

	while (blocks && left) {
		size_t block = (size_t)__builtin_ctzll(blocks);
		size_t count = left < BLOCK_BYTES ? left : BLOCK_BYTES;
		hash = mix(hash, set->blocks[block], count);
		blocks &= blocks - 1;
		left -= count;
	}
	return hash;
}

static void wipe(struct set *set, size_t index)
{
	uint64_t blocks = set->entries[index].blocks & ALL_BLOCKS;

	for (; blocks; blocks &= blocks - 1)
		explicit_bzero(set->blocks[__builtin_ctzll(blocks)], BLOCK_BYTES);
	explicit_bzero(&set->entries[index], sizeof(set->entries[index]));
}

/* Empties what cannot be an entry, or claims blocks of another; returns the blocks in use. */
static uint64_t used_blocks(struct set *set)
{
	uint64_t used = 0;

	for (size_t i = 0; i < SET_ENTRIES; i++) {
		struct entry *entry = &set->entries[i];
		if (entry->length == 0)
			continue;
		if (!has_sound_shape(entry) || (entry->blocks & used)) {
			memset(entry, 0, sizeof(*entry));
			continue;
		}
		used |= entry->blocks;
	}
	return used;
}

static void count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static struct set *set_of(struct tls_session_store *store, enum tls_session_side side,
        const struct tls_session_key *key)
{
	uint64_t hash;

	memcpy(&hash, key->bytes, sizeof(hash));
	if (side == TLS_SESSION_CLIENT_SIDE)
		return &store->sets[hash % store->client_sets];
	return &store->sets[store->client_sets + hash % store->server_sets];
}

static bool enter(struct tls_session_store *store, struct set *set)
{
	int32_t nobody = 0;

	if (atomic_compare_exchange_strong_explicit(
	            &set->lock, &nobody, store->pid, memory_order_acquire, memory_order_relaxed))
		return true;
	count(&store->header->busy);
	return false;
}

static void leave(struct set *set)
{
	atomic_store_explicit(&set->lock, 0, memory_order_release);
}

static bool is_of(const struct entry *entry, const struct tls_session_key *key)
{
	return entry->length && memcmp(entry->key, key->bytes, sizeof(entry->key)) == 0;
}

static size_t oldest_entry(const struct set *set)
{
	size_t oldest = SET_ENTRIES;

	for (size_t i = 0; i < SET_ENTRIES; i++)
		if (set->entries[i].length &&
		        (oldest == SET_ENTRIES ||
		                set->entries[i].sequence < set->entries[oldest].sequence))
			oldest = i;
	return oldest;
}

/* Makes room in the ring of one identity. */
static void trim_identity(struct set *set, const struct tls_session_key *key, bool single_use)
{
	size_t oldest = SET_ENTRIES, found = 0;

	for (size_t i = 0; i < SET_ENTRIES; i++) {
		if (!is_of(&set->entries[i], key))
			continue;
		/* A session that can be used many times replaces its elder. */
		if (!single_use && !set->entries[i].single_use) {
			wipe(set, i);
			continue;
		}
		found++;
		if (oldest == SET_ENTRIES ||
		        set->entries[i].sequence < set->entries[oldest].sequence)
			oldest = i;
	}
	if (found >= TLS_SESSIONS_PER_IDENTITY)
		wipe(set, oldest);
}

static size_t free_entry(const struct set *set)
{
	size_t i = 0;

	while (i < SET_ENTRIES && set->entries[i].length)
		i++;
	return i;
}

/* An empty entry and enough free blocks, by dropping the oldest; SET_ENTRIES when even that is not
 * enough. */
static size_t make_room(
        struct tls_session_store *store, struct set *set, size_t wanted, uint64_t *free_out)
{
	for (;;) {
		*free_out = ALL_BLOCKS & ~used_blocks(set);
		size_t index = free_entry(set);
		if (index < SET_ENTRIES && (size_t)__builtin_popcountll(*free_out) >= wanted)
			return index;
		size_t oldest = oldest_entry(set);
		if (oldest == SET_ENTRIES)
			return SET_ENTRIES;
		wipe(set, oldest);
		count(&store->header->evicted);
	}
}

static void write_data(
        struct set *set, struct entry *entry, uint64_t free_blocks, struct slice data)
{
	size_t done = 0;

	while (done < data.length) {
		size_t block = (size_t)__builtin_ctzll(free_blocks);
		size_t part = data.length - done < BLOCK_BYTES ? data.length - done : BLOCK_BYTES;
		memcpy(set->blocks[block], data.data + done, part);
		entry->blocks |= UINT64_C(1) << block;
		free_blocks &= free_blocks - 1;
		done += part;
	}
}

bool tls_session_store_put(struct tls_session_store *store, enum tls_session_side side,
        const struct tls_session_key *key, const struct tls_session_info *info, struct slice data)
{
	struct set *set = set_of(store, side, key);
	uint64_t free_blocks;

	if (data.length == 0 || data.length > TLS_SESSION_BYTES_MAX) {
		count(&store->header->too_big);
		return false;
	}
	if (!enter(store, set))
		return false;
	trim_identity(set, key, info->single_use);
	size_t index = make_room(store, set, blocks_for(data.length), &free_blocks);
	if (index < SET_ENTRIES) {
		struct entry entry = {
		        .sequence = ++set->next_sequence,
		        .expires_at = info->expires_at,
		        .full_handshake_at = info->full_handshake_at,
		        .chain_not_after = info->chain_not_after,
		        .length = (uint32_t)data.length,
		        .protocol = info->protocol,
		        .single_use = info->single_use,
		};
		memcpy(entry.key, key->bytes, sizeof(entry.key));
		write_data(set, &entry, free_blocks, data);
		entry.checksum = checksum_of(set, &entry);
		set->entries[index] = entry;
	}
	leave(set);
	return index < SET_ENTRIES;
}

/* The oldest sound entry of `key`; *count_out: how many there are. Drops what has expired or does
 * not check. */
static size_t find_oldest(
        struct set *set, const struct tls_session_key *key, int64_t now, size_t *count_out)
{
	size_t oldest = SET_ENTRIES;

	*count_out = 0;
	for (size_t i = 0; i < SET_ENTRIES; i++) {
		const struct entry *entry = &set->entries[i];
		if (!is_of(entry, key))
			continue;
		if (!has_sound_shape(entry) || entry->expires_at <= now ||
		        entry->checksum != checksum_of(set, entry)) {
			wipe(set, i);
			continue;
		}
		++*count_out;
		if (oldest == SET_ENTRIES || entry->sequence < set->entries[oldest].sequence)
			oldest = i;
	}
	return oldest;
}

static void read_data(const struct set *set, const struct entry *entry, uint8_t *buffer)
{
	uint64_t blocks = entry->blocks;
	size_t done = 0;

	for (; blocks && done < entry->length; blocks &= blocks - 1) {
		size_t part = entry->length - done < BLOCK_BYTES ? entry->length - done
		                                                 : BLOCK_BYTES;
		memcpy(buffer + done, set->blocks[__builtin_ctzll(blocks)], part);
		done += part;
	}
}

static struct tls_session_info info_of(const struct entry *entry)
{
	return (struct tls_session_info){
	        .expires_at = entry->expires_at,
	        .full_handshake_at = entry->full_handshake_at,
	        .chain_not_after = entry->chain_not_after,
	        .protocol = entry->protocol,
	        .single_use = entry->single_use != 0,
	};
}

size_t tls_session_store_take(struct tls_session_store *store, enum tls_session_side side,
        const struct tls_session_key *key, int64_t now, void *buffer, size_t buffer_size,
        struct tls_session_info *info_out)
{
	struct set *set = set_of(store, side, key);
	size_t found, length = 0;

	if (!enter(store, set))
		return 0;
	used_blocks(set);
	size_t index = find_oldest(set, key, now, &found);
	if (index < SET_ENTRIES) {
		struct entry entry = set->entries[index];
		if (has_sound_shape(&entry) && entry.length <= buffer_size) {
			read_data(set, &entry, buffer);
			*info_out = info_of(&entry);
			length = entry.length;
		}
		if (length == 0 || (entry.single_use && found > 1))
			wipe(set, index);
	}
	leave(set);
	count(length ? &store->header->hits : &store->header->misses);
	return length;
}

void tls_session_store_drop(struct tls_session_store *store, enum tls_session_side side,
        const struct tls_session_key *key)
{
	struct set *set = set_of(store, side, key);

	if (!enter(store, set))
		return;
	for (size_t i = 0; i < SET_ENTRIES; i++)
		if (is_of(&set->entries[i], key))
			wipe(set, i);
	leave(set);
}

void tls_session_store_release_locks_of(struct tls_session_store *store, pid_t pid)
{
	for (size_t i = 0; i < store->client_sets + store->server_sets; i++) {
		int32_t dead = (int32_t)pid;
		atomic_compare_exchange_strong(&store->sets[i].lock, &dead, 0);
	}
}

static void copy_set(
        struct tls_session_store *to, enum tls_session_side side, struct set *set, int64_t now)
{
	uint8_t data[TLS_SESSION_BYTES_MAX];

	for (uint64_t after = 0;;) {
		/* In the order of age, so that it stays the order of age. */
		size_t next = SET_ENTRIES;
		for (size_t i = 0; i < SET_ENTRIES; i++)
			if (set->entries[i].length && set->entries[i].sequence > after &&
			        (next == SET_ENTRIES ||
			                set->entries[i].sequence < set->entries[next].sequence))
				next = i;
		if (next == SET_ENTRIES)
			break;
		struct entry entry = set->entries[next];
		after = entry.sequence;
		if (!has_sound_shape(&entry) || entry.expires_at <= now ||
		        entry.checksum != checksum_of(set, &entry))
			continue;
		read_data(set, &entry, data);
		struct tls_session_key key;
		memcpy(key.bytes, entry.key, sizeof(key.bytes));
		struct tls_session_info info = info_of(&entry);
		tls_session_store_put(
		        to, side, &key, &info, (struct slice){(char *)data, entry.length});
	}
	explicit_bzero(data, sizeof(data));
}

void tls_session_store_copy(
        struct tls_session_store *to, struct tls_session_store *from, int64_t now)
{
	for (size_t i = 0; i < from->client_sets + from->server_sets; i++) {
		if (!enter(from, &from->sets[i]))
			continue;
		copy_set(to,
		        i < from->client_sets ? TLS_SESSION_CLIENT_SIDE : TLS_SESSION_SERVER_SIDE,
		        &from->sets[i], now);
		leave(&from->sets[i]);
	}
}

static size_t sets_of_size(size_t size)
{
	size_t sets = size / SET_BYTES;

	return sets < TLS_SESSION_STORE_BYTES_MIN / SET_BYTES
	               ? TLS_SESSION_STORE_BYTES_MIN / SET_BYTES
	               : sets;
}

size_t tls_session_store_capacity(size_t size)
{
	size_t sets = sets_of_size(size);

	return (sets - sets / 4) * (SET_BLOCKS / TYPICAL_BLOCKS);
}

struct tls_session_store *tls_session_store_create(size_t size, const char *library)
{
	size_t sets = sets_of_size(size);
	struct tls_session_store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	/* The header has a set's place of its own, which keeps the sets aligned. */
	if (!shared_memory_create(&store->memory, "sealane-sessions", (sets + 1) * SET_BYTES,
	            STORE_MAGIC, STORE_VERSION)) {
		int error = errno;
		free(store);
		errno = error;
		return NULL;
	}
	store->header = store->memory.base;
	store->sets = (struct set *)(void *)((char *)store->memory.base + SET_BYTES);
	store->server_sets = sets / 4;
	store->client_sets = sets - store->server_sets;
	store->header->client_sets = store->client_sets;
	store->header->server_sets = store->server_sets;
	strncpy(store->header->library, library, sizeof(store->header->library) - 1);
	tls_session_store_attach(store);
	return store;
}

void tls_session_store_destroy(struct tls_session_store *store)
{
	if (!store)
		return;
	shared_memory_destroy(&store->memory);
	free(store);
}

void tls_session_store_attach(struct tls_session_store *store)
{
	store->pid = (int32_t)getpid();
}

struct tls_session_counts tls_session_store_counts(const struct tls_session_store *store)
{
	return (struct tls_session_counts){
	        .hits = atomic_load(&store->header->hits),
	        .misses = atomic_load(&store->header->misses),
	        .busy = atomic_load(&store->header->busy),
	        .too_big = atomic_load(&store->header->too_big),
	        .evicted = atomic_load(&store->header->evicted),
	};
}
