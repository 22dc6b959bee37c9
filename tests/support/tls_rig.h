/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_rig.h - a TLS transport on one end of a socket pair, and a plain GnuTLS session at the other.
 *
 * The other side reads and writes memory; the test moves its bytes to and from the socket by hand,
 * in pieces of any size, damaged or cut short. Nothing waits anywhere.
 */
#ifndef TESTS_SUPPORT_TLS_RIG_H
#define TESTS_SUPPORT_TLS_RIG_H

#include "tests/support/fake_loop.h"
#include "worker/io/buffer_pool.h"
#include "worker/tls/tls_transport.h"

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>

#define TLS_RIG_1_2 "NORMAL:-VERS-ALL:+VERS-TLS1.2"
#define TLS_RIG_1_3 "NORMAL:-VERS-ALL:+VERS-TLS1.3"

/* Bytes [start, end) are on their way. */
struct tls_rig_bytes {
	unsigned char *data;
	size_t start, end, capacity;
};

struct tls_rig_keys; /* the certificate of whoever is the server */

struct tls_rig {
	struct tls_rig_keys *keys;
	struct event_loop *loop;
	struct buffer_pool *pool;
	struct tls_wire *wire;
	struct transport *transport; /* NULL once it was closed */
	struct tls_transport *tls; /* the same */
	gnutls_session_t other;
	int fd, other_fd; /* the transport's, and the far end; -1: closed */
	struct tls_rig_bytes to_us, to_other;
	bool other_done; /* with its handshake */
	bool refuse; /* the role accepts no handshake */
	int explained; /* the code the role was asked to explain; 0: none */
	unsigned destroyed; /* how often the role was told to free what is its */
};

struct tls_rig_keys *tls_rig_keys_create(void);
void tls_rig_keys_destroy(struct tls_rig_keys *keys);

/* `side` IO_UPSTREAM: the transport is the TLS client. Not a byte has moved yet. */
void tls_rig_open(
        struct tls_rig *rig, struct tls_rig_keys *keys, enum io_side side, const char *priority);
/* Opened, and both sides are through the handshake, whose last flight has left. */
void tls_rig_open_ready(
        struct tls_rig *rig, struct tls_rig_keys *keys, enum io_side side, const char *priority);
/* Closes the transport, if the test did not. Stops the process when a buffer is still lent. */
void tls_rig_close(struct tls_rig *rig);
/* What stream_close and stream_abort do; the far end stays. */
void tls_rig_close_transport(struct tls_rig *rig, bool cut);

/* One handshake step of ours after the other, with at most `piece` bytes coming in between them,
 * until ours is done or fails. The last flight stays with the transport if it is ours. */
enum io_result tls_rig_shake(struct tls_rig *rig, size_t piece);
/* Sends it; the other side is done too, and the tickets of TLS 1.3 are taken in. */
void tls_rig_settle(struct tls_rig *rig);

/* Moves up to `count` of the other side's bytes into our socket, which is readable then. Returns
 * how many. */
size_t tls_rig_give(struct tls_rig *rig, size_t count);
/* The same with bytes of the test's own. */
void tls_rig_give_raw(struct tls_rig *rig, const void *bytes, size_t count);
/* Moves what we sent from the socket to the other side. Returns how many bytes. */
size_t tls_rig_collect(struct tls_rig *rig);
/* No more comes from the far end; what it has sent may still be read. */
void tls_rig_end(struct tls_rig *rig);

/* The other side sends a record; given by tls_rig_give. */
void tls_rig_say(struct tls_rig *rig, const void *bytes, size_t count);
/* What the other side decrypts of what it has collected: bytes, 0 after close_notify, or a GnuTLS
 * code. */
ssize_t tls_rig_hear(struct tls_rig *rig, void *room, size_t size);
/* It hears exactly `text`. */
bool tls_rig_hears(struct tls_rig *rig, const char *text);

/* The transport's operations. */
enum io_result tls_rig_read(struct tls_rig *rig, void *room, size_t *got_out);
/* It reads exactly `text`, in one go. */
bool tls_rig_reads(struct tls_rig *rig, const char *text);
enum io_result tls_rig_write(
        struct tls_rig *rig, const void *bytes, size_t length, size_t *put_out);
/* Sends what is pending. */
enum io_result tls_rig_flush(struct tls_rig *rig);
unsigned tls_rig_pending(const struct tls_rig *rig);

/* Of every read. */
enum { TLS_RIG_ROOM = 64 * 1024 };

#endif
