/* SPDX-License-Identifier: BSD-2-Clause */
/* direction.c - the same moves from either side. */
#include "tests/support/direction.h"

#include "shared/check.h"

#include <stdlib.h>
#include <string.h>

struct direction *direction_create(bool from_client)
{
	struct direction *direction = calloc(1, sizeof(*direction));

	CHECK(direction);
	struct fake_session *fake = &direction->fake;
	fake_session_init(fake, DIRECTION_POOL_BYTES);
	direction->source = from_client ? &fake->client : &fake->upstream;
	direction->target = from_client ? &fake->upstream : &fake->client;
	direction->reset = from_client ? CLOSE_CLIENT_RESET : CLOSE_UPSTREAM_RESET;
	direction->truncated = from_client ? CLOSE_CLIENT_TRUNCATED : CLOSE_UPSTREAM_TRUNCATED;
	direction->target_reset = from_client ? CLOSE_UPSTREAM_RESET : CLOSE_CLIENT_RESET;
	return direction;
}

void direction_start(struct direction *direction)
{
	struct fake_session *fake = &direction->fake;

	fake_session_open(fake);
	fake_session_connect(fake);
	bool from_client = direction->source == &fake->client;
	direction->from = from_client ? &fake->session->client : fake->session->upstream;
	direction->to = from_client ? fake->session->upstream : &fake->session->client;
}

void direction_destroy(struct direction *direction)
{
	fake_session_destroy(&direction->fake);
	free(direction);
}

bool fake_readable(struct stream *stream)
{
	return fake_session_fire(stream, EVENT_READ);
}

bool fake_writable(struct stream *stream)
{
	return fake_session_fire(stream, EVENT_WRITE);
}

void direction_send(struct direction *direction, const char *text)
{
	fake_read(direction->source, text);
	CHECK(fake_readable(direction->from));
}

void direction_send_into_full(struct direction *direction, const char *text)
{
	fake_write_short(direction->target, 0);
	direction_send(direction, text);
	CHECK(!stream_is_drained(direction->to));
}

void direction_end(struct direction *direction, const char *text, enum io_result end)
{
	struct fake_step step = {
	        .result = end,
	        .bytes = (const unsigned char *)text,
	        .count = strlen(text),
	        .reason = end == IO_TRUNCATED ? direction->truncated : direction->reset,
	};

	fake_step_add(direction->source, FAKE_READ, step);
	CHECK(fake_readable(direction->from));
}

bool direction_is_running(const struct direction *direction)
{
	return !direction->fake.session->closed;
}

bool direction_ended_as(const struct direction *direction, enum close_reason reason)
{
	return fake_session_ended_as(&direction->fake, reason);
}

bool direction_was_cut(const struct direction *direction)
{
	const struct fake_peer *source = direction->source, *target = direction->target;

	return source->closed && source->cut && target->closed && target->cut;
}

bool direction_was_closed(const struct direction *direction)
{
	const struct fake_peer *source = direction->source, *target = direction->target;

	return source->closed && !source->cut && target->closed && !target->cut;
}

void direction_run_both(void **state)
{
	direction_fn **test = *state;

	for (int from_client = 0; from_client < 2; from_client++) {
		struct direction *direction = direction_create(from_client);
		(*test)(direction);
		direction_destroy(direction);
	}
}
