/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plain_transport.c - recv and send, nothing kept between calls.
 *
 * The last bytes are sent with MSG_MORE, so that the FIN goes with them in one segment. It is sent
 * by shutdown(2) then: close(2) throws away what waits when the other side has sent something that
 * nobody has read.
 */
#include "worker/io/plain_transport.h"

#include "shared/check.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { PLAIN_TRANSPORT_MAGIC = 0x504c4e54 };

struct plain_transport {
	struct transport transport;
	unsigned magic;
	int fd;
	bool last_bytes_wait;
};

static struct plain_transport *plain(const struct transport *transport)
{
	/* The transport is the first member, and ours are never const. */
	struct plain_transport *plain = (struct plain_transport *)(void *)(size_t)(const void *)
	        transport;

	CHECK_OBJ(plain, PLAIN_TRANSPORT_MAGIC);
	return plain;
}

static enum io_result plain_handshake(struct transport *transport)
{
	(void)transport;
	return IO_OK;
}

static enum io_result plain_read(
        struct transport *transport, void *room, size_t size, size_t *got_out)
{
	ssize_t got;

	*got_out = 0;
	transport->read_filled = false;
	do
		got = recv(plain(transport)->fd, room, size, 0);
	while (got < 0 && errno == EINTR);
	if (got == 0)
		return IO_EOF;
	if (got < 0 && errno == EAGAIN)
		return IO_WANT_READ;
	if (got < 0) {
		transport_fault_errno(transport, errno);
		return IO_ERROR;
	}
	*got_out = (size_t)got;
	transport->read_filled = (size_t)got == size;
	return IO_OK;
}

static enum io_result plain_write(
        struct transport *transport, const void *bytes, size_t length, size_t *put_out)
{
	int flags = transport_send_flags(transport);
	ssize_t put;

	*put_out = 0;
	if (length == 0)
		return IO_OK;
	plain(transport)->last_bytes_wait = transport->last;
	do
		put = send(plain(transport)->fd, bytes, length, flags);
	while (put < 0 && errno == EINTR);
	if (put < 0 && errno == EAGAIN)
		return IO_WANT_WRITE;
	if (put < 0) {
		transport_fault_errno(transport, errno);
		return IO_ERROR;
	}
	*put_out = (size_t)put;
	return (size_t)put == length ? IO_OK : IO_WANT_WRITE;
}

static enum io_result plain_finish(struct transport *transport, bool closing)
{
	bool leave_to_close = closing && !plain(transport)->last_bytes_wait;

	if (!leave_to_close && shutdown(plain(transport)->fd, SHUT_WR) != 0 && errno != ENOTCONN) {
		transport_fault_errno(transport, errno);
		return IO_ERROR;
	}
	return IO_OK;
}

static unsigned plain_pending(const struct transport *transport)
{
	(void)transport;
	return 0;
}

static void plain_close(struct transport *transport, bool cut)
{
	(void)cut; /* the stream resets the socket */
	transport_fault_clear(transport);
	plain(transport)->magic = 0;
	free(transport);
}

static const struct transport_ops plain_ops = {
        .name = "plain",
        .cut_needs_reset = true,
        .handshake = plain_handshake,
        .read = plain_read,
        .write = plain_write,
        .finish = plain_finish,
        .pending = plain_pending,
        .close = plain_close,
};

struct transport *plain_transport_create(int fd, enum io_side side)
{
	struct plain_transport *plain = calloc(1, sizeof(*plain));

	if (!plain)
		return NULL;
	plain->transport.ops = &plain_ops;
	plain->transport.side = side;
	plain->transport.read_room_min = 1;
	plain->magic = PLAIN_TRANSPORT_MAGIC;
	plain->fd = fd;
	return &plain->transport;
}
