/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_transport.c - a transport over a GnuTLS session, with one recv and one send per event.
 *
 * Each operation claims the worker's wire buffers, works, and leaves them empty: what GnuTLS pushed
 * has been sent or lies in `out_tail`, what it has not pulled lies in `in_tail`. A recv asks for no
 * more than the caller's room less one record, so after the handshake nothing but a part of a
 * record is ever left over, and that GnuTLS keeps itself. The push function never refuses: there is
 * always room for one record when GnuTLS is asked for one.
 *
 * GnuTLS never sees the socket's raw end of file: it would turn the session's write side invalid,
 * while bytes that were queued for the other side of a cut have to be judged by the tunnel.
 *
 * The last flight of a handshake is not sent by itself: it waits in `out_tail` until READY has been
 * told, and the first application bytes go out with it in one send.
 */
#include "worker/tls/tls_transport.h"

#include "shared/check.h"
#include "shared/tls_ciphers.h"
#include "worker/tls/tls_ciphertext.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	TLS_TRANSPORT_MAGIC = 0x544c5354,
	EMPTY_IN_A_ROW_MAX = 32, /* as OpenSSL: a peer has no use for more */
	SMALL_RECORD_BYTES =
	        1370, /* fits one segment of 1,400 to 1,460 bytes with header and tag */
	SMALL_BURST_BYTES = 40 * 1024,
	IDLE_RESTARTS_BURST_MS = 1000,
};

static const struct transport_ops tls_ops;

struct tls_transport *tls_transport_of(struct transport *transport)
{
	struct tls_transport *tls = (struct tls_transport *)(void *)transport;

	if (!transport || transport->ops != &tls_ops)
		return NULL;
	CHECK_OBJ(tls, TLS_TRANSPORT_MAGIC);
	return tls;
}

/* The session is beyond use: says why, and sends the alert that GnuTLS or the verifier has queued.
 */
static enum io_result session_failed(struct tls_transport *tls, int code)
{
	tls->session_dead = true;
	if (tls->socket_error)
		return tls_ciphertext_failed(tls);
	tls->role->explain(tls, code);
	if (tls->alert >= 0)
		gnutls_alert_send(
		        tls->session, GNUTLS_AL_FATAL, (gnutls_alert_description_t)tls->alert);
	else if (code != GNUTLS_E_FATAL_ALERT_RECEIVED)
		gnutls_alert_send_appropriate(tls->session, code);
	tls_ciphertext_send(tls);
	return IO_ERROR;
}

static enum io_result handshake_ended_early(struct tls_transport *tls)
{
	tls->session_dead = true;
	if (tls->transport.fault)
		return IO_ERROR;
	if (tls->socket_error)
		return tls_ciphertext_failed(tls);
	tls->role->explain(tls, GNUTLS_E_PREMATURE_TERMINATION);
	return IO_ERROR;
}

/* The handshake is done, but not as we want it. */
static enum io_result refused(struct tls_transport *tls)
{
	tls->session_dead = true;
	gnutls_alert_send(tls->session, GNUTLS_AL_FATAL,
	        tls->alert >= 0 ? (gnutls_alert_description_t)tls->alert
	                        : GNUTLS_A_HANDSHAKE_FAILURE);
	tls_ciphertext_send(tls);
	return IO_ERROR;
}

static enum io_result handshake_step(struct tls_transport *tls)
{
	for (;;) {
		int code = gnutls_handshake(tls->session);
		if (code == GNUTLS_E_SUCCESS) {
			tls->handshake_done = true;
			if (tls->role->accept(tls))
				return IO_OK;
			return refused(tls);
		}
		if (code != GNUTLS_E_AGAIN && code != GNUTLS_E_INTERRUPTED) {
			if (!gnutls_error_is_fatal(code))
				continue;
			return session_failed(tls, code);
		}
		if (tls->role->end_flight)
			tls->role->end_flight(tls);
		/* Nothing is read before what we said has left. */
		enum io_result sent = tls_ciphertext_send(tls);
		if (sent == IO_ERROR)
			return sent;
		if (tls->transport.fault || tls->socket_error || tls->socket_ended)
			return handshake_ended_early(tls);
		if (sent == IO_WANT_WRITE)
			return sent;
		if (tls->wire->in_start == tls->wire->in_end && !tls->transport.readable)
			return IO_WANT_READ;
	}
}

