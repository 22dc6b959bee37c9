/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_body.c - moves one message's body from stream to stream, and finds its end.
 *
 * A sized body moves whole buffers by pump; only what shares a buffer with a head is copied, so
 * that both leave in one send. A chunked body is decoded and framed afresh: all data that has
 * arrived becomes one chunk.
 */
#include "worker/http/http_body.h"

#include "shared/check.h"
#include "worker/io/pump.h"

#include <string.h>

enum {
	SIZE_DIGITS_MAX = 8,
	FRAME_MAX = SIZE_DIGITS_MAX + 2 + 2 + 5, /* size CRLF, CRLF behind the data, last chunk */
	ROOM_MIN = 1024, /* less is not worth a chunk of its own */
};

void http_body_begin(struct http_body *body, const struct http_head *head,
        struct http_parser *parser, enum http_framing to)
{
	*body = (struct http_body){
	        .from = head->framing,
	        .to = to,
	        .left = head->framing == HTTP_BODY_SIZED ? head->content_length : 0,
	        .parser = parser,
	        .complete = head->framing == HTTP_NO_BODY,
	};
}

static void append(struct buffer *buffer, struct slice bytes)
{
	memcpy(buffer->data + buffer->end, bytes.data, bytes.length);
	buffer_filled(buffer, bytes.length);
}

/* Where `to` has room for at least ROOM_MIN bytes; NULL: not before it has sent some. Past the
 * pool's limit if need be, since nothing would tell when to come again. */
static struct buffer *room_of(struct stream *to, size_t wanted)
{
	if (to->state != STREAM_OPEN || to->finish_asked || to->output_held_up)
		return NULL;
	if (wanted > to->buffer_bytes_max - ROOM_MIN)
		wanted = to->buffer_bytes_max - ROOM_MIN;
	if (!to->out)
		to->out = buffer_pool_lend_always(to->io->pool, wanted + ROOM_MIN);
	return buffer_room(to->out) >= ROOM_MIN ? to->out : NULL;
}

/* Bytes as they are, at most `max`. Returns how many. */
static size_t move_bytes(struct stream *from, struct stream *to, uint64_t max)
{
	struct slice bytes = stream_arrived(from);

	if (bytes.length > max)
		bytes.length = (size_t)max;
	if (to && !buffer_bytes(to->out))
		return pump(from, to, bytes.length);
	if (to) {
		struct buffer *out = room_of(to, bytes.length);
		if (!out)
			return 0;
		if (bytes.length > buffer_room(out))
			bytes.length = buffer_room(out);
		if (bytes.length)
			append(out, bytes);
	}
	if (bytes.length)
		buffer_taken(from->in, bytes.length);
	return bytes.length;
}

static size_t digits_of(size_t number)
{
	size_t digits = 1;

	while (number >>= 4)
		digits++;
	return digits;
}

/* A chunk that is being written into a buffer: its size is known when its data is. */
struct open_chunk {
	struct buffer *out;
	bool framed;
	size_t digits; /* kept free for the size */
	size_t length; /* of the data */
};

static unsigned char *data_of(const struct open_chunk *chunk)
{
	return chunk->out->data + chunk->out->end + (chunk->framed ? chunk->digits + 2 : 0);
}

static void add_data(void *opaque, struct slice data)
{
	struct open_chunk *chunk = opaque;

	if (chunk->out)
		memcpy(data_of(chunk) + chunk->length, data.data, data.length);
	chunk->length += data.length;
}

static void end_line(unsigned char *bytes)
{
	bytes[0] = '\r';
	bytes[1] = '\n';
}

static void close_chunk(struct open_chunk *chunk)
{
	static const char hex[] = "0123456789abcdef";
	struct buffer *out = chunk->out;

	if (!out || chunk->length == 0)
		return;
	if (!chunk->framed) {
		buffer_filled(out, chunk->length);
		return;
	}
	size_t digits = digits_of(chunk->length), rest = chunk->length;
	unsigned char *frame = out->data + out->end;
	if (digits < chunk->digits)
		memmove(frame + digits + 2, frame + chunk->digits + 2, chunk->length);
	for (size_t i = digits; i > 0; i--, rest >>= 4)
		frame[i - 1] = (unsigned char)hex[rest & 0xf];
	end_line(frame + digits);
	end_line(frame + digits + 2 + chunk->length);
	buffer_filled(out, digits + 2 + chunk->length + 2);
}

