/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listeners.c - one list of what is held; each entry counts how many of its sockets listen
 * already.
 *
 * Sockets past `listening` are staged: bound, known to the new workers, unknown to the kernel's
 * choice among a port's listeners. That is why rolling back loses no connection. Before an address
 * is bound for the first time it is bound without SO_REUSEPORT, so that another program on that
 * port is an error and not a silent share of the traffic.
 */
#include "master/listeners.h"

#include "master/listening_socket.h"
#include "shared/check.h"
#include "shared/config.h"
#include "shared/fd.h"
#include "shared/list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RETRY_MS = 50, EMPTY_QUEUE_PATIENCE_MS = 100 };

struct held {
	struct list link;
	struct address address;
	bool ipv6only;
	int *fds;
	size_t count; /* open */
	size_t listening; /* of them */
};

struct listeners {
	struct list held;
};

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static bool is_same(const struct held *held, const struct config_listener *listener)
{
	return address_equal(&held->address, &listener->address) &&
	       (listener->address.any.sa_family != AF_INET6 ||
	               held->ipv6only == listener->ipv6only);
}

static struct held *find(const struct listeners *listeners, const struct config_listener *listener)
{
	LIST_EACH(link, &listeners->held)
	{
		struct held *held = LIST_OBJECT(link, struct held, link);
		if (is_same(held, listener))
			return held;
	}
	return NULL;
}

struct listeners *listeners_create(void)
{
	struct listeners *listeners = calloc(1, sizeof(*listeners));

	CHECK(listeners);
	list_init(&listeners->held);
	return listeners;
}

void listeners_destroy(struct listeners *listeners)
{
	if (!listeners)
		return;
	listeners_close(listeners);
	free(listeners);
}

static const char *advice(int error, const struct config_listener *listener)
{
	if (error == EACCES && address_port(&listener->address) < 1024)
		return "; ports below 1024 need root or CAP_NET_BIND_SERVICE";
	if (error == EADDRNOTAVAIL)
		return "; this host does not have it (the parameter 'freebind' binds it all the "
		       "same)";
	if (error == EMFILE)
		return "; raise the limit of open files (ulimit -n, LimitNOFILE=)";
	return "";
}

/* A port that the kernel gives to outgoing connections may belong to one, for a minute after it has
 * ended too. */
static const char *user_of(uint16_t port)
{
	if (!listening_socket_only_these_listen(port, NULL, 0))
		return "the address is in use by another process; 'ss -ltnp' shows which";
	return "the address is in use, though nobody listens: by a connection that goes out from "
	       "this port, as 'ss -tan' shows; net.ipv4.ip_local_reserved_ports keeps it free";
}

static void describe(char *fault, const struct config_listener *listener, int error)
{
	char reason[192];

	if (error == EADDRINUSE)
		snprintf(reason, sizeof(reason), "%s", user_of(address_port(&listener->address)));
	else if (error == EACCES)
		snprintf(reason, sizeof(reason), "permission denied");
	else
		snprintf(reason, sizeof(reason), "%s", strerror(error));
	snprintf(fault, LISTENERS_FAULT_MAX, "listen %s (%s:%u): %s%s", listener->text,
	        listener->origin.file ? listener->origin.file : "default", listener->origin.line,
	        reason, advice(error, listener));
}

/* The sockets we hold on the same port, whose inodes tell them from others'. */
static bool conflict_is_our_own(
        const struct listeners *listeners, const struct config_listener *listener)
{
	uint16_t port = address_port(&listener->address);
	size_t count = 0, used = 0;

	LIST_EACH(link, &listeners->held)
	count += LIST_OBJECT(link, struct held, link)->count;
	int *fds = calloc(count + 1, sizeof(*fds));
	CHECK(fds);
	LIST_EACH(link, &listeners->held)
	{
		const struct held *held = LIST_OBJECT(link, struct held, link);
		if (address_port(&held->address) != port)
			continue;
		memcpy(fds + used, held->fds, held->count * sizeof(*fds));
		used += held->count;
	}
	bool own = used > 0 && listening_socket_only_these_listen(port, fds, used);
	free(fds);
	return own;
}

