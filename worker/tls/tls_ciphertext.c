/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_ciphertext.c - ciphertext between a socket, the worker's wire buffers, and GnuTLS.
 *
 * Called by tls_transport alone, between tls_ciphertext_claim and _release. GnuTLS pulls from the
 * wire and pushes into it; it never sees the socket's raw end of file, which would turn the
 * session's write side invalid. Push never refuses: there is always room for one record when GnuTLS
 * is asked for one.
 */
#include "worker/tls/tls_ciphertext.h"

#include "shared/check.h"
#include "shared/log.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { HANDSHAKE_RECV_BYTES = 16 * 1024 };

void tls_ciphertext_claim(struct tls_transport *tls)
{
	struct tls_wire *wire = tls->wire;

	CHECK(!wire->user);
	wire->user = tls;
	wire->in_start = wire->in_end = 0;
	wire->out_bytes = 0;
	if (tls->in_tail) {
		wire->in_end = buffer_bytes(tls->in_tail);
		memcpy(wire->in, tls->in_tail->data + tls->in_tail->start, wire->in_end);
		buffer_pool_return(wire->pool, &tls->in_tail);
	}
	if (tls->out_tail && !tls->out_refused) {
		wire->out_bytes = buffer_bytes(tls->out_tail);
		memcpy(wire->out, tls->out_tail->data + tls->out_tail->start, wire->out_bytes);
		buffer_pool_return(wire->pool, &tls->out_tail);
	}
}

static void keep_input(struct tls_transport *tls)
{
	struct tls_wire *wire = tls->wire;
	size_t count = wire->in_end - wire->in_start;

	if (count == 0)
		return;
	tls->in_tail = buffer_pool_lend_always(wire->pool, count);
	memcpy(tls->in_tail->data, wire->in + wire->in_start, count);
	buffer_filled(tls->in_tail, count);
}

/* What GnuTLS pushed, from byte `sent` on, behind what the socket has refused already. */
static void keep_output(struct tls_transport *tls, size_t sent)
{
	struct tls_wire *wire = tls->wire;
	struct buffer *before = tls->out_tail;

	if (sent == wire->out_bytes)
		return;
	size_t count = wire->out_bytes - sent;
	tls->out_tail = buffer_pool_lend_always(wire->pool, buffer_bytes(before) + count);
	if (before) {
		memcpy(tls->out_tail->data, before->data + before->start, buffer_bytes(before));
		buffer_filled(tls->out_tail, buffer_bytes(before));
		buffer_pool_return(wire->pool, &before);
	}
	memcpy(tls->out_tail->data + tls->out_tail->end, wire->out + sent, count);
	buffer_filled(tls->out_tail, count);
}

void tls_ciphertext_release(struct tls_transport *tls)
{
	struct tls_wire *wire = tls->wire;

	CHECK(wire->user == tls);
	keep_input(tls);
	keep_output(tls, 0);
	wire->in_start = wire->in_end = wire->out_bytes = 0;
	wire->user = NULL;
}

/* What a listener or an upstream that speaks no TLS sends first: not one of the content types of
 * RFC 8446 5.1. */
static bool starts_as_tls(struct tls_transport *tls)
{
	const struct tls_wire *wire = tls->wire;
	char line[120];

	tls->first_byte_seen = true;
	if (wire->in[0] >= 20 && wire->in[0] <= 23)
		return true;
	size_t length = 0;
	while (length < wire->in_end && length < 80 && wire->in[length] != '\r' &&
	        wire->in[length] != '\n')
		length++;
	struct slice first_line = {(const char *)wire->in, length};
	bool client = tls->transport.side == IO_CLIENT;
	transport_fault(&tls->transport,
	        client ? CLOSE_CLIENT_CLEAR_TEXT : CLOSE_UPSTREAM_CLEAR_TEXT,
	        "%s in clear text: \"%s\"", client ? "spoke" : "answered",
	        log_escape(first_line, line, sizeof(line)));
	return false;
}

/* One recv into the empty wire. False when it brought nothing: the socket is empty, ended or
 * failed, or what came is no TLS. */
bool tls_ciphertext_receive(struct tls_transport *tls, size_t count_max)
{
	struct tls_wire *wire = tls->wire;
	ssize_t got;

	if (tls->socket_ended)
		return false;
	do
		got = recv(tls->fd, wire->in, count_max, 0);
	while (got < 0 && errno == EINTR);
	tls->transport.readable = got == (ssize_t)count_max;
	if (got == 0)
		tls->socket_ended = true;
	if (got < 0 && errno != EAGAIN)
		tls->socket_error = errno;
	if (got <= 0)
		return false;
	wire->in_start = 0;
	wire->in_end = (size_t)got;
	return tls->first_byte_seen || starts_as_tls(tls);
}

