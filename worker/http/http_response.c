/* SPDX-License-Identifier: BSD-2-Clause */
/* http_response.c - the steps of an exchange's response: from the upstream's bytes, or from us, to
 * the client's socket. */
#include "shared/arena.h"
#include "shared/check.h"
#include "shared/scoreboard.h"
#include "worker/http/http_exchange.h"
#include "worker/http/http_fields.h"
#include "worker/http/http_log.h"
#include "worker/http/http_proxy.h"
#include "worker/http/http_reply.h"
#include "worker/http/http_write.h"

#include <string.h>
#include <time.h>

enum { INTERIM_MAX = 16 };

/* Behind what is queued for the client already; not sent yet. False: not before it has sent some.
 */
typedef size_t write_fn(
        const struct http_exchange *exchange, const void *what, char *out, size_t size);

static bool queue(struct http_exchange *exchange, write_fn *write, const void *what)
{
	struct stream *client = &exchange->session->client;
	struct buffer_pool *pool = client->io->pool;

	if (client->state != STREAM_OPEN || client->output_held_up)
		return false;
	if (!client->out)
		client->out = buffer_pool_lend_always(pool, BUFFER_SMALL_BYTES);
	size_t room = buffer_room(client->out);
	size_t length = write(exchange, what, (char *)client->out->data + client->out->end, room);
	if (length > room && buffer_bytes(client->out)) {
		stream_flush(client);
		if (client->out || client->output_held_up)
			return false;
		return queue(exchange, write, what);
	}
	if (length > room) {
		buffer_pool_return(pool, &client->out);
		client->out = buffer_pool_lend_always(pool, length);
		length = write(exchange, what, (char *)client->out->data, length);
	}
	buffer_filled(client->out, length);
	return true;
}

static enum http_result refuse_response(struct http_exchange *exchange, const char *text)
{
	http_exchange_attempt_failed(exchange, CLOSE_UPSTREAM_BAD_RESPONSE, text);
	return HTTP_GO_ON;
}

/* Nothing more comes from the upstream, and its answer has not begun or has no whole head. */
static enum http_result end_without_head(struct http_exchange *exchange)
{
	struct stream *upstream = exchange->session->upstream;
	const struct io_fault *fault = upstream->transport->fault;

	if (upstream->state != STREAM_BROKEN || !fault) {
		http_exchange_attempt_failed(exchange, CLOSE_UPSTREAM_CLOSED,
		        exchange->response_begun ? "it closed in the middle of the answer's head"
		                                 : "it closed without an answer");
		return HTTP_GO_ON;
	}
	char *text = arena_format(exchange->arena, "%s", fault->text);
	http_exchange_attempt_failed(exchange, fault->reason, text);
	return HTTP_GO_ON;
}

static size_t write_interim(
        const struct http_exchange *exchange, const void *what, char *out, size_t size)
{
	const struct http_response_form form = {
	        .framing = HTTP_NO_BODY,
	        .keep_alive = true,
	        .client_minor = exchange->facts.request->minor,
	};

	return http_write_response(what, &form, out, size);
}

/* 1xx: passed on to who can read it (RFC 9110 15.2), as long as there are not too many. */
static enum http_result pass_interim(struct http_exchange *exchange, const struct http_head *head)
{
	const struct http_limits limits = {
	        .head_bytes_max = exchange->facts.location->proxy_buffer_size,
	        .line_bytes_max = HTTP_LINE_BYTES_MAX,
	};

	if (++exchange->interim_count > INTERIM_MAX)
		return refuse_response(exchange, "it sent more than 16 interim answers");
	if (exchange->facts.request->minor > 0 && queue(exchange, write_interim, head))
		stream_flush(&exchange->session->client);
	exchange->response_parser = http_parser_create(
	        exchange->arena, HTTP_RESPONSE, exchange->facts.request->method, &limits);
	return HTTP_GO_ON;
}

static enum http_result take_head(struct http_exchange *exchange)
{
	const struct http_head *head = http_parser_head(exchange->response_parser);
	const struct http_head *request = exchange->facts.request;

