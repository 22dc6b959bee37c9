/* SPDX-License-Identifier: BSD-2-Clause */
/* exchange_rig.c - a worker's HTTP side without its sockets, and what its peers were told. */
#include "tests/support/exchange_rig.h"

#include "shared/check.h"
#include "worker/http/http_proxy.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { POOL_BYTES = 64 << 20, LARGE_BYTES = 256 * 1024 };

#define RIG_OF(pointer, member) LIST_OBJECT(pointer, struct exchange_rig, member)

/* ---- the configuration ---- */

static void init_location(struct exchange_rig *rig, struct config_location *location)
{
	location->client_body_timeout_ms = EXCHANGE_RIG_BODY_MS;
	location->send_timeout_ms = EXCHANGE_RIG_SEND_MS;
	location->keepalive_timeout_ms = EXCHANGE_RIG_KEEPALIVE_MS;
	location->client_max_body_size = 1 << 20;
	location->access_logs = &rig->access_log;
	location->access_log_count = 1;
}

static void init_returns(struct exchange_rig *rig, struct config_location *location,
        struct slice path, unsigned status, struct slice text)
{
	struct template_part *part = &rig->texts[location - rig->locations];

	init_location(rig, location);
	part->text = text;
	location->path = path;
	location->return_status = status;
	location->return_text = (struct template){.parts = part, .count = 1};
}

static void init_proxied(struct exchange_rig *rig, struct config_location *location)
{
	init_location(rig, location);
	location->path = SLICE("/");
	location->group = &rig->group;
	location->proxy_host = SLICE("upstream.test");
	location->proxy_connect_timeout_ms = EXCHANGE_RIG_CONNECT_MS;
	location->proxy_send_timeout_ms = EXCHANGE_RIG_PROXY_SEND_MS;
	location->proxy_read_timeout_ms = EXCHANGE_RIG_PROXY_READ_MS;
	location->proxy_buffer_size = 4096;
	location->next_upstream = NEXT_UPSTREAM_ERROR | NEXT_UPSTREAM_TIMEOUT;
	rig->proxied = location;
}

static void init_group(struct exchange_rig *rig)
{
	rig->group = (struct config_group){
	        .name = "test",
	        .endpoints = rig->endpoints,
	        .endpoint_count = 1,
	        .keepalive = 4,
	        .keepalive_timeout_ms = 600000,
	        .keepalive_requests = 1000000,
	        .keepalive_time_ms = 3600000,
	};
	for (uint32_t i = 0; i < EXCHANGE_RIG_SERVERS_MAX; i++) {
		rig->endpoints[i] = (struct config_endpoint){.server = "test",
		        .host = "test",
		        .weight = 1,
		        .max_fails = 1,
		        .fail_timeout_ms = 10000,
		        .backup = i > 0,
		        .state_index = i};
		rig->sockets[i] = -1;
	}
}

static void init_config(struct exchange_rig *rig)
{
	init_returns(rig, &rig->locations[0], SLICE("/fine"), 200, SLICE("fine"));
	init_returns(rig, &rig->locations[1], SLICE("/moved"), 302, SLICE("/there"));
	init_proxied(rig, &rig->locations[2]);
	init_location(rig, &rig->unmatched);
	rig->unmatched.return_status = 404;
	init_group(rig);
	rig->server = (struct config_http){
	        .name = "test",
	        .locations = rig->locations,
	        .location_count = 3,
	        .unmatched = &rig->unmatched,
	        .client_header_timeout_ms = EXCHANGE_RIG_HEADER_MS,
	        .keepalive_requests = 1000000,
	        .client_max_header_size = 8192,
	};
	rig->names.standard = &rig->server;
	rig->listener = (struct config_listener){
	        .text = "127.0.0.1:80",
	        .section = "http test",
	        .http = &rig->names,
	        .buffer_bytes_max = LARGE_BYTES,
	};
}

static void on_session_end(struct session_host *host)
{
	RIG_OF(host, host)->ended++;
}

