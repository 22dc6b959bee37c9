/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_deadlines.c - what an exchange waits for, from whom, and for how long.
 *
 *   of the client      its head                    client_header_timeout, in all
 *                      its body                    client_body_timeout between two reads
 *                      that it takes the answer    send_timeout between two writes
 *   of the upstream    that it takes the request   proxy_send_timeout between two writes
 *                      an answer (or interim one)  proxy_read_timeout to the first byte
 *                      its head, once begun        proxy_read_timeout, in all
 *                      its body                    proxy_read_timeout between two reads
 *
 * Set anew after each run of the exchange; a deadline that moves outwards costs a store
 * (event_loop.h). Bytes that moved without an event, from a buffer into a socket, are seen when it
 * fires.
 */
#include "shared/check.h"
#include "worker/http/http_exchange.h"
#include "worker/http/http_log.h"
#include "worker/http/http_proxy.h"
#include "worker/session/session.h"

static uint64_t bytes_moved(const struct stream *stream)
{
	return stream ? stream->bytes_in + stream->bytes_out : 0;
}

static const struct stream *stream_of(const struct http_deadline *deadline)
{
	const struct http_exchange *exchange = deadline->exchange;

	return deadline == &exchange->client_deadline ? &exchange->session->client
	                                              : exchange->session->upstream;
}

static void await(
        struct http_deadline *deadline, uint32_t limit_ms, bool total, enum close_reason reason)
{
	if (!limit_ms) {
		event_timer_stop(&deadline->timer);
		deadline->limit_ms = 0;
		return;
	}
	uint64_t mark = bytes_moved(stream_of(deadline));
	bool same = deadline->limit_ms == limit_ms && deadline->total == total &&
	            deadline->reason == reason;
	if (same && (total || deadline->mark == mark))
		return;
	deadline->limit_ms = limit_ms;
	deadline->total = total;
	deadline->reason = reason;
	deadline->mark = mark;
	event_timer_set(&deadline->timer, limit_ms);
}

/* Some of the answer's head has come; an interim answer before it does not count. */
static bool is_within_head(const struct http_exchange *exchange)
{
	return exchange->response_step == HTTP_READ_RESPONSE_HEAD && exchange->response_parser &&
	       http_parser_has_begun(exchange->response_parser);
}

static void on_client_late(struct http_exchange *exchange)
{
	struct session *session = exchange->session;

	/* A client that takes nothing, be it an interim answer, gets no other one. */
	if (!stream_is_drained(&session->client)) {
		http_log(exchange, LOG_INFO,
		        "the client took no byte of the answer for send_timeout");
		session_close(session, CLOSE_CLIENT_TIMEOUT);
		return;
	}
	http_log(exchange, LOG_INFO, "the client timed out");
	http_exchange_fail(exchange, 408, CLOSE_CLIENT_TIMEOUT);
}

static void on_late(struct event_timer *timer)
{
	struct http_deadline *deadline = LIST_OBJECT(timer, struct http_deadline, timer);
	struct http_exchange *exchange = deadline->exchange;
	struct session *session = exchange->session;
	uint64_t moved = bytes_moved(stream_of(deadline));

	if (!deadline->total && moved != deadline->mark) {
		deadline->mark = moved;
		event_timer_set(timer, deadline->limit_ms);
		return;
	}
	deadline->limit_ms = 0;
	if (deadline == &exchange->client_deadline)
		on_client_late(exchange);
	else if (exchange->answer_begun) {
		http_log_upstream(exchange, "it sent nothing for proxy_read_timeout");
		session_close(session, CLOSE_UPSTREAM_TIMEOUT);
	} else
		http_exchange_attempt_failed(exchange, CLOSE_UPSTREAM_TIMEOUT,
		        is_within_head(exchange) ? "the head of the answer was not whole in time"
		                                 : "no answer in time");
	if (!session->closed)
		http_proxy_go_on(session);
}

static void set_client(struct http_exchange *exchange)
{
	const struct config_location *location = exchange->facts.location;
	const struct stream *client = &exchange->session->client;
	struct http_deadline *deadline = &exchange->client_deadline;

	if (exchange->request_step == HTTP_READ_REQUEST_HEAD)
		await(deadline, exchange->facts.server->client_header_timeout_ms, true,
		        CLOSE_CLIENT_TIMEOUT);
	else if (!stream_is_drained(client))
		await(deadline, location->send_timeout_ms, false, CLOSE_CLIENT_TIMEOUT);
	else if ((exchange->request_step == HTTP_RELAY_REQUEST_BODY ||
	                 exchange->request_step == HTTP_DROP_REQUEST_BODY) &&
	         stream_in_bytes(client) == 0)
		await(deadline, location->client_body_timeout_ms, false, CLOSE_CLIENT_TIMEOUT);
	else
		await(deadline, 0, false, CLOSE_DONE);
}

/* All of the request is out, or all of the answer so far has been taken. */
static bool is_awaiting_answer(const struct http_exchange *exchange)
{
	if (exchange->response_step == HTTP_READ_RESPONSE_HEAD)
		return exchange->request_step == HTTP_REQUEST_DONE;
	return exchange->response_step == HTTP_RELAY_RESPONSE_BODY &&
	       stream_is_drained(&exchange->session->client);
}

static void set_upstream(struct http_exchange *exchange)
{
	const struct config_location *location = exchange->facts.location;
	struct http_deadline *deadline = &exchange->upstream_deadline;
	const struct stream *upstream = exchange->session->upstream;

	bool exists = upstream && exchange->request_step != HTTP_AWAIT_DIAL;
	if (exists && is_within_head(exchange))
		await(deadline, location->proxy_read_timeout_ms, true, CLOSE_UPSTREAM_TIMEOUT);
	else if (exists && !stream_is_drained(upstream))
		await(deadline, location->proxy_send_timeout_ms, false, CLOSE_UPSTREAM_TIMEOUT);
	else if (exists && is_awaiting_answer(exchange))
		await(deadline, location->proxy_read_timeout_ms, false, CLOSE_UPSTREAM_TIMEOUT);
	else
		await(deadline, 0, false, CLOSE_DONE);
}

void http_deadlines_set(struct http_exchange *exchange)
{
	set_client(exchange);
	set_upstream(exchange);
}

void http_deadlines_init(struct http_exchange *exchange)
{
	struct event_loop *loop = exchange->session->host->io.loop;

	exchange->client_deadline.exchange = exchange->upstream_deadline.exchange = exchange;
	event_timer_init(&exchange->client_deadline.timer, loop, on_late);
	event_timer_init(&exchange->upstream_deadline.timer, loop, on_late);
}

void http_deadlines_stop(struct http_exchange *exchange)
{
	event_timer_stop(&exchange->client_deadline.timer);
	event_timer_stop(&exchange->upstream_deadline.timer);
}