static ssize_t pull(gnutls_transport_ptr_t pointer, void *room, size_t size)
{
	struct tls_transport *tls = pointer;
	struct tls_wire *wire = tls->wire;

	if (wire->in_start == wire->in_end && !tls->handshake_done && tls->transport.readable)
		tls_ciphertext_receive(tls, HANDSHAKE_RECV_BYTES);
	size_t count = wire->in_end - wire->in_start;
	if (count == 0 || tls->transport.fault) {
		gnutls_transport_set_errno(tls->session, EAGAIN);
		return -1;
	}
	if (count > size)
		count = size;
	memcpy(room, wire->in + wire->in_start, count);
	wire->in_start += count;
	return (ssize_t)count;
}

static int pull_timeout(gnutls_transport_ptr_t pointer, unsigned ms)
{
	(void)pointer;
	(void)ms;
	return 1; /* never wait: pull says EAGAIN */
}

static ssize_t push(gnutls_transport_ptr_t pointer, const void *bytes, size_t count)
{
	struct tls_transport *tls = pointer;
	struct tls_wire *wire = tls->wire;

	CHECK(wire->user == tls);
	CHECK(count <= TLS_WIRE_OUT_BYTES - wire->out_bytes);
	memcpy(wire->out + wire->out_bytes, bytes, count);
	wire->out_bytes += count;
	return (ssize_t)count;
}

/* Bytes the socket took of `bytes`; all, or fewer when it takes no more now. Sets socket_error. */
static size_t send_some(struct tls_transport *tls, const unsigned char *bytes, size_t count)
{
	int flags = transport_send_flags(&tls->transport);
	ssize_t put;

	do
		put = send(tls->fd, bytes, count, flags);
	while (put < 0 && errno == EINTR);
	if (put < 0 && errno != EAGAIN)
		tls->socket_error = errno;
	return put < 0 ? 0 : (size_t)put;
}

enum io_result tls_ciphertext_failed(struct tls_transport *tls)
{
	transport_fault_errno(&tls->transport, tls->socket_error);
	return IO_ERROR;
}

/* The tail that the socket refused before. IO_OK when it is gone. */
enum io_result tls_ciphertext_send_tail(struct tls_transport *tls)
{
	if (!tls->out_tail)
		return IO_OK;
	buffer_taken(tls->out_tail, send_some(tls, tls->out_tail->data + tls->out_tail->start,
	                                    buffer_bytes(tls->out_tail)));
	if (tls->socket_error)
		return tls_ciphertext_failed(tls);
	if (buffer_bytes(tls->out_tail))
		return IO_WANT_WRITE;
	buffer_pool_return(tls->wire->pool, &tls->out_tail);
	tls->out_refused = false;
	return IO_OK;
}

/* What the socket refused before goes first: an alert or close_notify in the middle of a record
 * would be one more broken record. What has been pushed stands behind it. */
static enum io_result send_behind_tail(struct tls_transport *tls)
{
	enum io_result result = tls_ciphertext_send_tail(tls);

	if (result == IO_WANT_WRITE)
		keep_output(tls, 0);
	if (result != IO_OK)
		tls->wire->out_bytes = 0;
	return result;
}

/* What has been pushed, in one send; the rest becomes the tail. */
enum io_result tls_ciphertext_send(struct tls_transport *tls)
{
	struct tls_wire *wire = tls->wire;

	if (wire->out_bytes == 0)
		return IO_OK;
	if (tls->out_refused) {
		enum io_result result = send_behind_tail(tls);
		if (result != IO_OK)
			return result;
	}
	size_t put = send_some(tls, wire->out, wire->out_bytes);
	if (tls->socket_error) {
		wire->out_bytes = 0;
		return tls_ciphertext_failed(tls);
	}
	if (put < wire->out_bytes) {
		keep_output(tls, put);
		tls->out_refused = true;
	}
	wire->out_bytes = 0;
	return tls->out_refused ? IO_WANT_WRITE : IO_OK;
}

void tls_ciphertext_attach(struct tls_transport *tls)
{
	gnutls_transport_set_pull_function(tls->session, pull);
	gnutls_transport_set_pull_timeout_function(tls->session, pull_timeout);
	gnutls_transport_set_push_function(tls->session, push);
}
