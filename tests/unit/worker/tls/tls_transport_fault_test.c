/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_transport_fault_test.c - a TLS connection that goes badly: what the transport says, and what
 * the other side gets to hear of it.
 */
#include "worker/tls/tls_transport.h"

#include "tests/support/tls_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { ALL = SIZE_MAX >> 1, EMPTY_MAX = 32 /* records without data that are put up with */ };

static struct tls_rig_keys *keys;

static int set_up(void **state)
{
	(void)state;
	keys = tls_rig_keys_create();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tls_rig_keys_destroy(keys);
	return 0;
}

static const struct kind {
	enum io_side side;
	const char *priority;
} kinds[] = {
        {IO_UPSTREAM, TLS_RIG_1_2},
        {IO_UPSTREAM, TLS_RIG_1_3},
        {IO_CLIENT, TLS_RIG_1_2},
        {IO_CLIENT, TLS_RIG_1_3},
};

static void with_each_kind(void (*run)(struct tls_rig *rig, const struct kind *kind))
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct tls_rig rig;
		tls_rig_open_ready(&rig, keys, kinds[i].side, kinds[i].priority);
		run(&rig, &kinds[i]);
		tls_rig_close(&rig);
	}
}

static enum close_reason by_side(
        const struct tls_rig *rig, enum close_reason client, enum close_reason upstream)
{
	return rig->transport->side == IO_CLIENT ? client : upstream;
}

static void expect_fault(
        struct tls_rig *rig, enum close_reason client, enum close_reason upstream, const char *text)
{
	const struct io_fault *fault = rig->transport->fault;

	assert_non_null(fault);
	assert_int_equal(fault->reason, by_side(rig, client, upstream));
	if (!strstr(fault->text, text))
		fail_msg("\"%s\" has no \"%s\"", fault->text, text);
}

/* The other side finds this alert behind all that came before it. */
static void expect_alert(struct tls_rig *rig, gnutls_alert_description_t alert)
{
	char room[TLS_RIG_ROOM];

	assert_int_equal(tls_rig_hear(rig, room, sizeof(room)), GNUTLS_E_FATAL_ALERT_RECEIVED);
	assert_int_equal(gnutls_alert_get(rig->other), alert);
}

/* Nothing is sent any more by a session that is beyond use. */
static void expect_dead(struct tls_rig *rig)
{
	size_t put;

	assert_int_equal(tls_rig_write(rig, "more", 4, &put), IO_ERROR);
	assert_int_equal(put, 0);
	assert_int_equal(rig->transport->ops->finish(rig->transport, false), IO_OK);
	assert_int_equal(tls_rig_collect(rig), 0);
}

/* ---- in the handshake ---- */

static void clear_text_is_known_and_quoted(void **state)
{
	static const struct {
		enum io_side side;
		const char *sent, *text;
	} rows[] = {
	        {IO_UPSTREAM, "HTTP/1.1 400 Bad Request\r\nServer: x\r\n",
	                "answered in clear text: \"HTTP/1.1 400 Bad Request\""},
	        {IO_UPSTREAM, "-ERR unknown\x01 command\n",
	                "answered in clear text: \"-ERR unknown\\x01 command\""},
	        {IO_CLIENT, "GET / HTTP/1.0\r\n\r\n", "spoke in clear text: \"GET / HTTP/1.0\""},
	        {IO_CLIENT, "\n", "spoke in clear text: \"\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tls_rig rig;
		tls_rig_open(&rig, keys, rows[i].side, TLS_RIG_1_3);
		assert_int_equal(rig.transport->ops->handshake(rig.transport), IO_WANT_READ);
		tls_rig_give_raw(&rig, rows[i].sent, strlen(rows[i].sent));
		assert_int_equal(rig.transport->ops->handshake(rig.transport), IO_ERROR);
		expect_fault(
		        &rig, CLOSE_CLIENT_CLEAR_TEXT, CLOSE_UPSTREAM_CLEAR_TEXT, rows[i].text);
		tls_rig_close(&rig);
	}
}

/* The first byte tells, even if it comes alone. */
static void one_byte_of_clear_text_is_enough(void **state)
{
	struct tls_rig rig;

	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		unsigned char sent = (unsigned char)byte;
		bool is_tls = byte >= 20 && byte <= 23;
		tls_rig_open(&rig, keys, IO_CLIENT, TLS_RIG_1_3);
		tls_rig_give_raw(&rig, &sent, 1);
		assert_int_equal(rig.transport->ops->handshake(rig.transport),
		        is_tls ? IO_WANT_READ : IO_ERROR);
		tls_rig_close(&rig);
	}
}

