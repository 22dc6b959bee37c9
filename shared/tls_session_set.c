/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_session_set.c - sessions within one set: find, check, put, make room, wipe.
 *
 * A descriptor is copied before it is judged and used, so that what was judged is what is used. The
 * cheap test (is_filled: the blocks fit the length) decides what counts as an entry; the checksum
 * is computed only for a session that is about to be given out.
 *
 * Age is the set's sequence number less the entry's, in unsigned arithmetic: a damaged number
 * makes an entry very old, so that it is the next to go.
 */
#include "shared/tls_session_set.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

enum { LOCK_SPINS = 200, LOCK_YIELDS = 4 };

static void count(_Atomic uint64_t *counter)
{
	uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, value + 1, memory_order_relaxed);
}

static bool try_lock(struct tls_session_guard *guard, int32_t pid)
{
	int32_t nobody = 0;

	return atomic_compare_exchange_strong_explicit(
	        &guard->holder, &nobody, pid, memory_order_acquire, memory_order_relaxed);
}

/* All connections to one upstream meet in one set, and a miss costs a full handshake: a few
 * microseconds are worth spending on a holder that is just inside. One that has lost its processor
 * gets the chance to come back; one that is stopped or dead is a miss. */
bool tls_session_guard_lock(struct tls_session_guard *guard, int32_t pid)
{
	for (int i = 0; i < LOCK_SPINS; i++)
		if (try_lock(guard, pid))
			return true;
	for (int i = 0; i < LOCK_YIELDS; i++) {
		sched_yield();
		if (try_lock(guard, pid))
			return true;
	}
	atomic_fetch_add_explicit(&guard->busy, 1, memory_order_relaxed);
	return false;
}

void tls_session_guard_unlock(struct tls_session_guard *guard)
{
	atomic_store_explicit(&guard->holder, 0, memory_order_release);
}

void tls_session_guard_release(struct tls_session_guard *guard, int32_t pid)
{
	int32_t holder = atomic_load_explicit(&guard->holder, memory_order_relaxed);

	if (holder == 0)
		return;
	if (holder == pid || holder < 0 || (kill(holder, 0) != 0 && errno == ESRCH))
		atomic_compare_exchange_strong(&guard->holder, &holder, 0);
}

static unsigned blocks_for(size_t length)
{
	return (unsigned)((length + TLS_SESSION_BLOCK_BYTES - 1) / TLS_SESSION_BLOCK_BYTES);
}

static unsigned block_count(const struct tls_session_entry *entry)
{
	return (unsigned)__builtin_popcountll(entry->blocks);
}

static bool is_filled(const struct tls_session_entry *entry)
{
	return entry->length > 0 && entry->length <= TLS_SESSION_BYTES_MAX &&
	       block_count(entry) == blocks_for(entry->length);
}

static bool is_of(const struct tls_session_entry *entry, const struct tls_session_key *key)
{
	return is_filled(entry) && memcmp(&entry->key, key, sizeof(*key)) == 0;
}

static uint64_t age(const struct tls_session_set *set, const struct tls_session_entry *entry)
{
	return set->sequence - entry->sequence;
}

/* Eight bytes a step. Each step is a bijection of the state, so that no change of one word goes
 * unnoticed. It guards against accidents, not against a forger, who would have to be in the
 * segment already. */
static uint64_t mix(uint64_t state, const void *data, size_t length)
{
	const uint8_t *bytes = data;
	uint64_t word;

	for (; length >= sizeof(word); bytes += sizeof(word), length -= sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		state = ((state << 29 | state >> 35) ^ word) * 0x9e3779b97f4a7c15u;
	}
	word = 0;
	memcpy(&word, bytes, length);
	return ((state << 29 | state >> 35) ^ word) * 0x9e3779b97f4a7c15u;
}

static uint64_t checksum(const struct tls_session_entry *entry, const void *data)
{
	uint64_t state = mix(1, entry, offsetof(struct tls_session_entry, checksum));

	state = mix(state, data, entry->length);
	return state ^ state >> 32;
}

/* Blocks that some entry other than `except` names. */
static uint64_t blocks_of_others(
        const struct tls_session_set *set, const struct tls_session_entry *except)
{
	uint64_t blocks = 0;

	for (unsigned i = 0; i < TLS_SESSION_SET_ENTRIES; i++) {
		const struct tls_session_entry *entry = &set->entries[i];
		if (entry != except && is_filled(entry))
			blocks |= entry->blocks;
	}
	return blocks;
}

