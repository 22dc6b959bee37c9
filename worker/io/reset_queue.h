/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reset_queue.h - sockets that are to end with a RST once the other side has what was sent.
 *
 * A bare close(2) sends a FIN, which a plain peer takes for the clean end of the data. Resetting at
 * once would throw away what is still queued. So the socket waits here until the kernel's queue is
 * empty (SIOCOUTQ, asked on a timer), for 5 s at most, and is then closed with SO_LINGER {1, 0}.
 */
#ifndef WORKER_IO_RESET_QUEUE_H
#define WORKER_IO_RESET_QUEUE_H

#include "worker/io/event_loop.h"

#include <stddef.h>

struct reset_queue;

struct reset_queue *reset_queue_create(struct event_loop *loop);
/* Resets what still waits. */
void reset_queue_destroy(struct reset_queue *queue);
/* Takes `fd`, which nobody watches any more. */
void reset_queue_add(struct reset_queue *queue, int fd);
size_t reset_queue_length(const struct reset_queue *queue);

#endif
