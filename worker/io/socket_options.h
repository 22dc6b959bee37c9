/* SPDX-License-Identifier: BSD-2-Clause */
/* socket_options.h - what every connection's socket gets, towards clients and upstreams alike. */
#ifndef WORKER_IO_SOCKET_OPTIONS_H
#define WORKER_IO_SOCKET_OPTIONS_H

#include "shared/config.h"

/* No delay, and keepalive as configured. Best effort: a connection works without. */
void socket_options_set(int fd, const struct config_tcp_keepalive *keepalive);

#endif