static enum io_result tls_handshake(struct transport *transport)
{
	struct tls_transport *tls = tls_transport_of(transport);

	if (tls->out_refused) {
		enum io_result sent = tls_ciphertext_send_tail(tls);
		if (sent != IO_OK)
			return sent;
	}
	tls_ciphertext_claim(tls);
	enum io_result result = handshake_step(tls);
	tls_ciphertext_release(tls);
	return result;
}

/* A flood of records that carry nothing costs us more than it costs its sender. */
static bool too_many_empty(struct tls_transport *tls)
{
	if (++tls->empty_in_a_row <= EMPTY_IN_A_ROW_MAX)
		return false;
	bool client = tls->transport.side == IO_CLIENT;
	transport_fault(&tls->transport, client ? CLOSE_CLIENT_PROTOCOL : CLOSE_UPSTREAM_PROTOCOL,
	        "more than %d TLS records without data in a row", EMPTY_IN_A_ROW_MAX);
	tls->session_dead = true;
	return true;
}

/* An upstream's request is declined and the session goes on. A client's cannot: GnuTLS holds its
 * ClientHello, which nothing but a handshake would take; nginx closes such a connection too. */
static enum io_result refuse_renegotiation(struct tls_transport *tls)
{
	if (tls->transport.side == IO_CLIENT) {
		tls->alert = GNUTLS_A_NO_RENEGOTIATION;
		return session_failed(tls, GNUTLS_E_REHANDSHAKE);
	}
	if (too_many_empty(tls))
		return IO_ERROR;
	gnutls_alert_send(tls->session, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION);
	return IO_OK;
}

/* Decrypts all whole records of the wire into `room`. IO_OK when the wire is empty. */
static enum io_result decrypt(
        struct tls_transport *tls, unsigned char *room, size_t size, size_t *got_out)
{
	struct tls_wire *wire = tls->wire;

	while (size > *got_out) {
		ssize_t got = gnutls_record_recv(tls->session, room + *got_out, size - *got_out);
		if (got > 0) {
			*got_out += (size_t)got;
			tls->empty_in_a_row = 0;
			continue;
		}
		if (got == 0) {
			tls->close_notify_seen = true;
			wire->in_start = wire->in_end; /* RFC 8446 6.1: what follows is ignored */
			return IO_EOF;
		}
		if (got == GNUTLS_E_REHANDSHAKE) {
			if (refuse_renegotiation(tls) == IO_ERROR)
				return IO_ERROR;
			continue;
		}
		if (got != GNUTLS_E_AGAIN && gnutls_error_is_fatal((int)got))
			return session_failed(tls, (int)got);
		/* AGAIN with bytes left: a ticket or another message was taken, the next record
		 * waits. */
		if (wire->in_start == wire->in_end)
			return IO_OK;
		if (too_many_empty(tls))
			return IO_ERROR;
	}
	return IO_OK;
}

static enum io_result read_wire(
        struct tls_transport *tls, unsigned char *room, size_t size, size_t *got_out)
{
	struct tls_wire *wire = tls->wire;
	size_t ask = size - TLS_RECORD_HELD_MAX;

