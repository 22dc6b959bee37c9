/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tunnel.c - bytes both ways between the two streams of a session, until both sides have ended.
 *
 * After every event both directions are settled anew from what the streams say; there is no other
 * state. How a direction ends:
 *
 *   source            source.in  target      then
 *   open              any        any         pump; a full target stops the source by itself
 *   EOF               bytes      any         pump on the target's DRAINED
 *   EOF               empty      any         stream_finish(target): after the last byte, or now
 *   EOF both ways     empty      finished    session_close(DONE)
 *   EOF one way       empty      finished    session_close(DONE): nginx's way, half_close is off
 *   cut               bytes      any         pump on the target's DRAINED: no whole byte is lost
 *   cut               empty      bytes       wait for DRAINED
 *   cut               empty      drained     session_close(reason): the target is aborted, a cut
 *                                            stays a cut (truncation_resets off: finished first)
 *   idle              any        any         session_close(IDLE_TIMEOUT): both are aborted
 *
 * A cut is TLS without close_notify, or a stream that FAILED.
 *
 * Forgetting DRAINED of the target is the mistake to be afraid of: small transfers do not show it.
 */
#include "worker/session/tunnel.h"

#include "shared/check.h"
#include "worker/io/pump.h"

static void on_event(struct stream *stream, enum stream_event event);

static struct stream *other_side(struct session *session, const struct stream *stream)
{
	return stream == &session->client ? session->upstream : &session->client;
}

static bool is_truncated(const struct stream *stream)
{
	const struct io_fault *fault = stream->transport->fault;

	return fault && (fault->reason == CLOSE_CLIENT_TRUNCATED ||
	                        fault->reason == CLOSE_UPSTREAM_TRUNCATED);
}

/* The source failed and all it sent has been passed on. */
static void settle_cut(struct session *session, struct stream *source, struct stream *target)
{
	if (session->tunnel_settings->truncation_resets || !is_truncated(source)) {
		if (stream_is_drained(target))
			session_close_failed(session, source, false);
		return;
	}
	stream_finish(target, true);
	if (!session->closed && stream_is_drained(target))
		session_close_failed(session, source, true);
}

static bool has_ended(const struct stream *source, const struct stream *target)
{
	return source->eof_seen && target->finished && stream_is_drained(target);
}

static void settle_direction(struct session *session, struct stream *source, struct stream *target)
{
	if (session->closed)
		return;
	pump(source, target, SIZE_MAX);
	if (session->closed || stream_in_bytes(source) > 0)
		return;
	if (source->state == STREAM_BROKEN)
		settle_cut(session, source, target);
	else if (source->eof_seen && !target->finish_asked)
		/* close(2) sends the FIN as well, but only when the other direction is done. */
		stream_finish(
		        target, has_ended(target, source) || !session->tunnel_settings->half_close);
}

static void settle(struct session *session)
{
	struct stream *client = &session->client, *upstream = session->upstream;

	settle_direction(session, client, upstream);
	settle_direction(session, upstream, client);
	if (session->closed)
		return;
	bool up_ended = has_ended(client, upstream), down_ended = has_ended(upstream, client);
	if ((up_ended && down_ended) ||
	        (!session->tunnel_settings->half_close && (up_ended || down_ended)))
		session_close(session, CLOSE_DONE);
	/* Both broken, with bytes left that can go nowhere. */
	else if (client->state == STREAM_BROKEN && upstream->state == STREAM_BROKEN)
		session_close_failed(session, client, false);
}

static uint64_t bytes_moved(const struct session *session)
{
	return session->client.bytes_in + session->client.bytes_out + session->upstream->bytes_in +
	       session->upstream->bytes_out;
}

static void touch(struct session *session)
{
	session->bytes_at_touch = bytes_moved(session);
	event_timer_set(&session->idle, session->tunnel_settings->idle_timeout_ms);
}

static void on_idle(struct event_timer *timer)
{
	struct session *session = LIST_OBJECT(timer, struct session, idle);

	/* A slow reader takes bytes without an event. */
	if (bytes_moved(session) != session->bytes_at_touch)
		touch(session);
	else
		session_close(session, CLOSE_IDLE_TIMEOUT);
}

/* In TLS 1.3 the upstream judges our certificate after our handshake is done: an alert before its
 * first byte is a failed attempt. True when another server is dialled. */
static bool is_dialled_again(struct session *session)
{
	struct stream *upstream = session->upstream;
	const struct io_fault *fault = upstream->transport->fault;

	if (session->dial.confirmed || !fault)
		return false;
	if (fault->reason != CLOSE_UPSTREAM_REFUSED_US && fault->reason != CLOSE_UPSTREAM_HANDSHAKE)
		return false;
	/* All that the client ever sent still waits in its buffer. */
	bool nothing_sent = session->client.bytes_in == stream_in_bytes(&session->client) &&
	                    !upstream->finish_asked;
	session->attempt_logged = true;
	if (!dial_failed(&session->dial, fault->reason, fault->text, nothing_sent))
		return false;
	event_timer_stop(&session->idle);
	session_drop_upstream(session);
	session->attempt_logged = false;
	session->tunnel_settings = NULL; /* no tunnel stands any more, and perhaps none will */
	session_wait_for_upstream(session);
	return true;
}

static void on_event(struct stream *stream, enum stream_event event)
{
	struct session *session = stream->owner;
	bool upstream = stream == session->upstream;

	switch (event) {
	case STREAM_DATA:
	case STREAM_EOF:
		if (upstream)
			dial_confirm(&session->dial);
		break;
	case STREAM_FAILED:
		if (upstream && is_dialled_again(session))
			return;
		break;
	case STREAM_READY:
	case STREAM_DRAINED:
		break;
	}
	settle(session);
	if (session->closed)
		return;
	touch(session); /* with what was passed on just now */
	/* The other side may have been told to read on before its bytes had anywhere to go. */
	stream_resume(other_side(session, stream));
}

void tunnel_start(struct session *session, const struct tunnel_settings *settings)
{
	session->tunnel_settings = settings;
	stream_give(&session->client, on_event, session);
	stream_give(session->upstream, on_event, session);
	event_timer_init(&session->idle, session->host->io.loop, on_idle);
	settle(session);
	if (!session->closed)
		touch(session);
}
