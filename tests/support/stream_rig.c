/* SPDX-License-Identifier: BSD-2-Clause */
/* stream_rig.c - the small repeated steps of stream tests. */
#include "tests/support/stream_rig.h"

#include "shared/check.h"

#include <stdio.h>
#include <string.h>

static char letter_of(enum stream_event event)
{
	switch (event) {
	case STREAM_READY:
		return 'R';
	case STREAM_DATA:
		return 'D';
	case STREAM_DRAINED:
		return 'd';
	case STREAM_EOF:
		return 'E';
	case STREAM_FAILED:
		return 'F';
	}
	return '?';
}

static void on_event(struct stream *stream, enum stream_event event)
{
	struct stream_rig *rig = stream->owner;

	CHECK(rig->event_count < RIG_EVENTS_MAX - 1);
	rig->events[rig->event_count++] = letter_of(event);
	rig->events[rig->event_count] = '\0';
	if (rig->hook)
		rig->hook(rig, event);
}

void rig_io_init(struct io_context *io, uint64_t pool_limit)
{
	io->loop = event_loop_create();
	io->pool = buffer_pool_create(pool_limit, RIG_LARGE_BYTES);
	io->resets = reset_queue_create(io->loop);
}

void rig_io_destroy(struct io_context *io)
{
	reset_queue_destroy(io->resets);
	buffer_pool_destroy(io->pool);
	event_loop_destroy(io->loop);
}

void rig_init(struct stream_rig *rig, struct io_context *io)
{
	memset(rig, 0, sizeof(*rig));
	rig->io = io;
	fake_peer_init(&rig->peer);
	stream_init(&rig->stream, io);
}

void rig_open(struct stream_rig *rig, enum io_side side, uint64_t deadline_ms)
{
	stream_open(&rig->stream, fake_descriptor(), fake_transport_create(&rig->peer, side), false,
	        RIG_LARGE_BYTES, deadline_ms);
	stream_give(&rig->stream, on_event, rig);
}

void rig_open_ready(struct stream_rig *rig)
{
	rig_open(rig, IO_UPSTREAM, 0);
	stream_start(&rig->stream, false);
	CHECK(rig_events_are(rig, "R"));
}

void rig_close(struct stream_rig *rig)
{
	stream_close(&rig->stream);
	fake_peer_free(&rig->peer);
}

bool rig_readable(struct stream_rig *rig)
{
	return fake_loop_fire(&rig->stream.watch, EVENT_READ);
}

bool rig_writable(struct stream_rig *rig)
{
	return fake_loop_fire(&rig->stream.watch, EVENT_WRITE);
}

void rig_put(struct stream_rig *rig, const char *text)
{
	struct stream *stream = &rig->stream;
	size_t length = strlen(text);

	if (!stream->out)
		stream->out = buffer_pool_lend_always(rig->io->pool, length);
	memcpy(stream->out->data + stream->out->end, text, length);
	buffer_filled(stream->out, length);
}

bool rig_take_is(struct stream_rig *rig, const char *text)
{
	struct buffer *in = rig->stream.in;
	size_t bytes = buffer_bytes(in);
	bool is = bytes == strlen(text) &&
	          (bytes == 0 || memcmp(in->data + in->start, text, bytes) == 0);

	if (in)
		buffer_taken(in, bytes);
	stream_resume(&rig->stream);
	return is;
}

bool rig_events_are(struct stream_rig *rig, const char *letters)
{
	bool are = strcmp(rig->events, letters) == 0;

	if (!are)
		fprintf(stderr, "events '%s', wanted '%s'\n", rig->events, letters);
	rig->event_count = 0;
	rig->events[0] = '\0';
	return are;
}
