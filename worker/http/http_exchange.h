/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_exchange.h - one request and its response.
 *
 * A table of named steps with two cursors, one for the request and one for the response, since a
 * body is still being sent while the answer may come already. Every event of either stream runs
 * both cursors as far as they can go; a step looks at what the streams say and keeps no state of
 * theirs.
 */
#ifndef WORKER_HTTP_HTTP_EXCHANGE_H
#define WORKER_HTTP_HTTP_EXCHANGE_H

#include "worker/http/http_body.h"
#include "worker/http/http_host.h"
#include "worker/http/http_variables.h"

enum http_step {
	/* request */
	HTTP_READ_REQUEST_HEAD,
	HTTP_ROUTE,
	HTTP_DROP_REQUEST_BODY, /* of a request that we answer ourselves */
	HTTP_DIAL,
	HTTP_AWAIT_DIAL,
	HTTP_SEND_REQUEST_HEAD,
	HTTP_RELAY_REQUEST_BODY,
	HTTP_REQUEST_DONE,
	/* response */
	HTTP_AWAIT_REQUEST, /* nothing can come yet */
	HTTP_READ_RESPONSE_HEAD,
	HTTP_SEND_RESPONSE_HEAD,
	HTTP_RELAY_RESPONSE_BODY,
	HTTP_SEND_REPLY, /* an answer of our own */
	HTTP_DRAIN_RESPONSE, /* the client takes the last bytes */
	HTTP_RESPONSE_DONE,
	HTTP_STEP_COUNT
};

/* A deadline that moves on while bytes do. */
struct http_deadline {
	struct event_timer timer;
	struct http_exchange *exchange;
	uint32_t limit_ms; /* 0: nothing is awaited */
	bool total; /* bytes do not move it */
	enum close_reason reason;
	uint64_t mark; /* bytes moved when it was set */
};

struct http_exchange {
	unsigned magic;
	struct session *session;
	struct http_host *http;
	struct event_task free_task;
	struct arena *arena; /* holds all of this too */
	enum http_step request_step, response_step;
	struct http_parser *request_parser, *response_parser;
	struct http_facts facts;
	const struct http_location_plan *plan;
	struct http_body request_body, response_body;
	const struct http_head *response;
	unsigned reply_status;
	const struct config_location *reply_location; /* its text; NULL: the status's own page */
	unsigned interim_count;
	bool request_cut; /* the rest of the request is not read any more */
	bool response_begun; /* some byte of this attempt's answer came */
	bool answer_begun; /* bytes of a final answer were queued for the client */
	bool keep_alive; /* the client's connection goes on after it */
	bool linger; /* it ends by a lingering close */
	bool upgraded;
	bool ended;
	enum close_reason reason; /* for the access log */
	uint64_t started_ms;
	uint64_t client_bytes_in, client_bytes_out; /* of the client's stream, when it started */
	uint64_t upstream_bytes_out; /* of the upstream's, when the head was written */
	struct http_deadline client_deadline, upstream_deadline;
};

enum { HTTP_LINE_BYTES_MAX = 8 * 1024 };

enum http_result { HTTP_GO_ON, HTTP_WAIT };

/* Begins with what is in the client's `in`. */
struct http_exchange *http_exchange_begin(struct session *session);
/* Runs both cursors as far as they go. `ended` afterwards: it has been answered, and the session
 * goes on as `keep_alive` and `linger` say. The session may be closed instead. */
void http_exchange_run(struct http_exchange *exchange);
/* Frees it; its line is written. The session closes, or it ended. */
void http_exchange_end(struct http_exchange *exchange, enum close_reason reason);

/* ---- for the steps ---- */

/* Answers with an error of our own; where an answer has begun the connection is cut instead.
 * `reason` is for the log, whose line is written by who knows the cause. */
void http_exchange_fail(struct http_exchange *exchange, unsigned status, enum close_reason reason);
/* An attempt came to nothing: another one is made as far as the request can be sent again and the
 * settings allow, else the client is answered. `text` for the log. */
void http_exchange_attempt_failed(
        struct http_exchange *exchange, enum close_reason reason, const char *text);
/* What the client is told where the upstream failed so: 502, 504, ... */
unsigned http_status_of(enum close_reason reason);
/* What it is at, for the log: "sending the request". */
const char *http_exchange_doing(const struct http_exchange *exchange);
/* The upstream's connection goes back to the pool, or is closed. */
void http_exchange_release_upstream(struct http_exchange *exchange);

/* http_request.c */
enum http_result http_read_request_head(struct http_exchange *exchange);
enum http_result http_route(struct http_exchange *exchange);
enum http_result http_drop_request_body(struct http_exchange *exchange);
enum http_result http_dial(struct http_exchange *exchange);
enum http_result http_send_request_head(struct http_exchange *exchange);
enum http_result http_relay_request_body(struct http_exchange *exchange);
/* http_response.c */
enum http_result http_read_response_head(struct http_exchange *exchange);
enum http_result http_send_response_head(struct http_exchange *exchange);
enum http_result http_relay_response_body(struct http_exchange *exchange);
enum http_result http_send_reply(struct http_exchange *exchange);
enum http_result http_drain_response(struct http_exchange *exchange);

/* http_deadlines.c */
void http_deadlines_init(struct http_exchange *exchange);
void http_deadlines_set(struct http_exchange *exchange);
void http_deadlines_stop(struct http_exchange *exchange);

#endif
