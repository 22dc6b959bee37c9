/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream.c - connecting, handshaking, open, closed: the watcher follows from the state.
 *
 * derive_interest is the only place that sets the watcher; it runs after everything that may have
 * changed the state. After each event that was told, the stream looks whether it is still the same
 * one (`opening`).
 */
#include "worker/io/stream.h"

#include "shared/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STREAM_MAGIC = 0x5354524d, BULK_READ_MIN = 8 * 1024 };

static void derive_interest(struct stream *stream);

static void on_waited(struct buffer_waiter *waiter)
{
	derive_interest(LIST_OBJECT(waiter, struct stream, waiter));
}

/* False when the owner closed the stream, or closed and reopened it: then nothing of it may be
 * touched. */
static bool deliver(struct stream *stream, enum stream_event event)
{
	unsigned opening = stream->opening;

	stream->on_event(stream, event);
	return stream->opening == opening && stream->state != STREAM_BROKEN;
}

/* It will read no more: a buffer that it was called for is left to the next. */
static void stop_waiting(struct stream *stream)
{
	buffer_waiter_cancel(&stream->waiter);
	list_remove(&stream->read_task.link);
	buffer_pool_wake(stream->io->pool);
}

static void fail(struct stream *stream)
{
	CHECK(stream->state != STREAM_CLOSED && stream->state != STREAM_BROKEN);
	stream->state = STREAM_BROKEN;
	event_timer_stop(&stream->deadline);
	stop_waiting(stream);
	buffer_pool_return(stream->io->pool, &stream->out);
	derive_interest(stream);
	stream->on_event(stream, STREAM_FAILED);
}

static bool has_read_room(const struct stream *stream)
{
	return !stream->in ||
	       stream->in->capacity - buffer_bytes(stream->in) >= stream->transport->read_room_min;
}

static bool has_pending(const struct stream *stream, unsigned what)
{
	return stream->transport->ops->pending(stream->transport) & what;
}

static bool wants_write(const struct stream *stream)
{
	return buffer_bytes(stream->out) || (stream->finish_asked && !stream->finished) ||
	       has_pending(stream, PENDING_WRITE);
}

static unsigned open_interest(const struct stream *stream)
{
	unsigned events = 0;

	if (!stream->eof_seen && has_read_room(stream) && list_is_empty(&stream->waiter.link))
		events |= EVENT_READ;
	if (wants_write(stream))
		events |= EVENT_WRITE;
	return events;
}

static void derive_interest(struct stream *stream)
{
	unsigned events = 0;

	switch (stream->state) {
	case STREAM_CONNECTING:
		events = EVENT_WRITE;
		break;
	case STREAM_HANDSHAKING:
		events = stream->handshake_wants == IO_WANT_WRITE ? EVENT_WRITE : EVENT_READ;
		break;
	case STREAM_OPEN:
		events = open_interest(stream);
		/* The descriptor says nothing of these, and whoever made room is on the stack. */
		if (events & EVENT_READ && has_pending(stream, PENDING_READ))
			event_loop_defer(stream->io->loop, &stream->read_task);
		break;
	case STREAM_CLOSED:
	case STREAM_BROKEN:
		break;
	}
	event_watch_set(&stream->watch, events);
}

/* A buffer with room for a read. False, and the stream waits, when the pool has none. */
static bool make_read_room(struct stream *stream)
{
	if (stream->in) {
		buffer_compact(stream->in);
		return true;
	}
	size_t bytes = stream->bulk ? stream->buffer_bytes_max : BUFFER_SMALL_BYTES;
	stream->in = buffer_pool_lend(stream->io->pool, bytes);
	if (!stream->in && bytes > BUFFER_SMALL_BYTES)
		stream->in = buffer_pool_lend(stream->io->pool, BUFFER_SMALL_BYTES);
	if (!stream->in)
		buffer_pool_wait(stream->io->pool, &stream->waiter);
	return stream->in;
}

