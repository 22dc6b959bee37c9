/* SPDX-License-Identifier: BSD-2-Clause */
/* fake_transport.c - steps taken one after another, and a stern look at who asks for them. */
#include "tests/support/fake_transport.h"

#include "shared/check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct fake_transport {
	struct transport transport; /* first */
	struct fake_peer *peer;
};

static struct fake_peer *peer_of(const struct transport *transport)
{
	struct fake_peer *peer = ((const struct fake_transport *)(const void *)transport)->peer;

	CHECK(peer->is_open && !peer->closed);
	return peer;
}

static struct fake_step *peek(struct fake_peer *peer, enum fake_operation operation)
{
	struct fake_queue *queue = &peer->queues[operation];

	return queue->next < queue->count ? &queue->steps[queue->next] : NULL;
}

static struct fake_step take(
        struct fake_peer *peer, enum fake_operation operation, struct fake_step otherwise)
{
	struct fake_step *step = peek(peer, operation);

	peer->calls[operation]++;
	if (!step)
		return otherwise;
	peer->queues[operation].next++;
	return *step;
}

static enum io_result end_step(struct transport *transport, const struct fake_step *step)
{
	if (step->answers)
		peer_of(transport)->answer_waits = true;
	if (step->result == IO_ERROR || step->result == IO_TRUNCATED)
		transport_fault(transport, step->reason, "as the script says");
	return step->result;
}

static enum io_result fake_transport_handshake(struct transport *transport)
{
	struct fake_peer *peer = peer_of(transport);

	CHECK(!peer->handshake_done);
	struct fake_step step = take(peer, FAKE_HANDSHAKE, (struct fake_step){.result = IO_OK});
	peer->handshake_done = step.result == IO_OK;
	return end_step(transport, &step);
}

static enum io_result read_source(
        struct fake_peer *peer, unsigned char *room, size_t size, size_t *got_out)
{
	uint64_t left = peer->source_bytes - peer->source_given;

	if (left == 0)
		return IO_EOF;
	*got_out = left < size ? (size_t)left : size;
	for (size_t i = 0; i < *got_out; i++)
		room[i] = fake_pattern(peer->source_given + i);
	peer->source_given += *got_out;
	return IO_OK;
}

/* As much of the step's bytes as there is room for; the step stays until all were given. */
static enum io_result read_step(
        struct transport *transport, unsigned char *room, size_t size, size_t *got_out)
{
	struct fake_peer *peer = peer_of(transport);
	struct fake_step *step = peek(peer, FAKE_READ);

	*got_out = step->count < size ? step->count : size;
	if (*got_out)
		memcpy(room, step->bytes, *got_out);
	if (step->count > size) {
		step->bytes += size;
		step->count -= size;
		return IO_OK;
	}
	peer->queues[FAKE_READ].next++;
	return end_step(transport, step);
}

static enum io_result fake_transport_read(
        struct transport *transport, void *room, size_t size, size_t *got_out)
{
	struct fake_peer *peer = peer_of(transport);
	enum io_result result = IO_WANT_READ;

	CHECK(peer->handshake_done && !peer->read_ended && !peer->last_waits);
	CHECK(size >= transport->read_room_min);
	*got_out = 0;
	peer->calls[FAKE_READ]++;
	if (peek(peer, FAKE_READ))
		result = read_step(transport, room, size, got_out);
	else if (peer->source_bytes)
		result = read_source(peer, room, size, got_out);
	transport->read_filled = *got_out == size;
	peer->read_ended = result != IO_OK && result != IO_WANT_READ;
	return result;
}

static void keep_received(struct fake_peer *peer, const void *bytes, size_t count)
{
	if (peer->received_bytes + count > peer->received_capacity) {
		peer->received_capacity = 2 * (peer->received_bytes + count);
		peer->received = realloc(peer->received, peer->received_capacity);
		CHECK(peer->received);
	}
	if (count)
		memcpy(peer->received + peer->received_bytes, bytes, count);
	peer->received_bytes += count;
}

static bool has_pending_write(const struct fake_peer *peer)
{
	return peer->tail_bytes > 0 || peer->answer_waits;
}

/* Recursion of whoever writes shows in frames that are far apart. */
static void note_frame(struct fake_peer *peer, uintptr_t frame)
{
	if (!peer->write_frame_low || frame < peer->write_frame_low)
		peer->write_frame_low = frame;
	if (frame > peer->write_frame_high)
		peer->write_frame_high = frame;
}

static enum io_result fake_transport_write(
        struct transport *transport, const void *bytes, size_t length, size_t *put_out)
{
	struct fake_peer *peer = peer_of(transport);

	CHECK(peer->handshake_done);
	CHECK(length == 0 || !peer->finished);
	CHECK(length > 0 || has_pending_write(peer));
	note_frame(peer, (uintptr_t)__builtin_frame_address(0));
	*put_out = 0;
	struct fake_step step = take(
	        peer, FAKE_WRITE, (struct fake_step){.result = IO_OK, .count = SIZE_MAX});
	if (step.result == IO_ERROR)
		return end_step(transport, &step);
	if (has_pending_write(peer) && step.result == IO_WANT_WRITE && step.count == 0)
		return IO_WANT_WRITE;
	peer->tail_bytes = 0;
	peer->answer_waits = false;
	*put_out = step.count < length ? step.count : length;
	keep_received(peer, bytes, *put_out);
	peer->last_was_told = transport->last;
	if (step.inside && *put_out) {
		peer->tail_bytes = *put_out;
		return IO_WANT_WRITE;
	}
	/* A socket that would have taken more than there is is not full. */
	if (step.result == IO_WANT_WRITE && step.count < length)
		return IO_WANT_WRITE;
	peer->last_waits = transport->last && !peer->finished;
	return IO_OK;
}

