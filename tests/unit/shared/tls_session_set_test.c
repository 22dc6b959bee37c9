/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_session_set_test.c - one set: rings, room, wiping, damage, and a naive model of it all.
 */
#include "shared/tls_session_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOW = 1000, NEVER = 1 << 30, DEAD_PID = INT32_MAX };

static const struct tls_session_limits usual = {TLS_SESSIONS_PER_IDENTITY, TLS_SESSION_SET_BLOCKS};
static const struct tls_session_limits one_each = {1, TLS_SESSION_SET_BLOCKS};

struct rig {
	struct tls_session_set set;
	struct tls_session_guard guard;
	uint8_t buffer[TLS_SESSION_BYTES_MAX];
	struct tls_session_info info; /* of the last one taken */
};

static int create(void **state)
{
	*state = calloc(1, sizeof(struct rig));
	return *state ? 0 : -1;
}

static int destroy(void **state)
{
	free(*state);
	return 0;
}

static struct tls_session_key key_of(unsigned number)
{
	struct tls_session_key key;

	memset(key.bytes, 0xa0, sizeof(key.bytes));
	key.bytes[31] = (uint8_t)number;
	return key;
}

/* What a session looks like follows from its number: the first four bytes. */
static void fill(uint8_t *bytes, size_t length, uint32_t number)
{
	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)(number * 31 + i * 7 + 1);
	memcpy(bytes, &number, sizeof(number));
}

static bool put_within(struct rig *rig, const struct tls_session_limits *limits,
        unsigned key_number, uint32_t number, size_t length, bool single_use, int64_t expires_at)
{
	uint8_t bytes[TLS_SESSION_BYTES_MAX + 1];
	struct tls_session_key key = key_of(key_number);
	struct tls_session_info info = {
	        .expires_at = expires_at,
	        .full_handshake_at = number + 1,
	        .chain_not_after = number + 2,
	        .protocol = (uint16_t)(number + 3),
	        .single_use = single_use,
	};

	fill(bytes, length, number);
	return tls_session_set_put(&rig->set, &rig->guard, limits, &key, &info,
	        (struct slice){(const char *)bytes, length});
}

static bool put(struct rig *rig, unsigned key_number, uint32_t number, size_t length)
{
	return put_within(rig, &usual, key_number, number, length, true, NEVER);
}

/* The number of the session taken, 0 for none. */
static uint32_t take_at(struct rig *rig, unsigned key_number, int64_t now)
{
	struct tls_session_key key = key_of(key_number);
	uint8_t wanted[TLS_SESSION_BYTES_MAX];
	uint32_t number;

	size_t length = tls_session_set_take(
	        &rig->set, &rig->guard, &key, now, rig->buffer, &rig->info);
	if (length == 0)
		return 0;
	memcpy(&number, rig->buffer, sizeof(number));
	fill(wanted, length, number);
	assert_memory_equal(rig->buffer, wanted, length);
	assert_int_equal(rig->info.full_handshake_at, number + 1);
	assert_int_equal(rig->info.chain_not_after, number + 2);
	assert_int_equal(rig->info.protocol, (uint16_t)(number + 3));
	return number;
}

static uint32_t take(struct rig *rig, unsigned key_number)
{
	return take_at(rig, key_number, NOW);
}

static void the_oldest_ticket_leaves_and_the_last_one_stays(void **state)
{
	for (uint32_t i = 1; i <= 3; i++)
		assert_true(put(*state, 1, i, 1500));
	assert_int_equal(take(*state, 1), 1);
	assert_int_equal(take(*state, 1), 2);
	assert_int_equal(take(*state, 1), 3);
	assert_int_equal(take(*state, 1), 3);
	put(*state, 1, 4, 1500);
	assert_int_equal(take(*state, 1), 3);
	assert_int_equal(take(*state, 1), 4);
	assert_int_equal(take(*state, 2), 0);
}

static void a_ring_holds_eight_tickets(void **state)
{
	for (uint32_t i = 1; i <= 20; i++)
		put(*state, 1, i, 600);
	for (uint32_t i = 13; i <= 20; i++)
		assert_int_equal(take(*state, 1), i);
	assert_int_equal(take(*state, 1), 20);
	struct rig *rig = *state;
	assert_int_equal(rig->guard.evicted, 0);
}

