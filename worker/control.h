/* SPDX-License-Identifier: BSD-2-Clause */
/* control.h - the worker's end of the control socket. */
#ifndef WORKER_CONTROL_H
#define WORKER_CONTROL_H

#include "shared/control_message.h"
#include "worker/io/event_loop.h"

/* A message, or the master's end (message NULL). `fd` belongs to the callee, -1 for none. */
typedef void control_fn(void *opaque, const struct control_message *message, int fd);

struct control {
	struct event_watch watch;
	control_fn *fn;
	void *opaque;
};

void control_open(
        struct control *control, struct event_loop *loop, int fd, control_fn *fn, void *opaque);
void control_close(struct control *control);
void control_tell(struct control *control, enum control_type type);

#endif
