/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_rig.c - both ends of a TLS connection, and the bytes between them. */
#include "tests/support/tls_rig.h"

#include "shared/check.h"
#include "tests/support/pki.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { POOL_BYTES = 16 << 20, TURNS_MAX = 20000 };

#define MUST(call) CHECK((call) >= 0)

struct tls_rig_keys {
	gnutls_certificate_credentials_t server, client;
	gnutls_datum_t ticket_key;
};

struct rig_transport {
	struct tls_transport tls; /* first */
	struct tls_rig *rig;
};

struct tls_rig_keys *tls_rig_keys_create(void)
{
	struct tls_rig_keys *keys = calloc(1, sizeof(*keys));
	CHECK(keys);
	struct pki_certificate *made = pki_issue(
	        &(struct pki_request){.name = "rig", .dns = {"rig"}}, NULL);
	MUST(gnutls_certificate_allocate_credentials(&keys->server));
	MUST(gnutls_certificate_allocate_credentials(&keys->client));
	MUST(gnutls_certificate_set_x509_key(keys->server, &made->certificate, 1, made->key));
	MUST(gnutls_session_ticket_key_generate(&keys->ticket_key));
	pki_free(made);
	return keys;
}

void tls_rig_keys_destroy(struct tls_rig_keys *keys)
{
	gnutls_certificate_free_credentials(keys->server);
	gnutls_certificate_free_credentials(keys->client);
	gnutls_free(keys->ticket_key.data);
	free(keys);
}

/* ---- bytes on their way ---- */

static void append(struct tls_rig_bytes *bytes, const void *more, size_t count)
{
	if (bytes->start == bytes->end)
		bytes->start = bytes->end = 0;
	if (bytes->end + count > bytes->capacity) {
		bytes->capacity = 2 * (bytes->end + count);
		bytes->data = realloc(bytes->data, bytes->capacity);
		CHECK(bytes->data);
	}
	memcpy(bytes->data + bytes->end, more, count);
	bytes->end += count;
}

static ssize_t other_push(gnutls_transport_ptr_t pointer, const void *bytes, size_t count)
{
	struct tls_rig *rig = pointer;

	append(&rig->to_us, bytes, count);
	return (ssize_t)count;
}

static ssize_t other_pull(gnutls_transport_ptr_t pointer, void *room, size_t size)
{
	struct tls_rig *rig = pointer;
	size_t count = rig->to_other.end - rig->to_other.start;

	if (count == 0) {
		gnutls_transport_set_errno(rig->other, EAGAIN);
		return -1;
	}
	if (count > size)
		count = size;
	memcpy(room, rig->to_other.data + rig->to_other.start, count);
	rig->to_other.start += count;
	return (ssize_t)count;
}

static int never_wait(gnutls_transport_ptr_t pointer, unsigned ms)
{
	(void)pointer;
	(void)ms;
	return 1;
}

size_t tls_rig_give(struct tls_rig *rig, size_t count)
{
	size_t there = rig->to_us.end - rig->to_us.start;

	if (count > there)
		count = there;
	if (count == 0)
		return 0;
	ssize_t put = send(rig->other_fd, rig->to_us.data + rig->to_us.start, count,
	        MSG_DONTWAIT | MSG_NOSIGNAL);
	if (put <= 0)
		return 0;
	rig->to_us.start += (size_t)put;
	rig->transport->readable = true;
	return (size_t)put;
}

void tls_rig_give_raw(struct tls_rig *rig, const void *bytes, size_t count)
{
	CHECK(send(rig->other_fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)count);
	rig->transport->readable = true;
}

size_t tls_rig_collect(struct tls_rig *rig)
{
	unsigned char room[65536];
	size_t total = 0;
	ssize_t got;

	while ((got = recv(rig->other_fd, room, sizeof(room), MSG_DONTWAIT)) > 0) {
		append(&rig->to_other, room, (size_t)got);
		total += (size_t)got;
	}
	return total;
}

void tls_rig_end(struct tls_rig *rig)
{
	shutdown(rig->other_fd, SHUT_WR);
	rig->transport->readable = true;
}

/* ---- our side ---- */

static struct tls_rig *rig_of(struct tls_transport *tls)
{
	return ((struct rig_transport *)(void *)tls)->rig;
}

static bool role_accept(struct tls_transport *tls)
{
	if (!rig_of(tls)->refuse)
		return true;
	transport_fault(&tls->transport, CLOSE_UPSTREAM_SUITE, "refused by the rig");
	return false;
}

static void role_explain(struct tls_transport *tls, int code)
{
	rig_of(tls)->explained = code;
	transport_fault(&tls->transport, CLOSE_UPSTREAM_PROTOCOL, "%s", gnutls_strerror_name(code));
}

static void role_destroy(struct tls_transport *tls)
{
	rig_of(tls)->destroyed++;
}

static const struct tls_role rig_role = {
        .accept = role_accept,
        .explain = role_explain,
        .destroy = role_destroy,
};

