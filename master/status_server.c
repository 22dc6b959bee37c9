/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status_server.c - a poll loop over listeners and a few clients.
 *
 * A client reads, writes, then lingers: after our FIN what still comes is dropped until its own, so
 * that a reset for unread bytes does not overtake the answer.
 */
#include "master/status_server.h"

#include "master/loop.h"
#include "master/status_answer.h"
#include "master/status_request.h"
#include "master/status_snapshot.h"
#include "shared/check.h"
#include "shared/fd.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACCEPTS_PER_TURN = 16, ACCEPT_PAUSE_MS = 100 };

enum client_state { CLIENT_READING, CLIENT_WRITING, CLIENT_LINGERING };

struct client {
	int fd;
	enum client_state state;
	uint64_t deadline_ms;
	size_t head_length;
	struct status_answer answer;
	size_t sent;
	char head[STATUS_HEAD_MAX];
};

struct server {
	const struct status_server_settings *settings;
	struct client *clients[STATUS_CLIENTS_MAX]; /* in the order of their coming */
	size_t client_count;
	bool retired;
	uint64_t accept_at_ms; /* not before; after a lack of descriptors or memory */
	struct pollfd *polled; /* control socket, listeners, clients */
};

/* ---- one client ---- */

static void drop(struct server *server, size_t index)
{
	struct client *client = server->clients[index];

	close(client->fd);
	free(client->answer.bytes);
	free(client);
	server->client_count--;
	for (size_t i = index; i < server->client_count; i++)
		server->clients[i] = server->clients[i + 1];
}

/* The functions below say whether the client stays. */

static bool linger(struct client *client)
{
	ssize_t got = recv(client->fd, client->head, sizeof(client->head), 0);

	return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool write_answer(struct client *client)
{
	ssize_t put = send(client->fd, client->answer.bytes + client->sent,
	        client->answer.length - client->sent, MSG_NOSIGNAL);

	if (put < 0)
		return errno == EAGAIN || errno == EINTR;
	client->sent += (size_t)put;
	if (client->sent < client->answer.length)
		return true;
	client->state = CLIENT_LINGERING;
	return shutdown(client->fd, SHUT_WR) == 0;
}

static bool read_head(struct client *client, const struct status_view *view)
{
	struct status_request request;
	ssize_t got = recv(client->fd, client->head + client->head_length,
	        sizeof(client->head) - client->head_length, 0);

	if (got <= 0)
		return got < 0 && (errno == EAGAIN || errno == EINTR);
	client->head_length += (size_t)got;
	unsigned verdict = status_request_parse(
	        (struct slice){client->head, client->head_length}, &request);
	if (verdict == 0)
		return true;
	client->answer = status_answer_make(view, verdict, &request);
	client->state = CLIENT_WRITING;
	return write_answer(client);
}

static bool serve(struct client *client, const struct status_view *view)
{
	switch (client->state) {
	case CLIENT_READING:
		return read_head(client, view);
	case CLIENT_WRITING:
		return write_answer(client);
	case CLIENT_LINGERING:
		return linger(client);
	}
	CHECK(client->state <= CLIENT_LINGERING);
	return false;
}

/* ---- accepting ---- */

static void take_client(struct server *server, int fd, uint64_t now_ms)
{
	struct client *client = calloc(1, sizeof(*client));

	CHECK(client);
	client->fd = fd;
	client->deadline_ms = now_ms + STATUS_CLIENT_LIMIT_MS;
	if (server->client_count == STATUS_CLIENTS_MAX)
		drop(server, 0);
	server->clients[server->client_count++] = client;
	if (!serve(client, server->settings->view)) /* its request has often come already */
		drop(server, server->client_count - 1);
}

static void accept_from(struct server *server, int listener, uint64_t now_ms)
{
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			take_client(server, fd, now_ms);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			server->accept_at_ms = now_ms + ACCEPT_PAUSE_MS;
		return;
	}
}

/* ---- the loop ---- */

static int wait_ms(const struct server *server, uint64_t now_ms)
{
	uint64_t until_ms = UINT64_MAX;

	if (server->client_count > 0)
		until_ms = server->clients[0]->deadline_ms;
	if (server->accept_at_ms > now_ms && server->accept_at_ms < until_ms)
		until_ms = server->accept_at_ms;
	if (until_ms == UINT64_MAX)
		return -1;
	return until_ms > now_ms ? (int)(until_ms - now_ms) : 0;
}

static size_t fill_polled(struct server *server, uint64_t now_ms)
{
	const struct status_server_settings *settings = server->settings;
	bool accepts = !server->retired && now_ms >= server->accept_at_ms;
	size_t count = 0;

	server->polled[count++] = (struct pollfd){
	        .fd = server->retired ? -1 : settings->control_fd, .events = POLLIN};
	for (size_t i = 0; i < settings->listener_count; i++)
		server->polled[count++] = (struct pollfd){
		        .fd = accepts ? settings->listeners[i] : -1, .events = POLLIN};
	for (size_t i = 0; i < server->client_count; i++) {
		bool writes = server->clients[i]->state == CLIENT_WRITING;
		server->polled[count++] = (struct pollfd){
		        .fd = server->clients[i]->fd, .events = writes ? POLLOUT : POLLIN};
	}
	return count;
}

/* From the last to the first, since who is dropped makes the later ones move up. */
static void serve_clients(struct server *server, const struct pollfd *polled, uint64_t now_ms)
{
	for (size_t i = server->client_count; i-- > 0;) {
		struct client *client = server->clients[i];
		bool stays = now_ms < client->deadline_ms;
		if (stays && polled[i].revents)
			stays = serve(client, server->settings->view);
		if (!stays)
			drop(server, i);
	}
}

static void see_control(struct server *server)
{
	char byte;

	if (recv(server->settings->control_fd, &byte, 1, MSG_DONTWAIT) > 0)
		return;
	server->retired = true;
	for (size_t i = 0; i < server->settings->listener_count; i++)
		close(server->settings->listeners[i]);
	if (getppid() == server->settings->view->master_pid)
		return;
	while (server->client_count > 0)
		drop(server, 0);
}

static void turn(struct server *server)
{
	size_t listener_count = server->settings->listener_count;
	uint64_t now_ms = loop_clock_ms();
	size_t count = fill_polled(server, now_ms);

	int ready = poll(server->polled, count, wait_ms(server, now_ms));
	CHECK(ready >= 0 || errno == EINTR);
	if (ready < 0)
		return;
	now_ms = loop_clock_ms();
	serve_clients(server, &server->polled[1 + listener_count], now_ms);
	if (server->polled[0].revents)
		see_control(server);
	for (size_t i = 0; i < listener_count && !server->retired; i++)
		if (server->polled[1 + i].revents)
			accept_from(server, server->settings->listeners[i], now_ms);
}

void status_server_run(const struct status_server_settings *settings)
{
	struct server server = {.settings = settings};

	server.polled = calloc(
	        1 + settings->listener_count + STATUS_CLIENTS_MAX, sizeof(*server.polled));
	CHECK(server.polled);
	while (!server.retired || server.client_count > 0)
		turn(&server);
	free(server.polled);
}
