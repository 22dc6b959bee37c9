/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listener.c - one watch for each listening socket; which of them are on follows from the
 * scoreboard.
 *
 * Worker i of n owns the sockets i, i+n, ... of each listen. A socket whose owner does not serve
 * (it pauses, hangs, or died a moment ago) is served by all others: who comes first gets the
 * connection, the rest see EAGAIN.
 */
#include "worker/listener.h"

#include "shared/check.h"
#include "shared/log.h"
#include "worker/io/socket_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACCEPTS_PER_EVENT = 64, FD_RETRY_MS = 500 };

struct listen_socket {
	struct event_watch watch;
	struct listeners *listeners;
	const struct config_listener *listener;
	const struct tcp_proxy *proxy;
	unsigned owner_slot;
};

struct listeners {
	const struct worker_env *env;
	struct session_host *host;
	struct listen_socket *sockets;
	size_t count;
	struct event_timer retry; /* after descriptors ran out */
	bool stopped, paused, out_of_descriptors;
};

/* A session holds two connections. */
static bool is_full(const struct listeners *listeners)
{
	const struct session_host *host = listeners->host;

	return 2 * (host->session_count + 1) > listeners->env->config->main.worker_connections ||
	       buffer_pool_is_short(host->io.pool);
}

static void on_accept_error(struct listeners *listeners, int error)
{
	if (error != EMFILE && error != ENFILE && error != ENOBUFS && error != ENOMEM)
		return; /* the client gave up in the queue (ECONNABORTED and what accept(2) says of
		           network errors) */
	log_write(LOG_WARN, "accept: %s; accepting pauses", strerror(error));
	listeners->out_of_descriptors = true;
	event_timer_set(&listeners->retry, FD_RETRY_MS);
	listeners_update(listeners);
}

/* False when there was nothing to accept. */
static bool accept_one(struct listen_socket *socket)
{
	struct session_host *host = socket->listeners->host;
	struct sockaddr_storage storage;
	struct address address;
	socklen_t length = sizeof(storage);

	int fd = accept4(socket->watch.fd, (struct sockaddr *)&storage, &length,
	        SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		if (errno != EAGAIN && errno != EINTR)
			on_accept_error(socket->listeners, errno);
		return errno == EINTR || errno == ECONNABORTED;
	}
	if (!address_from_sockaddr((struct sockaddr *)&storage, length, &address))
		memset(&address, 0, sizeof(address));
	scoreboard_count(host->row, STAT_ACCEPTED, 1);
	socket_options_set(fd, &socket->listener->so_keepalive);
	session_open(host, fd, &address, socket->listener, &socket->proxy->dial,
	        &socket->proxy->protocol, socket->listener->deferred);
	return true;
}

/* One connection per event where sessions are busy anyway would leave others waiting; a whole batch
 * where only one waits ends in a call that is known to be vain. So: the first, then more only while
 * they come. */
static void on_acceptable(struct event_watch *watch, unsigned events)
{
	struct listen_socket *socket = LIST_OBJECT(watch, struct listen_socket, watch);
	struct listeners *listeners = socket->listeners;

	(void)events;
	for (int i = 0; i < ACCEPTS_PER_EVENT && !listeners->stopped; i++) {
		if (is_full(listeners)) {
			listeners_update(listeners);
			return;
		}
		if (!accept_one(socket))
			return;
	}
}

static void on_retry(struct event_timer *timer)
{
	struct listeners *listeners = LIST_OBJECT(timer, struct listeners, retry);

	listeners->out_of_descriptors = false;
	listeners_update(listeners);
}

struct listeners *listeners_create(
        const struct worker_env *env, struct session_host *host, const struct tcp_proxy *proxies)
{
	const struct config *config = env->config;
	struct listeners *listeners = calloc(1, sizeof(*listeners));
	size_t count = 0;

	CHECK(listeners);
	listeners->env = env;
	listeners->host = host;
	for (size_t i = 0; i < config->listener_count; i++)
		count += env->listeners[i].fd_count;
	listeners->sockets = calloc(count ? count : 1, sizeof(*listeners->sockets));
	CHECK(listeners->sockets);
	for (size_t i = 0; i < config->listener_count; i++) {
		for (size_t j = 0; j < env->listeners[i].fd_count; j++) {
			struct listen_socket *socket = &listeners->sockets[listeners->count++];
			socket->listeners = listeners;
			socket->listener = &config->listeners[i];
			socket->proxy = &proxies[config->listeners[i].tcp - config->tcps];
			socket->owner_slot = (unsigned)(j % env->worker_count);
			event_watch_init(&socket->watch, host->io.loop, env->listeners[i].fds[j],
			        on_acceptable);
		}
	}
	event_timer_init(&listeners->retry, host->io.loop, on_retry);
	return listeners;
}

void listeners_destroy(struct listeners *listeners)
{
	listeners_stop(listeners, false);
	free(listeners->sockets);
	free(listeners);
}

static void note_pause(struct listeners *listeners, bool paused)
{
	const struct session_host *host = listeners->host;

	if (paused == listeners->paused)
		return;
	listeners->paused = paused;
	atomic_store(&host->row->paused, paused ? 1U : 0U);
	if (paused)
		scoreboard_count(host->row, STAT_ACCEPT_PAUSES, 1);
	if (!listeners->out_of_descriptors && paused)
		log_write(LOG_WARN, "%s reached; accepting pauses, other workers take over",
		        buffer_pool_is_short(host->io.pool) ? "worker_buffers"
		                                            : "worker_connections");
	else if (!paused)
		log_write(LOG_INFO, "accepting goes on");
}

static bool is_to_be_served(const struct listeners *listeners, const struct listen_socket *socket)
{
	const struct worker_env *env = listeners->env;

	if (listeners->stopped || listeners->paused)
		return false;
	if (socket->owner_slot == env->slot)
		return true;
	return !scoreboard_slot_serves(env->scoreboard, socket->owner_slot, env->generation,
	        event_loop_now_ms(listeners->host->io.loop),
	        env->config->main.worker_hang_timeout_ms);
}

void listeners_update(struct listeners *listeners)
{
	if (!listeners->stopped)
		note_pause(listeners, listeners->out_of_descriptors || is_full(listeners));
	for (size_t i = 0; i < listeners->count; i++) {
		struct listen_socket *socket = &listeners->sockets[i];
		event_watch_set(
		        &socket->watch, is_to_be_served(listeners, socket) ? EVENT_READ : 0);
	}
}

void listeners_session_ended(struct listeners *listeners)
{
	if (!listeners->paused || listeners->stopped)
		return;
	/* Descriptors are back: no need to wait for the timer. */
	listeners->out_of_descriptors = false;
	listeners_update(listeners);
}

void listeners_stop(struct listeners *listeners, bool empty_queues)
{
	if (empty_queues && !listeners->stopped) {
		for (size_t i = 0; i < listeners->count; i++)
			while (listeners->sockets[i].owner_slot == listeners->env->slot &&
			        !listeners->out_of_descriptors &&
			        accept_one(&listeners->sockets[i]))
				;
	}
	listeners->stopped = true;
	event_timer_stop(&listeners->retry);
	listeners_update(listeners);
}
