/* SPDX-License-Identifier: BSD-2-Clause */
/* plain_transport.h - a socket without TLS. */
#ifndef WORKER_IO_PLAIN_TRANSPORT_H
#define WORKER_IO_PLAIN_TRANSPORT_H

#include "worker/io/transport.h"

/* `fd` stays the caller's. NULL without memory. */
struct transport *plain_transport_create(int fd, enum io_side side);

#endif
