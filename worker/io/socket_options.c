/* SPDX-License-Identifier: BSD-2-Clause */
/* socket_options.c - TCP_NODELAY (whole flights are sent with one call) and keepalive. */
#include "worker/io/socket_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static void set_seconds(int fd, int option, unsigned value)
{
	if (value)
		setsockopt(fd, IPPROTO_TCP, option, &(int){(int)value}, sizeof(int));
}

void socket_options_keepalive(int fd, const struct config_tcp_keepalive *keepalive)
{
	if (!keepalive->on)
		return;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){1}, sizeof(int));
	set_seconds(fd, TCP_KEEPIDLE, keepalive->idle_s);
	set_seconds(fd, TCP_KEEPINTVL, keepalive->interval_s);
	set_seconds(fd, TCP_KEEPCNT, keepalive->count);
}

void socket_options_set(int fd, const struct config_tcp_keepalive *keepalive)
{
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	socket_options_keepalive(fd, keepalive);
}