static void an_end_in_the_handshake_is_explained(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct tls_rig rig;
		tls_rig_open(&rig, keys, kinds[i].side, kinds[i].priority);
		assert_int_equal(rig.transport->ops->handshake(rig.transport), IO_WANT_READ);
		tls_rig_end(&rig);
		assert_int_equal(rig.transport->ops->handshake(rig.transport), IO_ERROR);
		assert_int_equal(rig.explained, GNUTLS_E_PREMATURE_TERMINATION);
		tls_rig_collect(&rig); /* the ClientHello */
		expect_dead(&rig);
		tls_rig_close(&rig);
	}
}

static void a_reset_in_the_handshake_is_no_matter_of_tls(void **state)
{
	struct tls_rig rig;

	(void)state;
	tls_rig_open(&rig, keys, IO_UPSTREAM, TLS_RIG_1_3);
	assert_int_equal(rig.transport->ops->handshake(rig.transport), IO_WANT_READ);
	close(rig.other_fd); /* with a ClientHello in it that nobody read */
	rig.other_fd = -1;
	rig.transport->readable = true;
	assert_int_equal(rig.transport->ops->handshake(rig.transport), IO_ERROR);
	expect_fault(&rig, CLOSE_CLIENT_RESET, CLOSE_UPSTREAM_RESET, "reset");
	assert_int_equal(rig.explained, 0);
	tls_rig_close(&rig);
}

static void a_handshake_that_the_role_refuses_ends_with_an_alert(void **state)
{
	static const struct {
		int alert; /* chosen by the role */
		gnutls_alert_description_t heard;
	} rows[] = {{-1, GNUTLS_A_HANDSHAKE_FAILURE}, {GNUTLS_A_UNKNOWN_CA, GNUTLS_A_UNKNOWN_CA}};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (size_t j = 0; j < sizeof(rows) / sizeof(rows[0]); j++) {
			struct tls_rig rig;
			tls_rig_open(&rig, keys, kinds[i].side, kinds[i].priority);
			rig.refuse = true;
			rig.tls->alert = rows[j].alert;
			assert_int_equal(tls_rig_shake(&rig, ALL), IO_ERROR);
			tls_rig_collect(&rig);
			int code = rig.other_done ? 0 : gnutls_handshake(rig.other);
			if (code == 0)
				expect_alert(&rig, rows[j].heard);
			else
				assert_int_equal(code, GNUTLS_E_FATAL_ALERT_RECEIVED);
			assert_int_equal(gnutls_alert_get(rig.other), rows[j].heard);
			expect_fault(&rig, CLOSE_UPSTREAM_SUITE, CLOSE_UPSTREAM_SUITE, "refused");
			expect_dead(&rig);
			tls_rig_close(&rig);
		}
	}
}

static void what_is_no_handshake_is_answered_by_an_alert(void **state)
{
	static const unsigned char nonsense[] = {22, 3, 1, 0, 4, 99, 0, 0, 0}; /* no such message */
	struct tls_rig rig;

	(void)state;
	tls_rig_open(&rig, keys, IO_CLIENT, TLS_RIG_1_3);
	tls_rig_give_raw(&rig, nonsense, sizeof(nonsense));
	assert_int_equal(rig.transport->ops->handshake(rig.transport), IO_ERROR);
	assert_true(rig.explained < 0);
	assert_true(tls_rig_collect(&rig) >= 7);
	assert_int_equal(rig.to_other.data[0], 21); /* alert */
	assert_int_equal(rig.to_other.data[5], GNUTLS_AL_FATAL);
	tls_rig_close(&rig);
}

/* ---- truncation and resets ---- */

static void check_truncation(struct tls_rig *rig, const struct kind *kind)
{
	char room[TLS_RIG_ROOM];
	size_t got, put;

	(void)kind;
	tls_rig_say(rig, "half of ", 8);
	tls_rig_give(rig, ALL);
	tls_rig_end(rig);
	enum io_result result = tls_rig_read(rig, room, &got);
	assert_int_equal(got, 8); /* never lost, be it told with the end or before it */
	if (result == IO_OK) {
		rig->transport->readable = true;
		result = tls_rig_read(rig, room, &got);
		assert_int_equal(got, 0);
	}
	assert_int_equal(result, IO_TRUNCATED);
	expect_fault(rig, CLOSE_CLIENT_TRUNCATED, CLOSE_UPSTREAM_TRUNCATED, "without close_notify");
	/* The session's write side is as good as before: the tunnel decides. */
	assert_int_equal(tls_rig_write(rig, "an answer", 9, &put), IO_OK);
	assert_true(tls_rig_hears(rig, "an answer"));
}