static void note_read(struct stream *stream, size_t got, size_t room)
{
	stream->bytes_in += got;
	if (got < BULK_READ_MIN)
		stream->bulk = false;
	else if (stream->transport->read_filled)
		stream->bulk = true;
	event_loop_note_read(stream->io->loop, got, room);
}

static void give_back_empty(struct stream *stream)
{
	if (stream->in && buffer_bytes(stream->in) == 0)
		buffer_pool_return(stream->io->pool, &stream->in);
}

/* One read and what follows from it. False when the stream must not be touched any more. */
static bool fill(struct stream *stream)
{
	size_t got = 0;

	if (stream->eof_seen || !has_read_room(stream) || !make_read_room(stream))
		return true;
	size_t room = buffer_room(stream->in);
	enum io_result result = stream->transport->ops->read(
	        stream->transport, stream->in->data + stream->in->end, room, &got);
	stream->read_ended = result == IO_EOF || result == IO_TRUNCATED || result == IO_ERROR;
	buffer_filled(stream->in, got);
	if (got) {
		note_read(stream, got, room);
		if (!deliver(stream, STREAM_DATA))
			return false;
	}
	give_back_empty(stream);

	switch (result) {
	case IO_OK:
	case IO_WANT_READ:
	case IO_WANT_WRITE:
		return true;
	case IO_EOF:
		stream->eof_seen = true;
		return deliver(stream, STREAM_EOF);
	case IO_TRUNCATED:
	case IO_ERROR:
		break;
	}
	fail(stream);
	return false;
}

/* Sending failed because the other side has closed. What it sent before is still in the socket: its
 * last bytes, or an alert that says why. That cause is better than ours. */
static void read_last_words(struct stream *stream)
{
	struct transport *transport = stream->transport;
	struct io_fault *fault = transport->fault;
	size_t got = 0;

	if (stream->read_ended || !has_read_room(stream) || !make_read_room(stream))
		return;
	transport->fault = NULL;
	transport->readable = true;
	transport->ops->read(
	        transport, stream->in->data + stream->in->end, buffer_room(stream->in), &got);
	buffer_filled(stream->in, got);
	stream->bytes_in += got;
	give_back_empty(stream);
	if (transport->fault)
		free(fault);
	else
		transport->fault = fault;
}

/* Sends until the socket refuses or nothing is left. False when it failed (and that was told). */
static bool send_queued(struct stream *stream)
{
	struct transport *transport = stream->transport;
	enum io_result result = IO_OK;

	if (has_pending(stream, PENDING_WRITE) && !buffer_bytes(stream->out)) {
		size_t put = 0;
		result = transport->ops->write(transport, NULL, 0, &put);
	}
	while (result == IO_OK && buffer_bytes(stream->out)) {
		size_t put = 0;
		result = transport->ops->write(transport, stream->out->data + stream->out->start,
		        buffer_bytes(stream->out), &put);
		buffer_taken(stream->out, put);
		stream->bytes_out += put;
	}
	if (stream->out && buffer_bytes(stream->out) == 0)
		buffer_pool_return(stream->io->pool, &stream->out);
	if (result == IO_OK && stream->finish_asked && !stream->finished) {
		result = transport->ops->finish(transport, stream->closing);
		stream->finished = result == IO_OK || result == IO_WANT_WRITE;
	}
	if (result == IO_ERROR) {
		read_last_words(stream);
		fail(stream);
		return false;
	}
	stream->output_held_up = result == IO_WANT_WRITE;
	return true;
}

static void become_ready(struct stream *stream)
{
	stream->state = STREAM_OPEN;
	event_timer_stop(&stream->deadline);
	if (!deliver(stream, STREAM_READY))
		return;
	/* The last flight of our handshake, unless the owner's first bytes took it along. */
	if (wants_write(stream) && !stream->output_held_up && !send_queued(stream))
		return;
	derive_interest(stream);
}

