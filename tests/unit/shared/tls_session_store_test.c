/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_session_store_test.c - the store of several processes: sides, shares, deaths, copies, dumps.
 */
#include "shared/tls_session_store.h"

#include <ctype.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	NOW = 1000,
	NEVER = 1 << 30,
	SIZE = 16 << 20,
	GUARDS_AT = 64, /* where the guards stand in the segment, 64 bytes each, the lock first */
	GUARD_BYTES = 64,
};

static int create(void **state)
{
	*state = tls_session_store_create(SIZE, "3.7.9");
	return *state ? 0 : -1;
}

static int destroy(void **state)
{
	tls_session_store_destroy(*state);
	return 0;
}

/* Spread over the sets as a hash would be. */
static struct tls_session_key key_of(uint64_t number)
{
	struct tls_session_key key;

	for (size_t i = 0; i < sizeof(key.bytes); i++) {
		number = number * 6364136223846793005u + 1442695040888963407u;
		key.bytes[i] = (uint8_t)(number >> 56);
	}
	return key;
}

static void fill(uint8_t *bytes, size_t length, uint32_t number)
{
	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)(number * 31 + i * 7 + 1);
	memcpy(bytes, &number, sizeof(number));
}

static bool put_until(struct tls_session_store *store, enum tls_session_side side,
        uint64_t key_number, uint32_t number, size_t length, int64_t expires_at)
{
	uint8_t bytes[TLS_SESSION_BYTES_MAX];
	struct tls_session_key key = key_of(key_number);
	struct tls_session_info info = {.expires_at = expires_at, .single_use = true};

	fill(bytes, length, number);
	return tls_session_store_put(
	        store, side, &key, &info, (struct slice){(const char *)bytes, length});
}

static bool put(
        struct tls_session_store *store, uint64_t key_number, uint32_t number, size_t length)
{
	return put_until(store, TLS_SESSION_CLIENT_SIDE, key_number, number, length, NEVER);
}

/* The number of the session, 0: none, UINT32_MAX: not as it was put. */
static uint32_t take_from(
        struct tls_session_store *store, enum tls_session_side side, uint64_t key_number)
{
	uint8_t buffer[TLS_SESSION_BYTES_MAX], wanted[TLS_SESSION_BYTES_MAX];
	struct tls_session_key key = key_of(key_number);
	struct tls_session_info info;
	uint32_t number;

	size_t length = tls_session_store_take(
	        store, side, &key, NOW, buffer, sizeof(buffer), &info);
	if (length == 0)
		return 0;
	memcpy(&number, buffer, sizeof(number));
	fill(wanted, length, number);
	return memcmp(buffer, wanted, length) == 0 ? number : UINT32_MAX;
}

static uint32_t take(struct tls_session_store *store, uint64_t key_number)
{
	return take_from(store, TLS_SESSION_CLIENT_SIDE, key_number);
}

static void the_sides_know_nothing_of_each_other(void **state)
{
	const enum tls_session_side server = TLS_SESSION_SERVER_SIDE;
	struct tls_session_key key = key_of(1);

	assert_true(put(*state, 1, 10, 1500));
	assert_int_equal(take_from(*state, server, 1), 0);
	assert_true(put_until(*state, server, 1, 20, 843, NEVER));
	assert_true(put_until(*state, server, 1, 21, 843, NEVER)); /* one a key */
	assert_int_equal(take_from(*state, server, 1), 21);
	assert_int_equal(take_from(*state, server, 1), 21); /* it stays */
	assert_int_equal(take(*state, 1), 10);
	assert_true(tls_session_store_drop(*state, server, &key));
	assert_int_equal(take_from(*state, server, 1), 0);
	assert_int_equal(take(*state, 1), 10);
	assert_true(tls_session_store_drop(*state, TLS_SESSION_CLIENT_SIDE, &key));
	assert_int_equal(take(*state, 1), 0);
}

static void a_flood_of_clients_evicts_no_upstream_ticket(void **state)
{
	put(*state, 1, 10, 1500);
	for (uint32_t i = 1; i < 20000; i++)
		put_until(*state, TLS_SESSION_SERVER_SIDE, i, i, 843, NEVER);
	assert_int_equal(take(*state, 1), 10);
	assert_true(tls_session_store_counts(*state, TLS_SESSION_SERVER_SIDE).evicted > 10000);
	assert_int_equal(tls_session_store_counts(*state, TLS_SESSION_CLIENT_SIDE).evicted, 0);
}

