/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_transport.h - a transport over a GnuTLS session: the only record_send and record_recv.
 *
 * tls_client and tls_server open the session and say by a role what is special about their side;
 * everything that moves bytes is here, once.
 */
#ifndef WORKER_TLS_TLS_TRANSPORT_H
#define WORKER_TLS_TLS_TRANSPORT_H

#include "worker/io/transport.h"
#include "worker/tls/tls_wire.h"

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_transport;

struct tls_role {
	/* GnuTLS has said all it can say before the other side answers; leaves in the same send.
	 * NULL: nothing to add. */
	void (*end_flight)(struct tls_transport *tls);
	/* After gnutls_handshake succeeded, before anything above hears of it. false: refused, with
	 * the fault set. */
	bool (*accept)(struct tls_transport *tls);
	/* A GnuTLS call failed with `code`: sets the fault, if nobody did yet. */
	void (*explain)(struct tls_transport *tls, int code);
	/* Frees what the role keeps; the session goes right after it. */
	void (*destroy)(struct tls_transport *tls);
};

struct tls_transport {
	struct transport transport; /* first: the two are one address */
	unsigned magic;
	int fd;
	gnutls_session_t session;
	struct tls_wire *wire;
	const struct tls_role *role;
	struct buffer *in_tail; /* ciphertext that arrived with the end of the handshake */
	struct buffer *out_tail; /* ciphertext the socket has not taken */
	bool out_refused; /* the socket refused it: EAGAIN until it is writable */
	bool tail_may_wait; /* for the application's first bytes: a ticket, before an answer */
	bool handshake_done, close_notify_seen, socket_ended, first_byte_seen;
	bool session_dead; /* GnuTLS failed: neither data nor close_notify may be sent any more */
	bool data_sent;
	int alert; /* to send when it fails, chosen by the verifier; -1: the one that fits the code
	            */
	int socket_error; /* errno of recv or send, 0 for none */
	uint32_t empty_in_a_row; /* records and alerts without data: a flood of them ends the
	                            session */
	uint32_t burst_bytes; /* sent since the connection was idle: small records come first */
	uint64_t last_write_ms;
};

/* In place, with a session of the caller's that has priorities, credentials and hooks: destroyed by
 * close. */
void tls_transport_init(struct tls_transport *tls, gnutls_session_t session, int fd,
        enum io_side side, struct tls_wire *wire, const struct tls_role *role);
/* The same object, checked to be a TLS transport; NULL for another kind. */
struct tls_transport *tls_transport_of(struct transport *transport);

/* Facts for logs, of an open session; the strings are static. */
struct tls_facts {
	const char *protocol; /* "TLSv1.3" */
	const char *cipher; /* OpenSSL's name */
	bool resumed;
};
void tls_transport_facts(const struct tls_transport *tls, struct tls_facts *facts_out);

#endif
