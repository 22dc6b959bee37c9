/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake_transport.h - a transport that does what a script says.
 *
 * The test writes the script of the other side, the peer, which outlives the transport and
 * remembers what was done to it. Each operation takes the next step of its own queue. Without one
 * it does the plain thing: a handshake is done, nothing is there to read, a write takes all, a
 * finish is done.
 *
 * It also holds the stream to its side of the contract, by CHECK: nothing after close, no read
 * after an end or into too little room, no write before the handshake or after finish, no empty
 * write unless something is PENDING_WRITE, nothing but finish after a whole write that was to be
 * the last.
 */
#ifndef TESTS_SUPPORT_FAKE_TRANSPORT_H
#define TESTS_SUPPORT_FAKE_TRANSPORT_H

#include "worker/io/transport.h"

#include <stdint.h>

enum fake_operation {
	FAKE_HANDSHAKE,
	FAKE_READ,
	FAKE_WRITE,
	FAKE_FINISH,
	FAKE_OPERATIONS,
	FAKE_STEPS_MAX = 64,
};

struct fake_step {
	enum io_result result;
	const unsigned char *bytes; /* FAKE_READ: what comes; lives as long as the peer */
	size_t count; /* of these; FAKE_WRITE: how many are taken */
	bool inside; /* FAKE_READ: they lie in the transport already: PENDING_READ */
	bool answers; /* afterwards something of the transport's own is PENDING_WRITE */
	enum close_reason reason; /* of IO_ERROR and IO_TRUNCATED */
};

struct fake_queue {
	struct fake_step steps[FAKE_STEPS_MAX];
	size_t next, count;
};

struct fake_peer {
	/* the script */
	struct fake_queue queues[FAKE_OPERATIONS];
	size_t read_room_min;
	bool cut_needs_reset;
	uint64_t source_bytes; /* of the pattern, to come after the steps of FAKE_READ; then EOF */
	/* what happened */
	unsigned char *received; /* all that was taken */
	size_t received_bytes, received_capacity;
	size_t tail_bytes; /* of these: PENDING_WRITE, nobody has them yet */
	bool answer_waits;
	uint64_t source_given;
	unsigned calls[FAKE_OPERATIONS];
	uintptr_t write_frame_low, write_frame_high; /* where the stack stood: no recursion */
	bool is_open, handshake_done, read_ended, finished, finish_was_closing;
	bool closed, cut;
	bool last_was_told; /* with the last write: a finish follows at once */
	bool last_waits; /* it has not come yet */
};

void fake_peer_init(struct fake_peer *peer);
void fake_peer_free(struct fake_peer *peer); /* the transport is closed */

/* Steps that come next, in this order. The strings are kept by address. */
void fake_step_add(struct fake_peer *peer, enum fake_operation operation, struct fake_step step);
void fake_handshake(struct fake_peer *peer, enum io_result result);
void fake_read(struct fake_peer *peer, const char *text);
void fake_read_inside(struct fake_peer *peer, const char *text);
/* Bytes (may be "") and an end of all reading in one. */
void fake_read_end(struct fake_peer *peer, const char *text, enum io_result end);
/* The socket takes so many and then no more for now. */
void fake_write_short(struct fake_peer *peer, size_t count);
/* The transport takes so many and keeps them: PENDING_WRITE until a write that is not refused. */
void fake_write_kept(struct fake_peer *peer, size_t count);
void fake_fail(struct fake_peer *peer, enum fake_operation operation, enum close_reason reason);

/* Never fails: a test without memory stops. The descriptor belongs to whoever opens the stream. */
struct transport *fake_transport_create(struct fake_peer *peer, enum io_side side);
int fake_descriptor(void);

/* The byte at `offset` of the endless pattern of sources. */
unsigned char fake_pattern(uint64_t offset);
/* What was received is `text`. */
bool fake_received_is(const struct fake_peer *peer, const char *text);
/* What was received is the first `count` bytes of the pattern. */
bool fake_received_pattern(const struct fake_peer *peer, uint64_t count);
/* All steps were taken. */
bool fake_script_is_done(const struct fake_peer *peer);

#endif
