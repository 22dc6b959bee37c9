/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_transport_test.c - a TLS connection that goes well: both sides, TLS 1.2 and 1.3.
 *
 * How it goes badly is in tls_transport_fault_test.c.
 */
#include "worker/tls/tls_transport.h"

#include "tests/support/tcp_pair.h"
#include "tests/support/tls_rig.h"
#include "worker/io/plain_transport.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { RECORD_HEADER_BYTES = 5, APPLICATION_DATA = 23, ALL = SIZE_MAX >> 1 };
enum { RECORD_1_3_EXTRA = 1 + 16 }; /* the true content type, and the tag */

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
	const char *protocol;
	bool ours_is_last; /* the last flight of a full handshake is ours */
} kinds[] = {
        {IO_UPSTREAM, TLS_RIG_1_2, "TLSv1.2", false},
        {IO_UPSTREAM, TLS_RIG_1_3, "TLSv1.3", true},
        {IO_CLIENT, TLS_RIG_1_2, "TLSv1.2", true},
        {IO_CLIENT, TLS_RIG_1_3, "TLSv1.3", false},
};

/* For each kind of connection, through the handshake: `run`. */
static void with_each_kind(void (*run)(struct tls_rig *rig, const struct kind *kind))
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct tls_rig rig;
		tls_rig_open_ready(&rig, keys, kinds[i].side, kinds[i].priority);
		run(&rig, &kinds[i]);
		tls_rig_close(&rig);
	}
}

/* ---- handshake ---- */

static void a_handshake_may_come_in_pieces(void **state)
{
	static const size_t pieces[] = {1, 7, 1000, ALL};
	struct tls_facts facts;

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (size_t j = 0; j < sizeof(pieces) / sizeof(pieces[0]); j++) {
			struct tls_rig rig;
			tls_rig_open(&rig, keys, kinds[i].side, kinds[i].priority);
			assert_int_equal(tls_rig_shake(&rig, pieces[j]), IO_OK);
			tls_rig_settle(&rig);
			tls_transport_facts(rig.tls, &facts);
			assert_string_equal(facts.protocol, kinds[i].protocol);
			assert_non_null(strstr(facts.cipher, "AES"));
			assert_false(facts.resumed);
			tls_rig_close(&rig);
		}
	}
}

static void a_handshake_reads_only_what_is_reported(void **state)
{
	struct tls_rig rig;

	(void)state;
	tls_rig_open(&rig, keys, IO_CLIENT, TLS_RIG_1_3);
	assert_int_equal(gnutls_handshake(rig.other), GNUTLS_E_AGAIN);
	tls_rig_give(&rig, ALL);
	rig.transport->readable = false;
	assert_int_equal(rig.transport->ops->handshake(rig.transport), IO_WANT_READ);
	assert_int_equal(tls_rig_collect(&rig), 0);
	rig.transport->readable = true;
	assert_int_equal(rig.transport->ops->handshake(rig.transport), IO_WANT_READ);
	assert_true(tls_rig_collect(&rig) > 0);
	tls_rig_close(&rig);
}

static void the_last_flight_leaves_with_the_first_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct tls_rig rig;
		size_t put;
		if (!kinds[i].ours_is_last)
			continue;
		tls_rig_open(&rig, keys, kinds[i].side, kinds[i].priority);
		assert_int_equal(tls_rig_shake(&rig, ALL), IO_OK);
		assert_true(tls_rig_pending(&rig) & PENDING_WRITE);
		tls_rig_collect(&rig);
		assert_int_equal(tls_rig_write(&rig, "hello", 5, &put), IO_OK);
		assert_int_equal(put, 5);
		assert_int_equal(tls_rig_pending(&rig) & PENDING_WRITE, 0);
		tls_rig_settle(&rig);
		assert_true(tls_rig_hears(&rig, "hello"));
		tls_rig_close(&rig);
	}
}