static int probe(const struct listeners *listeners, const struct config_listener *listener,
        uint64_t *patience_ms)
{
	for (;;) {
		int error = listening_socket_probe(listener);
		if (error != EADDRINUSE || conflict_is_our_own(listeners, listener))
			return error == EADDRINUSE ? 0 : error;
		if (*patience_ms < RETRY_MS)
			return error;
		*patience_ms -= RETRY_MS;
		sleep_ms(RETRY_MS);
	}
}

static int grow(struct held *held, const struct config_listener *listener, size_t wanted)
{
	if (held->count >= wanted)
		return 0;
	int *fds = realloc(held->fds, wanted * sizeof(*fds));
	CHECK(fds);
	held->fds = fds;
	while (held->count < wanted) {
		int fd = listening_socket_bind(listener);
		if (fd < 0)
			return errno;
		held->fds[held->count++] = fd;
	}
	return 0;
}

static int stage_one(struct listeners *listeners, const struct config_listener *listener,
        size_t wanted, uint64_t *patience_ms)
{
	struct held *held = find(listeners, listener);

	if (!held) {
		int error = probe(listeners, listener, patience_ms);
		if (error)
			return error;
		held = calloc(1, sizeof(*held));
		CHECK(held);
		held->address = listener->address;
		held->ipv6only = listener->ipv6only;
		list_append(&listeners->held, &held->link);
	}
	return grow(held, listener, wanted);
}

bool listeners_stage(struct listeners *listeners, const struct config *config, uint64_t patience_ms,
        char fault[LISTENERS_FAULT_MAX])
{
	for (size_t i = 0; i < config->listener_count; i++) {
		int error = stage_one(
		        listeners, &config->listeners[i], config->main.workers, &patience_ms);
		if (!error)
			continue;
		describe(fault, &config->listeners[i], error);
		listeners_roll_back(listeners);
		return false;
	}
	return true;
}

bool listeners_commit(
        struct listeners *listeners, const struct config *config, char fault[LISTENERS_FAULT_MAX])
{
	for (size_t i = 0; i < config->listener_count; i++) {
		const struct config_listener *listener = &config->listeners[i];
		struct held *held = find(listeners, listener);
		CHECK(held);
		for (size_t j = 0; j < held->count; j++) {
			int error = listening_socket_listen(held->fds[j], listener);
			if (error) {
				describe(fault, listener, error);
				return false;
			}
			if (j >= held->listening)
				held->listening = j + 1;
		}
	}
	return true;
}

static void drop(struct held *held)
{
	list_remove(&held->link);
	free(held->fds);
	free(held);
}

void listeners_roll_back(struct listeners *listeners)
{
	LIST_EACH(link, &listeners->held)
	{
		struct held *held = LIST_OBJECT(link, struct held, link);
		while (held->count > held->listening)
			fd_close(&held->fds[--held->count]);
		if (held->count == 0)
			drop(held);
	}
}

static void close_held(struct held *held, long *patience_ms)
{
	for (size_t i = 0; i < held->count; i++) {
		while (*patience_ms > 0 && listening_socket_queue_length(held->fds[i]) > 0) {
			sleep_ms(1);
			(*patience_ms)--;
		}
		listening_socket_close(&held->fds[i]);
	}
	drop(held);
}

static bool is_wanted(const struct held *held, const struct config *config)
{
	for (size_t i = 0; i < config->listener_count; i++)
		if (is_same(held, &config->listeners[i]))
			return true;
	return false;
}

void listeners_retire(struct listeners *listeners, const struct config *config)
{
	long patience_ms = EMPTY_QUEUE_PATIENCE_MS;

	LIST_EACH(link, &listeners->held)
	{
		struct held *held = LIST_OBJECT(link, struct held, link);
		if (!is_wanted(held, config))
			close_held(held, &patience_ms);
	}
}

void listeners_close(struct listeners *listeners)
{
	long patience_ms = EMPTY_QUEUE_PATIENCE_MS;

	LIST_EACH(link, &listeners->held)
	close_held(LIST_OBJECT(link, struct held, link), &patience_ms);
}

struct worker_listener listeners_view(
        const struct listeners *listeners, const struct config_listener *listener)
{
	const struct held *held = find(listeners, listener);

	CHECK(held);
	return (struct worker_listener){.fds = held->fds, .fd_count = held->count};
}

size_t listeners_socket_count(const struct listeners *listeners)
{
	size_t count = 0;

	LIST_EACH(link, &listeners->held)
	count += LIST_OBJECT(link, struct held, link)->count;
	return count;
}
