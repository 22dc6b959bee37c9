/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_exchange.c - the table of steps, what happens when a step fails, begin and end.
 *
 *   request:  read head - route - dial - send head - relay body - done
 *                              \ drop body (answered by ourselves)
 *   response:            (await request) - read head - send head - relay body - drain - done
 *                                       \ send reply ----------------------/
 *
 * A failed attempt moves both cursors back to the dial, as long as the request can be sent again:
 * no byte of its body has left the client's buffer, and it is idempotent or the upstream's socket
 * took nothing of it.
 */
#include "worker/http/http_exchange.h"

#include "shared/arena.h"
#include "shared/check.h"
#include "shared/scoreboard.h"
#include "worker/http/http_log.h"
#include "worker/upstream/idle_pool.h"

#include <string.h>

enum { HTTP_EXCHANGE_MAGIC = 0x48545845 };

static enum http_result wait_for_the_other(struct http_exchange *exchange)
{
	(void)exchange;
	return HTTP_WAIT;
}

static const struct {
	const char *name;
	enum http_result (*run)(struct http_exchange *exchange);
} steps[HTTP_STEP_COUNT] = {
        [HTTP_READ_REQUEST_HEAD] = {"reading the request", http_read_request_head},
        [HTTP_ROUTE] = {"routing", http_route},
        [HTTP_DROP_REQUEST_BODY] = {"reading the request's body", http_drop_request_body},
        [HTTP_DIAL] = {"connecting to the upstream", http_dial},
        [HTTP_AWAIT_DIAL] = {"connecting to the upstream", wait_for_the_other},
        [HTTP_SEND_REQUEST_HEAD] = {"sending the request", http_send_request_head},
        [HTTP_RELAY_REQUEST_BODY] = {"sending the request's body", http_relay_request_body},
        [HTTP_REQUEST_DONE] = {"request sent", wait_for_the_other},
        [HTTP_AWAIT_REQUEST] = {"no answer yet", wait_for_the_other},
        [HTTP_READ_RESPONSE_HEAD] = {"reading the response's head", http_read_response_head},
        [HTTP_SEND_RESPONSE_HEAD] = {"sending the response's head", http_send_response_head},
        [HTTP_RELAY_RESPONSE_BODY] = {"sending the response's body", http_relay_response_body},
        [HTTP_SEND_REPLY] = {"answering", http_send_reply},
        [HTTP_DRAIN_RESPONSE] = {"sending the response's end", http_drain_response},
        [HTTP_RESPONSE_DONE] = {"answered", wait_for_the_other},
};

const char *http_exchange_doing(const struct http_exchange *exchange)
{
	if (exchange->response_step != HTTP_AWAIT_REQUEST &&
	        exchange->request_step == HTTP_REQUEST_DONE)
		return steps[exchange->response_step].name;
	return steps[exchange->request_step].name;
}

/* The request's cursor first: it is what the response waits for. */
static bool run_once(struct http_exchange *exchange)
{
	struct session *session = exchange->session;
	bool moved = false;

	while (!session->closed && steps[exchange->request_step].run(exchange) == HTTP_GO_ON)
		moved = true;
	while (!session->closed && steps[exchange->response_step].run(exchange) == HTTP_GO_ON)
		moved = true;
	return moved;
}

void http_exchange_run(struct http_exchange *exchange)
{
	const struct session *session = exchange->session;

	CHECK_OBJ(exchange, HTTP_EXCHANGE_MAGIC);
	while (!session->closed && run_once(exchange))
		;
	if (session->closed)
		return;
	exchange->ended = exchange->response_step == HTTP_RESPONSE_DONE &&
	                  exchange->request_step == HTTP_REQUEST_DONE;
	if (exchange->upgraded)
		http_deadlines_stop(exchange);
	else if (!exchange->ended)
		http_deadlines_set(exchange);
}

void http_exchange_release_upstream(struct http_exchange *exchange)
{
	if (exchange->request_cut)
		session_drop_upstream(exchange->session);
	else
		session_release_upstream(exchange->session, exchange->response->keep_alive);
}

void http_exchange_fail(struct http_exchange *exchange, unsigned status, enum close_reason reason)
{
	if (exchange->session->closed)
		return;
	if (exchange->answer_begun) {
		session_close(exchange->session, reason);
		return;
	}
	dial_cancel(&exchange->session->dial);
	session_drop_upstream(exchange->session);
	/* What the upstream did wrong need not cost a client its connection that is in order. */
	if (!exchange->request_body.complete || status < 500) {
		exchange->request_cut = !exchange->request_body.complete;
		exchange->keep_alive = false;
		exchange->linger = true;
	}
	exchange->request_step = HTTP_REQUEST_DONE;
	exchange->reason = reason;
	exchange->reply_status = status;
	exchange->reply_location = NULL;
	exchange->response_step = HTTP_SEND_REPLY;
}