static void bytes_that_came_with_the_last_flight_are_kept(void **state)
{
	struct tls_rig rig;

	(void)state;
	tls_rig_open(&rig, keys, IO_CLIENT, TLS_RIG_1_3);
	while (!rig.other_done) {
		assert_int_equal(rig.transport->ops->handshake(rig.transport), IO_WANT_READ);
		tls_rig_collect(&rig);
		rig.other_done = gnutls_handshake(rig.other) == 0;
		if (rig.other_done)
			tls_rig_say(&rig, "early bird", 10);
		tls_rig_give(&rig, ALL);
	}
	assert_int_equal(rig.transport->ops->handshake(rig.transport), IO_OK);
	assert_true(tls_rig_pending(&rig) & PENDING_READ);
	rig.transport->readable = false;
	assert_true(tls_rig_reads(&rig, "early bird"));
	assert_int_equal(tls_rig_pending(&rig) & PENDING_READ, 0);
	tls_rig_close(&rig);
}

/* ---- reading ---- */

static void check_reading(struct tls_rig *rig, const struct kind *kind)
{
	char room[TLS_RIG_ROOM];
	size_t got = 99;

	(void)kind;
	tls_rig_say(rig, "one ", 4);
	tls_rig_say(rig, "two ", 4);
	tls_rig_say(rig, "three", 5);
	tls_rig_give(rig, ALL);
	rig->transport->readable = false;
	assert_int_equal(tls_rig_read(rig, room, &got), IO_WANT_READ);
	assert_int_equal(got, 0);
	rig->transport->readable = true;
	assert_true(tls_rig_reads(rig, "one two three"));
	assert_false(rig->transport->read_filled);
	assert_false(rig->transport->readable);
}

static void one_read_takes_all_records_that_have_arrived(void **state)
{
	(void)state;
	with_each_kind(check_reading);
}

static void check_split_reading(struct tls_rig *rig, const struct kind *kind)
{
	char room[TLS_RIG_ROOM], all[16] = "";
	size_t got, total = 0;

	(void)kind;
	tls_rig_say(rig, "tick", 4);
	tls_rig_say(rig, "tock", 4);
	while (tls_rig_give(rig, 1) == 1) {
		assert_int_equal(tls_rig_read(rig, room, &got), IO_OK);
		assert_true(total + got < sizeof(all));
		memcpy(all + total, room, got);
		total += got;
	}
	assert_string_equal(all, "ticktock");
}

static void records_may_be_split_at_every_byte(void **state)
{
	(void)state;
	with_each_kind(check_split_reading);
}

/* More than one read can ask for: it says so, and leaves nothing behind that it has not told of. */
static void check_filled_reads(struct tls_rig *rig, const struct kind *kind)
{
	enum { WHOLE = 300 * 1024 };
	char *sent = malloc(WHOLE), *got_all = malloc(WHOLE + TLS_RIG_ROOM);
	size_t got, total = 0, filled = 0;

	(void)kind;
	for (size_t i = 0; i < WHOLE; i++)
		sent[i] = (char)(i * 7 + i / 251);
	for (size_t at = 0; at < WHOLE; at += 15 * 1024)
		tls_rig_say(rig, sent + at, WHOLE - at < 15 * 1024 ? WHOLE - at : 15 * 1024);
	while (total < WHOLE) {
		size_t given = tls_rig_give(rig, ALL);
		assert_true(given || rig->transport->readable);
		assert_int_equal(tls_rig_read(rig, got_all + total, &got), IO_OK);
		filled += rig->transport->read_filled;
		total += got;
		assert_true(total <= WHOLE);
		assert_null(rig->tls->in_tail);
	}
	assert_memory_equal(got_all, sent, WHOLE);
	assert_true(filled > 0);
	free(got_all);
	free(sent);
}

static void reads_that_are_filled_are_followed_by_more(void **state)
{
	(void)state;
	with_each_kind(check_filled_reads);
}

/* ---- writing ---- */

/* Lengths of the records that lie on the way to the other side. */
static size_t record_lengths(const struct tls_rig_bytes *bytes, size_t *lengths, size_t max)
{
	size_t count = 0;

	for (size_t at = bytes->start; at < bytes->end && count < max; count++) {
		const unsigned char *header = bytes->data + at;
		assert_int_equal(header[0], APPLICATION_DATA);
		lengths[count] = (size_t)header[3] << 8 | header[4];
		at += RECORD_HEADER_BYTES + lengths[count];
	}
	return count;
}

