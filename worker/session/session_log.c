/* SPDX-License-Identifier: BSD-2-Clause */
/* session_log.c - what the logs say of a session. */
#include "worker/session/session_log.h"

#include "shared/log.h"
#include "worker/session/access_log.h"
#include "worker/upstream/dial_attempts.h"

#include <stdio.h>
#include <string.h>

static void log_for(
        const struct session *session, enum log_level level, const char *side, const char *text)
{
	char client[ADDRESS_TEXT_MAX];

	log_connection(level, session->number, "%s: %s (client %s, %s, listen %s)", side, text,
	        address_format(&session->client_address, client, sizeof(client)),
	        session->listener->section, session->listener->text);
}

/* What clients do is their own affair; what an upstream does is the operator's. But nginx, redis
 * and others answer our end with theirs and no close_notify: each of their connections ends so. */
static enum log_level level_of(
        const struct session *session, const struct stream *stream, enum close_reason reason)
{
	if (stream != session->upstream || !close_reason_is_error(reason))
		return LOG_INFO;
	return reason == CLOSE_UPSTREAM_TRUNCATED && stream->finished ? LOG_INFO : LOG_ERROR;
}

void session_log_fault(
        const struct session *session, const struct stream *stream, enum close_reason reason)
{
	const struct io_fault *fault = stream->transport ? stream->transport->fault : NULL;
	bool upstream = stream == session->upstream;
	char side[300], address[ADDRESS_TEXT_MAX];

	if (upstream)
		snprintf(side, sizeof(side), "upstream %s: %s", session->dial_settings->group->name,
		        session->dial.endpoint ? address_format(&session->dial.endpoint->address,
		                                         address, sizeof(address))
		                               : "-");
	else
		snprintf(side, sizeof(side), "client");
	log_for(session, level_of(session, stream, reason), side,
	        fault ? fault->text : close_reason_text(reason));
}

static bool is_own_limit(enum close_reason reason)
{
	return reason == CLOSE_IDLE_TIMEOUT || reason == CLOSE_SHUTDOWN_TIMEOUT ||
	       reason == CLOSE_WORKER_SHUTDOWN_TIMEOUT || reason == CLOSE_GENERATION_LIMIT;
}

/* nginx's $status of a stream: 200 once a tunnel stood, else whose fault it was that none did. */
static unsigned status_of(const struct session *session, enum close_reason reason)
{
	if (session->tunnel_settings && !session->attempt_logged)
		return 200;
	if (reason == CLOSE_RESOURCES || reason == CLOSE_BIND)
		return 500;
	return session->dial.attempts || reason == CLOSE_NO_UPSTREAM ? 502 : 400;
}

static void write_access_line(const struct session *session, enum close_reason reason)
{
	const struct config_tcp *tcp = session->listener->tcp;
	const struct tls_facts *upstream_tls = &session->facts.upstream_tls;
	char attempts[DIAL_ATTEMPTS_TEXT_MAX];

	struct access_log_record record = {
	        .time = session->accepted_at,
	        .clock = &session->host->access_log_clock,
	        .client = &session->client_address,
	        .server_name = tcp->name,
	        .status = status_of(session, reason),
	        .upstream_addresses = dial_attempts_format(&session->dial, attempts).data,
	        .bytes_received = session->client.bytes_in,
	        .bytes_sent = session->client.bytes_out,
	        .duration_ms = event_loop_now_ms(session->host->io.loop) - session->accepted_ms,
	        .upstream_protocol = upstream_tls->protocol,
	        .upstream_cipher = upstream_tls->cipher,
	        .upstream_resumed = upstream_tls->resumed,
	        .reason = reason,
	};
	access_log_write_all(
	        &record, tcp->access_logs, tcp->access_log_count, session->host->log_files);
}

void session_log_end(const struct session *session, enum close_reason reason)
{
	if (is_own_limit(reason))
		log_for(session, LOG_INFO, "connection cut", close_reason_text(reason));
	if (session->listener->tcp && session->listener->tcp->access_log_count)
		write_access_line(session, reason);
}
