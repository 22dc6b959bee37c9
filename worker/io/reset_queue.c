/* SPDX-License-Identifier: BSD-2-Clause */
/* reset_queue.c - one timer for all sockets that wait; most never do, since their queue is empty.
 */
#include "worker/io/reset_queue.h"

#include "shared/list.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RESET_POLL_MS = 5, RESET_WAIT_MAX_MS = 5000 };

struct reset_queue {
	struct event_loop *loop;
	struct event_timer timer;
	struct list sockets;
	size_t length;
};

struct waiting_socket {
	struct list link;
	int fd;
	uint64_t give_up_ms;
};

static void reset(int fd)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

/* The other side reset it first: what was queued counts as queued for ever. */
static bool is_gone(int fd)
{
	struct tcp_info info = {.tcpi_state = TCP_CLOSE};
	socklen_t size = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
	       info.tcpi_state == TCP_CLOSE;
}

static bool is_delivered(int fd)
{
	int queued = 0;

	return ioctl(fd, SIOCOUTQ, &queued) != 0 || queued == 0 || is_gone(fd);
}

static void remove_socket(struct reset_queue *queue, struct waiting_socket *socket)
{
	reset(socket->fd);
	list_remove(&socket->link);
	queue->length--;
	free(socket);
}

static void look_again(struct event_timer *timer)
{
	struct reset_queue *queue = LIST_OBJECT(timer, struct reset_queue, timer);
	uint64_t now_ms = event_loop_now_ms(queue->loop);

	LIST_EACH(link, &queue->sockets)
	{
		struct waiting_socket *socket = LIST_OBJECT(link, struct waiting_socket, link);
		if (now_ms >= socket->give_up_ms || is_delivered(socket->fd))
			remove_socket(queue, socket);
	}
	if (queue->length)
		event_timer_set(&queue->timer, RESET_POLL_MS);
}

struct reset_queue *reset_queue_create(struct event_loop *loop)
{
	struct reset_queue *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return NULL;
	queue->loop = loop;
	event_timer_init(&queue->timer, loop, look_again);
	list_init(&queue->sockets);
	return queue;
}

void reset_queue_destroy(struct reset_queue *queue)
{
	if (!queue)
		return;
	event_timer_stop(&queue->timer);
	LIST_EACH(link, &queue->sockets)
	remove_socket(queue, LIST_OBJECT(link, struct waiting_socket, link));
	free(queue);
}

void reset_queue_add(struct reset_queue *queue, int fd)
{
	struct waiting_socket *socket = is_delivered(fd) ? NULL : malloc(sizeof(*socket));

	if (!socket) {
		reset(fd);
		return;
	}
	socket->fd = fd;
	socket->give_up_ms = event_loop_now_ms(queue->loop) + RESET_WAIT_MAX_MS;
	list_init(&socket->link);
	list_append(&queue->sockets, &socket->link);
	queue->length++;
	if (queue->timer.deadline_ms == 0)
		event_timer_set(&queue->timer, RESET_POLL_MS);
}

size_t reset_queue_length(const struct reset_queue *queue)
{
	return queue->length;
}