static void no_identity_holds_more_than_a_64th_of_the_client_side(void **state)
{
	static const size_t sizes[] = {256 << 10, 1 << 20, 4 << 20, 16 << 20};
	static const size_t lengths[] = {500, 1400, 2300, 5000, 8192, TLS_SESSION_BYTES_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct tls_session_store *store = tls_session_store_create(sizes[i], "3.7.9");
		assert_non_null(store);
		for (size_t j = 0; j < sizeof(lengths) / sizeof(lengths[0]); j++) {
			uint32_t put_last = 0, taken, held = 0;
			for (uint32_t number = 1; number <= 10; number++)
				if (put(store, j, number, lengths[j]))
					put_last = number;
			while ((taken = take(store, j)) != 0 && ++held < 11 && taken != put_last)
				;
			assert_true(held <= TLS_SESSIONS_PER_IDENTITY);
			assert_true(held * lengths[j] <= sizes[i] / 4 * 3 / 64);
			assert_int_equal(held > 0, lengths[j] <= sizes[i] / 4 * 3 / 64 * 85 / 100);
		}
		tls_session_store_destroy(store);
	}
}

static void all_sessions_of_a_full_store_are_about_its_capacity(void **state)
{
	size_t capacity = tls_session_store_capacity(SIZE);
	uint32_t there = 0;

	for (uint32_t i = 1; i <= capacity * 3; i++)
		assert_true(put(*state, i, i, 2048));
	for (uint32_t i = 1; i <= capacity * 3; i++)
		there += take(*state, i) == i;
	assert_in_range(there, capacity * 99 / 100, capacity);
	assert_in_range(capacity * 2048, SIZE / 100 * 65, SIZE / 4 * 3);
}

static void operations_are_counted(void **state)
{
	struct tls_session_key key = key_of(1);
	uint8_t buffer[TLS_SESSION_BYTES_MAX + 1] = {0};
	struct tls_session_info info = {.expires_at = NEVER};

	put(*state, 1, 1, 900);
	take(*state, 1);
	take(*state, 1);
	take(*state, 2);
	tls_session_store_put(*state, TLS_SESSION_CLIENT_SIDE, &key, &info,
	        (struct slice){(const char *)buffer, sizeof(buffer)});
	struct tls_session_counts counts = tls_session_store_counts(
	        *state, TLS_SESSION_CLIENT_SIDE);
	assert_int_equal(counts.stored, 1);
	assert_int_equal(counts.hits, 2);
	assert_int_equal(counts.misses, 1);
	assert_int_equal(counts.too_big, 1);
	assert_int_equal(counts.busy, 0);
}

static void lock_all(struct tls_session_store *store, int32_t pid)
{
	size_t size;
	uint8_t *memory = tls_session_store_memory(store, &size);
	size_t sets = size / (35648 + GUARD_BYTES);

	for (size_t i = 0; i < sets; i++)
		memcpy(memory + GUARDS_AT + i * GUARD_BYTES, &pid, sizeof(pid));
}

static void a_taken_set_is_a_miss_until_its_holder_is_reaped(void **state)
{
	struct tls_session_key key = key_of(1);
	pid_t living = getppid();

	put(*state, 1, 1, 900);
	lock_all(*state, living);
	assert_int_equal(take(*state, 1), 0);
	assert_false(put(*state, 1, 2, 900));
	assert_false(tls_session_store_drop(*state, TLS_SESSION_CLIENT_SIDE, &key));
	assert_int_equal(tls_session_store_counts(*state, TLS_SESSION_CLIENT_SIDE).busy, 3);
	tls_session_store_release_locks_of(*state, getpid());
	assert_int_equal(take(*state, 1), 0);
	tls_session_store_release_locks_of(*state, living);
	assert_int_equal(take(*state, 1), 1);
}

