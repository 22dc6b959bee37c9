/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_proxy.c - the HTTP protocol of a session: exchanges one after another, 101 to a tunnel.
 *
 * Between exchanges a session holds nothing but its stream: the next exchange begins with its first
 * byte. How a client's connection ends:
 *
 *   it ends, nothing under way           closed
 *   keepalive_timeout                    closed; when the worker drains after a few seconds, not at
 *                                        once: a request may be on its way already
 *   last answer, all of the request read closed behind the answer's last byte
 *   an error of ours, or the rest of the
 *   request is not wanted                lingering: FIN, then what comes is dropped for a while, so
 *                                        that a reset does not overtake the answer
 */
#include "worker/http/http_proxy.h"

#include "shared/check.h"
#include "shared/scoreboard.h"
#include "worker/http/http_exchange.h"
#include "worker/http/http_log.h"
#include "worker/http/http_route.h"
#include "worker/upstream/idle_pool.h"

enum {
	LINGER_MS = 5000,
	LINGER_BYTES_MAX = 1 << 20,
	IDLE_WHILE_DRAINING_MS = 5000,
};

static void on_client(struct stream *stream, enum stream_event event);
static void on_upstream(struct stream *stream, enum stream_event event);

/* With nothing to come and nothing under way: a clean end, which over TLS has a close_notify. */
static void end_connection(struct session *session)
{
	stream_finish(&session->client, true);
	session_close(session, CLOSE_DONE);
}

static void on_idle(struct event_timer *timer)
{
	end_connection(LIST_OBJECT(timer, struct session, idle));
}

static uint32_t idle_limit_ms(const struct session *session)
{
	const struct config_http *server = session->listener->http->standard;
	uint32_t limit_ms = session->exchange_count ? session->keepalive_timeout_ms
	                                            : server->client_header_timeout_ms;

	if (session->host->draining && limit_ms > IDLE_WHILE_DRAINING_MS)
		return IDLE_WHILE_DRAINING_MS;
	return limit_ms;
}

static void wait_for_request(struct session *session)
{
	if (session->client.eof_seen)
		end_connection(session);
	else
		event_timer_set(&session->idle, idle_limit_ms(session));
}

static void on_lingering(struct stream *stream, enum stream_event event)
{
	struct session *session = stream->owner;

	if (event == STREAM_FAILED || event == STREAM_EOF) {
		session_close(session, CLOSE_DONE);
		return;
	}
	if (stream->in)
		buffer_taken(stream->in, buffer_bytes(stream->in));
	if (stream->bytes_in - session->linger_from > LINGER_BYTES_MAX)
		session_close(session, CLOSE_DONE);
	else
		stream_resume(stream);
}

static void linger(struct session *session)
{
	struct stream *client = &session->client;

	session->linger_from = client->bytes_in;
	stream_give(client, on_lingering, session);
	event_timer_set(&session->idle, LINGER_MS);
	stream_finish(client, false);
	if (session->closed)
		return;
	if (client->eof_seen)
		session_close(session, CLOSE_DONE);
	else
		on_lingering(client, STREAM_DATA);
}

/* True when the next one may begin. */
static bool finish_exchange(struct session *session)
{
	struct http_exchange *exchange = session->exchange;
	bool keep_alive = exchange->keep_alive, lingers = exchange->linger;

	session->keepalive_timeout_ms = exchange->facts.location->keepalive_timeout_ms;
	session->exchange = NULL;
	http_exchange_end(exchange, CLOSE_DONE);
	if (keep_alive)
		return true;
	if (lingers || stream_in_bytes(&session->client)) {
		linger(session);
		return false;
	}
	end_connection(session);
	return false;
}

void http_proxy_go_on(struct session *session)
{
	if (session->running) {
		session->run_again = true;
		return;
	}
	session->running = true;
	for (;;) {
		session->run_again = false;
		if (!session->exchange) {
			if (stream_in_bytes(&session->client) == 0) {
				wait_for_request(session);
				break;
			}
			event_timer_stop(&session->idle);
			session->exchange = http_exchange_begin(session);
		}
		http_exchange_run(session->exchange);
		if (session->closed || session->exchange->upgraded)
			break;
		if (session->exchange->ended) {
			if (!finish_exchange(session))
				break;
		} else if (!session->run_again) {
			break;
		}
	}
	session->running = false;
}

static void on_client(struct stream *stream, enum stream_event event)
{
	struct session *session = stream->owner;

	if (event != STREAM_FAILED)
		http_proxy_go_on(session);
	else if (session->exchange)
		session_close_failed(session, stream, false);
	else /* nothing is lost: many clients leave without a goodbye */
		session_close(session, CLOSE_DONE);
}

static void on_upstream(struct stream *stream, enum stream_event event)
{
	(void)event; /* the steps look at the stream */
	http_proxy_go_on(stream->owner);
}

void http_proxy_hear_upstream(struct session *session)
{
	stream_give(session->upstream, on_upstream, session);
}

void http_proxy_upgrade(struct http_exchange *exchange)
{
	struct session *session = exchange->session;

	session->shutdown_timeout_ms = exchange->facts.location->shutdown_timeout_ms;
	stream_flush(&session->client);
	if (!session->closed)
		tunnel_start(session, &exchange->plan->tunnel);
}

static void prepare(struct session *session)
{
	session->shutdown_timeout_ms = http_host_shutdown_timeout_ms(session->host->http);
	stream_give(&session->client, on_client, session);
	event_timer_init(&session->idle, session->host->io.loop, on_idle);
}

static void start(struct session *session)
{
	prepare(session);
	http_proxy_go_on(session);
}

static void stop(struct session *session, enum close_reason reason)
{
	struct http_exchange *exchange = session->exchange;

	dial_cancel(&session->dial);
	if (!exchange)
		return;
	session->exchange = NULL;
	http_exchange_end(exchange, reason);
}

/* The next answer says that it is the last one. Who lingers has had it. */
static void drain(struct session *session)
{
	if (!session->exchange && !session->client.finish_asked && session->idle.deadline_ms)
		wait_for_request(session);
}

/* Clear text on a TLS port: told so in clear text, as nginx does. */
static void start_clear_text(struct session *session)
{
	prepare(session);
	session->exchange = http_exchange_begin(session);
	http_log(session->exchange, LOG_INFO, "the client spoke clear text on a TLS port");
	http_exchange_fail(session->exchange, 497, CLOSE_CLIENT_CLEAR_TEXT);
	http_proxy_go_on(session);
}

static const struct tls_server_credentials *tls_for_name(const void *listener, struct slice name)
{
	const struct config_listener *own = listener;

	return http_route_server(own->http, name)->listener_tls;
}

const struct protocol http_protocol = {
        .name = "http",
        .start = start,
        .stop = stop,
        .drain = drain,
        .start_clear_text = start_clear_text,
        .tls_for_name = tls_for_name,
};
