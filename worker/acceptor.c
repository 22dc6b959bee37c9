/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acceptor.c - one watch for each listening socket; which of them are on follows from the
 * scoreboard.
 *
 * Worker i of n owns the sockets i, i+n, ... of each listen. A socket whose owner does not serve
 * (it pauses, hangs, or died a moment ago) is served by all others: who comes first gets the
 * connection, the rest see EAGAIN.
 */
#include "worker/acceptor.h"

#include "shared/check.h"
#include "shared/log.h"
#include "worker/io/socket_options.h"
#include "worker/upstream/idle_pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	/* each is some 0.2 ms of work in the turns to come, which all other sessions wait for */
	ACCEPTS_PER_EVENT = 8,
	FULL_TURNS_BEFORE_MORE = 4,
	FD_RETRY_MS = 500,
	/* standard ones, control socket, epoll; a few to spare for sockets that are being reset */
	OTHER_DESCRIPTORS = 16,
};

struct listen_socket {
	struct event_watch watch;
	struct acceptor *acceptor;
	const struct config_listener *listener;
	const struct protocol *protocol;
	unsigned owner_slot;
	unsigned turn; /* of the loop in which it was acceptable last */
	unsigned full_turns; /* one after the other in which as many came as were accepted */
	int accepts_max; /* per event: as many as lately came at once */
};

struct acceptor {
	const struct worker_env *env;
	struct session_host *host;
	struct listen_socket *sockets;
	size_t count;
	struct event_timer retry; /* after descriptors ran out */
	size_t sessions_max;
	bool files_are_few; /* it is the descriptors that limit them */
	bool stopped, paused, out_of_descriptors;
};

/* A session holds two connections, so two descriptors: none is accepted whose upstream would find
 * none. */
static bool is_full(const struct acceptor *acceptor)
{
	const struct session_host *host = acceptor->host;

	return host->session_count >= acceptor->sessions_max || buffer_pool_is_short(host->io.pool);
}

static size_t descriptors_of_worker(const struct worker_env *env)
{
	size_t count = OTHER_DESCRIPTORS + env->config->log_path_count;

	for (size_t i = 0; i < env->config->listener_count; i++)
		count += env->listeners[i].fd_count;
	return count;
}

static void find_limit(struct acceptor *acceptor)
{
	const struct worker_env *env = acceptor->env;
	size_t by_connections = env->config->main.worker_connections / 2;
	size_t own = descriptors_of_worker(env);
	struct rlimit files;

	acceptor->sessions_max = by_connections;
	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY)
		return;
	size_t by_files = files.rlim_cur > own + 2 ? (files.rlim_cur - own) / 2 : 1;
	acceptor->files_are_few = by_files < by_connections;
	if (acceptor->files_are_few)
		acceptor->sessions_max = by_files;
}

static const char *name_of_limit(const struct acceptor *acceptor)
{
	if (buffer_pool_is_short(acceptor->host->io.pool))
		return "worker_buffers";
	return acceptor->files_are_few ? "worker_rlimit_nofile" : "worker_connections";
}

static void on_accept_error(struct acceptor *acceptor, int error)
{
	if (error != EMFILE && error != ENFILE && error != ENOBUFS && error != ENOMEM)
		return; /* the client gave up in the queue (ECONNABORTED and what accept(2) says of
		           network errors) */
	log_write(LOG_WARN, "accept: %s; accepting pauses", strerror(error));
	acceptor->out_of_descriptors = true;
	event_timer_set(&acceptor->retry, FD_RETRY_MS);
	acceptor_update(acceptor);
}

/* A client comes before an upstream connection that waits for one. */
static int accept_fd(struct listen_socket *socket, struct address *address_out)
{
	struct sockaddr_storage storage;
	socklen_t length;
	int fd;

	do {
		length = sizeof(storage);
		fd = accept4(socket->watch.fd, (struct sockaddr *)&storage, &length,
		        SOCK_NONBLOCK | SOCK_CLOEXEC);
	} while (fd < 0 && idle_pool_gives_way(socket->acceptor->host->dialer.pool, errno));
	if (fd >= 0 && !address_from_sockaddr((struct sockaddr *)&storage, length, address_out))
		memset(address_out, 0, sizeof(*address_out));
	return fd;
}

/* False when there was nothing to accept. */
static bool accept_one(struct listen_socket *socket)
{
	struct session_host *host = socket->acceptor->host;
	struct address address;

	int fd = accept_fd(socket, &address);
	if (fd < 0) {
		if (errno != EAGAIN && errno != EINTR)
			on_accept_error(socket->acceptor, errno);
		return errno == EINTR || errno == ECONNABORTED;
	}
	scoreboard_count(host->row, STAT_ACCEPTED, 1);
	socket_options_keepalive(fd, &socket->listener->so_keepalive);
	session_open(
	        host, fd, &address, socket->listener, socket->protocol, socket->listener->deferred);
	return true;
}

/* A batch that empties the queue ends in a call in vain, which costs as much as accepting; one
 * connection per event would leave many waiting where sessions keep the loop busy. So a socket that
 * is acceptable turn after turn gets twice as many after some turns, and back to what came at once
 * when a call was in vain. */