static enum io_result fake_transport_finish(struct transport *transport, bool closing)
{
	struct fake_peer *peer = peer_of(transport);

	CHECK(peer->handshake_done && !peer->finished && !has_pending_write(peer));
	peer->last_waits = false;
	struct fake_step step = take(peer, FAKE_FINISH, (struct fake_step){.result = IO_OK});
	if (step.result != IO_ERROR) {
		peer->finished = true;
		peer->finish_was_closing = closing;
	}
	peer->answer_waits = step.result == IO_WANT_WRITE;
	if (step.result == IO_WANT_WRITE)
		transport->last = false; /* as TLS: no FIN follows */
	return end_step(transport, &step);
}

static unsigned fake_transport_pending(const struct transport *transport)
{
	struct fake_peer *peer = peer_of(transport);
	const struct fake_step *next = peek(peer, FAKE_READ);

	return (next && next->inside ? PENDING_READ : 0u) |
	       (has_pending_write(peer) ? PENDING_WRITE : 0u);
}

static void fake_transport_close(struct transport *transport, bool cut)
{
	struct fake_peer *peer = peer_of(transport);

	CHECK(!peer->last_waits);
	peer->closed = true;
	peer->cut = cut;
	transport_fault_clear(transport);
	free(transport);
}

static const struct transport_ops fake_ops = {
        .name = "fake",
        .handshake = fake_transport_handshake,
        .read = fake_transport_read,
        .write = fake_transport_write,
        .finish = fake_transport_finish,
        .pending = fake_transport_pending,
        .close = fake_transport_close,
};

/* As a plain socket: the stream has to reset it. */
static const struct transport_ops fake_plain_ops = {
        .name = "fake plain",
        .cut_needs_reset = true,
        .handshake = fake_transport_handshake,
        .read = fake_transport_read,
        .write = fake_transport_write,
        .finish = fake_transport_finish,
        .pending = fake_transport_pending,
        .close = fake_transport_close,
};

struct transport *fake_transport_create(struct fake_peer *peer, enum io_side side)
{
	struct fake_transport *fake = calloc(1, sizeof(*fake));

	CHECK(fake && !peer->is_open);
	fake->transport.ops = peer->cut_needs_reset ? &fake_plain_ops : &fake_ops;
	fake->transport.side = side;
	fake->transport.read_room_min = peer->read_room_min;
	fake->peer = peer;
	peer->is_open = true;
	return &fake->transport;
}

int fake_descriptor(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

void fake_peer_init(struct fake_peer *peer)
{
	memset(peer, 0, sizeof(*peer));
	peer->read_room_min = 1;
}

void fake_peer_free(struct fake_peer *peer)
{
	CHECK(!peer->is_open || peer->closed);
	free(peer->received);
	peer->received = NULL;
}

void fake_step_add(struct fake_peer *peer, enum fake_operation operation, struct fake_step step)
{
	struct fake_queue *queue = &peer->queues[operation];

	CHECK(queue->count < FAKE_STEPS_MAX);
	queue->steps[queue->count++] = step;
}

static void add_read(struct fake_peer *peer, const char *text, enum io_result result, bool inside)
{
	fake_step_add(peer, FAKE_READ,
	        (struct fake_step){
	                .result = result,
	                .bytes = (const unsigned char *)text,
	                .count = strlen(text),
	                .inside = inside,
	                .reason = result == IO_TRUNCATED ? CLOSE_UPSTREAM_TRUNCATED
	                                                 : CLOSE_UPSTREAM_RESET,
	        });
}

void fake_handshake(struct fake_peer *peer, enum io_result result)
{
	fake_step_add(peer, FAKE_HANDSHAKE, (struct fake_step){.result = result});
}

void fake_read(struct fake_peer *peer, const char *text)
{
	add_read(peer, text, IO_OK, false);
}

void fake_read_inside(struct fake_peer *peer, const char *text)
{
	add_read(peer, text, IO_OK, true);
}

void fake_read_end(struct fake_peer *peer, const char *text, enum io_result end)
{
	add_read(peer, text, end, false);
}

void fake_write_short(struct fake_peer *peer, size_t count)
{
	fake_step_add(
	        peer, FAKE_WRITE, (struct fake_step){.result = IO_WANT_WRITE, .count = count});
}

void fake_write_kept(struct fake_peer *peer, size_t count)
{
	fake_step_add(peer, FAKE_WRITE,
	        (struct fake_step){.result = IO_WANT_WRITE, .count = count, .inside = true});
}

void fake_fail(struct fake_peer *peer, enum fake_operation operation, enum close_reason reason)
{
	fake_step_add(peer, operation, (struct fake_step){.result = IO_ERROR, .reason = reason});
}

unsigned char fake_pattern(uint64_t offset)
{
	return (unsigned char)(offset ^ (offset >> 8) * 5 ^ (offset >> 16) * 7);
}

bool fake_received_is(const struct fake_peer *peer, const char *text)
{
	return peer->received_bytes == strlen(text) &&
	       (peer->received_bytes == 0 ||
	               memcmp(peer->received, text, peer->received_bytes) == 0);
}

bool fake_received_pattern(const struct fake_peer *peer, uint64_t count)
{
	if (peer->received_bytes != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (peer->received[i] != fake_pattern(i))
			return false;
	}
	return true;
}

bool fake_script_is_done(const struct fake_peer *peer)
{
	for (size_t i = 0; i < FAKE_OPERATIONS; i++) {
		if (peer->queues[i].next < peer->queues[i].count)
			return false;
	}
	return true;
}