/* RFC 9110 9.2.2, and what behaviour of a proxy follows from it. */
static bool may_send_again(const struct http_exchange *exchange)
{
	const struct stream *upstream = exchange->session->upstream;
	bool nothing_taken = !upstream || upstream->bytes_out == exchange->upstream_bytes_out;

	if (exchange->answer_begun || exchange->request_body.begun)
		return false;
	return exchange->facts.request->idempotent || nothing_taken;
}

unsigned http_status_of(enum close_reason reason)
{
	if (reason == CLOSE_UPSTREAM_CONNECT_TIMEOUT ||
	        reason == CLOSE_UPSTREAM_HANDSHAKE_TIMEOUT || reason == CLOSE_UPSTREAM_TIMEOUT)
		return 504;
	if (reason == CLOSE_RESOURCES)
		return 503;
	return reason == CLOSE_BIND ? 500 : 502;
}

void http_exchange_attempt_failed(
        struct http_exchange *exchange, enum close_reason reason, const char *text)
{
	struct session *session = exchange->session;
	bool again = may_send_again(exchange);
	bool dialled = false;

	exchange->response_parser = NULL;
	exchange->response = NULL;
	if (again && session->dial.reused && !exchange->response_begun &&
	        reason != CLOSE_UPSTREAM_TIMEOUT) {
		dial_again(&session->dial);
		dialled = true;
	} else {
		dialled = dial_failed(&session->dial, reason, text, again);
	}
	if (!dialled) {
		http_exchange_fail(exchange, http_status_of(reason), reason);
		return;
	}
	session_drop_upstream(session);
	exchange->response_begun = false;
	exchange->request_step = HTTP_AWAIT_DIAL;
	exchange->response_step = HTTP_AWAIT_REQUEST;
}

static void free_exchange(struct event_task *task)
{
	struct http_exchange *exchange = LIST_OBJECT(task, struct http_exchange, free_task);

	http_host_return_arena(exchange->http, exchange->arena);
}

struct http_exchange *http_exchange_begin(struct session *session)
{
	struct http_host *host = session->host->http;
	struct arena *arena = http_host_lend_arena(host);
	struct http_exchange *exchange = arena_alloc(arena, sizeof(*exchange));
	const struct config_http *server = session->listener->http->standard;
	const struct http_limits limits = {
	        .head_bytes_max = server->client_max_header_size,
	        .line_bytes_max = HTTP_LINE_BYTES_MAX,
	};

	exchange->magic = HTTP_EXCHANGE_MAGIC;
	exchange->session = session;
	exchange->http = host;
	exchange->arena = arena;
	exchange->request_parser = http_parser_create(
	        arena, HTTP_REQUEST, HTTP_METHOD_OTHER, &limits);
	exchange->request_step = HTTP_READ_REQUEST_HEAD;
	exchange->response_step = HTTP_AWAIT_REQUEST;
	exchange->facts = (struct http_facts){
	        .session = session, .server = server, .location = server->unmatched};
	exchange->reason = CLOSE_DONE;
	exchange->started_ms = event_loop_now_ms(session->host->io.loop);
	exchange->client_bytes_in = session->client.bytes_in - stream_in_bytes(&session->client);
	exchange->client_bytes_out = session->client.bytes_out;
	event_task_init(&exchange->free_task, free_exchange);
	http_deadlines_init(exchange);
	return exchange;
}

void http_exchange_end(struct http_exchange *exchange, enum close_reason reason)
{
	struct session *session = exchange->session;

	CHECK_OBJ(exchange, HTTP_EXCHANGE_MAGIC);
	uint64_t took_ms = event_loop_now_ms(session->host->io.loop) - exchange->started_ms;

	http_deadlines_stop(exchange);
	if (exchange->facts.request)
		scoreboard_observe(session->host->row, HISTOGRAM_REQUEST_SECONDS, took_ms * 1000);
	if (http_parser_has_begun(exchange->request_parser) || exchange->facts.status) {
		if (reason != CLOSE_DONE)
			exchange->reason = reason;
		http_log_exchange(exchange);
	}
	exchange->magic = 0;
	/* A step of it may be on the call stack. */
	event_loop_defer(session->host->io.loop, &exchange->free_task);
}