static void step_handshake(struct stream *stream)
{
	enum io_result result = stream->transport->ops->handshake(stream->transport);

	switch (result) {
	case IO_OK:
		become_ready(stream);
		return;
	case IO_WANT_READ:
	case IO_WANT_WRITE:
		stream->handshake_wants = result;
		derive_interest(stream);
		return;
	case IO_EOF:
	case IO_TRUNCATED:
	case IO_ERROR:
		break;
	}
	fail(stream);
}

static void finish_connect(struct stream *stream)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		error = errno;
	if (error) {
		transport_fault(stream->transport,
		        error == ETIMEDOUT ? CLOSE_UPSTREAM_CONNECT_TIMEOUT
		                           : CLOSE_UPSTREAM_CONNECT,
		        "%s", strerror(error));
		fail(stream);
		return;
	}
	stream->state = STREAM_HANDSHAKING;
	step_handshake(stream);
}

static void run_open(struct stream *stream, unsigned events)
{
	if (events & EVENT_WRITE) {
		bool held_up = stream->output_held_up;
		if (!send_queued(stream))
			return;
		if (held_up && !stream->output_held_up && !deliver(stream, STREAM_DRAINED))
			return;
	}
	if (events & EVENT_READ && !fill(stream))
		return;
	/* Reading may have made something to send: the answer to a key update, an alert. */
	if (!stream->output_held_up && wants_write(stream)) {
		if (!send_queued(stream))
			return;
		if (!stream->output_held_up && !deliver(stream, STREAM_DRAINED))
			return;
	}
	derive_interest(stream);
}

static void read_what_is_inside(struct event_task *task)
{
	struct stream *stream = LIST_OBJECT(task, struct stream, read_task);

	CHECK_OBJ(stream, STREAM_MAGIC);
	run_open(stream, EVENT_READ);
}

static void on_watch(struct event_watch *watch, unsigned events)
{
	struct stream *stream = LIST_OBJECT(watch, struct stream, watch);

	CHECK_OBJ(stream, STREAM_MAGIC);
	if (events & EVENT_READ)
		stream->transport->readable = true;
	switch (stream->state) {
	case STREAM_CONNECTING:
		finish_connect(stream);
		break;
	case STREAM_HANDSHAKING:
		step_handshake(stream);
		break;
	case STREAM_OPEN:
		run_open(stream, events);
		break;
	case STREAM_CLOSED:
	case STREAM_BROKEN:
		break;
	}
}

static void on_deadline(struct event_timer *timer)
{
	struct stream *stream = LIST_OBJECT(timer, struct stream, deadline);
	bool connecting = stream->state == STREAM_CONNECTING;

	CHECK_OBJ(stream, STREAM_MAGIC);
	if (connecting)
		transport_fault(
		        stream->transport, CLOSE_UPSTREAM_CONNECT_TIMEOUT, "no answer to connect");
	else
		transport_fault(stream->transport,
		        stream->transport->side == IO_CLIENT ? CLOSE_CLIENT_HANDSHAKE_TIMEOUT
		                                             : CLOSE_UPSTREAM_HANDSHAKE_TIMEOUT,
		        "the TLS handshake was not done in time");
	fail(stream);
}

void stream_init(struct stream *stream, struct io_context *io)
{
	memset(stream, 0, sizeof(*stream));
	stream->magic = STREAM_MAGIC;
	stream->state = STREAM_CLOSED;
	stream->fd = -1;
	stream->io = io;
	buffer_waiter_init(&stream->waiter, on_waited);
	event_task_init(&stream->read_task, read_what_is_inside);
}

