/* SPDX-License-Identifier: BSD-2-Clause */
/* control_message.c - one message, one packet. */
#include "shared/control_message.h"

#include "shared/fd.h"

#include <errno.h>
#include <unistd.h>

bool control_message_send(int socket, const struct control_message *message, int fd)
{
	return fd_send_message(socket, message, sizeof(*message), fd);
}

enum control_result control_message_receive(
        int socket, struct control_message *message_out, int *fd_out)
{
	ssize_t got;

	do
		got = fd_receive_message(socket, message_out, sizeof(*message_out), fd_out);
	while (got < 0 && errno == EINTR);
	if (got == (ssize_t)sizeof(*message_out))
		return CONTROL_GOT;
	fd_close(fd_out);
	return got < 0 && errno == EAGAIN ? CONTROL_NOTHING : CONTROL_END;
}
