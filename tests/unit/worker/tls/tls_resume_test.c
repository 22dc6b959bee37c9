/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_resume_test.c - what is kept of a session with an upstream, for how long, and offered again.
 */
#include "worker/tls/tls_resume.h"

#include "tests/support/tls_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

enum { HOUR_S = 3600, MARGIN_S = 10, STORE_BYTES = 1 << 20 };

static struct tls_rig_keys *keys;

struct fixture {
	struct tls_rig rig;
	struct tls_session_store *store;
	struct tls_resume resume;
	int64_t now;
};

/* A session whose handshake is done; nothing of it is stored. */
static void open_fixture(struct fixture *fixture, const char *priority)
{
	tls_rig_open_ready(&fixture->rig, keys, IO_UPSTREAM, priority);
	fixture->store = tls_session_store_create(STORE_BYTES, "a test's");
	assert_non_null(fixture->store);
	fixture->now = (int64_t)time(NULL);
	fixture->resume = (struct tls_resume){
	        .store = fixture->store,
	        .identity = {{1, 2, 3}},
	        .session = fixture->rig.tls->session,
	        .chain_not_after = INT64_MAX,
	};
}

static void close_fixture(struct fixture *fixture)
{
	tls_session_store_destroy(fixture->store);
	tls_rig_close(&fixture->rig);
}

/* A ticket as GnuTLS tells of one: its message before it is read, then that it was. */
static void ticket_arrives(struct fixture *fixture, uint32_t lifetime_s)
{
	unsigned char message[4] = {(unsigned char)(lifetime_s >> 24),
	        (unsigned char)(lifetime_s >> 16), (unsigned char)(lifetime_s >> 8),
	        (unsigned char)lifetime_s};
	gnutls_datum_t datum = {message, sizeof(message)};

	tls_resume_on_ticket(&fixture->resume, GNUTLS_HOOK_PRE, &datum);
	tls_resume_on_ticket(&fixture->resume, GNUTLS_HOOK_POST, &datum);
}

static bool take(struct fixture *fixture, struct tls_session_info *info_out)
{
	static unsigned char data[TLS_SESSION_BYTES_MAX];

	return tls_session_store_take(fixture->store, TLS_SESSION_CLIENT_SIDE,
	               &fixture->resume.identity, fixture->now, data, sizeof(data), info_out) > 0;
}

static void assert_near(int64_t is, int64_t wanted)
{
	if (is < wanted || is > wanted + 2) /* the clock went on */
		fail_msg("%lld, not %lld", (long long)is, (long long)wanted);
}

static void a_session_of_1_2_is_kept_and_used_again(void **state)
{
	struct fixture fixture;
	struct tls_session_info info;

	(void)state;
	open_fixture(&fixture, TLS_RIG_1_2);
	tls_resume_on_handshake(&fixture.resume);
	assert_true(take(&fixture, &info));
	assert_false(info.single_use);
	assert_int_equal(info.protocol, GNUTLS_TLS1_2);
	assert_near(info.full_handshake_at, fixture.now);
	assert_true(take(&fixture, &info));
	close_fixture(&fixture);
}

/* RFC 8446 C.4: who uses a ticket twice can be followed from one connection to the next. */
static void tickets_of_1_3_are_used_once(void **state)
{
	struct fixture fixture;
	struct tls_session_info info;

	(void)state;
	open_fixture(&fixture, TLS_RIG_1_3);
	tls_resume_on_handshake(&fixture.resume);
	assert_false(take(&fixture, &info)); /* no ticket yet */
	ticket_arrives(&fixture, 7200);
	ticket_arrives(&fixture, 100);
	assert_true(take(&fixture, &info));
	assert_true(info.single_use);
	assert_int_equal(info.protocol, GNUTLS_TLS1_3);
	assert_near(info.expires_at, fixture.now + HOUR_S);
	assert_true(take(&fixture, &info));
	assert_near(info.expires_at, fixture.now + 100 - MARGIN_S);
	close_fixture(&fixture);
}

static void a_session_lives_as_long_as_all_that_it_rests_on(void **state)
{
	static const struct {
		uint32_t lifetime_s; /* 0: the server said none */
		int64_t handshake_age_s, chain_s, wanted_s; /* 0: not kept */
	} rows[] = {
	        {7200, 0, INT64_MAX, HOUR_S},
	        {0, 0, INT64_MAX, HOUR_S - MARGIN_S},
	        {600, 0, INT64_MAX, 600 - MARGIN_S},
	        {MARGIN_S, 0, INT64_MAX, 0},
	        {UINT32_MAX, HOUR_S - 100, INT64_MAX, 100},
	        {600, HOUR_S, INT64_MAX, 0},
	        {600, 0, 50, 50},
	        {600, 0, -1, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture fixture;
		struct tls_session_info info;
		open_fixture(&fixture, TLS_RIG_1_3);
		tls_resume_on_handshake(&fixture.resume);
		fixture.resume.full_handshake_at -= rows[i].handshake_age_s;
		if (rows[i].chain_s != INT64_MAX)
			fixture.resume.chain_not_after = fixture.now + rows[i].chain_s;
		ticket_arrives(&fixture, rows[i].lifetime_s);
		if (take(&fixture, &info) != (rows[i].wanted_s > 0))
			fail_msg("row %zu", i);
		if (rows[i].wanted_s)
			assert_near(info.expires_at, fixture.now + rows[i].wanted_s);
		close_fixture(&fixture);
	}
}

static void what_is_kept_is_offered_until_it_is_forgotten(void **state)
{
	struct fixture fixture;
	gnutls_session_t next;

	(void)state;
	open_fixture(&fixture, TLS_RIG_1_3);
	tls_resume_on_handshake(&fixture.resume);
	ticket_arrives(&fixture, 600);
	struct tls_resume again = {.store = fixture.store, .identity = {{1, 2, 3}}};
	struct tls_resume other = {.store = fixture.store, .identity = {{1, 2, 4}}};
	struct tls_resume without = {.identity = {{1, 2, 3}}};
	assert_int_equal(gnutls_init(&next, GNUTLS_CLIENT), 0);
	again.session = other.session = without.session = next;

	tls_resume_offer(&other);
	tls_resume_offer(&without);
	assert_false(other.offered || without.offered);
	tls_resume_offer(&again);
	assert_true(again.offered);
	assert_int_equal(again.offered_protocol, GNUTLS_TLS1_3);
	assert_int_equal(again.full_handshake_at, fixture.resume.full_handshake_at);
	assert_true(again.chain_not_after == INT64_MAX);

	tls_resume_forget(&without);
	tls_resume_forget(&again);
	again.offered = false;
	tls_resume_offer(&again);
	assert_false(again.offered);
	gnutls_deinit(next);
	close_fixture(&fixture);
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_session_of_1_2_is_kept_and_used_again),
	        cmocka_unit_test(tickets_of_1_3_are_used_once),
	        cmocka_unit_test(a_session_lives_as_long_as_all_that_it_rests_on),
	        cmocka_unit_test(what_is_kept_is_offered_until_it_is_forgotten),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
