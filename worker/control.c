/* SPDX-License-Identifier: BSD-2-Clause */
/* control.c - reads the master's messages until its socket is empty or at its end. */
#include "worker/control.h"

#include "shared/list.h"

#include <stddef.h>

static void on_readable(struct event_watch *watch, unsigned events)
{
	struct control *control = LIST_OBJECT(watch, struct control, watch);
	struct control_message message;

	(void)events;
	for (;;) {
		int fd = -1;
		switch (control_message_receive(watch->fd, &message, &fd)) {
		case CONTROL_GOT:
			control->fn(control->opaque, &message, fd);
			break;
		case CONTROL_NOTHING:
			return;
		case CONTROL_END:
			event_watch_set(watch, 0);
			control->fn(control->opaque, NULL, -1);
			return;
		}
	}
}

void control_open(
        struct control *control, struct event_loop *loop, int fd, control_fn *fn, void *opaque)
{
	control->fn = fn;
	control->opaque = opaque;
	event_watch_init(&control->watch, loop, fd, on_readable);
	event_watch_set(&control->watch, EVENT_READ);
}

void control_close(struct control *control)
{
	event_watch_set(&control->watch, 0);
}

void control_tell(struct control *control, enum control_type type)
{
	struct control_message message = {.type = type};

	control_message_send(control->watch.fd, &message, -1);
}
