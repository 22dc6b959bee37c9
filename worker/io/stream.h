/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream.h - one side of a connection: client or upstream, plain or TLS, all the same.
 *
 * A stream owns a descriptor, a transport, a watcher and a deadline. It holds an `in` and an `out`
 * buffer only while there are bytes in them. Whoever uses it hears five events and nothing else. It
 * is embedded in its owner and never copied while open.
 *
 * Calls may come from inside its own events: any of them may close the stream, or close it and open
 * it anew. Memory that the owner frees has to outlive the current callback (event_loop_defer).
 */
#ifndef WORKER_IO_STREAM_H
#define WORKER_IO_STREAM_H

#include "shared/slice.h"
#include "worker/io/buffer_pool.h"
#include "worker/io/event_loop.h"
#include "worker/io/reset_queue.h"
#include "worker/io/transport.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What all streams of a worker share. */
struct io_context {
	struct event_loop *loop;
	struct buffer_pool *pool;
	struct reset_queue *resets;
};

/*
 * READY    handshake done, bytes can be moved
 * DATA     `in` has more bytes than before
 * DRAINED  output that had been held up, or that reading had made, is gone, and so is a finish that
 *          was asked for
 * EOF      the other side will send no more, cleanly; after the last DATA
 * FAILED   nothing can be sent any more and nothing more will come; `in` keeps what arrived whole.
 *          transport->fault says why. Once, and the last event.
 */
enum stream_event { STREAM_READY, STREAM_DATA, STREAM_DRAINED, STREAM_EOF, STREAM_FAILED };

struct stream;
typedef void stream_fn(struct stream *stream, enum stream_event event);

enum stream_state {
	STREAM_CLOSED,
	STREAM_CONNECTING,
	STREAM_HANDSHAKING,
	STREAM_OPEN,
	STREAM_BROKEN, /* FAILED was told; only `in` is of use */
};

struct stream {
	unsigned magic;
	enum stream_state state;
	int fd;
	struct io_context *io;
	struct transport *transport;
	struct event_watch watch;
	struct event_timer deadline; /* until READY */
	struct buffer_waiter waiter; /* for a buffer, when the pool had none */
	struct event_task read_task; /* for bytes that are in the transport already */
	struct buffer *in, *out;
	size_t buffer_bytes_max;
	stream_fn *on_event;
	void *owner;
	unsigned opening; /* counts opens and closes: tells a callback's caller that its stream is
	                     another now */
	bool eof_seen;
	bool read_ended; /* the transport gave an end with the last bytes, cleanly or not */
	bool bulk; /* it filled a small buffer, and its reads have been large since */
	bool output_held_up;
	bool finish_asked, finished, closing;
	enum io_result handshake_wants;
	uint64_t bytes_in, bytes_out; /* plain bytes, read and handed to the transport */
};

/* Closed, to be opened. */
void stream_init(struct stream *stream, struct io_context *io);

/* Takes `fd` and `transport`. `connecting`: connect(2) is under way. After `deadline_ms` from now
 * (0: never) without READY it fails. Nothing happens before an owner was given and stream_start was
 * called. */
void stream_open(struct stream *stream, int fd, struct transport *transport, bool connecting,
        size_t buffer_bytes_max, uint64_t deadline_ms);
/* Goes as far as it can: READY or FAILED may be told before it returns. `readable`: bytes are
 * surely there. */
void stream_start(struct stream *stream, bool readable);

/* Another owner's largest buffer, for buffers lent from now on. */
void stream_set_buffer_limit(struct stream *stream, size_t buffer_bytes_max);

/* Who hears the events from now on. */
void stream_give(struct stream *stream, stream_fn *on_event, void *owner);

/* Sends what waits in `out` or in the transport; FAILED may be told. */
void stream_flush(struct stream *stream);
/* The same, when stream_finish follows at once if all was sent: the last bytes may wait for it, and
 * leave with the FIN. */
void stream_flush_last(struct stream *stream);
/* No more bytes from us, after those in `out`. `closing`: stream_close follows as soon as
 * `finished`. */
void stream_finish(struct stream *stream, bool closing);
/* After bytes were taken from `in`: reads on if there is room again. */
void stream_resume(struct stream *stream);

/* Ends it now; unsent bytes are lost. */
void stream_close(struct stream *stream);
/* The same, but the descriptor stays open and is returned; -1 when it is closed already. */
int stream_detach(struct stream *stream);
/* As stream_close, so that the other side cannot take it for a clean end: a RST once what was sent
 * is acknowledged, or TLS without close_notify. */
void stream_abort(struct stream *stream);

static inline size_t stream_in_bytes(const struct stream *stream)
{
	return buffer_bytes(stream->in);
}

/* The bytes themselves, until something is taken or read. */
static inline struct slice stream_arrived(const struct stream *stream)
{
	if (!stream->in)
		return (struct slice){NULL, 0};
	return (struct slice){
	        (const char *)stream->in->data + stream->in->start, buffer_bytes(stream->in)};
}

/* Nothing is queued towards the other side. */
bool stream_is_drained(const struct stream *stream);

#endif