static void the_first_records_of_a_burst_are_small(void **state)
{
	enum {
		BURST = 120 * 1024,
		SMALL = 1370 + RECORD_1_3_EXTRA,
		LARGE = 16384 + RECORD_1_3_EXTRA
	};
	struct tls_rig rig;
	char *bytes = calloc(1, BURST);
	size_t lengths[128] = {0}, put;
	/* what lies between two bursts, and whether the second begins small */
	static const struct {
		uint64_t pause_ms;
		bool small;
	} rows[] = {{0, true}, {900, false}, {1100, true}};

	(void)state;
	tls_rig_open_ready(&rig, keys, IO_UPSTREAM, TLS_RIG_1_3);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fake_loop_advance(rig.loop, rows[i].pause_ms);
		rig.to_other.start = rig.to_other.end;
		assert_int_equal(tls_rig_write(&rig, bytes, BURST, &put), IO_OK);
		assert_int_equal(put, BURST);
		tls_rig_collect(&rig);
		size_t count = record_lengths(&rig.to_other, lengths, 128);
		assert_true(count > 2);
		assert_int_equal(lengths[0], rows[i].small ? SMALL : LARGE);
		assert_int_equal(lengths[1], lengths[0]);
		assert_int_equal(lengths[count - 2], LARGE);
		for (size_t j = 1; j + 1 < count; j++)
			assert_true(lengths[j] >= lengths[j - 1]);
	}
	free(bytes);
	tls_rig_close(&rig);
}

static void keep_room_small(int fd)
{
	int size = 4096;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
}

/* What is reported as taken arrives, in order and whole, however often the socket refuses. */
static void check_refusals(struct tls_rig *rig, const struct kind *kind)
{
	enum { WHOLE = 900 * 1024, AT_ONCE = 200 * 1024 };
	char *sent = malloc(WHOLE), *heard = malloc(WHOLE + TLS_RIG_ROOM);
	size_t taken = 0, total = 0, refused = 0, put;

	(void)kind;
	keep_room_small(rig->fd);
	for (size_t i = 0; i < WHOLE; i++)
		sent[i] = (char)(i * 5 + i / 253);
	while (total < WHOLE) {
		size_t count = WHOLE - taken < AT_ONCE ? WHOLE - taken : AT_ONCE;
		enum io_result result = tls_rig_write(rig, sent + taken, count, &put);
		assert_true(result == IO_OK || result == IO_WANT_WRITE);
		assert_int_equal(
		        tls_rig_pending(rig) & PENDING_WRITE, result == IO_OK ? 0 : PENDING_WRITE);
		taken += put;
		if (result == IO_WANT_WRITE) {
			refused++;
			assert_int_equal(tls_rig_write(rig, sent + taken, WHOLE - taken, &put),
			        IO_WANT_WRITE);
			assert_int_equal(put, 0); /* nothing new while something waits */
		}
		ssize_t got;
		while ((got = tls_rig_hear(rig, heard + total, TLS_RIG_ROOM)) > 0)
			total += (size_t)got;
		assert_int_equal(got, GNUTLS_E_AGAIN);
		assert_true(total <= taken);
	}
	assert_true(refused > 3);
	assert_memory_equal(heard, sent, WHOLE);
	free(heard);
	free(sent);
}

static void a_socket_that_refuses_leaves_a_tail(void **state)
{
	(void)state;
	with_each_kind(check_refusals);
}

static void a_handshake_waits_for_a_socket_that_refuses(void **state)
{
	struct tls_rig rig;
	unsigned waits = 0;

	(void)state;
	tls_rig_open(&rig, keys, IO_CLIENT, TLS_RIG_1_3);
	char junk[65536] = {0};
	keep_room_small(rig.fd);
	while (send(rig.fd, junk, sizeof(junk), MSG_DONTWAIT) > 0)
		;
	assert_int_equal(gnutls_handshake(rig.other), GNUTLS_E_AGAIN);
	tls_rig_give(&rig, ALL);
	for (; waits < 3; waits++)
		assert_int_equal(rig.transport->ops->handshake(rig.transport), IO_WANT_WRITE);
	tls_rig_collect(&rig);
	rig.to_other.start = rig.to_other.end; /* the junk */
	assert_int_equal(tls_rig_shake(&rig, ALL), IO_OK);
	tls_rig_settle(&rig);
	tls_rig_close(&rig);
}

/* ---- ends ---- */

