/* SPDX-License-Identifier: BSD-2-Clause */
/* listening_socket.c - socket(2), its options, bind(2) and listen(2). */
#include "master/listening_socket.h"

#include "master/port_holders.h"
#include "shared/check.h"
#include "shared/config.h"
#include "shared/fd.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static bool set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

static bool set_options(int fd, const struct config_listener *listener)
{
	if (!set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1))
		return false;
	/* Accepted sockets inherit it. */
	if (!set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1))
		return false;
	if (listener->address.any.sa_family == AF_INET6 &&
	        !set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, listener->ipv6only))
		return false;
	return !listener->freebind || set_option(fd, IPPROTO_IP, IP_FREEBIND, 1);
}

static int open_bound(const struct config_listener *listener, bool shared)
{
	int fd = socket(
	        listener->address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (set_options(fd, listener) && (!shared || set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1)) &&
	        bind(fd, &listener->address.any, listener->address.length) == 0)
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

int listening_socket_probe(const struct config_listener *listener)
{
	int fd = open_bound(listener, false);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

int listening_socket_bind(const struct config_listener *listener)
{
	return open_bound(listener, true);
}

int listening_socket_listen(int fd, const struct config_listener *listener)
{
	if (!set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, listener->deferred))
		return errno;
	return listen(fd, listener->backlog) == 0 ? 0 : errno;
}

unsigned listening_socket_queue_length(int fd)
{
	struct tcp_info info;
	socklen_t length = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0)
		return 0;
	return info.tcpi_state == TCP_LISTEN ? info.tcpi_unacked : 0;
}

void listening_socket_close(int *fd)
{
	shutdown(*fd, SHUT_RD); /* draining workers hold it too */
	fd_close(fd);
}

bool listening_socket_only_these_listen(uint16_t port, const int *fds, size_t count)
{
	ino_t *inodes = calloc(count + 1, sizeof(*inodes));

	CHECK(inodes);
	for (size_t i = 0; i < count; i++) {
		struct stat status;
		inodes[i] = fstat(fds[i], &status) == 0 ? status.st_ino : 0;
	}
	bool others = port_has_other_holder(port, inodes, count);
	free(inodes);
	return !others;
}
