/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session.c - opening, handing to the protocol, closing.
 *
 * Before the upstream is there the client's bytes wait in its `in` buffer; a FIN is remembered by
 * the stream, a reset cancels the dial.
 */
#include "worker/session/session.h"

#include "shared/check.h"
#include "shared/log.h"
#include "shared/tls_credentials.h"
#include "worker/io/plain_transport.h"
#include "worker/session/session_log.h"
#include "worker/tls/tls_server.h"
#include "worker/upstream/idle_pool.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SESSION_MAGIC = 0x53455353, SPARE_SESSIONS_MAX = 64 };

static void free_session(struct event_task *task)
{
	struct session *session = LIST_OBJECT(task, struct session, free_task);
	struct session_host *host = session->host;

	CHECK_OBJ(session, SESSION_MAGIC);
	session->magic = 0;
	if (host->spare_count < SPARE_SESSIONS_MAX) {
		list_append(&host->spare, &session->link);
		host->spare_count++;
	} else {
		free(session);
	}
	host->on_session_end(host);
}

static struct session *take_memory(struct session_host *host)
{
	struct session *session;

	if (list_is_empty(&host->spare)) {
		session = malloc(sizeof(*session));
	} else {
		session = LIST_OBJECT(host->spare.next, struct session, link);
		list_remove(&session->link);
		host->spare_count--;
	}
	if (session)
		memset(session, 0, sizeof(*session));
	return session;
}

void session_host_destroy(struct session_host *host)
{
	CHECK(list_is_empty(&host->sessions));
	LIST_EACH(link, &host->spare)
	free(LIST_OBJECT(link, struct session, link));
	list_init(&host->spare);
}

static void on_client_waiting(struct stream *stream, enum stream_event event)
{
	struct session *session = stream->owner;

	CHECK_OBJ(session, SESSION_MAGIC);
	if (event == STREAM_FAILED)
		session_close_failed(session, stream, false);
}

void session_wait_for_upstream(struct session *session)
{
	stream_give(&session->client, on_client_waiting, session);
}

static void client_ready(struct session *session)
{
	struct tls_transport *tls = tls_transport_of(session->client.transport);

	if (tls) {
		tls_transport_facts(tls, &session->facts.client_tls);
		scoreboard_count(session->host->row,
		        session->facts.client_tls.resumed ? STAT_CLIENT_HANDSHAKES_RESUMED
		                                          : STAT_CLIENT_HANDSHAKES_FULL,
		        1);
	}
	session_wait_for_upstream(session);
	session->protocol->start(session);
}

/* Clear text on a TLS port: a protocol that can say so gets a plain stream to say it on. */
static bool is_answered_in_clear_text(struct session *session)
{
	struct stream *client = &session->client;
	const struct io_fault *fault = client->transport->fault;

	if (!fault || fault->reason != CLOSE_CLIENT_CLEAR_TEXT ||
	        !session->protocol->start_clear_text)
		return false;
	int fd = stream_detach(client);
	struct transport *transport = plain_transport_create(fd, IO_CLIENT);
	if (!transport) {
		close(fd);
		session_close(session, CLOSE_RESOURCES);
		return true;
	}
	stream_open(client, fd, transport, false, session->listener->buffer_bytes_max, 0);
	session_wait_for_upstream(session);
	stream_start(client, false);
	if (!session->closed)
		session->protocol->start_clear_text(session);
	return true;
}

static void on_client_handshake(struct stream *stream, enum stream_event event)
{
	struct session *session = stream->owner;

	CHECK_OBJ(session, SESSION_MAGIC);
	switch (event) {
	case STREAM_READY:
		client_ready(session);
		break;
	case STREAM_FAILED:
		if (!is_answered_in_clear_text(session))
			session_close_failed(session, stream, false);
		break;
	case STREAM_DATA:
	case STREAM_DRAINED:
	case STREAM_EOF:
		break;
	}
}

static struct transport *open_transport(struct session_host *host,
        const struct config_listener *listener, const struct protocol *protocol, int fd)
{
	struct tls_server_choice choice = {
	        .standard = listener->tls,
	        .for_name = protocol->tls_for_name,
	        .opaque = listener,
	};

	if (listener->ssl)
		return tls_server_create(host->tls_server, &choice, fd);
	return plain_transport_create(fd, IO_CLIENT);
}