static void an_end_without_close_notify_is_a_truncation(void **state)
{
	(void)state;
	with_each_kind(check_truncation);
}

/* Cut after each byte of a record: never a clean end, never a byte of it. */
static void an_end_inside_a_record_is_a_truncation(void **state)
{
	struct tls_rig rig;
	char room[TLS_RIG_ROOM];
	size_t length = 1, got;

	(void)state;
	for (size_t kept = 1; kept < length || kept == 1; kept++) {
		tls_rig_open_ready(&rig, keys, IO_UPSTREAM, TLS_RIG_1_3);
		tls_rig_say(&rig, "never whole", 11);
		length = rig.to_us.end - rig.to_us.start;
		tls_rig_give(&rig, kept);
		assert_int_equal(tls_rig_read(&rig, room, &got), IO_OK);
		assert_int_equal(got, 0);
		tls_rig_end(&rig);
		assert_int_equal(tls_rig_read(&rig, room, &got), IO_TRUNCATED);
		assert_int_equal(got, 0);
		tls_rig_close(&rig);
	}
	assert_true(length > 20);
}

static void check_reset(struct tls_rig *rig, const struct kind *kind)
{
	char room[TLS_RIG_ROOM];
	size_t got, put;

	(void)kind;
	assert_int_equal(tls_rig_write(rig, "never read", 10, &put), IO_OK);
	close(rig->other_fd);
	rig->other_fd = -1;
	rig->transport->readable = true;
	assert_int_equal(tls_rig_read(rig, room, &got), IO_ERROR);
	expect_fault(rig, CLOSE_CLIENT_RESET, CLOSE_UPSTREAM_RESET, "reset");
}

static void a_reset_is_told_from_a_truncation(void **state)
{
	(void)state;
	with_each_kind(check_reset);
}

static void check_write_to_nobody(struct tls_rig *rig, const struct kind *kind)
{
	size_t put;

	(void)kind;
	close(rig->other_fd);
	rig->other_fd = -1;
	assert_int_equal(tls_rig_write(rig, "anybody?", 8, &put), IO_ERROR);
	expect_fault(rig, CLOSE_CLIENT_RESET, CLOSE_UPSTREAM_RESET, "closed by the other side");
}

static void writing_to_nobody_fails_and_raises_no_signal(void **state)
{
	(void)state;
	with_each_kind(check_write_to_nobody);
}

/* ---- damage ---- */

static void check_damage(struct tls_rig *rig, const struct kind *kind)
{
	char room[TLS_RIG_ROOM];
	size_t got;

	(void)kind;
	tls_rig_say(rig, "good", 4);
	tls_rig_say(rig, "bad", 3);
	rig->to_us.data[rig->to_us.end - 1] ^= 1;
	tls_rig_give(rig, ALL);
	assert_int_equal(tls_rig_read(rig, room, &got), IO_ERROR);
	assert_int_equal(got, 4);
	assert_int_equal(rig->explained, GNUTLS_E_DECRYPTION_FAILED);
	expect_alert(rig, GNUTLS_A_BAD_RECORD_MAC);
	expect_dead(rig);
}

static void a_damaged_record_ends_the_session_by_an_alert(void **state)
{
	(void)state;
	with_each_kind(check_damage);
}