void exchange_rig_init(struct exchange_rig *rig)
{
	struct session_host *host = &rig->host;

	memset(rig, 0, sizeof(*rig));
	init_config(rig);
	fake_peer_init(&rig->client);
	for (size_t i = 0; i < EXCHANGE_RIG_UPSTREAMS_MAX; i++)
		fake_peer_init(&rig->upstreams[i]);
	host->io.loop = event_loop_create();
	host->io.pool = buffer_pool_create(POOL_BYTES, LARGE_BYTES);
	host->io.resets = reset_queue_create(host->io.loop);
	host->dialer.io = &host->io;
	host->dialer.row = host->row = &rig->row;
	host->on_session_end = on_session_end;
	rig->log_file = (struct log_file){.path = "access", .kind = LOG_FILE_REGULAR};
	rig->log_file.fd = memfd_create("access", MFD_CLOEXEC);
	host->log_files = &rig->log_file;
	list_init(&host->sessions);
	list_init(&host->spare);
	log_set_sinks(NULL, 0);
}

/* ---- the session ---- */

static void open_socket(struct exchange_rig *rig, size_t i)
{
	struct address *address = &rig->endpoints[i].address;
	socklen_t size = sizeof(address->in);

	*address = (struct address){
	        .in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
	        .length = size};
	rig->sockets[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(bind(rig->sockets[i], &address->any, size) == 0);
	CHECK(getsockname(rig->sockets[i], &address->any, &size) == 0);
}

static void on_client_ready(struct stream *stream, enum stream_event event)
{
	struct session *session = stream->owner;

	CHECK(event == STREAM_READY);
	session_wait_for_upstream(session);
	session->protocol->start(session);
}

/* As session_open leaves it, but over the scripted client. */
static void start(struct session *session)
{
	struct exchange_rig *rig = RIG_OF(session->host, host);
	struct stream *client = &session->client;

	rig->session = session;
	session->protocol = &http_protocol;
	stream_close(client);
	stream_open(client, fake_descriptor(), fake_transport_create(&rig->client, IO_CLIENT),
	        false, LARGE_BYTES, 0);
	stream_give(client, on_client_ready, session);
	stream_start(client, false);
}

static void on_clear_text_ready(struct stream *stream, enum stream_event event)
{
	CHECK(event == STREAM_READY);
	session_wait_for_upstream(stream->owner);
}

static void start_clear_text(struct session *session)
{
	struct exchange_rig *rig = RIG_OF(session->host, host);
	struct stream *client = &session->client;

	rig->session = session;
	session->protocol = &http_protocol;
	stream_close(client);
	stream_open(client, fake_descriptor(), fake_transport_create(&rig->client, IO_CLIENT),
	        false, LARGE_BYTES, 0);
	stream_give(client, on_clear_text_ready, session);
	stream_start(client, false);
	http_protocol.start_clear_text(session);
}

static void no_stop(struct session *session, enum close_reason reason)
{
	(void)session;
	(void)reason;
}

static void open_with(struct exchange_rig *rig, const struct protocol *protocol)
{
	struct session_host *host = &rig->host;
	struct address client;

	CHECK(address_parse(SLICE("192.0.2.7:50123"), 0, &client));
	for (size_t i = 0; i < rig->group.endpoint_count; i++)
		open_socket(rig, i);
	rig->config = (struct config){.https = &rig->server,
	        .http_count = 1,
	        .groups = &rig->group,
	        .group_count = 1,
	        .endpoint_count = rig->group.endpoint_count};
	rig->state = upstream_state_create(rig->group.endpoint_count, 1);
	upstream_connections_init(&host->dialer.connections, &host->io, &rig->row, rig->state);
	host->dialer.balancer = balancer_create(&rig->config, rig->state);
	host->dialer.pool = idle_pool_create(&rig->config, &host->io);
	host->http = http_host_create(&rig->config);
	session_open(host, fake_descriptor(), &client, &rig->listener, protocol, false);
	fake_loop_end_turn(host->io.loop);
	CHECK(rig->session);
}

void exchange_rig_open(struct exchange_rig *rig)
{
	static const struct protocol opening = {.name = "opening", .start = start, .stop = no_stop};

	open_with(rig, &opening);
}

void exchange_rig_open_clear_text(struct exchange_rig *rig)
{
	static const struct protocol opening = {
	        .name = "opening", .start = start_clear_text, .stop = no_stop};

	open_with(rig, &opening);
}

void exchange_rig_destroy(struct exchange_rig *rig)
{
	struct session_host *host = &rig->host;

	if (rig->session && !rig->session->closed)
		session_close(rig->session, CLOSE_FAST_SHUTDOWN);
	idle_pool_destroy(host->dialer.pool);
	fake_loop_end_turn(host->io.loop);
	CHECK(!rig->session || rig->ended == 1);
	session_host_destroy(host);
	if (rig->session)
		upstream_connections_destroy(&host->dialer.connections);
	http_host_destroy(host->http);
	reset_queue_destroy(host->io.resets);
	buffer_pool_destroy(host->io.pool);
	event_loop_destroy(host->io.loop);
	balancer_destroy(host->dialer.balancer);
	upstream_state_destroy(rig->state);
	fake_peer_free(&rig->client);
	for (size_t i = 0; i < EXCHANGE_RIG_UPSTREAMS_MAX; i++)
		fake_peer_free(&rig->upstreams[i]);
	for (size_t i = 0; i < EXCHANGE_RIG_SERVERS_MAX; i++)
		if (rig->sockets[i] >= 0)
			close(rig->sockets[i]);
	close(rig->log_file.fd);
}

int exchange_rig_set_up(void **state)
{
	struct exchange_rig *rig = malloc(sizeof(*rig));

	CHECK(rig);
	exchange_rig_init(rig);
	*state = rig;
	return 0;
}

int exchange_rig_tear_down(void **state)
{
	exchange_rig_destroy(*state);
	free(*state);
	return 0;
}

/* ---- upstream connections ---- */

static size_t next_number(struct exchange_rig *rig, struct stream *stream)
{
	CHECK(rig->upstream_count < EXCHANGE_RIG_UPSTREAMS_MAX);
	rig->streams[rig->upstream_count] = stream;
	return rig->upstream_count++;
}

static void hear_nothing(struct stream *stream, enum stream_event event)
{
	(void)stream;
	(void)event;
}

size_t exchange_rig_prime(struct exchange_rig *rig)
{
	const struct http_location_plan *plan = http_host_plan(
	        rig->host.http, &rig->server, rig->proxied);
	struct upstream_connection *connection = upstream_connection_create(
	        &rig->host.dialer.connections, &rig->group, &rig->endpoints[0],
	        plan->dial.identity);
	size_t number = next_number(rig, &connection->stream);

	stream_open(&connection->stream, fake_descriptor(),
	        fake_transport_create(&rig->upstreams[number], IO_UPSTREAM), false, LARGE_BYTES, 0);
	stream_give(&connection->stream, hear_nothing, NULL);
	stream_start(&connection->stream, false);
	connection->opened_ms = event_loop_now_ms(rig->host.io.loop);
	connection->exchanges = 1;
	idle_pool_give(rig->host.dialer.pool, connection);
	return number;
}

bool exchange_rig_is_dialling(const struct exchange_rig *rig)
{
	return !rig->session->closed && rig->session->dial.connection;
}

/* Another socket under the descriptor's number, one that has no error to tell. */
static void replace_socket(int fd)
{
	int other = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK(other >= 0 && dup2(other, fd) == fd);
	close(other);
}

size_t exchange_rig_connect(struct exchange_rig *rig)
{
	CHECK(exchange_rig_is_dialling(rig));
	struct stream *stream = &rig->session->dial.connection->stream;
	size_t number = next_number(rig, stream);

	CHECK(stream->state == STREAM_CONNECTING);
	replace_socket(stream->fd);
	stream->transport->ops->close(stream->transport, false);
	stream->transport = fake_transport_create(&rig->upstreams[number], IO_UPSTREAM);
	CHECK(fake_loop_fire(&stream->watch, EVENT_WRITE));
	return number;
}

void exchange_rig_refuse(struct exchange_rig *rig)
{
	CHECK(exchange_rig_is_dialling(rig));
	struct stream *stream = &rig->session->dial.connection->stream;
	struct pollfd poll_fd = {.fd = stream->fd, .events = POLLOUT};

	CHECK(poll(&poll_fd, 1, 5000) == 1);
	CHECK(fake_loop_fire(&stream->watch, EVENT_WRITE));
}

struct stream *exchange_rig_stream(struct exchange_rig *rig, size_t number)
{
	CHECK(number < rig->upstream_count);
	return rig->upstreams[number].closed ? NULL : rig->streams[number];
}
