/* SPDX-License-Identifier: BSD-2-Clause */
/* socket_options.h - what every connection's socket gets, towards clients and upstreams alike. */
#ifndef WORKER_IO_SOCKET_OPTIONS_H
#define WORKER_IO_SOCKET_OPTIONS_H

#include "shared/config.h"

/* Keepalive as configured. Best effort, as below: a connection works without. */
void socket_options_keepalive(int fd, const struct config_tcp_keepalive *keepalive);
/* The same and no delay, which accepted sockets have from the listening one. */
void socket_options_set(int fd, const struct config_tcp_keepalive *keepalive);

#endif