	if (ask > TLS_WIRE_IN_BYTES)
		ask = TLS_WIRE_IN_BYTES;
	if (wire->in_start == wire->in_end) {
		if (!tls->transport.readable && !gnutls_record_check_pending(tls->session))
			return IO_WANT_READ;
		tls_ciphertext_receive(tls, ask);
		tls->transport.read_filled = tls->transport.readable;
	}
	enum io_result result = decrypt(tls, room, size, got_out);
	if (result != IO_OK)
		return result;
	if (tls->transport.fault)
		return IO_ERROR;
	if (tls->socket_error)
		return tls_ciphertext_failed(tls);
	if (!tls->socket_ended)
		return IO_OK;
	bool client = tls->transport.side == IO_CLIENT;
	transport_fault(&tls->transport, client ? CLOSE_CLIENT_TRUNCATED : CLOSE_UPSTREAM_TRUNCATED,
	        "the connection ended without close_notify");
	return IO_TRUNCATED;
}

static enum io_result tls_read(
        struct transport *transport, void *room, size_t size, size_t *got_out)
{
	struct tls_transport *tls = tls_transport_of(transport);

	*got_out = 0;
	CHECK(size >= transport->read_room_min);
	if (tls->close_notify_seen)
		return IO_EOF;
	tls_ciphertext_claim(tls);
	transport->read_filled = false;
	enum io_result result = read_wire(tls, room, size, got_out);
	/* A refusal of renegotiation is sent by the stream, with what it has to send; the answer to
	 * a key update by GnuTLS, before the next record. */
	tls_ciphertext_release(tls);
	return result;
}

/* Small records first on a connection that was idle: the other side can use each segment as it
 * comes. */
static size_t record_bytes(struct tls_transport *tls)
{
	return tls->burst_bytes < SMALL_BURST_BYTES ? SMALL_RECORD_BYTES : TLS_RECORD_PLAIN_MAX;
}

static void note_write(struct tls_transport *tls)
{
	uint64_t now_ms = event_loop_now_ms(tls->wire->loop);

	if (now_ms - tls->last_write_ms > IDLE_RESTARTS_BURST_MS)
		tls->burst_bytes = 0;
	tls->last_write_ms = now_ms;
}

/* Encrypts as much of `bytes` as the wire has room for. */
static enum io_result encrypt(
        struct tls_transport *tls, const unsigned char *bytes, size_t length, size_t *put_out)
{
	while (*put_out < length &&
	        TLS_WIRE_OUT_BYTES - tls->wire->out_bytes >= TLS_RECORD_WIRE_MAX) {
		size_t count = length - *put_out;
		if (count > record_bytes(tls))
			count = record_bytes(tls);
		ssize_t put = gnutls_record_send(tls->session, bytes + *put_out, count);
		if (put < 0 && !gnutls_error_is_fatal((int)put))
			continue;
		if (put < 0)
			return session_failed(tls, (int)put);
		*put_out += (size_t)put;
		tls->data_sent = true;
		if (tls->burst_bytes < SMALL_BURST_BYTES)
			tls->burst_bytes += (uint32_t)put;
	}
	return IO_OK;
}

static enum io_result tls_write(
        struct transport *transport, const void *bytes, size_t length, size_t *put_out)
{
	struct tls_transport *tls = tls_transport_of(transport);

	*put_out = 0;
	if (tls->out_refused) {
		enum io_result sent = tls_ciphertext_send_tail(tls);
		if (sent != IO_OK)
			return sent;
	}
	if (length && tls->session_dead) {
		transport_fault_errno(transport, EPIPE);
		return IO_ERROR;
	}
	tls->tail_may_wait = false;
	tls_ciphertext_claim(tls);
	note_write(tls);
	enum io_result result = encrypt(tls, bytes, length, put_out);
	if (result == IO_OK)
		result = tls_ciphertext_send(tls);
	tls_ciphertext_release(tls);
	return result;
}

static enum io_result tls_finish(struct transport *transport, bool closing)
{
	struct tls_transport *tls = tls_transport_of(transport);