void stream_open(struct stream *stream, int fd, struct transport *transport, bool connecting,
        size_t buffer_bytes_max, uint64_t deadline_ms)
{
	CHECK_OBJ(stream, STREAM_MAGIC);
	CHECK(stream->state == STREAM_CLOSED);
	stream->opening++;
	stream->state = connecting ? STREAM_CONNECTING : STREAM_HANDSHAKING;
	stream->fd = fd;
	stream->transport = transport;
	stream_set_buffer_limit(stream, buffer_bytes_max);
	stream->eof_seen = stream->read_ended = stream->bulk = stream->output_held_up = false;
	stream->finish_asked = stream->finished = stream->closing = false;
	stream->handshake_wants = IO_WANT_READ;
	stream->bytes_in = stream->bytes_out = 0;
	event_watch_init(&stream->watch, stream->io->loop, fd, on_watch);
	event_timer_init(&stream->deadline, stream->io->loop, on_deadline);
	if (deadline_ms)
		event_timer_set(&stream->deadline, deadline_ms);
}

void stream_set_buffer_limit(struct stream *stream, size_t buffer_bytes_max)
{
	stream->buffer_bytes_max = buffer_bytes_max > BUFFER_SMALL_BYTES ? buffer_bytes_max
	                                                                 : BUFFER_SMALL_BYTES;
}

void stream_start(struct stream *stream, bool readable)
{
	unsigned opening = stream->opening;

	CHECK_OBJ(stream, STREAM_MAGIC);
	stream->transport->readable = readable;
	if (stream->state == STREAM_HANDSHAKING)
		step_handshake(stream);
	else
		derive_interest(stream);
	if (readable && stream->opening == opening && stream->state == STREAM_OPEN)
		run_open(stream, EVENT_READ);
}

void stream_give(struct stream *stream, stream_fn *on_event, void *owner)
{
	CHECK_OBJ(stream, STREAM_MAGIC);
	stream->on_event = on_event;
	stream->owner = owner;
}

void stream_flush(struct stream *stream)
{
	CHECK_OBJ(stream, STREAM_MAGIC);
	if (stream->state != STREAM_OPEN || stream->output_held_up)
		return;
	if (send_queued(stream))
		derive_interest(stream);
}

void stream_flush_last(struct stream *stream)
{
	CHECK_OBJ(stream, STREAM_MAGIC);
	if (stream->state == STREAM_OPEN)
		stream->transport->last = true;
	stream_flush(stream);
}

void stream_finish(struct stream *stream, bool closing)
{
	CHECK_OBJ(stream, STREAM_MAGIC);
	stream->closing = closing;
	if (stream->finish_asked || stream->state != STREAM_OPEN)
		return;
	stream->finish_asked = true;
	stream_flush_last(stream);
}

void stream_resume(struct stream *stream)
{
	CHECK_OBJ(stream, STREAM_MAGIC);
	give_back_empty(stream);
	if (stream->state == STREAM_OPEN)
		derive_interest(stream);
}

static int shut(struct stream *stream, bool cut)
{
	int fd = stream->fd;

	CHECK_OBJ(stream, STREAM_MAGIC);
	if (stream->state == STREAM_CLOSED)
		return -1;
	event_timer_stop(&stream->deadline);
	event_watch_set(&stream->watch, 0);
	stop_waiting(stream);
	stream->transport->ops->close(stream->transport, cut);
	stream->transport = NULL;
	stream->state = STREAM_CLOSED;
	stream->opening++;
	stream->fd = -1;
	buffer_pool_return(stream->io->pool, &stream->in);
	buffer_pool_return(stream->io->pool, &stream->out);
	return fd;
}

void stream_close(struct stream *stream)
{
	int fd = shut(stream, false);

	if (fd >= 0)
		close(fd);
}

int stream_detach(struct stream *stream)
{
	return shut(stream, false);
}

void stream_abort(struct stream *stream)
{
	bool needs_reset = stream->transport && stream->transport->ops->cut_needs_reset;
	int fd = shut(stream, true);

	if (fd < 0)
		return;
	if (needs_reset)
		reset_queue_add(stream->io->resets, fd);
	else
		close(fd);
}

bool stream_is_drained(const struct stream *stream)
{
	return stream->state != STREAM_OPEN || !wants_write(stream);
}
