/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * transport.h - six operations that make a socket, a TLS session or a test script look the same.
 *
 * The only code that calls recv and send or a TLS record function stands behind them. A transport
 * does not own the descriptor: its stream does.
 */
#ifndef WORKER_IO_TRANSPORT_H
#define WORKER_IO_TRANSPORT_H

#include "shared/close_reason.h"

#include <stdbool.h>
#include <stddef.h>

enum io_result { IO_OK, IO_WANT_READ, IO_WANT_WRITE, IO_EOF, IO_TRUNCATED, IO_ERROR };

enum { PENDING_READ = 1, PENDING_WRITE = 2 };

enum io_side { IO_CLIENT, IO_UPSTREAM };

/* Why an operation failed: set before IO_ERROR or IO_TRUNCATED is returned, by whoever knows the
 * cause. */
struct io_fault {
	enum close_reason reason;
	char text[]; /* a sentence part for the log: "connection reset by peer" */
};

struct transport {
	const struct transport_ops *ops;
	enum io_side side;
	size_t read_room_min; /* `read` needs so much room */
	bool readable; /* set by the stream: the descriptor was reported readable, one recv is not
	                  in vain */
	bool read_filled; /* set by `read`: more was there than it could ask for */
	bool last; /* set by the stream: what is written from now on is the last, and `finish`
	              follows at once: it may wait for the FIN and leave with it in one segment */
	struct io_fault *fault;
};

struct transport_ops {
	const char *name; /* "plain", "tls", "fake" */
	bool cut_needs_reset; /* its end of file says nothing about a clean end: a cut has to be a
	                         RST */
	/* IO_OK when bytes can be moved. plain: at once. What it could still send may wait in
	 * PENDING_WRITE. */
	enum io_result (*handshake)(struct transport *);
	/* IO_OK or IO_WANT_READ with *got_out bytes (may be 0), or an end; bytes may come with an
	 * end. */
	enum io_result (*read)(struct transport *, void *, size_t room, size_t *got_out);
	/* IO_OK: all taken and sent. IO_WANT_WRITE: *put_out taken, the socket takes no more for
	 * now. With NULL, 0: sends what is PENDING_WRITE; while something is, nothing new is taken.
	 */
	enum io_result (*write)(struct transport *, const void *, size_t length, size_t *put_out);
	/* No more bytes from us: close_notify and FIN. With `closing` (close(2) follows at once)
	 * the FIN may be left to that, unless something waits for it. */
	enum io_result (*finish)(struct transport *, bool closing);
	/* PENDING_READ: bytes readable without the descriptor being so; PENDING_WRITE: encrypted,
	 * not yet sent. */
	unsigned (*pending)(const struct transport *);
	/* Frees it. `cut`: the other side must not take this for a clean end. */
	void (*close)(struct transport *, bool cut);
};

/* For send(2): the last bytes wait for the FIN. */
int transport_send_flags(const struct transport *transport);

/* Remembers why; the first cause stays. `format` is for printf. */
void transport_fault(struct transport *transport, enum close_reason reason, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/* The same from an errno of a socket call: a reset, or the text of `error`. */
void transport_fault_errno(struct transport *transport, int error);
void transport_fault_clear(struct transport *transport);

#endif
