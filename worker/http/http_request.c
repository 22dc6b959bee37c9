/* SPDX-License-Identifier: BSD-2-Clause */
/* http_request.c - the steps of an exchange's request: from the client's bytes to the upstream's
 * socket. */
#include "shared/arena.h"
#include "shared/check.h"
#include "shared/scoreboard.h"
#include "shared/tls_credentials.h"
#include "worker/http/http_exchange.h"
#include "worker/http/http_fields.h"
#include "worker/http/http_log.h"
#include "worker/http/http_proxy.h"
#include "worker/http/http_route.h"
#include "worker/http/http_write.h"
#include "worker/tls/tls_server.h"

#include <stdio.h>
#include <string.h>

static enum http_result refuse(
        struct http_exchange *exchange, unsigned status, enum close_reason reason, const char *text)
{
	http_log(exchange, LOG_INFO, text);
	http_exchange_fail(exchange, status, reason);
	return HTTP_GO_ON;
}

enum http_result http_read_request_head(struct http_exchange *exchange)
{
	struct stream *client = &exchange->session->client;
	struct slice bytes = stream_arrived(client);
	size_t used = 0;

	if (bytes.length == 0) {
		if (!client->eof_seen)
			return HTTP_WAIT;
		session_close(exchange->session, http_parser_has_begun(exchange->request_parser)
		                                         ? CLOSE_CLIENT_ABORTED
		                                         : CLOSE_DONE);
		return HTTP_WAIT;
	}
	enum http_progress progress = http_parser_head_bytes(
	        exchange->request_parser, bytes, &used);
	buffer_taken(client->in, used);
	stream_resume(client);
	switch (progress) {
	case HTTP_MORE:
		return HTTP_GO_ON;
	case HTTP_COMPLETE:
		exchange->facts.request = http_parser_head(exchange->request_parser);
		exchange->request_step = HTTP_ROUTE;
		return HTTP_GO_ON;
	case HTTP_REFUSED:
		break;
	}
	const struct http_refusal *refusal = http_parser_refusal(exchange->request_parser);
	return refuse(exchange, refusal->status, CLOSE_CLIENT_BAD_REQUEST, refusal->text);
}

static bool is_content_with(enum tls_verify_client mode, const struct tls_server_facts *tls)
{
	switch (tls->verdict) {
	case TLS_CLIENT_VERIFIED:
		return true;
	case TLS_CLIENT_NONE:
		return mode != TLS_VERIFY_CLIENT_ON;
	case TLS_CLIENT_REFUSED:
		break;
	}
	return mode == TLS_VERIFY_CLIENT_OFF ||
	       (mode == TLS_VERIFY_CLIENT_OPTIONAL_NO_CA && tls->only_issuer_unknown);
}

/* The server that the client's handshake chose by SNI asked for certificates under one policy; a
 * Host that leads to a server with another one has to come by another connection. True when the
 * request was answered. */
static bool is_refused_by_tls(struct http_exchange *exchange)
{
	const struct tls_server_credentials *own = exchange->facts.server->listener_tls;
	struct tls_server_facts tls;

	if (!own || !tls_server_facts(exchange->session->client.transport, &tls))
		return false;
	if (memcmp(own->client_policy, tls.credentials->client_policy,
	            sizeof(own->client_policy)) != 0) {
		refuse(exchange, 421, CLOSE_CLIENT_BAD_REQUEST,
		        "Host names a server with another client-certificate policy than the one "
		        "that SNI chose");
		return true;
	}
	if (is_content_with(own->verify_client, &tls))
		return false;
	char text[300];
	if (tls.verdict == TLS_CLIENT_NONE)
		snprintf(text, sizeof(text), "client sent no required SSL certificate");
	else
		snprintf(
		        text, sizeof(text), "client SSL certificate verify error: %s", tls.refusal);
	refuse(exchange, tls.verdict == TLS_CLIENT_NONE ? 496 : 495, CLOSE_CLIENT_CERTIFICATE,
	        text);
	return true;
}

