/* SPDX-License-Identifier: BSD-2-Clause */
/* listening_socket.h - the system calls of one listening socket, by what a `listen` says. */
#ifndef MASTER_LISTENING_SOCKET_H
#define MASTER_LISTENING_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config_listener;

/* Whether the address could be had alone. 0, or an errno; EADDRINUSE when anybody listens there,
 * whatever SO_REUSEPORT says. */
int listening_socket_probe(const struct config_listener *listener);
/* A bound SO_REUSEPORT socket, non-blocking, that does not listen yet. -1 with errno. */
int listening_socket_bind(const struct config_listener *listener);
/* 0 or an errno. On a socket that listens: takes over backlog and options. */
int listening_socket_listen(int fd, const struct config_listener *listener);
/* Connections that wait to be accepted; 0 when the kernel does not tell. */
unsigned listening_socket_queue_length(int fd);
/* Stops listening for every process that holds it, and closes it. */
void listening_socket_close(int *fd);

/* Nobody but these sockets listens on `port`. */
bool listening_socket_only_these_listen(uint16_t port, const int *fds, size_t count);

#endif