static void check_alert_behind_tail(struct tls_rig *rig, const struct kind *kind)
{
	enum { AT_ONCE = 100 * 1024 };
	char *room = malloc(TLS_RIG_ROOM), *bytes = calloc(1, AT_ONCE);
	int size = 4096;
	size_t put, got, total = 0;
	ssize_t heard;

	(void)kind;
	assert_int_equal(setsockopt(rig->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	assert_int_equal(tls_rig_write(rig, bytes, AT_ONCE, &put), IO_WANT_WRITE);
	while ((heard = tls_rig_hear(rig, room, TLS_RIG_ROOM)) > 0) /* the socket has room again */
		total += (size_t)heard;
	tls_rig_say(rig, "bad", 3);
	rig->to_us.data[rig->to_us.end - 1] ^= 1;
	tls_rig_give(rig, ALL);
	assert_int_equal(tls_rig_read(rig, room, &got), IO_ERROR);
	do {
		tls_rig_flush(rig);
		while ((heard = tls_rig_hear(rig, room, TLS_RIG_ROOM)) > 0)
			total += (size_t)heard;
	} while (heard == GNUTLS_E_AGAIN);
	assert_int_equal(total, put);
	assert_int_equal(heard, GNUTLS_E_FATAL_ALERT_RECEIVED);
	free(bytes);
	free(room);
}

static void an_alert_does_not_overtake_what_the_socket_refused(void **state)
{
	(void)state;
	with_each_kind(check_alert_behind_tail);
}

static void check_received_alert(struct tls_rig *rig, const struct kind *kind)
{
	char room[TLS_RIG_ROOM];
	size_t got;

	(void)kind;
	tls_rig_say(rig, "but", 3);
	assert_int_equal(gnutls_alert_send(rig->other, GNUTLS_AL_FATAL, GNUTLS_A_ACCESS_DENIED), 0);
	tls_rig_give(rig, ALL);
	assert_int_equal(tls_rig_read(rig, room, &got), IO_ERROR);
	assert_int_equal(got, 3);
	assert_int_equal(rig->explained, GNUTLS_E_FATAL_ALERT_RECEIVED);
	assert_int_equal(gnutls_alert_get(rig->tls->session), GNUTLS_A_ACCESS_DENIED);
	expect_dead(rig); /* an alert is not answered by an alert */
}

static void a_fatal_alert_is_the_end(void **state)
{
	(void)state;
	with_each_kind(check_received_alert);
}

/* ---- messages that carry nothing ---- */

/* A record of nothing: in TLS 1.2 a warning, in 1.3, where that would be the end, padding. */
static void say_nothing(struct tls_rig *rig)
{
	ssize_t code;

	if (gnutls_protocol_get_version(rig->other) == GNUTLS_TLS1_3)
		code = gnutls_record_send2(rig->other, "", 0, 7, 0);
	else
		code = gnutls_alert_send(rig->other, GNUTLS_AL_WARNING, GNUTLS_A_USER_CANCELED);
	assert_int_equal(code, 0);
}

static void check_empty_flood(struct tls_rig *rig, const struct kind *kind)
{
	char room[TLS_RIG_ROOM];
	size_t got;

	(void)kind;
	tls_rig_say(rig, "x", 1); /* tickets count as well */
	for (int burst = 0; burst < 3; burst++) { /* bytes among them make it bearable */
		for (int i = 0; i < EMPTY_MAX; i++)
			say_nothing(rig);
		tls_rig_say(rig, "x", 1);
	}
	tls_rig_give(rig, ALL);
	assert_true(tls_rig_reads(rig, "xxxx"));

	for (int i = 0; i < 10 * EMPTY_MAX; i++)
		say_nothing(rig);
	tls_rig_say(rig, "never seen", 10);
	tls_rig_give(rig, ALL);
	assert_int_equal(tls_rig_read(rig, room, &got), IO_ERROR);
	assert_int_equal(got, 0);
	expect_fault(rig, CLOSE_CLIENT_PROTOCOL, CLOSE_UPSTREAM_PROTOCOL, "records without data");
	expect_dead(rig);
}

static void a_flood_of_empty_records_ends_the_session(void **state)
{
	(void)state;
	with_each_kind(check_empty_flood);
}

static void a_key_update_is_answered_when_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct tls_rig rig;
		size_t put;
		if (strcmp(kinds[i].priority, TLS_RIG_1_3) != 0)
			continue;
		tls_rig_open_ready(&rig, keys, kinds[i].side, kinds[i].priority);
		tls_rig_say(&rig, "old ", 4);
		assert_int_equal(gnutls_session_key_update(rig.other, GNUTLS_KU_PEER), 0);
		tls_rig_say(&rig, "new", 3);
		tls_rig_give(&rig, ALL);
		assert_true(tls_rig_reads(&rig, "old new"));
		assert_int_equal(tls_rig_write(&rig, "under the new key", 17, &put), IO_OK);
		assert_true(tls_rig_hears(&rig, "under the new key"));
		tls_rig_close(&rig);
	}
}

static void a_flood_of_key_updates_ends_the_session(void **state)
{
	enum { UPDATES = 10 * EMPTY_MAX };
	struct tls_rig rig;
	char room[TLS_RIG_ROOM];
	size_t got;

	(void)state;
	for (int asked = 0; asked < 2; asked++) {
		tls_rig_open_ready(&rig, keys, IO_CLIENT, TLS_RIG_1_3);
		for (int i = 0; i < UPDATES; i++)
			assert_int_equal(
			        gnutls_session_key_update(rig.other, asked ? GNUTLS_KU_PEER : 0),
			        0);
		tls_rig_say(&rig, "never seen", 10);
		tls_rig_give(&rig, ALL);
		assert_int_equal(tls_rig_read(&rig, room, &got), IO_ERROR);
		assert_int_equal(got, 0);
		assert_non_null(rig.transport->fault);
		/* No answer for each of them is queued. */
		assert_true(tls_rig_collect(&rig) < 2048);
		tls_rig_close(&rig);
	}
}

