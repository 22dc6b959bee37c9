/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socket.h - the sockets of the benchmark's two programs, and their way to give up.
 */
#ifndef BENCH_SOCKET_H
#define BENCH_SOCKET_H

#include <netinet/in.h>

/* Says what went wrong on stderr and ends the program with status 1. */
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* "127.0.0.2:25001" as a socket address; anything else ends the program. */
struct sockaddr_in address_parse(const char *text);

/* A non-blocking listening socket whose accepted sockets inherit TCP_NODELAY. */
int socket_listen(const struct sockaddr_in *address);

/* A non-blocking socket with TCP_NODELAY on its way to `address`, or -1 with errno. */
int socket_connect(const struct sockaddr_in *address);

#endif
