/* SPDX-License-Identifier: BSD-2-Clause */
/* arena_test.c - pieces are zeroed, aligned and apart; sealed ones can't be written. */
#include "shared/arena.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool is_zero(const unsigned char *piece, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (piece[i])
			return false;
	return true;
}

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
	enum { PIECES = 500 };
	struct arena *arena = arena_create(4096);
	unsigned char *pieces[PIECES];
	size_t sizes[PIECES];

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < PIECES; i++) {
			sizes[i] = i * 7919 % 6000;
			pieces[i] = arena_alloc(arena, sizes[i]);
			assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
			assert_true(is_zero(pieces[i], sizes[i]));
			memset(pieces[i], (int)(i % 255 + 1), sizes[i]);
		}
		for (size_t i = 0; i < PIECES; i++)
			for (size_t j = 0; j < sizes[i]; j++)
				assert_int_equal(pieces[i][j], i % 255 + 1);
		arena_rewind(arena);
	}
	arena_destroy(arena);
}

static void texts_are_copied_and_terminated(void **state)
{
	struct arena *arena = arena_create(0);
	char source[] = "backend";

	(void)state;
	char *copy = arena_copy(arena, (struct slice){source, 4});
	source[0] = 'x';
	assert_string_equal(copy, "back");
	assert_string_equal(arena_copy(arena, (struct slice){NULL, 0}), "");
	assert_string_equal(arena_format(arena, "%s:%d", "a", 443), "a:443");
	char *wide = arena_format(arena, "%9000d", 1);
	assert_int_equal(strlen(wide), 9000);
	arena_destroy(arena);
}

static void an_arena_without_pieces_can_be_rewound_sealed_and_destroyed(void **state)
{
	struct arena *arena = arena_create(1);

	(void)state;
	arena_rewind(arena);
	arena_seal(arena);
	arena_destroy(arena);
	arena_destroy(NULL);
}

/* The signal that ended a child doing `what` to the arena. */
static int signal_of(void (*what)(struct arena *, char *), struct arena *arena, char *piece)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		fclose(stderr);
		close(STDERR_FILENO);
		what(arena, piece);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void write_piece(struct arena *arena, char *piece)
{
	(void)arena;
	*(volatile char *)piece = 'x';
}

static void alloc_more(struct arena *arena, char *piece)
{
	(void)piece;
	arena_alloc(arena, 1);
}

static void alloc_too_many(struct arena *arena, char *piece)
{
	(void)piece;
	arena_alloc_array(arena, SIZE_MAX / 4 + 2, 4); /* wraps to 4 */
}

static void a_sealed_arena_can_be_read_only(void **state)
{
	struct arena *arena = arena_create(4096);
	char *first = arena_copy(arena, SLICE("first"));
	char *second = arena_alloc(arena, 100000);

	(void)state;
	assert_int_equal(signal_of(write_piece, arena, first), 0);
	assert_int_equal(signal_of(alloc_too_many, arena, first), SIGABRT);
	arena_seal(arena);
	assert_int_equal(signal_of(write_piece, arena, first), SIGSEGV);
	assert_int_equal(signal_of(write_piece, arena, second + 99999), SIGSEGV);
	assert_int_equal(signal_of(alloc_more, arena, first), SIGABRT);
	assert_string_equal(first, "first");
	arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
	        cmocka_unit_test(texts_are_copied_and_terminated),
	        cmocka_unit_test(an_arena_without_pieces_can_be_rewound_sealed_and_destroyed),
	        cmocka_unit_test(a_sealed_arena_can_be_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