static void a_session_that_is_used_many_times_stands_alone(void **state)
{
	put(*state, 1, 1, 900);
	put(*state, 1, 2, 900);
	put_within(*state, &usual, 1, 3, 900, false, NEVER);
	assert_int_equal(take(*state, 1), 3);
	assert_int_equal(take(*state, 1), 3);
	put_within(*state, &usual, 1, 4, 900, false, NEVER);
	assert_int_equal(take(*state, 1), 4);
	assert_int_equal(take(*state, 1), 4);
	put(*state, 1, 5, 900); /* the server speaks TLS 1.3 now */
	assert_int_equal(take(*state, 1), 5);
	put(*state, 1, 6, 900);
	assert_int_equal(take(*state, 1), 5);
	assert_int_equal(take(*state, 1), 6);
}

static void what_has_expired_is_not_given_out(void **state)
{
	put_within(*state, &usual, 1, 1, 900, true, NOW + 5);
	put_within(*state, &usual, 1, 2, 900, true, NOW + 1);
	put_within(*state, &usual, 1, 3, 900, true, NOW + 9);
	assert_int_equal(take_at(*state, 1, NOW + 5), 3);
	assert_int_equal(take_at(*state, 1, NOW + 8), 3);
	assert_int_equal(take_at(*state, 1, NOW + 9), 0);
	assert_int_equal(take_at(*state, 1, NOW), 0); /* it is gone, not hidden */
}

static void sessions_up_to_the_limit_are_kept_whole(void **state)
{
	static const struct {
		size_t length;
		bool fits;
	} rows[] = {
	        {4, true},
	        {511, true},
	        {512, true},
	        {513, true},
	        {8192, true},
	        {TLS_SESSION_BYTES_MAX - 1, true},
	        {TLS_SESSION_BYTES_MAX, true},
	        {TLS_SESSION_BYTES_MAX + 1, false},
	};
	struct rig *rig = *state;

	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(put(rig, i, i + 1, rows[i].length), rows[i].fits);
		assert_int_equal(take(rig, i), rows[i].fits ? i + 1 : 0);
	}
	struct tls_session_key key = key_of(1);
	assert_false(tls_session_set_put(
	        &rig->set, &rig->guard, &usual, &key, &rig->info, (struct slice){"", 0}));
	assert_int_equal(rig->guard.too_big, 2);
}

static void no_key_holds_more_than_its_blocks(void **state)
{
	static const struct tls_session_limits six = {TLS_SESSIONS_PER_IDENTITY, 6};

	assert_false(put_within(*state, &six, 1, 1, 7 * TLS_SESSION_BLOCK_BYTES, true, NEVER));
	for (uint32_t i = 1; i <= 5; i++)
		assert_true(put_within(*state, &six, 1, i, 900, true, NEVER)); /* 2 blocks each */
	assert_int_equal(take(*state, 1), 3);
	assert_int_equal(take(*state, 1), 4);
	assert_int_equal(take(*state, 1), 5);
	assert_true(put_within(*state, &six, 1, 6, 6 * TLS_SESSION_BLOCK_BYTES, true, NEVER));
	assert_int_equal(take(*state, 1), 6);
}

static void room_is_made_by_whoever_has_most(void **state)
{
	struct rig *rig = *state;

	/* 2 KiB are 4 blocks: 16 sessions fill the set. */
	put(rig, 9, 100, 2048);
	for (uint32_t i = 1; i <= 8; i++)
		put(rig, 1, i, 2048);
	for (uint32_t i = 1; i <= 7; i++)
		put(rig, 2, 20 + i, 2048);
	assert_int_equal(rig->guard.evicted, 0);
	put(rig, 3, 40, 2048);
	put(rig, 3, 41, 2048);
	put(rig, 3, 42, 2048);
	assert_int_equal(rig->guard.evicted, 3);
	assert_int_equal(take(rig, 9), 100); /* the oldest of all, but the only one of its key */
	assert_int_equal(take(rig, 1), 3); /* 8 to 7, then 6 as the older of two with 7 */
	assert_int_equal(take(rig, 2), 22);
	assert_int_equal(take(rig, 3), 40);
}

static void with_one_session_each_the_oldest_makes_room(void **state)
{
	struct rig *rig = *state;

	for (uint32_t i = 1; i <= 40; i++)
		assert_true(put_within(rig, &one_each, i, i, 843, false, NEVER));
	for (uint32_t i = 1; i <= 40; i++)
		assert_int_equal(take(rig, i), i <= 8 ? 0 : i);
	assert_true(put_within(rig, &one_each, 50, 50, TLS_SESSION_BYTES_MAX, false, NEVER));
	assert_int_equal(take(rig, 24), 0);
	assert_int_equal(take(rig, 25), 25);
}

