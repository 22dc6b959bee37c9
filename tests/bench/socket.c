/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socket.c - addresses, listening and connecting sockets for the benchmark's programs.
 *
 * IPv4 only: the benchmark lives on 127.0.0.0/8. Nothing here is set but what every proxy sees
 * alike.
 */
#include "tests/bench/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTEN_BACKLOG 4096

void fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

struct sockaddr_in address_parse(const char *text)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	char host[INET_ADDRSTRLEN];
	const char *colon = strchr(text, ':');
	size_t host_length = colon ? (size_t)(colon - text) : 0;

	if (!colon || host_length >= sizeof(host))
		fail("'%s': write ADDRESS:PORT", text);
	memcpy(host, text, host_length);
	host[host_length] = '\0';

	char *end;
	unsigned long port = strtoul(colon + 1, &end, 10);
	if (*end || !port || port > UINT16_MAX || inet_pton(AF_INET, host, &address.sin_addr) != 1)
		fail("'%s': write ADDRESS:PORT", text);
	address.sin_port = htons((uint16_t)port);
	return address;
}

int socket_listen(const struct sockaddr_in *address)
{
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ||
	        bind(fd, (const struct sockaddr *)address, sizeof(*address)) ||
	        listen(fd, LISTEN_BACKLOG))
		fail("port %u: %s", ntohs(address->sin_port), strerror(errno));
	return fd;
}

int socket_connect(const struct sockaddr_in *address)
{
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (!connect(fd, (const struct sockaddr *)address, sizeof(*address)) ||
	        errno == EINPROGRESS)
		return fd;
	int reason = errno;
	close(fd);
	errno = reason;
	return -1;
}
