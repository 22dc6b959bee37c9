/* SPDX-License-Identifier: BSD-2-Clause */
/* upstream_socket.c - socket(2), bind(2), connect(2), and in whose name each of them fails. */
#include "worker/upstream/upstream_socket.h"

#include "worker/io/socket_options.h"
#include "worker/upstream/idle_pool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int new_socket(int family, struct idle_pool *pool)
{
	int fd;

	do
		fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	while (fd < 0 && idle_pool_gives_way(pool, errno));
	return fd;
}

/* The next source address of the endpoint's family. 0, or an errno. */
static int bind_source(const struct upstream_socket_target *target, uint32_t *turn, int fd)
{
	const struct config_group *group = target->group;
	int on = 1;

	for (size_t i = 0; i < group->bind_address_count; i++) {
		size_t next = (*turn)++ % group->bind_address_count;
		const struct address *source = &group->bind_addresses[next];
		if (source->any.sa_family != target->address->any.sa_family)
			continue;
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
		return bind(fd, &source->any, source->length) == 0 ? 0 : errno;
	}
	return group->bind_address_count ? EAFNOSUPPORT : 0;
}

static int connect_to(const struct address *address, int fd)
{
	if (connect(fd, &address->any, address->length) == 0 || errno == EINPROGRESS)
		return 0;
	return errno;
}

static void set_fault(
        struct upstream_socket_fault *fault, enum close_reason reason, const char *what, int error)
{
	fault->reason = reason;
	snprintf(fault->text, sizeof(fault->text), "%s: %s", what, strerror(error));
}

int upstream_socket_open(const struct upstream_socket_target *target, uint32_t *turn,
        struct idle_pool *pool, struct upstream_socket_fault *fault_out)
{
	int fd = new_socket(target->address->any.sa_family, pool);

	if (fd < 0) {
		set_fault(fault_out, CLOSE_RESOURCES, "no socket for a connection", errno);
		return -1;
	}
	socket_options_set(fd, target->keepalive);
	int error = bind_source(target, turn, fd);
	if (error) {
		set_fault(fault_out, CLOSE_BIND, "proxy_bind: no source address could be used",
		        error);
	} else {
		error = connect_to(target->address, fd);
		if (!error)
			return fd;
		set_fault(fault_out, CLOSE_UPSTREAM_CONNECT, "connect", error);
	}
	close(fd);
	return -1;
}