static void adapt(struct listen_socket *socket, int accepted)
{
	unsigned turn = event_loop_turn(socket->acceptor->host->io.loop);

	bool next_turn = turn == socket->turn + 1;
	socket->turn = turn;
	if (accepted < socket->accepts_max) {
		socket->accepts_max = accepted > 0 ? accepted : 1;
		socket->full_turns = 0;
		return;
	}
	socket->full_turns = next_turn ? socket->full_turns + 1 : 0;
	if (socket->full_turns < FULL_TURNS_BEFORE_MORE)
		return;
	socket->full_turns = 0;
	if (socket->accepts_max < ACCEPTS_PER_EVENT)
		socket->accepts_max *= 2;
}

static void on_acceptable(struct event_watch *watch, unsigned events)
{
	struct listen_socket *socket = LIST_OBJECT(watch, struct listen_socket, watch);
	struct acceptor *acceptor = socket->acceptor;

	int accepted = 0;

	(void)events;
	while (accepted < socket->accepts_max && !acceptor->stopped) {
		if (is_full(acceptor)) {
			acceptor_update(acceptor);
			return;
		}
		if (!accept_one(socket))
			break;
		accepted++;
	}
	adapt(socket, accepted);
}

static void on_retry(struct event_timer *timer)
{
	struct acceptor *acceptor = LIST_OBJECT(timer, struct acceptor, retry);

	acceptor->out_of_descriptors = false;
	acceptor_update(acceptor);
}

struct acceptor *acceptor_create(const struct worker_env *env, struct session_host *host,
        const struct protocol *const *protocols)
{
	const struct config *config = env->config;
	struct acceptor *acceptor = calloc(1, sizeof(*acceptor));
	size_t count = 0;

	CHECK(acceptor);
	acceptor->env = env;
	acceptor->host = host;
	for (size_t i = 0; i < config->listener_count; i++)
		count += env->listeners[i].fd_count;
	acceptor->sockets = calloc(count ? count : 1, sizeof(*acceptor->sockets));
	CHECK(acceptor->sockets);
	for (size_t i = 0; i < config->listener_count; i++) {
		for (size_t j = 0; j < env->listeners[i].fd_count; j++) {
			struct listen_socket *socket = &acceptor->sockets[acceptor->count++];
			socket->acceptor = acceptor;
			socket->listener = &config->listeners[i];
			socket->protocol = protocols[i];
			socket->accepts_max = 1;
			socket->owner_slot = (unsigned)(j % env->worker_count);
			event_watch_init(&socket->watch, host->io.loop, env->listeners[i].fds[j],
			        on_acceptable);
		}
	}
	event_timer_init(&acceptor->retry, host->io.loop, on_retry);
	find_limit(acceptor);
	return acceptor;
}

void acceptor_destroy(struct acceptor *acceptor)
{
	acceptor_stop(acceptor);
	free(acceptor->sockets);
	free(acceptor);
}

static void note_pause(struct acceptor *acceptor, bool paused)
{
	const struct session_host *host = acceptor->host;

	if (paused == acceptor->paused)
		return;
	acceptor->paused = paused;
	atomic_store(&host->row->paused, paused ? 1U : 0U);
	if (paused)
		scoreboard_count(host->row, STAT_ACCEPT_PAUSES, 1);
	if (!acceptor->out_of_descriptors && paused)
		log_write(LOG_WARN, "%s reached; accepting pauses, other workers take over",
		        name_of_limit(acceptor));
	else if (!paused)
		log_write(LOG_INFO, "accepting goes on");
}

static bool is_to_be_served(const struct acceptor *acceptor, const struct listen_socket *socket)
{
	const struct worker_env *env = acceptor->env;

	if (acceptor->stopped || acceptor->paused)
		return false;
	if (socket->owner_slot == env->slot)
		return true;
	return !scoreboard_slot_serves(env->scoreboard, socket->owner_slot, env->generation,
	        event_loop_now_ms(acceptor->host->io.loop),
	        env->config->main.worker_hang_timeout_ms);
}

void acceptor_update(struct acceptor *acceptor)
{
	if (!acceptor->stopped)
		note_pause(acceptor, acceptor->out_of_descriptors || is_full(acceptor));
	for (size_t i = 0; i < acceptor->count; i++) {
		struct listen_socket *socket = &acceptor->sockets[i];
		event_watch_set(&socket->watch, is_to_be_served(acceptor, socket) ? EVENT_READ : 0);
	}
}

void acceptor_session_ended(struct acceptor *acceptor)
{
	if (!acceptor->paused || acceptor->stopped)
		return;
	/* Descriptors are back: no need to wait for the timer. */
	acceptor->out_of_descriptors = false;
	acceptor_update(acceptor);
}

void acceptor_stop(struct acceptor *acceptor)
{
	acceptor->stopped = true;
	event_timer_stop(&acceptor->retry);
	acceptor_update(acceptor);
}

/* What waits in its queue is accepted; from then on the kernel refuses, whoever holds the socket
 * besides. */
static void take_last_ones(struct acceptor *acceptor, struct listen_socket *socket)
{
	while (!acceptor->out_of_descriptors && accept_one(socket))
		;
	shutdown(socket->watch.fd, SHUT_RD);
}

void acceptor_close(struct acceptor *acceptor)
{
	for (size_t i = 0; i < acceptor->count; i++) {
		struct listen_socket *socket = &acceptor->sockets[i];
		bool own = socket->owner_slot == acceptor->env->slot;
		if (!acceptor->stopped && (own || is_to_be_served(acceptor, socket)))
			take_last_ones(acceptor, socket);
	}
	acceptor_stop(acceptor);
	for (size_t i = 0; i < acceptor->count; i++)
		close(acceptor->sockets[i].watch.fd);
	acceptor->count = 0;
}