static bool is_wiped(const struct tls_session_set *set)
{
	static const struct tls_session_set zero;

	return memcmp(set->entries, zero.entries, sizeof(zero.entries)) == 0 &&
	       memcmp(set->blocks, zero.blocks, sizeof(zero.blocks)) == 0;
}

static void what_leaves_is_wiped(void **state)
{
	struct rig *rig = *state;
	struct tls_session_key key = key_of(1);

	for (uint32_t i = 1; i <= 8; i++)
		put(rig, 1, i, 4000);
	assert_false(is_wiped(&rig->set));
	tls_session_set_drop(&rig->set, &key);
	assert_true(is_wiped(&rig->set));
	assert_int_equal(take(rig, 1), 0);

	put_within(rig, &usual, 1, 1, 5000, true, NOW);
	assert_int_equal(take(rig, 1), 0);
	assert_true(is_wiped(&rig->set)); /* expired */

	put(rig, 1, 1, 5000);
	rig->set.blocks[3][100] ^= 1;
	assert_int_equal(take(rig, 1), 0);
	assert_true(is_wiped(&rig->set)); /* damaged */
	assert_int_equal(rig->guard.broken, 1);
}

/* Whatever byte of the set changes: what comes out is what was put in, or nothing. */
static void a_changed_byte_costs_at_most_its_session(void **state)
{
	struct rig *rig = *state;
	struct tls_session_set *kept = malloc(sizeof(*kept));

	assert_non_null(kept);
	put(rig, 1, 1, 1800);
	put(rig, 2, 2, 3000);
	put(rig, 2, 3, 700);
	memcpy(kept, &rig->set, sizeof(*kept));
	for (size_t i = 0; i < sizeof(*kept); i++) {
		memcpy(&rig->set, kept, sizeof(*kept));
		((uint8_t *)&rig->set)[i] ^= (uint8_t)(1 + i % 255);
		uint32_t first = take(rig, 1);
		uint32_t second = take(rig, 2);
		assert_true(first == 1 || first == 0);
		assert_true(second == 2 || second == 3);
		assert_true(put(rig, 3, 4, TLS_SESSION_BYTES_MAX));
		assert_int_equal(take(rig, 3), 4);
	}
	free(kept);
}

static void a_descriptor_that_names_foreign_blocks_does_no_harm(void **state)
{
	struct rig *rig = *state;
	struct tls_session_key key = key_of(1);

	put(rig, 1, 1, 1024);
	put(rig, 2, 2, 1024);
	rig->set.entries[0].blocks = rig->set.entries[1].blocks;
	tls_session_set_drop(&rig->set, &key);
	assert_int_equal(take(rig, 2), 2);
}

static void a_descriptor_that_makes_no_sense_takes_no_room(void **state)
{
	struct rig *rig = *state;

	put(rig, 1, 1, 1024);
	for (size_t i = 1; i < TLS_SESSION_SET_ENTRIES; i++) {
		rig->set.entries[i].length = i % 2 ? 1 : UINT32_MAX;
		rig->set.entries[i].blocks = UINT64_MAX;
	}
	assert_true(put(rig, 2, 2, TLS_SESSION_BYTES_MAX));
	assert_int_equal(rig->guard.evicted, 0);
	assert_int_equal(take(rig, 1), 1);
	assert_int_equal(take(rig, 2), 2);
}

static void a_guard_is_never_waited_for(void **state)
{
	struct tls_session_guard *guard = &((struct rig *)*state)->guard;

	assert_true(tls_session_guard_lock(guard, 10));
	assert_false(tls_session_guard_lock(guard, 10));
	assert_false(tls_session_guard_lock(guard, 11));
	assert_int_equal(guard->busy, 2);
	tls_session_guard_unlock(guard);
	assert_true(tls_session_guard_lock(guard, 11));
}

