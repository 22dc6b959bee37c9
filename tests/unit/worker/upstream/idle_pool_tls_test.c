/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idle_pool_tls_test.c - idle TLS connections, with a real TLS server at the other end.
 *
 * That a ticket makes no event is a promise of the transport, on which the pool relies.
 */
#include "shared/check.h"
#include "shared/tls_credentials.h"
#include "shared/tls_session_store.h"
#include "tests/support/dial_rig.h"
#include "tests/support/pki.h"
#include "worker/tls/tls_wire.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { STEPS_MAX = 100 };

/* The upstream server and the one connection that it has. */
struct server {
	struct pki_certificate *certificate;
	gnutls_certificate_credentials_t credentials;
	gnutls_datum_t ticket_key;
	gnutls_session_t session;
	int fd;
};

struct fixture {
	struct dial_rig *rig;
	struct tls_client_context context;
	struct tls_client_credentials *credentials;
	struct server server;
};

static void report(void *opaque, enum tls_severity severity, enum tls_setting setting, size_t pair,
        const char *text)
{
	(void)opaque;
	(void)setting;
	(void)pair;
	if (severity == TLS_ERROR)
		fail_msg("%s", text);
}

static struct tls_client_credentials *make_credentials(void)
{
	struct tls_client_settings settings = {
	        .session_reuse = true,
	        .policy = {(unsigned)TLS_PROTOCOLS_DEFAULT, "DEFAULT", NULL},
	};
	struct tls_client_credentials *credentials = tls_client_credentials_create(
	        &settings, report, NULL);

	CHECK(credentials);
	return credentials;
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct server *server = &fixture->server;
	void *rig;

	dial_rig_set_up(&rig);
	fixture->rig = rig;
	fixture->context = (struct tls_client_context){
	        .wire = tls_wire_create(fixture->rig->io.loop, fixture->rig->io.pool),
	        .store = tls_session_store_create(1 << 20, "test")};
	tls_session_store_attach(fixture->context.store);
	fixture->credentials = make_credentials();
	fixture->rig->dialer.tls = &fixture->context;
	fixture->rig->settings.tls = fixture->credentials;
	fixture->rig->settings.pooled = true;
	dial_settings_identify(&fixture->rig->settings);
	fixture->rig->group.keepalive = 4;
	fixture->rig->group.keepalive_timeout_ms = 60000;
	fixture->rig->group.keepalive_requests = 100;
	fixture->rig->group.keepalive_time_ms = 3600000;

	server->certificate = pki_issue(&(struct pki_request){.name = "test"}, NULL);
	CHECK(gnutls_certificate_allocate_credentials(&server->credentials) == 0);
	CHECK(gnutls_certificate_set_x509_key(server->credentials,
	              &server->certificate->certificate, 1, server->certificate->key) == 0);
	CHECK(gnutls_session_ticket_key_generate(&server->ticket_key) == 0);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	struct server *server = &fixture->server;
	struct tls_session_store *store = fixture->context.store;
	struct tls_wire *wire = fixture->context.wire;

	dial_cancel(&fixture->rig->dial);
	upstream_connection_close(fixture->rig->connection);
	fixture->rig->connection = NULL;
	idle_pool_drain(fixture->rig->dialer.pool);
	tls_wire_destroy(wire);
	dial_rig_tear_down((void *)&fixture->rig);
	tls_client_credentials_destroy(fixture->credentials);
	tls_session_store_destroy(store);
	gnutls_deinit(server->session);
	gnutls_certificate_free_credentials(server->credentials);
	gnutls_free(server->ticket_key.data);
	pki_free(server->certificate);
	close(server->fd);
	free(fixture);
	return 0;
}

static void accept_client(struct server *server, int listening, const char *priority)
{
	server->fd = accept(listening, NULL, NULL);
	CHECK(server->fd >= 0 && fcntl(server->fd, F_SETFL, O_NONBLOCK) == 0);
	CHECK(gnutls_init(&server->session,
	              GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_AUTO_SEND_TICKET) == 0);
	CHECK(gnutls_priority_set_direct(server->session, priority, NULL) == 0);
	CHECK(gnutls_credentials_set(
	              server->session, GNUTLS_CRD_CERTIFICATE, server->credentials) == 0);
	CHECK(gnutls_session_ticket_enable_server(server->session, &server->ticket_key) == 0);
	gnutls_transport_set_int(server->session, server->fd);
}

/* The gateway has connected, and the server is through its handshake as well. */
static struct stream *connect_both(struct fixture *fixture, const char *priority)
{
	struct dial_rig *rig = fixture->rig;
	int code = GNUTLS_E_AGAIN;

