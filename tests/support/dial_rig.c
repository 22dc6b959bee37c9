/* SPDX-License-Identifier: BSD-2-Clause */
/* dial_rig.c - servers, their group, and what a dial to it came to. */
#include "tests/support/dial_rig.h"

#include "shared/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int dial_rig_set_up(void **state)
{
	struct dial_rig *rig = calloc(1, sizeof(*rig));

	rig->io.loop = event_loop_create();
	rig->io.pool = buffer_pool_create(DIAL_RIG_BYTES, DIAL_RIG_BYTES);
	rig->io.resets = reset_queue_create(rig->io.loop);
	rig->dialer.io = &rig->io;
	rig->dialer.row = &rig->row;
	upstream_connections_init(&rig->dialer.connections, &rig->io, &rig->row, NULL);
	rig->group = (struct config_group){.name = "test", .endpoints = rig->endpoints};
	rig->settings = (struct dial_settings){.group = &rig->group,
	        .connect_timeout_ms = DIAL_RIG_CONNECT_MS,
	        .next_upstream = NEXT_UPSTREAM_ERROR | NEXT_UPSTREAM_TIMEOUT};
	log_set_sinks(NULL, 0);
	*state = rig;
	return 0;
}

int dial_rig_tear_down(void **state)
{
	struct dial_rig *rig = *state;

	if (rig->dialer.balancer)
		dial_cancel(&rig->dial);
	upstream_connection_close(rig->connection);
	idle_pool_destroy(rig->dialer.pool);
	fake_loop_end_turn(rig->io.loop);
	upstream_connections_destroy(&rig->dialer.connections);
	balancer_destroy(rig->dialer.balancer);
	upstream_state_destroy(rig->state);
	reset_queue_destroy(rig->io.resets);
	buffer_pool_destroy(rig->io.pool);
	event_loop_destroy(rig->io.loop);
	for (size_t i = 0; i < rig->server_count; i++) {
		if (rig->sockets[i] >= 0)
			close(rig->sockets[i]);
	}
	free(rig);
	return 0;
}

void dial_rig_add_server(struct dial_rig *rig, bool listens)
{
	size_t i = rig->server_count++;
	struct config_endpoint *endpoint = &rig->endpoints[i];
	socklen_t size = sizeof(endpoint->address.in);

	*endpoint = (struct config_endpoint){.server = "test",
	        .host = "test",
	        .weight = 1,
	        .max_fails = 1,
	        .fail_timeout_ms = 10000,
	        .state_index = (uint32_t)i};
	endpoint->address = (struct address){
	        .in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
	        .length = size};
	rig->sockets[i] = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(bind(rig->sockets[i], &endpoint->address.any, size) == 0);
	CHECK(getsockname(rig->sockets[i], &endpoint->address.any, &size) == 0);
	if (listens)
		CHECK(listen(rig->sockets[i], 8) == 0);
}

void dial_rig_add_refusing_servers(struct dial_rig *rig, size_t count)
{
	dial_rig_add_server(rig, false);
	for (size_t i = 1; i < count; i++) {
		rig->endpoints[i] = rig->endpoints[0];
		rig->endpoints[i].state_index = (uint32_t)i;
		rig->sockets[i] = -1;
	}
	rig->server_count = count;
}

static void on_dialled(struct dial *dial, bool connected, enum close_reason reason)
{
	struct dial_rig *rig = LIST_OBJECT(dial, struct dial_rig, dial);

	rig->calls++;
	rig->connected = connected;
	rig->reason = reason;
	if (connected && !rig->takes_none)
		rig->connection = dial_take_connection(dial);
}

void dial_rig_start(struct dial_rig *rig)
{
	rig->group.endpoint_count = rig->server_count;
	rig->config = (struct config){
	        .groups = &rig->group, .group_count = 1, .endpoint_count = rig->server_count};
	rig->state = upstream_state_create(rig->server_count, 1);
	rig->dialer.connections.state = rig->state;
	rig->dialer.balancer = balancer_create(&rig->config, rig->state);
	rig->dialer.pool = idle_pool_create(&rig->config, &rig->io);
	CHECK(rig->dialer.balancer);
	dial_init(&rig->dial, &rig->dialer);
	dial_rig_start_again(rig, &rig->settings);
}

void dial_rig_start_again(struct dial_rig *rig, const struct dial_settings *settings)
{
	rig->calls = 0;
	dial_start(&rig->dial, settings, DIAL_RIG_SESSION, rig->sure, on_dialled);
	CHECK(rig->calls == 0); /* never from inside */
	fake_loop_end_turn(rig->io.loop);
}

void dial_rig_run(struct dial_rig *rig)
{
	while (rig->calls == 0) {
		struct stream *stream = &rig->dial.connection->stream;
		struct pollfd poll_fd = {.fd = stream->fd, .events = POLLOUT};
		CHECK(poll(&poll_fd, 1, 5000) == 1);
		CHECK(fake_loop_fire(&stream->watch, EVENT_WRITE));
	}
}

uint64_t dial_rig_counted(const struct dial_rig *rig, enum stat_counter counter)
{
	return rig->row.counters[counter];
}

bool dial_rig_is_out(const struct dial_rig *rig, size_t server)
{
	return upstream_state_endpoint(rig->state, server)->outage != 0;
}

void dial_rig_give(struct dial_rig *rig)
{
	idle_pool_give(rig->dialer.pool, rig->connection);
	rig->connection = NULL;
}
