/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_session_store.h - the TLS sessions that all workers share, in one segment.
 *
 * Client side: sessions with upstreams, by identity (tls_identity). TLS 1.3 tickets form a ring of
 * at most TLS_SESSIONS_PER_IDENTITY: the oldest of several is taken for good, the last one stays
 * until a newer arrives. TLS 1.2 sessions are used again and again, and a new one replaces the old.
 * Server side, in a quarter of the segment with sets of its own: sessions of our clients, by a hash
 * of their ID, one each.
 *
 * The table is set-associative: a key's set follows from its first bytes, and nothing of a key is
 * anywhere else. A set is guarded by a try-lock that holds a pid; who finds it taken goes on as if
 * nothing were stored. So nobody ever waits, and a worker that dies inside an operation leaves one
 * set closed until the master, having reaped it, calls tls_session_store_release_locks_of. Entries
 * carry a checksum: one that does not check is empty. No bytes in the segment can make anybody read
 * or write outside of it: how many sets there are and where is kept outside.
 *
 * What is stored is secret: it is wiped when it leaves the store, and is left out of core dumps.
 *
 * Identities that meet in one set share it by what they hold: room is made by the identity with the
 * most sessions there, which loses its oldest. None holds more than a 64th of the client side.
 */
#ifndef SHARED_TLS_SESSION_STORE_H
#define SHARED_TLS_SESSION_STORE_H

#include "shared/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	TLS_SESSION_BYTES_MAX = 16384, /* of one session's data; at most a 64th of the client side
	                                * too */
	TLS_SESSIONS_PER_IDENTITY = 8,
	TLS_SESSION_STORE_BYTES_MIN = 256 * 1024, /* has room for sessions of 3 KiB only */
};

/* A hash: all bits depend on everything that was hashed. */
struct tls_session_key {
	uint8_t bytes[32];
};

/* Times are Unix seconds. */
struct tls_session_info {
	int64_t expires_at; /* never taken from then on */
	int64_t full_handshake_at; /* of the chain of resumptions that the session belongs to */
	int64_t chain_not_after; /* INT64_MAX: no chain was verified */
	uint16_t protocol; /* a number of the caller's, not looked at here */
	bool single_use; /* a TLS 1.3 ticket */
};

enum tls_session_side { TLS_SESSION_CLIENT_SIDE, TLS_SESSION_SERVER_SIDE };
enum { TLS_SESSION_SIDE_COUNT = TLS_SESSION_SERVER_SIDE + 1 };

struct tls_session_store;

/* `size` in bytes, at least TLS_SESSION_STORE_BYTES_MIN (less is raised to it). `library` names the
 * TLS library and its version: the layout of session data is its own. NULL with errno. Only the
 * process that created a store destroys it; NULL is fine. */
struct tls_session_store *tls_session_store_create(size_t size, const char *library);
void tls_session_store_destroy(struct tls_session_store *store);

/* First thing in a forked process that uses the store: its locks bear its own pid from now on. */
void tls_session_store_attach(struct tls_session_store *store);

/* Puts what still lives in `from` into `to`, oldest first, for a segment of another size; nothing
 * when their libraries differ. Workers may be using `from`; nobody uses `to` yet. Returns how many
 * were copied. */
size_t tls_session_store_copy(
        struct tls_session_store *to, struct tls_session_store *from, int64_t now);

/* The master has reaped `pid`: frees the sets it held, and any that no living process holds. */
void tls_session_store_release_locks_of(struct tls_session_store *store, pid_t pid);

/* Client side: the oldest session; a single-use one leaves the store unless it is the last. Server
 * side: the session, which stays. `buffer_size` is at least TLS_SESSION_BYTES_MAX. Returns the
 * length, 0 when there is none or the set is taken. The buffer holds secrets: wipe it. */
size_t tls_session_store_take(struct tls_session_store *store, enum tls_session_side side,
        const struct tls_session_key *key, int64_t now, void *buffer, size_t buffer_size,
        struct tls_session_info *info_out);
/* Copies `data` in. False when it is too big or the set is taken. What replaces what: a session
 * that is not single-use stands alone under its key; single-use ones form a ring, and end the life
 * of one that is not: the server has changed. */
bool tls_session_store_put(struct tls_session_store *store, enum tls_session_side side,
        const struct tls_session_key *key, const struct tls_session_info *info, struct slice data);
/* All sessions of the key. False when the set is taken: they are still there. */
bool tls_session_store_drop(struct tls_session_store *store, enum tls_session_side side,
        const struct tls_session_key *key);

/* How many client-side sessions of 2 KiB, a usual size, a store of `size` bytes holds. */
size_t tls_session_store_capacity(size_t size);

struct tls_session_counts {
	uint64_t hits, misses;
	uint64_t stored; /* put */
	uint64_t evicted; /* made room for others */
	uint64_t too_big;
	uint64_t broken; /* did not check */
	uint64_t busy; /* operations given up because the set was taken */
};

/* Of one side, since the segment was made, by all processes. */
struct tls_session_counts tls_session_store_counts(
        const struct tls_session_store *store, enum tls_session_side side);

/* The segment's bytes, for tests that damage it. */
void *tls_session_store_memory(struct tls_session_store *store, size_t *size_out);

#endif
