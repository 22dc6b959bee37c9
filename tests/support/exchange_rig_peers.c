/* SPDX-License-Identifier: BSD-2-Clause */
/* exchange_rig_peers.c - what the scripted client and upstreams do, and what they got. */
#include "shared/check.h"
#include "tests/support/exchange_rig.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOG_BYTES_MAX = 1 << 20 };

/* ---- what peers do ---- */

bool exchange_rig_fire(struct exchange_rig *rig, struct stream *stream, unsigned events)
{
	(void)rig;
	if (!stream || stream->state == STREAM_CLOSED)
		return false;
	return fake_loop_fire(&stream->watch, events);
}

static void add_read(
        struct fake_peer *peer, const char *text, enum io_result result, enum close_reason reason)
{
	struct fake_queue *queue = &peer->queues[FAKE_READ];

	if (queue->next == queue->count)
		queue->next = queue->count = 0;
	fake_step_add(peer, FAKE_READ,
	        (struct fake_step){.result = result,
	                .bytes = (const unsigned char *)text,
	                .count = strlen(text),
	                .reason = reason});
}

static bool client_does(struct exchange_rig *rig, const char *text, enum io_result result)
{
	add_read(&rig->client, text, result, CLOSE_CLIENT_RESET);
	return exchange_rig_fire(rig, &rig->session->client, EVENT_READ);
}

bool exchange_rig_client_says(struct exchange_rig *rig, const char *text)
{
	return client_does(rig, text, IO_OK);
}

bool exchange_rig_client_ends(struct exchange_rig *rig, const char *text)
{
	return client_does(rig, text, IO_EOF);
}

bool exchange_rig_client_resets(struct exchange_rig *rig)
{
	return client_does(rig, "", IO_ERROR);
}

bool exchange_rig_client_writable(struct exchange_rig *rig)
{
	return exchange_rig_fire(rig, &rig->session->client, EVENT_WRITE);
}

bool exchange_rig_upstream_ends(
        struct exchange_rig *rig, size_t number, const char *text, enum io_result end)
{
	add_read(&rig->upstreams[number], text, end,
	        end == IO_TRUNCATED ? CLOSE_UPSTREAM_TRUNCATED : CLOSE_UPSTREAM_RESET);
	return exchange_rig_fire(rig, exchange_rig_stream(rig, number), EVENT_READ);
}

bool exchange_rig_upstream_says(struct exchange_rig *rig, size_t number, const char *text)
{
	return exchange_rig_upstream_ends(rig, number, text, IO_OK);
}

bool exchange_rig_upstream_writable(struct exchange_rig *rig, size_t number)
{
	return exchange_rig_fire(rig, exchange_rig_stream(rig, number), EVENT_WRITE);
}

void exchange_rig_pass(struct exchange_rig *rig, uint64_t ms)
{
	fake_loop_advance(rig->host.io.loop, ms);
}

/* ---- what they got ---- */

bool exchange_rig_holds(const struct fake_peer *peer, const char *text)
{
	return exchange_rig_times(peer, text) > 0;
}

bool exchange_rig_begins(const struct fake_peer *peer, const char *text)
{
	size_t length = strlen(text);

	return peer->received_bytes >= length && memcmp(peer->received, text, length) == 0;
}

bool exchange_rig_finishes(const struct fake_peer *peer, const char *text)
{
	size_t length = strlen(text);

	return peer->received_bytes >= length &&
	       memcmp(peer->received + peer->received_bytes - length, text, length) == 0;
}

static size_t times(const void *bytes, size_t size, const char *text)
{
	size_t count = 0, length = strlen(text);

	if (!size)
		return 0;
	const char *at = bytes, *end = at + size;
	while ((at = memmem(at, (size_t)(end - at), text, length))) {
		count++;
		at += length;
	}
	return count;
}

size_t exchange_rig_times(const struct fake_peer *peer, const char *text)
{
	return times(peer->received, peer->received_bytes, text);
}

void exchange_rig_forget(struct fake_peer *peer)
{
	peer->received_bytes = 0;
	peer->calls[FAKE_WRITE] = 0;
}

bool exchange_rig_ended_as(const struct exchange_rig *rig, enum close_reason reason)
{
	return rig->ended == 1 && rig->row.closed[reason] == 1;
}

size_t exchange_rig_logged_times(const struct exchange_rig *rig, const char *text)
{
	char *log = malloc(LOG_BYTES_MAX);

	CHECK(log);
	ssize_t size = pread(rig->log_file.fd, log, LOG_BYTES_MAX, 0);
	CHECK(size >= 0);
	size_t count = times(log, (size_t)size, text);
	free(log);
	return count;
}

bool exchange_rig_logged(const struct exchange_rig *rig, const char *text)
{
	return exchange_rig_logged_times(rig, text) > 0;
}

size_t exchange_rig_lines(const struct exchange_rig *rig)
{
	return exchange_rig_logged_times(rig, "\n");
}
