/* SPDX-License-Identifier: BSD-2-Clause */
/* transport.c - what all transports share: the first cause of a failure, how bytes are sent. */
#include "worker/io/transport.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void transport_fault(struct transport *transport, enum close_reason reason, const char *format, ...)
{
	char text[1024];
	va_list arguments;

	if (transport->fault)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	size_t length = strlen(text) + 1;
	struct io_fault *fault = malloc(sizeof(*fault) + length);
	if (!fault)
		return; /* readers fall back to the reason of the side */
	fault->reason = reason;
	memcpy(fault->text, text, length);
	transport->fault = fault;
}

void transport_fault_errno(struct transport *transport, int error)
{
	bool client = transport->side == IO_CLIENT;

	/* A vanished peer (ETIMEDOUT of keepalive, no route) is as gone as one that reset. */
	transport_fault(transport, client ? CLOSE_CLIENT_RESET : CLOSE_UPSTREAM_RESET, "%s",
	        error == EPIPE ? "closed by the other side" : strerror(error));
}

void transport_fault_clear(struct transport *transport)
{
	free(transport->fault);
	transport->fault = NULL;
}

int transport_send_flags(const struct transport *transport)
{
	return transport->last ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL;
}
