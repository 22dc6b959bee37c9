/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_session_set.h - one set of the session store: descriptors, blocks of bytes, and its guard.
 *
 * Used by tls_session_store only. A session's bytes fill blocks of the set in ascending order; its
 * descriptor names them as bits of one word. That word is all the bookkeeping there is: a block is
 * free when no descriptor names it. There is no free list that a death in the middle of an
 * operation could break, and every bit pattern names blocks inside the set.
 *
 * A set is touched only by whoever holds its guard. Guards lie apart from the sets, side by side,
 * so that looking at all of them does not bring the memory of all sets into being.
 */
#ifndef SHARED_TLS_SESSION_SET_H
#define SHARED_TLS_SESSION_SET_H

#include "shared/tls_session_store.h"

#include <stdatomic.h>

enum {
	TLS_SESSION_SET_ENTRIES = 32,
	TLS_SESSION_SET_BLOCKS = 64, /* bits of a word */
	TLS_SESSION_BLOCK_BYTES = 512,
};

struct tls_session_entry {
	struct tls_session_key key;
	int64_t expires_at, full_handshake_at, chain_not_after;
	uint64_t sequence; /* the set's, when it was put */
	uint64_t blocks; /* bit i: block i; none: the entry is empty */
	uint32_t length; /* bytes */
	uint16_t protocol;
	uint8_t single_use; /* 0 or 1 */
	uint8_t zero;
	uint64_t checksum; /* over the fields above and the bytes */
};
_Static_assert(sizeof(struct tls_session_entry) == 88, "no padding: it is hashed as it lies");

struct tls_session_guard {
	_Atomic int32_t holder; /* pid, 0: free */
	_Atomic uint32_t busy; /* written by those who found it taken */
	/* written by the holder, read by anyone */
	_Atomic uint64_t hits, misses, stored, evicted, too_big, broken;
	uint64_t zero;
};
_Static_assert(sizeof(struct tls_session_guard) == 64, "a cache line each");

struct tls_session_set {
	uint64_t sequence; /* sessions put so far */
	uint64_t zero[7];
	struct tls_session_entry entries[TLS_SESSION_SET_ENTRIES];
	uint8_t blocks[TLS_SESSION_SET_BLOCKS][TLS_SESSION_BLOCK_BYTES];
};
_Static_assert(sizeof(struct tls_session_set) == 64 + 32 * 88 + 64 * 512, "whole cache lines");

/* What one key may hold of a set. */
struct tls_session_limits {
	unsigned entries_max; /* single-use ones; at least 1 */
	unsigned blocks_max; /* at least 1 */
};

/* Never waits. False, and counted, when it is taken. */
bool tls_session_guard_lock(struct tls_session_guard *guard, int32_t pid);
void tls_session_guard_unlock(struct tls_session_guard *guard);
/* `pid` is dead. Also frees a guard that a damaged word or another dead process holds. */
void tls_session_guard_release(struct tls_session_guard *guard, int32_t pid);

/* With the guard held, which counts: as tls_session_store's functions of these names. */
size_t tls_session_set_take(struct tls_session_set *set, struct tls_session_guard *guard,
        const struct tls_session_key *key, int64_t now, void *buffer,
        struct tls_session_info *info_out);
bool tls_session_set_put(struct tls_session_set *set, struct tls_session_guard *guard,
        const struct tls_session_limits *limits, const struct tls_session_key *key,
        const struct tls_session_info *info, struct slice data);
void tls_session_set_drop(struct tls_session_set *set, const struct tls_session_key *key);

/* With the guard held: reads the `rank`th oldest session into the buffer (TLS_SESSION_BYTES_MAX).
 * The length; 0 when it does not check or has expired, -1 when there are no more. */
ssize_t tls_session_set_read(const struct tls_session_set *set, unsigned rank, int64_t now,
        void *buffer, struct tls_session_key *key_out, struct tls_session_info *info_out);

#endif
