/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_session_store.h - the TLS sessions of all workers, in shared memory.
 *
 * Client-side sessions (towards upstreams) are found by a 256-bit identity, several tickets to each; server-side
 * sessions by the hash of their ID. What is found is never trusted beyond its checksum, and every operation ends
 * within a bounded number of steps whatever the bytes say.
 *
 * Nobody ever waits: a set that another process is using counts as a miss. A process that dies inside an operation
 * leaves its pid in the set's lock, and the master frees it.
 */
#ifndef SHARED_TLS_SESSION_STORE_H
#define SHARED_TLS_SESSION_STORE_H

#include "shared/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tls_session_store;

struct tls_session_key {
	uint8_t bytes[32]; /* uniformly distributed: a hash */
};

enum tls_session_side { TLS_SESSION_CLIENT_SIDE, TLS_SESSION_SERVER_SIDE };

/* A session's data of more than this is not stored (and counted). */
enum { TLS_SESSION_BYTES_MAX = 16 * 1024, TLS_SESSIONS_PER_IDENTITY = 8 };

struct tls_session_info {
	int64_t expires_at;        /* Unix seconds: not given out from then on */
	int64_t full_handshake_at; /* Unix seconds, of the handshake in which the chain was verified */
	int64_t chain_not_after;   /* Unix seconds, earliest end of that chain */
	uint16_t protocol;         /* the user's number */
	bool single_use;           /* a TLS 1.3 ticket: given out once, but for the last one of its identity */
};

/* What the smallest store takes. */
enum { TLS_SESSION_STORE_BYTES_MIN = 256 * 1024 };

/* `size` in bytes, rounded up; `library` names the version of the library whose private format is stored. NULL with
 * errno. */
struct tls_session_store *tls_session_store_create(size_t size, const char *library);
void tls_session_store_destroy(struct tls_session_store *store); /* NULL is fine */
/* After fork: locks carry this process's pid from now on. */
void tls_session_store_attach(struct tls_session_store *store);

/* Copies `data` in. A full set loses its oldest entry. false: too big, or the set was busy. */
bool tls_session_store_put(struct tls_session_store *store, enum tls_session_side side,
	const struct tls_session_key *key, const struct tls_session_info *info, struct slice data);

/* Copies the oldest session of `key` that has not expired at `now` to `buffer` and returns its length; 0: none. A
 * single-use session leaves the store, unless it is the last: that stays until a newer one arrives. */
size_t tls_session_store_take(struct tls_session_store *store, enum tls_session_side side,
	const struct tls_session_key *key, int64_t now, void *buffer, size_t buffer_size,
	struct tls_session_info *info_out);

/* Removes all sessions of `key`. */
void tls_session_store_drop(struct tls_session_store *store, enum tls_session_side side,
	const struct tls_session_key *key);

/* Master: frees the sets that a dead process was using. */
void tls_session_store_release_locks_of(struct tls_session_store *store, pid_t pid);
/* Master: copies what lives into another store, as far as it fits. */
void tls_session_store_copy(struct tls_session_store *to, struct tls_session_store *from, int64_t now);

/* How many client-side sessions of about 2 KiB a store of `size` bytes holds. */
size_t tls_session_store_capacity(size_t size);

struct tls_session_counts {
	uint64_t hits, misses, busy, too_big, evicted;
};
struct tls_session_counts tls_session_store_counts(const struct tls_session_store *store);

#endif
