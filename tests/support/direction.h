/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * direction.h - one direction of a tunnel between scripted peers, named from its source.
 *
 * A case about one direction runs twice: with the client and with the upstream as its source.
 */
#ifndef TESTS_SUPPORT_DIRECTION_H
#define TESTS_SUPPORT_DIRECTION_H

#include "tests/support/fake_session.h"

struct direction {
	struct fake_session fake;
	struct fake_peer *source, *target;
	struct stream *from, *to;
	enum close_reason reset, truncated; /* the reasons of the source's failures */
	enum close_reason target_reset;
};

enum { DIRECTION_POOL_BYTES = 4 << 20 };

struct direction *direction_create(bool from_client);
void direction_start(struct direction *direction);
void direction_destroy(struct direction *direction);

/* A turn of the loop; false when the stream does not watch for it, or is closed. */
bool fake_readable(struct stream *stream);
bool fake_writable(struct stream *stream);

/* The source says `text`, which is read. */
void direction_send(struct direction *direction, const char *text);
/* The target's socket is full: of `text` it takes nothing. */
void direction_send_into_full(struct direction *direction, const char *text);
/* The source's last words and its end, in one read. */
void direction_end(struct direction *direction, const char *text, enum io_result end);

bool direction_is_running(const struct direction *direction);
bool direction_ended_as(const struct direction *direction, enum close_reason reason);
/* Both sides were closed so that neither can take it for a clean end; or both cleanly. */
bool direction_was_cut(const struct direction *direction);
bool direction_was_closed(const struct direction *direction);

typedef void direction_fn(struct direction *direction);
/* A test function of cmocka; its initial state is a pointer to a direction_fn pointer. */
void direction_run_both(void **state);

#endif