/* At most so many bytes of input become one chunk in the room there is. */
static struct open_chunk open_chunk(
        const struct http_body *body, struct buffer *out, struct slice *bytes)
{
	size_t room_max = ((size_t)1 << (4 * (SIZE_DIGITS_MAX - 1))) - 1;

	if (out && buffer_room(out) - FRAME_MAX < room_max)
		room_max = buffer_room(out) - FRAME_MAX;
	if (bytes->length > room_max)
		bytes->length = room_max;
	return (struct open_chunk){
	        .out = out,
	        .framed = body->to == HTTP_BODY_CHUNKED,
	        .digits = digits_of(bytes->length),
	};
}

/* One step of a body that is decoded or framed. Returns how many bytes were taken. */
static size_t move_framed(struct http_body *body, struct stream *from, struct stream *to,
        enum http_progress *progress_out)
{
	struct slice bytes = stream_arrived(from);
	struct buffer *out = to ? room_of(to, bytes.length) : NULL;
	size_t used = bytes.length;

	*progress_out = HTTP_MORE;
	if (to && !out)
		return 0;
	struct open_chunk chunk = open_chunk(body, out, &bytes);
	if (body->from == HTTP_BODY_CHUNKED) {
		*progress_out = http_parser_chunked_bytes(
		        body->parser, bytes, &used, add_data, &chunk);
	} else {
		used = bytes.length;
		add_data(&chunk, bytes);
	}
	close_chunk(&chunk);
	body->begun |= used > 0;
	body->moved += chunk.length;
	if (used)
		buffer_taken(from->in, used);
	return used;
}

static enum http_progress move_once(
        struct http_body *body, struct stream *from, struct stream *to, size_t *moved_out)
{
	enum http_progress progress = HTTP_MORE;

	if (body->from == HTTP_BODY_CHUNKED || body->to == HTTP_BODY_CHUNKED) {
		*moved_out = move_framed(body, from, to, &progress);
		return progress;
	}
	uint64_t max = body->from == HTTP_BODY_SIZED ? body->left : SIZE_MAX;
	*moved_out = move_bytes(from, to, max);
	body->begun |= *moved_out > 0;
	body->moved += *moved_out;
	if (body->from != HTTP_BODY_SIZED)
		return HTTP_MORE;
	body->left -= *moved_out;
	return body->left ? HTTP_MORE : HTTP_COMPLETE;
}

/* A body without a length ends with its connection. */
static bool ends_with_connection(const struct http_body *body, const struct stream *from)
{
	return body->from == HTTP_BODY_UNTIL_CLOSE && from->eof_seen && stream_in_bytes(from) == 0;
}

/* False: not before `to` has sent some. Behind a chunk there always is room. */
static bool add_last_chunk(const struct http_body *body, struct stream *to)
{
	const struct slice last = SLICE("0\r\n\r\n");

	if (!to || body->to != HTTP_BODY_CHUNKED)
		return true;
	if ((!to->out || buffer_room(to->out) < last.length) && !room_of(to, last.length))
		return false;
	append(to->out, last);
	return true;
}

bool http_body_is_too_long(const struct http_body *body)
{
	return body->bytes_max && body->moved > body->bytes_max;
}

static bool is_the_same(const struct stream *stream, unsigned opening)
{
	return stream->opening == opening && stream->state == STREAM_OPEN;
}

enum http_progress http_body_relay(struct http_body *body, struct stream *from, struct stream *to)
{
	unsigned from_opening = from->opening, to_opening = to ? to->opening : 0;
	enum http_progress progress = HTTP_MORE;
	size_t moved = 0;

	if (body->refused)
		return HTTP_REFUSED;
	while (!body->complete) {
		progress = stream_arrived(from).length ? move_once(body, from, to, &moved)
		                                       : HTTP_MORE;
		if (progress == HTTP_REFUSED) {
			body->refused = true;
			break;
		}
		if (from->opening != from_opening || (to && !is_the_same(to, to_opening)))
			return HTTP_MORE;
		if (http_body_is_too_long(body))
			break;
		if (progress == HTTP_COMPLETE || ends_with_connection(body, from))
			body->complete = add_last_chunk(body, to);
		if (body->complete || !stream_arrived(from).length)
			break;
		if (!to)
			continue;
		stream_flush(to);
		if (!is_the_same(to, to_opening) || buffer_bytes(to->out) || to->output_held_up)
			break;
	}
	stream_resume(from);
	if (to && body->complete && body->ends_connection)
		stream_flush_last(to);
	else if (to)
		stream_flush(to);
	if (body->refused)
		return HTTP_REFUSED;
	return body->complete ? HTTP_COMPLETE : HTTP_MORE;
}
