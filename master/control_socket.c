/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control_socket.c - accepts, reads one order from each client, and keeps it until it is answered.
 *
 * File permissions decide who may ask. A client that says nothing for a while is dropped, and so is
 * one too many: the socket must not take the master's descriptors.
 */
#include "master/control_socket.h"

#include "master/loop.h"
#include "master/unix_path.h"
#include "shared/check.h"
#include "shared/fd.h"
#include "shared/log.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENT_MAGIC = 0x71c3e0a5, CLIENTS_MAX = 32, ORDER_LIMIT_MS = 5000, BACKLOG = 16 };

struct control_client {
	unsigned magic;
	struct list link; /* in control->clients */
	struct list waiting; /* in a list of the one who will answer */
	struct control_socket *control;
	int fd;
	struct loop_watch watch;
	struct loop_timer order_limit;
	bool ordered;
};

struct control_socket {
	struct loop *loop;
	int fd;
	char path[PATH_MAX];
	struct loop_watch watch;
	struct list clients;
	size_t client_count;
	control_order_fn *fn;
	void *opaque;
};

static void drop(struct control_client *client)
{
	loop_watch_stop(&client->watch);
	loop_timer_stop(&client->order_limit);
	list_remove(&client->link);
	list_remove(&client->waiting);
	fd_close(&client->fd);
	client->control->client_count--;
	client->magic = 0;
	free(client);
}

static void take_order(struct control_client *client, struct slice text)
{
	struct control_order order;

	loop_timer_stop(&client->order_limit);
	client->ordered = true;
	if (control_order_parse(text, &order)) {
		client->control->fn(client->control->opaque, &order, client);
		return;
	}
	control_client_tell(client, ANSWER_MESSAGE, "the running sealane does not know this order");
	control_client_done(client, 1);
}

static void on_readable(struct loop_watch *watch)
{
	struct control_client *client = LIST_OBJECT(watch, struct control_client, watch);
	char text[256];

	CHECK_OBJ(client, CLIENT_MAGIC);
	ssize_t got = recv(client->fd, text, sizeof(text), MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0)
		drop(client);
	else if (!client->ordered)
		take_order(client, (struct slice){text, (size_t)got});
}

static void on_order_limit(struct loop_timer *timer)
{
	drop(LIST_OBJECT(timer, struct control_client, order_limit));
}

static void on_acceptable(struct loop_watch *watch)
{
	struct control_socket *control = LIST_OBJECT(watch, struct control_socket, watch);
	int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	struct control_client *client = calloc(1, sizeof(*client));
	if (!client || control->client_count >= CLIENTS_MAX) {
		free(client);
		close(fd);
		return;
	}
	client->magic = CLIENT_MAGIC;
	client->control = control;
	client->fd = fd;
	list_init(&client->waiting);
	list_append(&control->clients, &client->link);
	control->client_count++;
	loop_watch_start(&client->watch, control->loop, fd, LOOP_READ, on_readable);
	loop_timer_start(&client->order_limit, control->loop, ORDER_LIMIT_MS, on_order_limit);
}

static int listen_at(const char *path)
{
	unlink(path);
	return unix_path_listen(path, SOCK_SEQPACKET, 0600, BACKLOG);
}

struct control_socket *control_socket_open(struct loop *loop, const char *pid_file,
        control_order_fn *fn, void *opaque, char *fault, size_t fault_size)
{
	struct control_socket *control = calloc(1, sizeof(*control));

	CHECK(control);
	errno = ENAMETOOLONG;
	control->fd = unix_path_beside(pid_file, control->path, sizeof(control->path))
	                      ? listen_at(control->path)
	                      : -1;
	if (control->fd < 0) {
		snprintf(fault, fault_size, "control socket beside %s: %s", pid_file,
		        strerror(errno));
		free(control);
		return NULL;
	}
	control->loop = loop;
	control->fn = fn;
	control->opaque = opaque;
	list_init(&control->clients);
	loop_watch_start(&control->watch, loop, control->fd, LOOP_READ, on_acceptable);
	return control;
}

void control_socket_close(struct control_socket *control)
{
	if (!control)
		return;
	LIST_EACH(link, &control->clients)
	drop(LIST_OBJECT(link, struct control_client, link));
	loop_watch_stop(&control->watch);
	unlink(control->path);
	fd_close(&control->fd);
	free(control);
}

struct list *control_client_link(struct control_client *client)
{
	CHECK_OBJ(client, CLIENT_MAGIC);
	return &client->waiting;
}

struct control_client *control_client_of(struct list *link)
{
	struct control_client *client = LIST_OBJECT(link, struct control_client, waiting);

	CHECK_OBJ(client, CLIENT_MAGIC);
	return client;
}

void control_client_tell(struct control_client *client, enum control_answer kind, const char *text)
{
	char packet[CONTROL_TEXT_MAX];
	int length = snprintf(packet, sizeof(packet), "%c%s", (char)kind, text);

	CHECK_OBJ(client, CLIENT_MAGIC);
	if (length > 0 && (size_t)length >= sizeof(packet))
		length = (int)sizeof(packet) - 1;
	send(client->fd, packet, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void control_client_done(struct control_client *client, int exit_status)
{
	char digits[16];

	snprintf(digits, sizeof(digits), "%d", exit_status);
	control_client_tell(client, ANSWER_DONE, digits);
	drop(client);
}