	exchange->facts.upstream_status = head->status;
	if (head->status == 101 &&
	        (!http_upgrade_passes(request->upgrade) || !head->upgrade.length))
		return refuse_response(
		        exchange, "it switched protocols (101) without being asked to");
	/* What the client still sends of it would be one thing for us and another for the upstream.
	 */
	if (head->status == 101 && !exchange->request_body.complete)
		return refuse_response(
		        exchange, "it switched protocols (101) in the middle of the request");
	if (head->status >= 100 && head->status < 200 && head->status != 101)
		return pass_interim(exchange, head);
	exchange->response = head;
	exchange->response_step = HTTP_SEND_RESPONSE_HEAD;
	return HTTP_GO_ON;
}

enum http_result http_read_response_head(struct http_exchange *exchange)
{
	struct session *session = exchange->session;
	struct stream *upstream = session->upstream;
	struct slice bytes = stream_arrived(upstream);
	size_t used = 0;

	if (bytes.length == 0) {
		if (upstream->state == STREAM_OPEN && !upstream->eof_seen)
			return HTTP_WAIT;
		return end_without_head(exchange);
	}
	dial_confirm(&session->dial);
	exchange->response_begun = true;
	enum http_progress progress = http_parser_head_bytes(
	        exchange->response_parser, bytes, &used);
	buffer_taken(upstream->in, used);
	stream_resume(upstream);
	switch (progress) {
	case HTTP_MORE:
		return HTTP_GO_ON;
	case HTTP_COMPLETE:
		return take_head(exchange);
	case HTTP_REFUSED:
		break;
	}
	return refuse_response(
	        exchange, arena_format(exchange->arena, "bad answer: %s",
	                          http_parser_refusal(exchange->response_parser)->text));
}

/* RFC 9112 6.3: a body whose length the client could not tell ends with the connection. */
static enum http_framing framing_for_client(const struct http_exchange *exchange)
{
	switch (exchange->response->framing) {
	case HTTP_NO_BODY:
	case HTTP_BODY_SIZED:
		return exchange->response->framing;
	case HTTP_BODY_CHUNKED:
	case HTTP_BODY_UNTIL_CLOSE:
		break;
	}
	return exchange->facts.request->minor > 0 ? HTTP_BODY_CHUNKED : HTTP_BODY_UNTIL_CLOSE;
}

static size_t write_response(
        const struct http_exchange *exchange, const void *what, char *out, size_t size)
{
	return http_write_response(exchange->response, what, out, size);
}

static void count_status(const struct http_exchange *exchange, unsigned status)
{
	struct scoreboard_row *row = exchange->session->host->row;

	if (status < 200)
		scoreboard_count(row, STAT_HTTP_1XX, 1);
	else if (status < 300)
		scoreboard_count(row, STAT_HTTP_2XX, 1);
	else if (status < 400)
		scoreboard_count(row, STAT_HTTP_3XX, 1);
	else if (status < 500)
		scoreboard_count(row, STAT_HTTP_4XX, 1);
	else
		scoreboard_count(row, STAT_HTTP_5XX, 1);
}

/* The client's connection is over after this answer: what it still sends is dropped for a while, so
 * that the answer is not lost to a reset. */
static void end_connection(struct http_exchange *exchange)
{
	exchange->keep_alive = false;
	exchange->linger = true;
}

enum http_result http_send_response_head(struct http_exchange *exchange)
{
	const struct http_head *response = exchange->response;
	bool upgrade = response->status == 101;

	if (exchange->request_step != HTTP_REQUEST_DONE) {
		exchange->request_cut = true;
		exchange->request_step = HTTP_REQUEST_DONE;
	}
	enum http_framing framing = framing_for_client(exchange);
	if (exchange->request_cut)
		end_connection(exchange);
	if (framing == HTTP_BODY_UNTIL_CLOSE || exchange->session->host->draining)
		exchange->keep_alive = false;
	struct http_response_form form = {
	        .framing = framing,
	        .content_length = response->content_length,
	        .has_content_length = response->has_content_length,
	        .keep_alive = exchange->keep_alive,
	        .upgrade = upgrade,
	        .client_minor = exchange->facts.request->minor,
	};
	if (!queue(exchange, write_response, &form))
		return HTTP_WAIT; /* interim answers are on their way still */
	exchange->answer_begun = true;
	exchange->facts.status = response->status;
	count_status(exchange, response->status);
	http_body_begin(&exchange->response_body, response, exchange->response_parser, framing);
	exchange->response_body.ends_connection = !exchange->keep_alive;
	exchange->response_step = HTTP_RELAY_RESPONSE_BODY;
	if (upgrade) {
		exchange->upgraded = true;
		exchange->response_step = HTTP_RESPONSE_DONE;
		http_proxy_upgrade(exchange);
		return HTTP_WAIT;
	}
	return HTTP_GO_ON;
}