	if (tls->session_dead)
		return IO_OK;
	tls_ciphertext_claim(tls);
	gnutls_bye(tls->session, GNUTLS_SHUT_WR);
	enum io_result result = tls_ciphertext_send(tls);
	tls_ciphertext_release(tls);
	/* A FIN while ciphertext waits would cut it off: then close_notify alone has to do, and
	 * waits for none. */
	if (result == IO_WANT_WRITE)
		transport->last = false;
	else if (result == IO_OK && (!closing || transport->last))
		shutdown(tls->fd, SHUT_WR);
	return result;
}

static unsigned tls_pending(const struct transport *transport)
{
	const struct tls_transport *tls = (const struct tls_transport *)(const void *)transport;
	unsigned pending = 0;

	if (tls->in_tail || (tls->handshake_done && gnutls_record_check_pending(tls->session)))
		pending |= PENDING_READ;
	if (tls->out_tail && (tls->out_refused || !tls->tail_may_wait))
		pending |= PENDING_WRITE;
	return pending;
}

/* A client that got nothing yet is told by an alert that this is no clean end. */
static void send_alert(struct tls_transport *tls)
{
	if (tls->session_dead || tls->out_refused || tls->transport.side != IO_CLIENT)
		return;
	if (tls->data_sent || !tls->handshake_done)
		return;
	tls_ciphertext_claim(tls);
	gnutls_alert_send(tls->session, GNUTLS_AL_FATAL, GNUTLS_A_INTERNAL_ERROR);
	tls_ciphertext_send(tls);
	tls_ciphertext_release(tls);
}

static void tls_close(struct transport *transport, bool cut)
{
	struct tls_transport *tls = tls_transport_of(transport);

	if (cut)
		send_alert(tls);
	tls->role->destroy(tls);
	gnutls_deinit(tls->session);
	buffer_pool_return(tls->wire->pool, &tls->in_tail);
	buffer_pool_return(tls->wire->pool, &tls->out_tail);
	transport_fault_clear(transport);
	tls->magic = 0;
	free(tls);
}

static const struct transport_ops tls_ops = {
        .name = "tls",
        .handshake = tls_handshake,
        .read = tls_read,
        .write = tls_write,
        .finish = tls_finish,
        .pending = tls_pending,
        .close = tls_close,
};

void tls_transport_init(struct tls_transport *tls, gnutls_session_t session, int fd,
        enum io_side side, struct tls_wire *wire, const struct tls_role *role)
{
	memset(tls, 0, sizeof(*tls));
	tls->transport.ops = &tls_ops;
	tls->transport.side = side;
	tls->transport.read_room_min = TLS_RECORD_HELD_MAX + 1024;
	tls->magic = TLS_TRANSPORT_MAGIC;
	tls->fd = fd;
	tls->session = session;
	tls->wire = wire;
	tls->role = role;
	tls->alert = -1;
	gnutls_transport_set_ptr(session, tls);
	tls_ciphertext_attach(tls);
	gnutls_handshake_set_timeout(session, GNUTLS_INDEFINITE_TIMEOUT);
}

static const char *protocol_name(gnutls_protocol_t version)
{
	if (version == GNUTLS_TLS1_3)
		return "TLSv1.3";
	if (version == GNUTLS_TLS1_2)
		return "TLSv1.2";
	if (version == GNUTLS_TLS1_1)
		return "TLSv1.1";
	return version == GNUTLS_TLS1_0 ? "TLSv1" : "unknown";
}

/* The words that people search their logs for. */
static const char *openssl_name(const char *iana_name)
{
	size_t index;

	if (!iana_name)
		return "unknown";
	return tls_suite_find_iana(iana_name, &index) ? tls_suite_openssl_name(index) : iana_name;
}

void tls_transport_facts(const struct tls_transport *tls, struct tls_facts *facts_out)
{
	const char *cipher = gnutls_ciphersuite_get(tls->session);

	facts_out->protocol = protocol_name(gnutls_protocol_get_version(tls->session));
	facts_out->cipher = openssl_name(cipher);
	facts_out->resumed = gnutls_session_is_resumed(tls->session) != 0;
}