/* ---- renegotiation ---- */

static void an_upstream_that_renegotiates_is_refused_and_served_on(void **state)
{
	struct tls_rig rig;
	char room[16];

	(void)state;
	tls_rig_open_ready(&rig, keys, IO_UPSTREAM, TLS_RIG_1_2);
	assert_int_equal(gnutls_rehandshake(rig.other), 0);
	tls_rig_say(&rig, "and on", 6);
	tls_rig_give(&rig, ALL);
	assert_true(tls_rig_reads(&rig, "and on"));
	assert_int_equal(tls_rig_pending(&rig) & PENDING_WRITE, PENDING_WRITE);
	assert_int_equal(tls_rig_flush(&rig), IO_OK);
	assert_int_equal(tls_rig_hear(&rig, room, sizeof(room)), GNUTLS_E_WARNING_ALERT_RECEIVED);
	assert_int_equal(gnutls_alert_get(rig.other), GNUTLS_A_NO_RENEGOTIATION);
	tls_rig_close(&rig);
}

static void a_flood_of_requests_to_renegotiate_ends_the_session(void **state)
{
	struct tls_rig rig;
	char room[TLS_RIG_ROOM];
	size_t got;

	(void)state;
	tls_rig_open_ready(&rig, keys, IO_UPSTREAM, TLS_RIG_1_2);
	for (int i = 0; i < 10 * EMPTY_MAX; i++)
		assert_int_equal(gnutls_rehandshake(rig.other), 0);
	tls_rig_give(&rig, ALL);
	assert_int_equal(tls_rig_read(&rig, room, &got), IO_ERROR);
	expect_fault(&rig, CLOSE_CLIENT_PROTOCOL, CLOSE_UPSTREAM_PROTOCOL, "without data");
	tls_rig_close(&rig);
}

static void a_client_that_renegotiates_is_closed(void **state)
{
	struct tls_rig rig;
	char room[TLS_RIG_ROOM];
	size_t got;

	(void)state;
	tls_rig_open_ready(&rig, keys, IO_CLIENT, TLS_RIG_1_2);
	tls_rig_say(&rig, "before", 6);
	assert_int_equal(gnutls_handshake(rig.other), GNUTLS_E_AGAIN);
	tls_rig_give(&rig, ALL);
	assert_int_equal(tls_rig_read(&rig, room, &got), IO_ERROR);
	assert_int_equal(got, 6);
	assert_int_equal(rig.explained, GNUTLS_E_REHANDSHAKE);
	tls_rig_collect(&rig);
	assert_int_equal(gnutls_handshake(rig.other), GNUTLS_E_FATAL_ALERT_RECEIVED);
	assert_int_equal(gnutls_alert_get(rig.other), GNUTLS_A_NO_RENEGOTIATION);
	expect_dead(&rig);
	tls_rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(clear_text_is_known_and_quoted),
	        cmocka_unit_test(one_byte_of_clear_text_is_enough),
	        cmocka_unit_test(an_end_in_the_handshake_is_explained),
	        cmocka_unit_test(a_reset_in_the_handshake_is_no_matter_of_tls),
	        cmocka_unit_test(a_handshake_that_the_role_refuses_ends_with_an_alert),
	        cmocka_unit_test(what_is_no_handshake_is_answered_by_an_alert),
	        cmocka_unit_test(an_end_without_close_notify_is_a_truncation),
	        cmocka_unit_test(an_end_inside_a_record_is_a_truncation),
	        cmocka_unit_test(a_reset_is_told_from_a_truncation),
	        cmocka_unit_test(writing_to_nobody_fails_and_raises_no_signal),
	        cmocka_unit_test(a_damaged_record_ends_the_session_by_an_alert),
	        cmocka_unit_test(an_alert_does_not_overtake_what_the_socket_refused),
	        cmocka_unit_test(a_fatal_alert_is_the_end),
	        cmocka_unit_test(a_flood_of_empty_records_ends_the_session),
	        cmocka_unit_test(a_key_update_is_answered_when_asked_for),
	        cmocka_unit_test(a_flood_of_key_updates_ends_the_session),
	        cmocka_unit_test(an_upstream_that_renegotiates_is_refused_and_served_on),
	        cmocka_unit_test(a_flood_of_requests_to_renegotiate_ends_the_session),
	        cmocka_unit_test(a_client_that_renegotiates_is_closed),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