	dial_rig_add_server(rig, true);
	dial_rig_start(rig);
	struct stream *stream = &rig->dial.connection->stream;
	accept_client(&fixture->server, rig->sockets[0], priority);
	for (int i = 0; i < STEPS_MAX && (code != 0 || rig->calls == 0); i++) {
		fake_loop_fire(&stream->watch, stream->watch.events);
		if (code != 0)
			code = gnutls_handshake(fixture->server.session);
		usleep(code == 0 ? 0 : 1000);
	}
	assert_int_equal(code, 0);
	assert_true(rig->connected);
	return stream;
}

static bool readable(struct stream *stream)
{
	struct pollfd poll_fd = {.fd = stream->fd, .events = POLLIN};

	CHECK(poll(&poll_fd, 1, 5000) == 1);
	return fake_loop_fire(&stream->watch, EVENT_READ);
}

static void a_ticket_alone_keeps_it(void **state)
{
	struct fixture *fixture = *state;
	struct dial_rig *rig = fixture->rig;
	struct stream *stream = connect_both(fixture, "NORMAL:-VERS-ALL:+VERS-TLS1.3");

	dial_rig_give(rig);
	assert_int_equal(idle_pool_count(rig->dialer.pool), 1);
	for (uint64_t i = 1; i <= 3; i++) {
		assert_int_equal(gnutls_session_ticket_send(fixture->server.session, 1, 0), 0);
		assert_true(readable(stream));
		assert_int_equal(
		        tls_session_store_counts(fixture->context.store, TLS_SESSION_CLIENT_SIDE)
		                .stored,
		        i);
		assert_int_equal(idle_pool_count(rig->dialer.pool), 1);
		assert_int_equal(buffer_pool_lent_bytes(rig->io.pool), 0);
	}
	dial_rig_start_again(rig, &rig->settings);
	assert_true(rig->dial.reused);
	assert_string_equal(rig->connection->tls.protocol, "TLSv1.3");
}

static void a_ticket_may_come_with_the_end(void **state)
{
	struct fixture *fixture = *state;
	struct dial_rig *rig = fixture->rig;
	struct stream *stream = connect_both(fixture, "NORMAL:-VERS-ALL:+VERS-TLS1.3");

	dial_rig_give(rig);
	assert_int_equal(gnutls_session_ticket_send(fixture->server.session, 1, 0), 0);
	gnutls_bye(fixture->server.session, GNUTLS_SHUT_WR);
	for (int i = 0; i < 2 && idle_pool_count(rig->dialer.pool); i++) /* in one read or two */
		assert_true(readable(stream));
	assert_int_equal(idle_pool_count(rig->dialer.pool), 0);
	assert_int_equal(
	        tls_session_store_counts(fixture->context.store, TLS_SESSION_CLIENT_SIDE).stored,
	        1);
}

static void a_byte_drops_it(void **state)
{
	struct fixture *fixture = *state;
	struct dial_rig *rig = fixture->rig;
	struct stream *stream = connect_both(fixture, "NORMAL:-VERS-ALL:+VERS-TLS1.3");
	char byte = 'x';

	dial_rig_give(rig);
	assert_int_equal(gnutls_record_send(fixture->server.session, &byte, 1), 1);
	assert_true(readable(stream));
	assert_int_equal(idle_pool_count(rig->dialer.pool), 0);
}

static void a_goodbye_is_a_close_notify(void **state)
{
	static const char *const priorities[] = {
	        "NORMAL:-VERS-ALL:+VERS-TLS1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.2"};
	char byte;

	for (size_t i = 0; i < 2; i++) {
		struct fixture *fixture = *state;
		connect_both(fixture, priorities[i]);
		dial_rig_give(fixture->rig);
		fake_loop_advance(fixture->rig->io.loop, 60000);
		assert_int_equal(idle_pool_count(fixture->rig->dialer.pool), 0);
		/* An end of file without it would be GNUTLS_E_PREMATURE_TERMINATION. */
		struct pollfd poll_fd = {.fd = fixture->server.fd, .events = POLLIN};
		assert_int_equal(poll(&poll_fd, 1, 5000), 1);
		assert_int_equal(gnutls_record_recv(fixture->server.session, &byte, 1), 0);
		if (i == 0) {
			tear_down(state);
			set_up(state);
		}
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(a_ticket_alone_keeps_it),
	        CASE(a_ticket_may_come_with_the_end),
	        CASE(a_byte_drops_it),
	        CASE(a_goodbye_is_a_close_notify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
