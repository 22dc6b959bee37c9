/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream_rig.h - one stream over a scripted peer, under a loop turned by hand, with its events
 * written down as letters.
 */
#ifndef TESTS_SUPPORT_STREAM_RIG_H
#define TESTS_SUPPORT_STREAM_RIG_H

#include "tests/support/fake_loop.h"
#include "tests/support/fake_transport.h"
#include "worker/io/stream.h"

enum { RIG_EVENTS_MAX = 4096, RIG_LARGE_BYTES = 256 * 1024 };

struct stream_rig {
	struct io_context *io;
	struct stream stream;
	struct fake_peer peer;
	char events[RIG_EVENTS_MAX]; /* "R" ready, "D" data, "d" drained, "E" eof, "F" failed */
	size_t event_count;
	/* After the letter was written; may be NULL. */
	void (*hook)(struct stream_rig *rig, enum stream_event event);
	void *context; /* the hook's */
};

/* Shared by the rigs of a test; a pool of `pool_limit` bytes. */
void rig_io_init(struct io_context *io, uint64_t pool_limit);
/* All streams are closed. Stops the process when a buffer, a watch or a timer is left. */
void rig_io_destroy(struct io_context *io);

void rig_init(struct stream_rig *rig, struct io_context *io);
/* Opens the stream over the peer; stream_start is still to be called. */
void rig_open(struct stream_rig *rig, enum io_side side, uint64_t deadline_ms);
/* Opened, started and READY. The letter of READY is forgotten. */
void rig_open_ready(struct stream_rig *rig);
/* Closes the stream if it is open, and frees what belongs to the peer. */
void rig_close(struct stream_rig *rig);

/* A turn of the loop; false when the stream does not watch for it. */
bool rig_readable(struct stream_rig *rig);
bool rig_writable(struct stream_rig *rig);
/* Appends to the stream's `out`, as a writer of heads would; not sent yet. */
void rig_put(struct stream_rig *rig, const char *text);
/* Takes all of `in`, compares it, and lets the stream read on. */
bool rig_take_is(struct stream_rig *rig, const char *text);
/* Since the last call of this. */
bool rig_events_are(struct stream_rig *rig, const char *letters);

#endif