/* A damaged descriptor may name blocks of others: those are left alone. */
static void drop_entry(struct tls_session_set *set, struct tls_session_entry *entry)
{
	uint64_t blocks = entry->blocks & ~blocks_of_others(set, entry);

	for (; blocks; blocks &= blocks - 1)
		explicit_bzero(set->blocks[__builtin_ctzll(blocks)], TLS_SESSION_BLOCK_BYTES);
	explicit_bzero(entry, sizeof(*entry));
}

static void write_blocks(struct tls_session_set *set, uint64_t blocks, struct slice data)
{
	for (; blocks; blocks &= blocks - 1) {
		uint8_t *block = set->blocks[__builtin_ctzll(blocks)];
		size_t part = data.length < TLS_SESSION_BLOCK_BYTES ? data.length
		                                                    : TLS_SESSION_BLOCK_BYTES;
		memcpy(block, data.data, part);
		data.data += part;
		data.length -= part;
	}
}

/* Into `buffer` of TLS_SESSION_BYTES_MAX. False, with nothing left in it, when it does not check.
 */
static bool read_entry(const struct tls_session_set *set, const struct tls_session_entry *place,
        struct tls_session_entry *entry_out, void *buffer)
{
	uint8_t *bytes = buffer;
	size_t left;

	*entry_out = *place;
	if (!is_filled(entry_out))
		return false;
	left = entry_out->length;
	for (uint64_t blocks = entry_out->blocks; blocks; blocks &= blocks - 1) {
		size_t part = left < TLS_SESSION_BLOCK_BYTES ? left : TLS_SESSION_BLOCK_BYTES;
		memcpy(bytes, set->blocks[__builtin_ctzll(blocks)], part);
		bytes += part;
		left -= part;
	}
	if (checksum(entry_out, buffer) == entry_out->checksum)
		return true;
	explicit_bzero(buffer, entry_out->length);
	return false;
}

static void copy_info(const struct tls_session_entry *entry, struct tls_session_info *info_out)
{
	*info_out = (struct tls_session_info){
	        .expires_at = entry->expires_at,
	        .full_handshake_at = entry->full_handshake_at,
	        .chain_not_after = entry->chain_not_after,
	        .protocol = entry->protocol,
	        .single_use = entry->single_use != 0,
	};
}

/* What the set holds of one key. */
struct holdings {
	unsigned entries, blocks;
	struct tls_session_entry *oldest; /* NULL: nothing */
};

static struct holdings holdings_of(struct tls_session_set *set, const struct tls_session_key *key)
{
	struct holdings holdings = {0, 0, NULL};

	for (unsigned i = 0; i < TLS_SESSION_SET_ENTRIES; i++) {
		struct tls_session_entry *entry = &set->entries[i];
		if (!is_of(entry, key))
			continue;
		holdings.entries++;
		holdings.blocks += block_count(entry);
		if (!holdings.oldest || age(set, entry) > age(set, holdings.oldest))
			holdings.oldest = entry;
	}
	return holdings;
}

static void drop_expired(
        struct tls_session_set *set, const struct tls_session_key *key, int64_t now)
{
	for (unsigned i = 0; i < TLS_SESSION_SET_ENTRIES; i++) {
		struct tls_session_entry *entry = &set->entries[i];
		if (is_of(entry, key) && entry->expires_at <= now)
			drop_entry(set, entry);
	}
}

size_t tls_session_set_take(struct tls_session_set *set, struct tls_session_guard *guard,
        const struct tls_session_key *key, int64_t now, void *buffer,
        struct tls_session_info *info_out)
{
	struct tls_session_entry entry;
	struct holdings holdings;

	drop_expired(set, key, now);
	while (holdings = holdings_of(set, key), holdings.entries > 0) {
		if (!read_entry(set, holdings.oldest, &entry, buffer)) {
			count(&guard->broken);
			drop_entry(set, holdings.oldest);
			continue;
		}
		copy_info(&entry, info_out);
		if (entry.single_use && holdings.entries > 1)
			drop_entry(set, holdings.oldest);
		count(&guard->hits);
		return entry.length;
	}
	count(&guard->misses);
	return 0;
}

/* Of the key with the most entries the oldest one. With one entry each that is the oldest of all.
 */
static struct tls_session_entry *choose_victim(struct tls_session_set *set)
{
	struct holdings most = {0, 0, NULL};