static gnutls_session_t session(struct tls_rig_keys *keys, bool server, const char *priority)
{
	gnutls_session_t made;

	MUST(gnutls_init(&made,
	        (server ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL));
	MUST(gnutls_priority_set_direct(made, priority, NULL));
	MUST(gnutls_credentials_set(
	        made, GNUTLS_CRD_CERTIFICATE, server ? keys->server : keys->client));
	if (server)
		MUST(gnutls_session_ticket_enable_server(made, &keys->ticket_key));
	return made;
}

void tls_rig_open(
        struct tls_rig *rig, struct tls_rig_keys *keys, enum io_side side, const char *priority)
{
	struct rig_transport *ours = calloc(1, sizeof(*ours));
	int pair[2];

	CHECK(ours);
	*rig = (struct tls_rig){.keys = keys};
	rig->loop = event_loop_create();
	rig->pool = buffer_pool_create(POOL_BYTES, 256 * 1024);
	rig->wire = tls_wire_create(rig->loop, rig->pool);
	CHECK(rig->pool && rig->wire);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	rig->fd = pair[0];
	rig->other_fd = pair[1];
	bool server = side == IO_CLIENT;
	tls_transport_init(
	        &ours->tls, session(keys, server, priority), rig->fd, side, rig->wire, &rig_role);
	ours->rig = rig;
	rig->tls = &ours->tls;
	rig->transport = &ours->tls.transport;
	rig->other = session(keys, !server, priority);
	gnutls_transport_set_ptr(rig->other, rig);
	gnutls_transport_set_pull_function(rig->other, other_pull);
	gnutls_transport_set_pull_timeout_function(rig->other, never_wait);
	gnutls_transport_set_push_function(rig->other, other_push);
	gnutls_handshake_set_timeout(rig->other, GNUTLS_INDEFINITE_TIMEOUT);
}

void tls_rig_open_ready(
        struct tls_rig *rig, struct tls_rig_keys *keys, enum io_side side, const char *priority)
{
	tls_rig_open(rig, keys, side, priority);
	CHECK(tls_rig_shake(rig, TLS_RIG_ROOM) == IO_OK);
	tls_rig_settle(rig);
}

void tls_rig_close_transport(struct tls_rig *rig, bool cut)
{
	rig->transport->ops->close(rig->transport, cut);
	rig->transport = NULL;
	rig->tls = NULL;
	close(rig->fd);
	rig->fd = -1;
}

void tls_rig_close(struct tls_rig *rig)
{
	if (rig->transport)
		tls_rig_close_transport(rig, false);
	CHECK(rig->destroyed == 1);
	gnutls_deinit(rig->other);
	if (rig->other_fd >= 0)
		close(rig->other_fd);
	free(rig->to_us.data);
	free(rig->to_other.data);
	CHECK(!rig->wire->user);
	tls_wire_destroy(rig->wire);
	CHECK(buffer_pool_lent_bytes(rig->pool) == 0);
	buffer_pool_destroy(rig->pool);
	event_loop_destroy(rig->loop);
}

/* ---- both sides ---- */

/* The other side takes what has arrived. */
static void step_other(struct tls_rig *rig)
{
	int code = GNUTLS_E_AGAIN;

	tls_rig_collect(rig);
	if (rig->other_done)
		return;
	do
		code = gnutls_handshake(rig->other);
	while (code < 0 && code != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(code));
	rig->other_done = code == 0;
}

enum io_result tls_rig_shake(struct tls_rig *rig, size_t piece)
{
	enum io_result result = IO_WANT_READ;

	for (int turn = 0; turn < TURNS_MAX; turn++) {
		result = rig->transport->ops->handshake(rig->transport);
		if (result == IO_OK || result == IO_ERROR)
			break;
		step_other(rig);
		tls_rig_give(rig, piece);
	}
	return result;
}

void tls_rig_settle(struct tls_rig *rig)
{
	char room[TLS_RIG_ROOM];
	size_t got;

	CHECK(tls_rig_flush(rig) == IO_OK);
	step_other(rig);
	CHECK(rig->other_done);
	while (tls_rig_give(rig, SIZE_MAX) || tls_rig_pending(rig) & PENDING_READ) {
		CHECK(tls_rig_read(rig, room, &got) == IO_OK);
		CHECK(got == 0);
	}
}

void tls_rig_say(struct tls_rig *rig, const void *bytes, size_t count)
{
	CHECK(gnutls_record_send(rig->other, bytes, count) == (ssize_t)count);
}

ssize_t tls_rig_hear(struct tls_rig *rig, void *room, size_t size)
{
	ssize_t got;

	tls_rig_collect(rig);
	do /* AGAIN with bytes left: a ticket or another message was taken */
		got = gnutls_record_recv(rig->other, room, size);
	while (got == GNUTLS_E_AGAIN && rig->to_other.start < rig->to_other.end);
	return got;
}

bool tls_rig_hears(struct tls_rig *rig, const char *text)
{
	char room[TLS_RIG_ROOM];
	size_t length = strlen(text);

	CHECK(length <= sizeof(room));
	return tls_rig_hear(rig, room, sizeof(room)) == (ssize_t)length &&
	       memcmp(room, text, length) == 0;
}

enum io_result tls_rig_read(struct tls_rig *rig, void *room, size_t *got_out)
{
	return rig->transport->ops->read(rig->transport, room, TLS_RIG_ROOM, got_out);
}

bool tls_rig_reads(struct tls_rig *rig, const char *text)
{
	char room[TLS_RIG_ROOM];
	size_t got;

	return tls_rig_read(rig, room, &got) == IO_OK && got == strlen(text) &&
	       memcmp(room, text, got) == 0;
}

enum io_result tls_rig_write(struct tls_rig *rig, const void *bytes, size_t length, size_t *put_out)
{
	return rig->transport->ops->write(rig->transport, bytes, length, put_out);
}

enum io_result tls_rig_flush(struct tls_rig *rig)
{
	size_t put;

	return tls_rig_write(rig, NULL, 0, &put);
}

unsigned tls_rig_pending(const struct tls_rig *rig)
{
	return rig->transport->ops->pending(rig->transport);
}