static bool far_end_sees_fin(const struct tls_rig *rig)
{
	char byte;

	return recv(rig->other_fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

static void check_finish(struct tls_rig *rig, const struct kind *kind)
{
	size_t put;
	char byte;

	(void)kind;
	assert_int_equal(tls_rig_write(rig, "last words", 10, &put), IO_OK);
	assert_int_equal(rig->transport->ops->finish(rig->transport, false), IO_OK);
	assert_true(tls_rig_hears(rig, "last words"));
	assert_int_equal(tls_rig_hear(rig, &byte, 1), 0);
	assert_true(far_end_sees_fin(rig));

	tls_rig_say(rig, "an answer", 9); /* the other direction stays open */
	tls_rig_give(rig, ALL);
	assert_true(tls_rig_reads(rig, "an answer"));
}

static void finish_sends_close_notify_and_a_fin(void **state)
{
	(void)state;
	with_each_kind(check_finish);
}

static void check_finish_before_close(struct tls_rig *rig, const struct kind *kind)
{
	char byte;

	(void)kind;
	assert_int_equal(rig->transport->ops->finish(rig->transport, true), IO_OK);
	assert_int_equal(tls_rig_hear(rig, &byte, 1), 0);
	assert_false(far_end_sees_fin(rig));
}

static void finish_leaves_the_fin_to_a_close_that_follows(void **state)
{
	(void)state;
	with_each_kind(check_finish_before_close);
}

static void use_tcp(struct tls_rig *rig)
{
	int ours, theirs;

	tcp_pair(&ours, &theirs, 0);
	assert_int_equal(fcntl(theirs, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(dup2(ours, rig->fd), rig->fd);
	assert_int_equal(dup2(theirs, rig->other_fd), rig->other_fd);
	close(ours);
	close(theirs);
}

static void check_last_records(struct tls_rig *rig, const struct kind *kind)
{
	size_t put;
	char byte;

	(void)kind;
	use_tcp(rig); /* another socket holds nothing back */
	rig->transport->last = true;
	assert_int_equal(tls_rig_write(rig, "last words", 10, &put), IO_OK);
	assert_int_equal(recv(rig->other_fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK), -1);
	assert_int_equal(rig->transport->ops->finish(rig->transport, true), IO_OK);
	assert_true(tls_rig_hears(rig, "last words"));
	assert_int_equal(tls_rig_hear(rig, &byte, 1), 0);
	assert_true(far_end_sees_fin(rig));
}

static void last_records_wait_for_the_fin(void **state)
{
	(void)state;
	with_each_kind(check_last_records);
}

static void finish_that_the_socket_refuses_sends_no_fin(void **state)
{
	struct tls_rig rig;
	char *bytes = calloc(1, TLS_RIG_ROOM), *room = malloc(TLS_RIG_ROOM);
	size_t put, total = 0;
	ssize_t got;

	(void)state;
	tls_rig_open_ready(&rig, keys, IO_UPSTREAM, TLS_RIG_1_3);
	keep_room_small(rig.fd);
	assert_int_equal(tls_rig_write(&rig, bytes, TLS_RIG_ROOM, &put), IO_WANT_WRITE);
	assert_int_equal(rig.transport->ops->finish(rig.transport, false), IO_WANT_WRITE);
	do {
		while ((got = tls_rig_hear(&rig, room, TLS_RIG_ROOM)) > 0)
			total += (size_t)got;
		assert_false(far_end_sees_fin(&rig));
	} while (tls_rig_flush(&rig) == IO_WANT_WRITE);
	while ((got = tls_rig_hear(&rig, room, TLS_RIG_ROOM)) > 0)
		total += (size_t)got;
	assert_int_equal(got, 0); /* close_notify, behind the last byte */
	assert_int_equal(total, put);
	free(room);
	free(bytes);
	tls_rig_close(&rig);
}

static void check_close_notify(struct tls_rig *rig, const struct kind *kind)
{
	char room[TLS_RIG_ROOM];
	size_t got, put;

	(void)kind;
	tls_rig_say(rig, "bye", 3);
	assert_int_equal(gnutls_bye(rig->other, GNUTLS_SHUT_WR), 0);
	tls_rig_give(rig, ALL);
	tls_rig_give_raw(rig, "what is this?", 13);
	tls_rig_end(rig);
	assert_int_equal(tls_rig_read(rig, room, &got), IO_EOF);
	assert_int_equal(got, 3);
	assert_memory_equal(room, "bye", 3);
	assert_int_equal(tls_rig_pending(rig) & PENDING_READ, 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(tls_rig_read(rig, room, &got), IO_EOF);
		assert_int_equal(got, 0);
	}
	assert_null(rig->transport->fault);
	assert_int_equal(tls_rig_write(rig, "farewell", 8, &put), IO_OK);
	assert_true(tls_rig_hears(rig, "farewell"));
}

static void close_notify_is_the_end_and_writing_goes_on(void **state)
{
	(void)state;
	with_each_kind(check_close_notify);
}

/* What a close leaves on the wire: a clean end, nothing, or an alert. */
static void a_client_that_got_nothing_is_told_of_a_cut(void **state)
{
	static const struct {
		enum io_side side;
		bool cut, wrote;
		int alert; /* 0: none */
	} rows[] = {
	        {IO_CLIENT, true, false, GNUTLS_A_INTERNAL_ERROR},
	        {IO_CLIENT, true, true, 0},
	        {IO_CLIENT, false, false, 0},
	        {IO_UPSTREAM, true, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tls_rig rig;
		size_t put;
		char room[16];
		tls_rig_open_ready(&rig, keys, rows[i].side, TLS_RIG_1_3);
		if (rows[i].wrote) {
			assert_int_equal(tls_rig_write(&rig, "x", 1, &put), IO_OK);
			assert_true(tls_rig_hears(&rig, "x"));
		}
		tls_rig_close_transport(&rig, rows[i].cut);
		ssize_t got = tls_rig_hear(&rig, room, sizeof(room));
		assert_int_equal(
		        got, rows[i].alert ? GNUTLS_E_FATAL_ALERT_RECEIVED : GNUTLS_E_AGAIN);
		if (rows[i].alert)
			assert_int_equal(gnutls_alert_get(rig.other), rows[i].alert);
		assert_true(far_end_sees_fin(&rig));
		tls_rig_close(&rig);
	}
}

static void a_cut_before_the_end_of_the_handshake_says_nothing(void **state)
{
	struct tls_rig rig;

	(void)state;
	tls_rig_open(&rig, keys, IO_CLIENT, TLS_RIG_1_3);
	assert_int_equal(rig.transport->ops->handshake(rig.transport), IO_WANT_READ);
	tls_rig_close_transport(&rig, true);
	assert_int_equal(tls_rig_collect(&rig), 0);
	tls_rig_close(&rig);
}

static void a_tls_transport_is_told_from_others(void **state)
{
	struct transport *plain = plain_transport_create(0, IO_CLIENT);
	struct tls_rig rig;

	(void)state;
	tls_rig_open(&rig, keys, IO_CLIENT, TLS_RIG_1_3);
	assert_ptr_equal(tls_transport_of(rig.transport), rig.tls);
	assert_null(tls_transport_of(plain));
	assert_null(tls_transport_of(NULL));
	assert_false(rig.transport->ops->cut_needs_reset);
	plain->ops->close(plain, false);
	tls_rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_handshake_may_come_in_pieces),
	        cmocka_unit_test(a_handshake_reads_only_what_is_reported),
	        cmocka_unit_test(the_last_flight_leaves_with_the_first_bytes),
	        cmocka_unit_test(bytes_that_came_with_the_last_flight_are_kept),
	        cmocka_unit_test(one_read_takes_all_records_that_have_arrived),
	        cmocka_unit_test(records_may_be_split_at_every_byte),
	        cmocka_unit_test(reads_that_are_filled_are_followed_by_more),
	        cmocka_unit_test(the_first_records_of_a_burst_are_small),
	        cmocka_unit_test(a_socket_that_refuses_leaves_a_tail),
	        cmocka_unit_test(a_handshake_waits_for_a_socket_that_refuses),
	        cmocka_unit_test(finish_sends_close_notify_and_a_fin),
	        cmocka_unit_test(finish_leaves_the_fin_to_a_close_that_follows),
	        cmocka_unit_test(last_records_wait_for_the_fin),
	        cmocka_unit_test(finish_that_the_socket_refuses_sends_no_fin),
	        cmocka_unit_test(close_notify_is_the_end_and_writing_goes_on),
	        cmocka_unit_test(a_client_that_got_nothing_is_told_of_a_cut),
	        cmocka_unit_test(a_cut_before_the_end_of_the_handshake_says_nothing),
	        cmocka_unit_test(a_tls_transport_is_told_from_others),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