static bool wants_keep_alive(const struct http_exchange *exchange)
{
	const struct session *session = exchange->session;

	return exchange->facts.request->keep_alive && !session->host->draining &&
	       exchange->facts.location->keepalive_timeout_ms &&
	       session->exchange_count < exchange->facts.server->keepalive_requests;
}

enum http_result http_route(struct http_exchange *exchange)
{
	struct session *session = exchange->session;
	const struct http_head *request = exchange->facts.request;
	struct http_facts *facts = &exchange->facts;

	session->exchange_count++;
	scoreboard_count(session->host->row, STAT_HTTP_REQUESTS, 1);
	facts->server = http_route_server(session->listener->http, request->host);
	if (is_refused_by_tls(exchange))
		return HTTP_GO_ON;
	facts->location = http_route_location(facts->server, request->path);
	exchange->keep_alive = wants_keep_alive(exchange);
	uint64_t limit = facts->location->client_max_body_size;
	if (limit && request->content_length > limit && request->framing == HTTP_BODY_SIZED)
		return refuse(exchange, 413, CLOSE_CLIENT_BAD_REQUEST,
		        "the body is longer than client_max_body_size");
	http_body_begin(
	        &exchange->request_body, request, exchange->request_parser, request->framing);
	exchange->request_body.bytes_max = limit;
	if (facts->location->return_status) {
		exchange->request_step = HTTP_DROP_REQUEST_BODY;
		return HTTP_GO_ON;
	}
	exchange->plan = http_host_plan(session->host->http, facts->server, facts->location);
	exchange->request_step = HTTP_DIAL;
	return HTTP_GO_ON;
}

/* The body ends too early, or is framed wrongly, or is too long. True when it was dealt with. */
static bool is_cut_short(struct http_exchange *exchange, enum http_progress progress)
{
	struct session *session = exchange->session;

	if (progress == HTTP_REFUSED) {
		refuse(exchange, 400, CLOSE_CLIENT_BAD_REQUEST,
		        http_parser_refusal(exchange->request_parser)->text);
		return true;
	}
	if (http_body_is_too_long(&exchange->request_body)) {
		refuse(exchange, 413, CLOSE_CLIENT_BAD_REQUEST,
		        "the body is longer than client_max_body_size");
		return true;
	}
	if (progress == HTTP_COMPLETE || !session->client.eof_seen ||
	        stream_in_bytes(&session->client))
		return false;
	http_log(exchange, LOG_INFO, "the client ended in the middle of its body");
	session_close(session, CLOSE_CLIENT_ABORTED);
	return true;
}

enum http_result http_drop_request_body(struct http_exchange *exchange)
{
	struct stream *client = &exchange->session->client;
	/* Who waits for "100 Continue" gets the answer instead, and has to end there. */
	bool waits = exchange->facts.request->expect_continue && stream_in_bytes(client) == 0;
	enum http_progress progress = HTTP_COMPLETE;

	if (waits) {
		exchange->request_cut = exchange->linger = true;
		exchange->keep_alive = false;
	} else {
		progress = http_body_relay(&exchange->request_body, client, NULL);
		if (is_cut_short(exchange, progress))
			return HTTP_GO_ON;
	}
	if (progress != HTTP_COMPLETE)
		return HTTP_WAIT;
	exchange->reply_location = exchange->facts.location;
	exchange->reply_status = exchange->facts.location->return_status;
	exchange->request_step = HTTP_REQUEST_DONE;
	exchange->response_step = HTTP_SEND_REPLY;
	return HTTP_GO_ON;
}

static void on_dialled(struct dial *dial, bool connected, enum close_reason reason)
{
	struct session *session = LIST_OBJECT(dial, struct session, dial);
	struct http_exchange *exchange = session->exchange;

	if (connected) {
		session_take_upstream(session);
		http_proxy_hear_upstream(session);
		exchange->request_step = HTTP_SEND_REQUEST_HEAD;
	} else {
		http_exchange_fail(exchange, http_status_of(reason), reason);
	}
	http_proxy_go_on(session);
}

/* Once its head is out such a request can't be sent again. */
static bool needs_a_sure_connection(const struct http_head *request)
{
	return !request->idempotent || request->framing != HTTP_NO_BODY;
}