static void another_process_finds_what_one_put(void **state)
{
	put(*state, 1, 1, 1500);
	pid_t child = fork();
	if (child == 0) {
		tls_session_store_attach(*state);
		_exit(take(*state, 1) == 1 && put(*state, 1, 2, 1500) ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(take(*state, 1), 1);
	assert_int_equal(take(*state, 1), 2);
}

/* Puts, takes and drops for ever; stops where something comes out that was not put. */
static void hammer(struct tls_session_store *store, unsigned seed)
{
	tls_session_store_attach(store);
	for (;;) {
		uint64_t key_number = (uint64_t)rand_r(&seed) % 4;
		enum tls_session_side side = rand_r(&seed) % 4 ? TLS_SESSION_CLIENT_SIDE
		                                               : TLS_SESSION_SERVER_SIDE;
		if (rand_r(&seed) % 50 == 0) {
			struct tls_session_key key = key_of(key_number);
			tls_session_store_drop(store, side, &key);
		} else if (rand_r(&seed) % 2) {
			put_until(store, side, key_number, 1 + (uint32_t)rand_r(&seed),
			        4 + (size_t)rand_r(&seed) % 5000, NEVER);
		} else if (take_from(store, side, key_number) == UINT32_MAX) {
			_exit(1);
		}
	}
}

enum { PROCESSES = 4, KILLS = 300 };

static void a_store_outlives_deaths_inside_of_it(void **state)
{
	pid_t children[PROCESSES] = {0};
	int status;

	for (unsigned kill_number = 0; kill_number < KILLS + PROCESSES; kill_number++) {
		pid_t *child = &children[kill_number % PROCESSES];
		if (*child) {
			kill(*child, SIGKILL);
			assert_int_equal(waitpid(*child, &status, 0), *child);
			assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
			tls_session_store_release_locks_of(*state, *child);
		}
		*child = 0;
		if (kill_number < KILLS && (*child = fork()) == 0)
			hammer(*state, kill_number);
		usleep(2000 + kill_number % 7 * 300);
	}
	struct tls_session_counts counts = tls_session_store_counts(
	        *state, TLS_SESSION_CLIENT_SIDE);
	assert_true(counts.hits > 0);
	for (uint64_t key_number = 0; key_number < 1000; key_number++) {
		struct tls_session_key key = key_of(key_number);
		assert_true(tls_session_store_drop(*state, TLS_SESSION_CLIENT_SIDE, &key));
		assert_true(put(*state, key_number, 7, 1500));
		assert_int_equal(take(*state, key_number), 7);
	}
}

static void the_living_move_into_another_store_in_order(void **state)
{
	static const size_t sizes[] = {2 << 20, 64 << 20};

	for (uint32_t key_number = 0; key_number < 100; key_number++) {
		for (uint32_t i = 1; i <= 3; i++)
			put(*state, key_number, key_number * 10 + i, 700);
		put_until(*state, TLS_SESSION_CLIENT_SIDE, key_number, 5, 700, NOW);
		put_until(*state, TLS_SESSION_SERVER_SIDE, key_number, 6, 700, NEVER);
	}
	lock_all(*state, 0);
	for (size_t i = 0; i < 2; i++) {
		struct tls_session_store *to = tls_session_store_create(sizes[i], "3.7.9");
		assert_non_null(to);
		assert_int_equal(tls_session_store_copy(to, *state, NOW), 400);
		for (uint32_t key_number = 0; key_number < 100; key_number++) {
			for (uint32_t j = 1; j <= 3; j++)
				assert_int_equal(take(to, key_number), key_number * 10 + j);
			assert_int_equal(take(to, key_number), key_number * 10 + 3);
			assert_int_equal(take_from(to, TLS_SESSION_SERVER_SIDE, key_number), 6);
		}
		tls_session_store_destroy(to);
	}
}

static void sessions_of_another_library_stay_behind(void **state)
{
	put(*state, 1, 1, 700);
	struct tls_session_store *to = tls_session_store_create(SIZE, "3.7.10");
	assert_non_null(to);
	assert_int_equal(tls_session_store_copy(to, *state, NOW), 0);
	assert_int_equal(take(to, 1), 0);
	tls_session_store_destroy(to);
}

/* Flags of the mapping, from the kernel. */
static bool mapping_has_flag(const char *name, const char *flag)
{
	char line[512];
	bool inside = false, found = false;

	FILE *file = fopen("/proc/self/smaps", "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (!isupper((unsigned char)line[0])) /* a mapping's first line: its addresses */
			inside = strstr(line, name) != NULL;
		if (inside && strncmp(line, "VmFlags:", 8) == 0)
			found = found || strstr(line, flag) != NULL;
	}
	fclose(file);
	return found;
}

static void a_core_dump_does_not_hold_it(void **state)
{
	(void)state;
	assert_true(mapping_has_flag("sealane-sessions", " dd"));
}

static void watching_a_big_store_brings_no_memory_into_being(void **state)
{
	struct tls_session_store *store = tls_session_store_create((size_t)1 << 30, "3.7.9");
	size_t size;

	(void)state;
	assert_non_null(store);
	put(store, 1, 1, 700);
	tls_session_store_release_locks_of(store, getpid());
	tls_session_store_counts(store, TLS_SESSION_CLIENT_SIDE);
	unsigned char *resident = calloc(1 << 18, 1);
	uint8_t *memory = tls_session_store_memory(store, &size);
	assert_non_null(resident);
	assert_int_equal(mincore(memory, size, resident), 0);
	size_t pages = 0;
	for (size_t i = 0; i < size / 4096; i++)
		pages += resident[i] & 1;
	assert_true(pages < 1000);
	free(resident);
	tls_session_store_destroy(store);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, create, destroy)
	const struct CMUnitTest tests[] = {
	        TEST(the_sides_know_nothing_of_each_other),
	        TEST(a_flood_of_clients_evicts_no_upstream_ticket),
	        cmocka_unit_test(no_identity_holds_more_than_a_64th_of_the_client_side),
	        TEST(all_sessions_of_a_full_store_are_about_its_capacity),
	        TEST(operations_are_counted),
	        TEST(a_taken_set_is_a_miss_until_its_holder_is_reaped),
	        TEST(another_process_finds_what_one_put),
	        TEST(a_store_outlives_deaths_inside_of_it),
	        TEST(the_living_move_into_another_store_in_order),
	        TEST(sessions_of_another_library_stay_behind),
	        TEST(a_core_dump_does_not_hold_it),
	        cmocka_unit_test(watching_a_big_store_brings_no_memory_into_being),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
