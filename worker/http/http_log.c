/* SPDX-License-Identifier: BSD-2-Clause */
/* http_log.c - what the logs say of an exchange. */
#include "worker/http/http_log.h"

#include "shared/arena.h"
#include "worker/http/http_reply.h"
#include "worker/session/access_log.h"
#include "worker/upstream/dial_attempts.h"

#include <stdio.h>

enum { REQUEST_SHOWN_MAX = 300 };

static struct slice request_line(const struct http_exchange *exchange)
{
	if (!exchange->facts.request)
		return (struct slice){NULL, 0};
	return exchange->facts.request->request_line;
}

void http_log(const struct http_exchange *exchange, enum log_level level, const char *text)
{
	const struct session *session = exchange->session;
	char client[ADDRESS_TEXT_MAX], request[REQUEST_SHOWN_MAX];

	if (!log_wants(level))
		return;
	log_escape(request_line(exchange), request, sizeof(request));
	log_connection(level, session->number,
	        "%s, while %s (client %s, http %s, listen %s, request \"%s\")", text,
	        http_exchange_doing(exchange),
	        address_format(&session->client_address, client, sizeof(client)),
	        exchange->facts.server->name, session->listener->text, request);
}

void http_log_upstream(const struct http_exchange *exchange, const char *text)
{
	const struct dial *dial = &exchange->session->dial;
	char address[ADDRESS_TEXT_MAX];

	http_log(exchange, LOG_ERROR,
	        arena_format(exchange->arena, "upstream %s: %s: %s", dial->settings->group->name,
	                address_format(&dial->endpoint->address, address, sizeof(address)), text));
}

static bool is_of_client(enum close_reason reason)
{
	return reason == CLOSE_CLIENT_RESET || reason == CLOSE_CLIENT_ABORTED ||
	       reason == CLOSE_CLIENT_TRUNCATED || reason == CLOSE_CLIENT_TIMEOUT ||
	       reason == CLOSE_CLIENT_PROTOCOL;
}

/* nginx's 499: the client was gone before an answer had begun. */
static unsigned status_of(const struct http_exchange *exchange)
{
	if (exchange->facts.status)
		return http_status_shown(exchange->facts.status);
	return is_of_client(exchange->reason) ? 499 : 0;
}

void http_log_exchange(const struct http_exchange *exchange)
{
	const struct session *session = exchange->session;
	const struct config_location *location = exchange->facts.location;
	const struct http_head *request = exchange->facts.request;
	const struct tls_facts *upstream_tls = &session->facts.upstream_tls;
	char tries[DIAL_ATTEMPTS_TEXT_MAX];
	bool proxied = exchange->plan;

	if (!location->access_log_count)
		return;
	struct access_log_record record = {
	        .clock = &session->host->access_log_clock,
	        .client = &session->client_address,
	        .server_name = exchange->facts.server->name,
	        .request = request_line(exchange),
	        .status = status_of(exchange),
	        .upstream_addresses = proxied ? dial_attempts_format(&session->dial, tries).data
	                                      : NULL,
	        .bytes_received = session->client.bytes_in - stream_in_bytes(&session->client) -
	                          exchange->client_bytes_in,
	        .bytes_sent = session->client.bytes_out - exchange->client_bytes_out,
	        .body_bytes_sent = exchange->response_body.moved,
	        .duration_ms = event_loop_now_ms(session->host->io.loop) - exchange->started_ms,
	        .upstream_protocol = proxied ? upstream_tls->protocol : NULL,
	        .upstream_cipher = proxied ? upstream_tls->cipher : NULL,
	        .upstream_resumed = upstream_tls->resumed,
	        .reason = exchange->reason,
	};
	clock_gettime(CLOCK_REALTIME_COARSE, &record.time);
	if (request) {
		record.referer = http_head_field(request, SLICE("referer"));
		record.user_agent = http_head_field(request, SLICE("user-agent"));
	}
	access_log_write_all(&record, location->access_logs, location->access_log_count,
	        session->host->log_files);
}