/* What has come is on its way; a cut stays a cut: no last chunk, no clean end. */
static enum http_result cut_response(
        struct http_exchange *exchange, enum close_reason reason, const char *text)
{
	struct session *session = exchange->session;

	if (!stream_is_drained(&session->client))
		return HTTP_WAIT;
	http_log_upstream(exchange, text);
	session_close(session, reason);
	return HTTP_WAIT;
}

static enum http_result cut_ended_response(struct http_exchange *exchange)
{
	const struct io_fault *fault = exchange->session->upstream->transport->fault;

	if (fault)
		return cut_response(exchange, fault->reason, fault->text);
	return cut_response(
	        exchange, CLOSE_UPSTREAM_CLOSED, "it closed before the answer was whole");
}

enum http_result http_relay_response_body(struct http_exchange *exchange)
{
	struct session *session = exchange->session;
	struct stream *upstream = session->upstream;

	enum http_progress progress = http_body_relay(
	        &exchange->response_body, upstream, &session->client);
	if (session->closed)
		return HTTP_WAIT;
	switch (progress) {
	case HTTP_COMPLETE:
		http_exchange_release_upstream(exchange);
		exchange->response_step = HTTP_DRAIN_RESPONSE;
		return HTTP_GO_ON;
	case HTTP_REFUSED:
		return cut_response(exchange, CLOSE_UPSTREAM_BAD_RESPONSE,
		        http_parser_refusal(exchange->response_parser)->text);
	case HTTP_MORE:
		break;
	}
	if (stream_in_bytes(upstream) == 0 &&
	        (upstream->eof_seen || upstream->state != STREAM_OPEN))
		return cut_ended_response(exchange);
	return HTTP_WAIT;
}

static size_t write_reply(
        const struct http_exchange *exchange, const void *what, char *out, size_t size)
{
	(void)exchange;
	return http_write_reply(what, out, size);
}

static bool is_redirect(unsigned status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

enum http_result http_send_reply(struct http_exchange *exchange)
{
	struct session *session = exchange->session;
	const struct http_head *request = exchange->facts.request;
	const struct config_location *location = exchange->reply_location;
	struct slice text = {NULL, 0};
	struct timespec now; /* not that of the request: a 504 comes a while after it */

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	exchange->facts.status = exchange->reply_status;
	if (location && location->return_text.count)
		text = http_template(&exchange->facts, &location->return_text, exchange->arena);
	if (exchange->request_cut)
		end_connection(exchange);
	if (session->host->draining)
		exchange->keep_alive = false;
	bool redirect = location && is_redirect(exchange->reply_status);
	struct http_reply reply = {
	        .status = exchange->reply_status,
	        .body = redirect ? (struct slice){NULL, 0} : text,
	        .location = redirect ? text : (struct slice){NULL, 0},
	        .client_minor = request ? request->minor : 1,
	        .keep_alive = exchange->keep_alive,
	        .head_only = request && request->method == HTTP_METHOD_HEAD,
	        .now = now.tv_sec,
	};
	if (!queue(exchange, write_reply, &reply))
		return HTTP_WAIT;
	exchange->answer_begun = true;
	exchange->response_body.moved = http_reply_body_bytes(&reply);
	count_status(exchange, exchange->reply_status);
	if (exchange->keep_alive)
		stream_flush(&session->client);
	else
		stream_flush_last(&session->client);
	exchange->response_step = HTTP_DRAIN_RESPONSE;
	return HTTP_GO_ON;
}

enum http_result http_drain_response(struct http_exchange *exchange)
{
	const struct session *session = exchange->session;

	if (session->closed || !stream_is_drained(&session->client))
		return HTTP_WAIT;
	exchange->response_step = HTTP_RESPONSE_DONE;
	return HTTP_GO_ON;
}