static void init_session(
        struct session *session, struct session_host *host, const struct address *client_address)
{
	session->magic = SESSION_MAGIC;
	session->host = host;
	session->number = ++host->last_number;
	session->client_address = *client_address;
	session->accepted_ms = event_loop_now_ms(host->io.loop);
	clock_gettime(CLOCK_REALTIME_COARSE, &session->accepted_at);
	list_init(&session->link);
	stream_init(&session->client, &host->io);
	dial_init(&session->dial, &host->dialer);
	event_task_init(&session->free_task, free_session);
	event_timer_init(&session->idle, host->io.loop, NULL);
}

void session_open(struct session_host *host, int fd, const struct address *client_address,
        const struct config_listener *listener, const struct protocol *protocol, bool readable)
{
	struct session *session = take_memory(host);
	struct transport *transport = session ? open_transport(host, listener, protocol, fd) : NULL;

	if (!transport) {
		free(session);
		close(fd);
		scoreboard_count_close(host->row, CLOSE_RESOURCES);
		return;
	}
	init_session(session, host, client_address);
	session->listener = listener;
	session->protocol = protocol;
	list_append(&host->sessions, &session->link);
	host->session_count++;
	session->shutdown_timeout_ms = listener->shutdown_timeout_ms;
	stream_open(&session->client, fd, transport, false, listener->buffer_bytes_max,
	        listener->ssl ? listener->ssl_handshake_timeout_ms : 0);
	stream_give(&session->client, on_client_handshake, session);
	stream_start(&session->client, readable);
}

static struct upstream_connection *give_up_upstream(struct session *session)
{
	struct stream *upstream = session->upstream;

	session->upstream = NULL;
	return upstream ? upstream_connection_of(upstream) : NULL;
}

/* Frees the streams' parts and hands the memory to the end of this turn. */
static void end(struct session *session, enum close_reason reason, bool clean)
{
	struct session_host *host = session->host;

	CHECK_OBJ(session, SESSION_MAGIC);
	if (session->closed)
		return;
	session->closed = true;
	event_timer_stop(&session->idle);
	scoreboard_count(host->row, STAT_CLIENT_BYTES_IN, session->client.bytes_in);
	scoreboard_count(host->row, STAT_CLIENT_BYTES_OUT, session->client.bytes_out);
	scoreboard_count_close(host->row, reason);
	session_log_end(session, reason);
	session->protocol->stop(session, reason);
	if (clean) {
		session_drop_upstream(session);
		stream_close(&session->client);
	} else {
		upstream_connection_abort(give_up_upstream(session));
		stream_abort(&session->client);
	}
	list_remove(&session->link);
	host->session_count--;
	event_loop_defer(host->io.loop, &session->free_task);
}

void session_close(struct session *session, enum close_reason reason)
{
	end(session, reason, reason == CLOSE_DONE);
}

void session_close_failed(struct session *session, struct stream *stream, bool clean)
{
	const struct io_fault *fault = stream->transport ? stream->transport->fault : NULL;
	enum close_reason reason = stream == &session->client ? CLOSE_CLIENT_RESET
	                                                      : CLOSE_UPSTREAM_RESET;

	if (session->closed)
		return;
	if (fault)
		reason = fault->reason;
	if (!session->attempt_logged)
		session_log_fault(session, stream, reason);
	end(session, reason, clean);
}

void session_take_upstream(struct session *session)
{
	struct upstream_connection *connection = dial_take_connection(&session->dial);

	CHECK_OBJ(session, SESSION_MAGIC);
	CHECK(!session->upstream);
	session->upstream = &connection->stream;
	session->facts.upstream_tls = connection->tls;
}

void session_drop_upstream(struct session *session)
{
	upstream_connection_close(give_up_upstream(session));
}

void session_release_upstream(struct session *session, bool reusable)
{
	struct upstream_connection *connection = give_up_upstream(session);

	if (!connection)
		return;
	if (reusable)
		idle_pool_give(session->host->dialer.pool, connection);
	else
		upstream_connection_end(connection);
}