enum http_result http_dial(struct http_exchange *exchange)
{
	struct session *session = exchange->session;

	exchange->request_step = HTTP_AWAIT_DIAL;
	session->dial_settings = &exchange->plan->dial;
	session->facts.upstream_tls = (struct tls_facts){0}; /* the last exchange's */
	dial_start(&session->dial, &exchange->plan->dial, session->number,
	        needs_a_sure_connection(exchange->facts.request), on_dialled);
	return HTTP_WAIT;
}

static struct slice default_host(const struct http_exchange *exchange)
{
	const struct http_location_plan *plan = exchange->plan;

	return plan->hosts[exchange->session->dial.endpoint - plan->dial.group->endpoints];
}

/* Into the upstream's `out`, without sending yet: the body's first bytes may come along. */
static void write_head(struct http_exchange *exchange)
{
	const struct http_head *request = exchange->facts.request;
	struct stream *upstream = exchange->session->upstream;
	struct buffer_pool *pool = upstream->io->pool;
	struct http_request_form form = {
	        .target = http_route_target(exchange->facts.location, request, exchange->arena),
	        .default_host = default_host(exchange),
	        .framing = request->framing,
	        .content_length = request->content_length,
	        .keep_alive = exchange->plan->dial.group->keepalive > 0,
	        .upgrade = http_upgrade_passes(request->upgrade),
	        .expect_continue = request->expect_continue,
	};
	size_t length = 0, size = BUFFER_SMALL_BYTES;

	do {
		size = length > size ? length : size;
		buffer_pool_return(pool, &upstream->out);
		upstream->out = buffer_pool_lend_always(pool, size);
		length = http_write_request(&exchange->facts, &form, exchange->arena,
		        (char *)upstream->out->data, buffer_room(upstream->out));
	} while (length > buffer_room(upstream->out));
	buffer_filled(upstream->out, length);
}

enum http_result http_send_request_head(struct http_exchange *exchange)
{
	const struct http_head *request = exchange->facts.request;
	struct session *session = exchange->session;
	struct stream *upstream = session->upstream;
	const struct http_limits limits = {
	        .head_bytes_max = exchange->facts.location->proxy_buffer_size,
	        .line_bytes_max = HTTP_LINE_BYTES_MAX,
	};

	if (stream_in_bytes(upstream)) {
		http_exchange_attempt_failed(exchange, CLOSE_UPSTREAM_BAD_RESPONSE,
		        "it sent something before it was asked");
		return HTTP_GO_ON;
	}
	if (upstream->state != STREAM_OPEN) {
		exchange->response_step = HTTP_READ_RESPONSE_HEAD; /* which finds out why */
		exchange->request_step = HTTP_REQUEST_DONE;
		exchange->upstream_bytes_out = upstream->bytes_out;
		return HTTP_GO_ON;
	}
	exchange->upstream_bytes_out = upstream->bytes_out;
	write_head(exchange);
	exchange->response_parser = http_parser_create(
	        exchange->arena, HTTP_RESPONSE, request->method, &limits);
	exchange->response_begun = false;
	exchange->request_step = HTTP_RELAY_REQUEST_BODY;
	exchange->response_step = HTTP_READ_RESPONSE_HEAD;
	return HTTP_GO_ON;
}

enum http_result http_relay_request_body(struct http_exchange *exchange)
{
	struct session *session = exchange->session;
	struct stream *upstream = session->upstream;

	if (upstream->state != STREAM_OPEN) {
		/* It took no more. What it said before that is the response's affair. */
		exchange->request_cut = !exchange->request_body.complete;
		exchange->request_step = HTTP_REQUEST_DONE;
		return HTTP_GO_ON;
	}
	enum http_progress progress = http_body_relay(
	        &exchange->request_body, &session->client, upstream);
	if (session->closed || is_cut_short(exchange, progress))
		return HTTP_GO_ON;
	if (upstream->state != STREAM_OPEN)
		return HTTP_GO_ON;
	if (progress != HTTP_COMPLETE)
		return HTTP_WAIT;
	exchange->request_step = HTTP_REQUEST_DONE;
	return HTTP_GO_ON;
}
