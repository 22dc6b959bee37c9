/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control_message.h - what master and worker say to each other over their SOCK_SEQPACKET pair.
 *
 * Each message is one packet. End of file tells a worker that the master died, and the master that
 * the worker did.
 */
#ifndef SHARED_CONTROL_MESSAGE_H
#define SHARED_CONTROL_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

enum control_type {
	CONTROL_READY = 1, /* up: this worker accepts (or would) */
	CONTROL_DRAINED, /* up: nothing is left; the worker exits after it */
	CONTROL_DRAIN, /* down: stop accepting, let connections end */
	CONTROL_CUT, /* down: drain, and close what is left at once: too many generations */
	CONTROL_QUIT, /* down: close everything and exit: fast shutdown */
	CONTROL_REOPEN_LOG, /* down, with a descriptor: it replaces log_files[log_index] */
};

struct control_message {
	uint32_t type;
	uint32_t log_index;
};

/* fd: -1 for none. Never blocks; false when the other side is gone or its queue is full. */
bool control_message_send(int socket, const struct control_message *message, int fd);

enum control_result { CONTROL_GOT, CONTROL_NOTHING, CONTROL_END };
/* *fd_out is the caller's to close, -1 when none came. A malformed message counts as CONTROL_END.
 */
enum control_result control_message_receive(
        int socket, struct control_message *message_out, int *fd_out);

#endif
