/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pump.c - moves bytes from one stream to another.
 *
 * Both protocols move bytes only through here: the tunnel without a limit, HTTP bodies with one. A
 * whole buffer moves by swapping, so the usual case copies nothing; it copies only where a limit
 * cuts a buffer. The caller calls again on STREAM_DATA of the source and on STREAM_DRAINED of the
 * target: forgetting the second stalls big transfers only, which small tests do not show.
 */
#include "worker/io/pump.h"

#include "shared/check.h"

/* The first `max` bytes of a longer `in`. Past the pool's limit if need be, since nothing would
 * tell the caller when to come again: it is one buffer a stream at most. */
static void copy_part(struct stream *from, struct stream *to, size_t max)
{
	buffer_pool_return(to->io->pool, &to->out);
	to->out = buffer_pool_lend_always(to->io->pool, max);
	memcpy(to->out->data, from->in->data + from->in->start, max);
	buffer_filled(to->out, max);
	buffer_taken(from->in, max);
}

size_t pump(struct stream *from, struct stream *to, size_t max)
{
	size_t bytes = buffer_bytes(from->in);

	if (bytes == 0 || max == 0 || to->state != STREAM_OPEN || to->finish_asked)
		return 0;
	if (buffer_bytes(to->out))
		return 0;
	if (bytes <= max) {
		buffer_pool_return(to->io->pool, &to->out);
		to->out = from->in;
		from->in = NULL;
	} else {
		bytes = max;
		copy_part(from, to, max);
	}
	unsigned opening = from->opening;
	stream_flush(to);
	if (from->opening == opening)
		stream_resume(from);
	return bytes;
}
