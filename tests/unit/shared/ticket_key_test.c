/* SPDX-License-Identifier: BSD-2-Clause */
/* ticket_key_test.c - a key is random, the same for all, and read whole while it is replaced. */
#include "shared/ticket_key.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { READS = 3000000 };

static void a_new_key_is_random(void **state)
{
	struct ticket_key *first = ticket_key_create();
	struct ticket_key *second = ticket_key_create();
	uint8_t a[TICKET_KEY_BYTES] = {0}, b[TICKET_KEY_BYTES] = {0}, zero[8] = {0};

	(void)state;
	assert_non_null(first);
	assert_non_null(second);
	ticket_key_read(first, a);
	ticket_key_read(second, b);
	for (size_t i = 0; i < TICKET_KEY_BYTES; i += sizeof(zero)) {
		assert_memory_not_equal(a + i, b + i, sizeof(zero));
		assert_memory_not_equal(a + i, zero, sizeof(zero));
	}
	ticket_key_read(first, b);
	assert_memory_equal(a, b, TICKET_KEY_BYTES);
	ticket_key_destroy(first);
	ticket_key_destroy(second);
}

static void a_published_key_is_read_by_children_of_before(void **state)
{
	struct ticket_key *key = ticket_key_create();
	uint8_t bytes[TICKET_KEY_BYTES], seen[TICKET_KEY_BYTES];
	int go[2], status;
	char byte = 0;

	(void)state;
	assert_non_null(key);
	assert_int_equal(pipe(go), 0);
	pid_t child = fork();
	if (child == 0) {
		if (read(go[0], &byte, 1) != 1)
			_exit(2);
		ticket_key_read(key, seen);
		_exit(seen[0] == 2 && memcmp(seen, seen + 1, TICKET_KEY_BYTES - 1) == 0 ? 0 : 1);
	}
	for (int i = 0; i < 3; i++) {
		memset(bytes, i, sizeof(bytes));
		ticket_key_publish(key, bytes);
		ticket_key_read(key, seen);
		assert_memory_equal(seen, bytes, sizeof(bytes));
	}
	assert_int_equal(write(go[1], &byte, 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(go[0]);
	close(go[1]);
	ticket_key_destroy(key);
}

static void a_key_is_never_read_in_halves(void **state)
{
	struct ticket_key *key = ticket_key_create();
	uint8_t bytes[TICKET_KEY_BYTES];
	unsigned changes = 0;

	(void)state;
	assert_non_null(key);
	memset(bytes, 0, sizeof(bytes));
	ticket_key_publish(key, bytes);
	pid_t child = fork();
	if (child == 0) {
		for (uint8_t i = 0;; i++) {
			memset(bytes, i, sizeof(bytes));
			ticket_key_publish(key, bytes);
		}
	}
	uint8_t last = 0;
	for (int i = 0; i < READS; i++) {
		ticket_key_read(key, bytes);
		assert_memory_equal(bytes, bytes + 1, sizeof(bytes) - 1);
		changes += bytes[0] != last;
		last = bytes[0];
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_true(changes > 0);
	/* Whatever instruction it died at, there is a whole key. */
	ticket_key_read(key, bytes);
	assert_memory_equal(bytes, bytes + 1, sizeof(bytes) - 1);
	ticket_key_destroy(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_new_key_is_random),
	        cmocka_unit_test(a_published_key_is_read_by_children_of_before),
	        cmocka_unit_test(a_key_is_never_read_in_halves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