	for (unsigned i = 0; i < TLS_SESSION_SET_ENTRIES; i++) {
		if (!is_filled(&set->entries[i]))
			continue;
		struct holdings holdings = holdings_of(set, &set->entries[i].key);
		if (!most.oldest || holdings.entries > most.entries ||
		        (holdings.entries == most.entries &&
		                age(set, holdings.oldest) > age(set, most.oldest)))
			most = holdings;
	}
	return most.oldest;
}

static struct tls_session_entry *free_entry(struct tls_session_set *set)
{
	for (unsigned i = 0; i < TLS_SESSION_SET_ENTRIES; i++) {
		if (!is_filled(&set->entries[i]))
			return &set->entries[i];
	}
	return NULL;
}

/* What a new session of the same key replaces. */
static void make_room_among_own(struct tls_session_set *set,
        const struct tls_session_limits *limits, const struct tls_session_key *key, bool single_use,
        unsigned need)
{
	for (unsigned i = 0; i < TLS_SESSION_SET_ENTRIES; i++) {
		struct tls_session_entry *entry = &set->entries[i];
		if (is_of(entry, key) && !(single_use && entry->single_use))
			drop_entry(set, entry);
	}
	for (;;) {
		struct holdings own = holdings_of(set, key);
		if (own.entries < limits->entries_max && own.blocks + need <= limits->blocks_max)
			return;
		drop_entry(set, own.oldest);
	}
}

/* The `need` lowest of the bits. */
static uint64_t lowest_bits(uint64_t bits, unsigned need)
{
	uint64_t chosen = 0;

	for (; need > 0; need--) {
		chosen |= bits & -bits;
		bits &= bits - 1;
	}
	return chosen;
}

bool tls_session_set_put(struct tls_session_set *set, struct tls_session_guard *guard,
        const struct tls_session_limits *limits, const struct tls_session_key *key,
        const struct tls_session_info *info, struct slice data)
{
	unsigned need = blocks_for(data.length);

	if (data.length == 0 || data.length > TLS_SESSION_BYTES_MAX || need > limits->blocks_max) {
		count(&guard->too_big);
		return false;
	}
	make_room_among_own(set, limits, key, info->single_use, need);
	struct tls_session_entry *place = free_entry(set);
	uint64_t unused = ~blocks_of_others(set, NULL);
	while (!place || (unsigned)__builtin_popcountll(unused) < need) {
		count(&guard->evicted);
		drop_entry(set, choose_victim(set));
		place = free_entry(set);
		unused = ~blocks_of_others(set, NULL);
	}
	struct tls_session_entry entry = {
	        .key = *key,
	        .expires_at = info->expires_at,
	        .full_handshake_at = info->full_handshake_at,
	        .chain_not_after = info->chain_not_after,
	        .sequence = ++set->sequence,
	        .blocks = lowest_bits(unused, need),
	        .length = (uint32_t)data.length,
	        .protocol = info->protocol,
	        .single_use = info->single_use,
	};
	entry.checksum = checksum(&entry, data.data);
	write_blocks(set, entry.blocks, data);
	*place = entry;
	count(&guard->stored);
	return true;
}

void tls_session_set_drop(struct tls_session_set *set, const struct tls_session_key *key)
{
	for (unsigned i = 0; i < TLS_SESSION_SET_ENTRIES; i++) {
		if (is_of(&set->entries[i], key))
			drop_entry(set, &set->entries[i]);
	}
}

static unsigned rank_of(const struct tls_session_set *set, unsigned index)
{
	unsigned rank = 0;

	for (unsigned i = 0; i < TLS_SESSION_SET_ENTRIES; i++) {
		uint64_t other = age(set, &set->entries[i]);
		uint64_t own = age(set, &set->entries[index]);
		if (is_filled(&set->entries[i]) && (other > own || (other == own && i < index)))
			rank++;
	}
	return rank;
}

ssize_t tls_session_set_read(const struct tls_session_set *set, unsigned rank, int64_t now,
        void *buffer, struct tls_session_key *key_out, struct tls_session_info *info_out)
{
	struct tls_session_entry entry;

	for (unsigned i = 0; i < TLS_SESSION_SET_ENTRIES; i++) {
		const struct tls_session_entry *place = &set->entries[i];
		if (!is_filled(place) || rank_of(set, i) != rank)
			continue;
		if (place->expires_at <= now || !read_entry(set, place, &entry, buffer))
			return 0;
		*key_out = entry.key;
		copy_info(&entry, info_out);
		return (ssize_t)entry.length;
	}
	return -1;
}
