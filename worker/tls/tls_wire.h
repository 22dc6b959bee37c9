/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_wire.h - the two buffers through which all TLS bytes of a worker pass.
 *
 * One recv takes what has arrived into `in`, from where GnuTLS pulls whole records; records that
 * GnuTLS pushes collect in `out` and leave with one send. They belong to the worker, not to a
 * connection: neither holds a connection's bytes while an event is told or another transport is
 * entered. What is left when a transport's operation returns moves into that connection's own tail.
 */
#ifndef WORKER_TLS_TLS_WIRE_H
#define WORKER_TLS_TLS_WIRE_H

#include "worker/io/buffer_pool.h"
#include "worker/io/event_loop.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	TLS_WIRE_IN_BYTES = 256 * 1024,
	/* a large buffer of plain bytes leaves as one send: room for its 16 records, and one to
	   spare */
	TLS_WIRE_OUT_BYTES = 288 * 1024,
	TLS_RECORD_PLAIN_MAX = 16384,
	/* header, expansion and padding of one record: RFC 8446 5.2 allows 256 bytes, RFC
	 * 5246 6.2.3 2048; GnuTLS takes no more than this from anybody */
	TLS_RECORD_WIRE_MAX = 16384 + 2048 + 5,
	/* a record that GnuTLS may hold in part while the next recv comes in */
	TLS_RECORD_HELD_MAX = 16640,
};

struct tls_wire {
	unsigned char *in;
	size_t in_start, in_end;
	unsigned char *out;
	size_t out_bytes;
	const void *user; /* the transport that is inside an operation; NULL between them */
	struct buffer_pool *pool; /* lends the tails */
	struct event_loop *loop;
};

struct tls_wire *tls_wire_create(struct event_loop *loop, struct buffer_pool *pool);
void tls_wire_destroy(struct tls_wire *wire);

#endif