static void guards_of_the_dead_are_freed(void **state)
{
	struct tls_session_guard *guard = &((struct rig *)*state)->guard;
	const struct {
		int32_t holder, dead;
		bool freed;
	} rows[] = {
	        {(int32_t)getppid(), (int32_t)getppid(), true},
	        {(int32_t)getppid(), (int32_t)getpid(), false},
	        {DEAD_PID, (int32_t)getpid(), true},
	        {-1, (int32_t)getpid(), true},
	        {0, (int32_t)getpid(), true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		atomic_store(&guard->holder, rows[i].holder);
		tls_session_guard_release(guard, rows[i].dead);
		assert_int_equal(guard->holder == 0, rows[i].freed);
	}
}

static void sessions_are_read_in_order_of_age(void **state)
{
	struct rig *rig = *state;
	struct tls_session_key key;
	uint32_t number;

	put(rig, 1, 1, 700);
	put(rig, 2, 2, 700);
	put_within(rig, &usual, 3, 3, 700, true, NOW);
	put(rig, 1, 4, 700);
	static const unsigned keys[] = {1, 2, 0, 1};
	for (unsigned rank = 0; rank < 4; rank++) {
		ssize_t length = tls_session_set_read(
		        &rig->set, rank, NOW, rig->buffer, &key, &rig->info);
		assert_int_equal(length, keys[rank] ? 700 : 0);
		if (length == 0)
			continue;
		memcpy(&number, rig->buffer, sizeof(number));
		assert_int_equal(number, rank + 1);
		assert_int_equal(key.bytes[31], keys[rank]);
	}
	assert_int_equal(
	        tls_session_set_read(&rig->set, 4, NOW, rig->buffer, &key, &rig->info), -1);
}

/* The naive model: a list a key. Three keys with at most two blocks a session never fill a set, so
 * that the model needs no idea of room. */
enum { MODEL_KEYS = 3, MODEL_STEPS = 200000 };

struct model_key {
	struct {
		uint32_t number;
		int64_t expires_at;
		bool single_use;
	} sessions[TLS_SESSIONS_PER_IDENTITY];
	size_t count;
};

static void model_remove(struct model_key *model, size_t index)
{
	model->count--;
	memmove(&model->sessions[index], &model->sessions[index + 1],
	        (model->count - index) * sizeof(model->sessions[0]));
}

static void model_put(struct model_key *model, uint32_t number, int64_t expires_at, bool single_use)
{
	if (!single_use || (model->count && !model->sessions[0].single_use))
		model->count = 0;
	if (model->count == TLS_SESSIONS_PER_IDENTITY)
		model_remove(model, 0);
	model->sessions[model->count].number = number;
	model->sessions[model->count].expires_at = expires_at;
	model->sessions[model->count++].single_use = single_use;
}

static uint32_t model_take(struct model_key *model, int64_t now)
{
	for (size_t i = model->count; i > 0; i--)
		if (model->sessions[i - 1].expires_at <= now)
			model_remove(model, i - 1);
	if (model->count == 0)
		return 0;
	uint32_t number = model->sessions[0].number;
	if (model->sessions[0].single_use && model->count > 1)
		model_remove(model, 0);
	return number;
}

static void random_operations_agree_with_a_naive_model(void **state)
{
	struct model_key models[MODEL_KEYS] = {0};
	struct rig *rig = *state;
	int64_t now = NOW;

	srand(1);
	for (uint32_t step = 1; step <= MODEL_STEPS; step++) {
		unsigned key_number = (unsigned)rand() % MODEL_KEYS;
		struct model_key *model = &models[key_number];
		int what = rand() % 20;
		now += rand() % 2;
		if (what < 11) {
			size_t length = 4 + (size_t)rand() % 1020;
			int64_t expires_at = now + rand() % 40;
			bool single_use = rand() % 10 != 0;
			assert_true(put_within(
			        rig, &usual, key_number, step, length, single_use, expires_at));
			model_put(model, step, expires_at, single_use);
		} else if (what < 19) {
			assert_int_equal(take_at(rig, key_number, now), model_take(model, now));
		} else {
			struct tls_session_key key = key_of(key_number);
			tls_session_set_drop(&rig->set, &key);
			model->count = 0;
		}
	}
	assert_int_equal(rig->guard.evicted, 0);
	assert_int_equal(rig->guard.broken, 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, create, destroy)
	const struct CMUnitTest tests[] = {
	        TEST(the_oldest_ticket_leaves_and_the_last_one_stays),
	        TEST(a_ring_holds_eight_tickets),
	        TEST(a_session_that_is_used_many_times_stands_alone),
	        TEST(what_has_expired_is_not_given_out),
	        TEST(sessions_up_to_the_limit_are_kept_whole),
	        TEST(no_key_holds_more_than_its_blocks),
	        TEST(room_is_made_by_whoever_has_most),
	        TEST(with_one_session_each_the_oldest_makes_room),
	        TEST(what_leaves_is_wiped),
	        TEST(a_changed_byte_costs_at_most_its_session),
	        TEST(a_descriptor_that_names_foreign_blocks_does_no_harm),
	        TEST(a_descriptor_that_makes_no_sense_takes_no_room),
	        TEST(a_guard_is_never_waited_for),
	        TEST(guards_of_the_dead_are_freed),
	        TEST(sessions_are_read_in_order_of_age),
	        TEST(random_operations_agree_with_a_naive_model),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
