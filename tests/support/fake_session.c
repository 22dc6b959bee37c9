/* SPDX-License-Identifier: BSD-2-Clause */
/* fake_session.c - a host of one session, and a protocol that swaps its streams. */
#include "tests/support/fake_session.h"

#include "shared/check.h"

#include <arpa/inet.h>
#include <string.h>

enum { LARGE_BYTES = 256 * 1024, HANDSHAKE_MS = 10000, IDLE_MS = 60000 };

#define FAKE_OF(pointer, member) LIST_OBJECT(pointer, struct fake_session, member)

static void on_client_ready(struct stream *stream, enum stream_event event)
{
	if (event == STREAM_READY)
		session_wait_for_upstream(stream->owner);
}

static void start(struct session *session)
{
	struct fake_session *fake = FAKE_OF(session->host, host);
	struct stream *client = &session->client;

	session->dial_settings = &fake->dial_settings;
	fake->session = session;
	stream_close(client);
	stream_open(client, fake_descriptor(), fake_transport_create(&fake->client, IO_CLIENT),
	        false, LARGE_BYTES, 0);
	stream_give(client, on_client_ready, session);
	stream_start(client, false);
}

static void stop(struct session *session, enum close_reason reason)
{
	(void)reason;
	dial_cancel(&session->dial);
}

static void on_session_end(struct session_host *host)
{
	FAKE_OF(host, host)->ended++;
}

/* A group of one server, for what the tunnel reports of it. */
static void init_upstream(struct fake_session *fake)
{
	fake->endpoint = (struct config_endpoint){.server = "fake",
	        .host = "fake",
	        .weight = 1,
	        .max_fails = 1,
	        .fail_timeout_ms = 1};
	fake->endpoint.address = (struct address){
	        .in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
	        .length = sizeof(fake->endpoint.address.in)};
	fake->group = (struct config_group){
	        .name = "fake", .endpoints = &fake->endpoint, .endpoint_count = 1};
	fake->config = (struct config){
	        .groups = &fake->group, .group_count = 1, .endpoint_count = 1};
	fake->upstream_state = upstream_state_create(1, 1);
	fake->host.dialer.balancer = balancer_create(&fake->config, fake->upstream_state);
	fake->host.dialer.pool = idle_pool_create(&fake->config, &fake->host.io);
	fake->dial_settings.group = &fake->group;
	fake->dial_settings.next_upstream = NEXT_UPSTREAM_ERROR | NEXT_UPSTREAM_TIMEOUT;
}

void fake_session_init(struct fake_session *fake, uint64_t pool_limit)
{
	memset(fake, 0, sizeof(*fake));
	fake_peer_init(&fake->client);
	fake_peer_init(&fake->upstream);
	struct session_host *host = &fake->host;
	host->io.loop = event_loop_create();
	host->io.pool = buffer_pool_create(pool_limit, LARGE_BYTES);
	host->io.resets = reset_queue_create(host->io.loop);
	host->dialer.io = &host->io;
	host->dialer.row = host->row = &fake->row;
	upstream_connections_init(&host->dialer.connections, &host->io, host->row, NULL);
	host->on_session_end = on_session_end;
	list_init(&host->sessions);
	list_init(&host->spare);
	fake->tcp.name = "fake";
	fake->listener.tcp = &fake->tcp;
	fake->listener.section = "tcp fake";
	fake->listener.buffer_bytes_max = LARGE_BYTES;
	fake->listener.text = "127.0.0.1:1";
	init_upstream(fake);
	fake->settings = (struct tunnel_settings){
	        .half_close = true, .truncation_resets = true, .idle_timeout_ms = IDLE_MS};
	fake->protocol = (struct protocol){.name = "fake", .start = start, .stop = stop};
	log_set_sinks(NULL, 0);
}

void fake_session_open(struct fake_session *fake)
{
	struct address client = {
	        .in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
	        .length = sizeof(client.in)};

	session_open(
	        &fake->host, fake_descriptor(), &client, &fake->listener, &fake->protocol, false);
	CHECK(fake->session);
}

static void on_upstream(struct stream *stream, enum stream_event event)
{
	struct session *session = stream->owner;
	struct fake_session *fake = FAKE_OF(session->host, host);

	if (event == STREAM_READY) {
		session->dial.confirmed = !fake->unconfirmed;
		tunnel_start(session, &fake->settings);
	} else if (event == STREAM_FAILED) {
		session_close_failed(session, stream, false);
	}
}

void fake_session_connect(struct fake_session *fake)
{
	struct upstream_connection *connection = upstream_connection_create(
	        &fake->host.dialer.connections, &fake->group, &fake->endpoint,
	        fake->dial_settings.identity);
	struct stream *upstream = &connection->stream;

	connection->opened_ms = event_loop_now_ms(fake->host.io.loop);
	fake->session->upstream = upstream;
	fake->session->dial.settings = &fake->dial_settings;
	fake->session->dial.endpoint = &fake->endpoint;
	stream_open(upstream, fake_descriptor(),
	        fake_transport_create(&fake->upstream, IO_UPSTREAM), false, LARGE_BYTES,
	        HANDSHAKE_MS);
	stream_give(upstream, on_upstream, fake->session);
	stream_start(upstream, false);
	fake_loop_end_turn(fake->host.io.loop);
}

void fake_session_destroy(struct fake_session *fake)
{
	struct session_host *host = &fake->host;

	if (fake->session && !fake->session->closed)
		session_close(fake->session, CLOSE_FAST_SHUTDOWN);
	idle_pool_destroy(host->dialer.pool);
	fake_loop_end_turn(host->io.loop);
	CHECK(!fake->session || fake->ended == 1);
	CHECK(host->session_count == 0);
	session_host_destroy(host);
	upstream_connections_destroy(&host->dialer.connections);
	/* Whoever still waited for a buffer would be called now, without its memory. */
	struct buffer *buffer = buffer_pool_lend_always(host->io.pool, 1);
	buffer_pool_return(host->io.pool, &buffer);
	reset_queue_destroy(host->io.resets);
	buffer_pool_destroy(host->io.pool);
	event_loop_destroy(host->io.loop);
	balancer_destroy(host->dialer.balancer);
	upstream_state_destroy(fake->upstream_state);
	fake_peer_free(&fake->client);
	fake_peer_free(&fake->upstream);
}

bool fake_session_fire(struct stream *stream, unsigned events)
{
	/* A stream that was never opened has no watch to ask. */
	if (!stream || stream->state == STREAM_CLOSED)
		return false;
	return fake_loop_fire(&stream->watch, events);
}

bool fake_session_ended_as(const struct fake_session *fake, enum close_reason reason)
{
	return fake->ended == 1 && fake->row.closed[reason] == 1;
}
