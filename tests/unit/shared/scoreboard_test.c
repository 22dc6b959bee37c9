/* SPDX-License-Identifier: BSD-2-Clause */
/* scoreboard_test.c - rows come and go, counts stay, and a silent worker is seen to be silent. */
#include "shared/scoreboard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SLOT = 2, GENERATION = 7, NOW = 100000, HANG = 10000 };

static int create(void **state)
{
	*state = scoreboard_create();
	return *state ? 0 : -1;
}

static int destroy(void **state)
{
	scoreboard_destroy(*state);
	return 0;
}

static void a_freed_row_is_taken_again_and_starts_at_zero(void **state)
{
	struct scoreboard *scoreboard = *state;
	size_t first = scoreboard_take_row(scoreboard, 0, 1);
	size_t second = scoreboard_take_row(scoreboard, 1, 1);

	assert_int_not_equal(first, second);
	scoreboard_count(scoreboard_row(scoreboard, first), STAT_ACCEPTED, 5);
	atomic_store(&scoreboard_row(scoreboard, first)->paused, 1);
	scoreboard_free_row(scoreboard, first);
	assert_int_equal(scoreboard_take_row(scoreboard, 3, 2), first);

	struct scoreboard_row *row = scoreboard_row(scoreboard, first);
	assert_int_equal(atomic_load(&row->counters[STAT_ACCEPTED]), 0);
	assert_int_equal(atomic_load(&row->paused), 0);
	assert_int_equal(row->slot, 3);
	assert_int_equal(row->generation, 2);
}

static void there_are_so_many_rows_and_no_more(void **state)
{
	struct scoreboard *scoreboard = *state;

	for (size_t i = 0; i < SCOREBOARD_ROWS; i++)
		assert_int_equal(scoreboard_take_row(scoreboard, 0, i), i);
	assert_int_equal(scoreboard_take_row(scoreboard, 0, 0), SCOREBOARD_ROWS);
	scoreboard_free_row(scoreboard, 17);
	assert_int_equal(scoreboard_take_row(scoreboard, 0, 0), 17);
}

static void sums_are_of_the_living_and_the_dead(void **state)
{
	struct scoreboard *scoreboard = *state;
	size_t dead = scoreboard_take_row(scoreboard, 0, 1);
	size_t living = scoreboard_take_row(scoreboard, 1, 1);

	scoreboard_count(scoreboard_row(scoreboard, dead), STAT_ACCEPTED, 3);
	scoreboard_count_close(scoreboard_row(scoreboard, dead), CLOSE_DONE);
	scoreboard_count(scoreboard_row(scoreboard, living), STAT_ACCEPTED, 4);
	scoreboard_count_close(scoreboard_row(scoreboard, living), CLOSE_DONE);
	scoreboard_count_close(scoreboard_row(scoreboard, living), CLOSE_BIND);
	scoreboard_free_row(scoreboard, dead);

	assert_int_equal(scoreboard_sum(scoreboard, STAT_ACCEPTED), 7);
	assert_int_equal(scoreboard_sum(scoreboard, STAT_ACCEPT_PAUSES), 0);
	assert_int_equal(scoreboard_sum_closed(scoreboard, CLOSE_DONE), 2);
	assert_int_equal(scoreboard_sum_closed(scoreboard, CLOSE_BIND), 1);
}

static void another_process_counts_into_its_row(void **state)
{
	struct scoreboard *scoreboard = *state;
	size_t index = scoreboard_take_row(scoreboard, 0, 1);
	int status;

	pid_t pid = fork();
	if (pid == 0) {
		scoreboard_count(scoreboard_row(scoreboard, index), STAT_ACCEPTED, 9);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	scoreboard_free_row(scoreboard, index);
	assert_int_equal(scoreboard_sum(scoreboard, STAT_ACCEPTED), 9);
}

static void a_slot_serves_unless_it_is_silent_pausing_or_empty(void **state)
{
	static const struct {
		const char *name;
		uint64_t stamp_ms, hang_ms;
		uint32_t paused;
		bool wanted;
	} cases[] = {
	        {"just stamped", NOW, HANG, 0, true},
	        {"a moment before the limit", NOW - HANG + 1, HANG, 0, true},
	        {"at the limit", NOW - HANG, HANG, 0, false},
	        {"a stamp ahead of our clock", NOW + 5, HANG, 0, true},
	        {"no limit", 1, 0, 0, true},
	        {"never stamped", 0, HANG, 0, false},
	        {"never stamped, no limit", 0, 0, 0, false},
	        {"pausing", NOW, HANG, 1, false},
	};
	struct scoreboard *scoreboard = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t index = scoreboard_take_row(scoreboard, SLOT, GENERATION);
		struct scoreboard_row *row = scoreboard_row(scoreboard, index);
		scoreboard_set_pid(scoreboard, index, 1);
		atomic_store(&row->stamp_ms, cases[i].stamp_ms);
		atomic_store(&row->paused, cases[i].paused);
		if (scoreboard_slot_serves(scoreboard, SLOT, GENERATION, NOW, cases[i].hang_ms) !=
		        cases[i].wanted)
			fail_msg("%s", cases[i].name);
		assert_false(scoreboard_slot_serves(scoreboard, SLOT + 1, GENERATION, NOW, HANG));
		assert_false(scoreboard_slot_serves(scoreboard, SLOT, GENERATION + 1, NOW, HANG));
		scoreboard_free_row(scoreboard, index);
		assert_false(scoreboard_slot_serves(scoreboard, SLOT, GENERATION, NOW, HANG));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(
	                a_freed_row_is_taken_again_and_starts_at_zero, create, destroy),
	        cmocka_unit_test_setup_teardown(
	                there_are_so_many_rows_and_no_more, create, destroy),
	        cmocka_unit_test_setup_teardown(
	                sums_are_of_the_living_and_the_dead, create, destroy),
	        cmocka_unit_test_setup_teardown(
	                another_process_counts_into_its_row, create, destroy),
	        cmocka_unit_test_setup_teardown(
	                a_slot_serves_unless_it_is_silent_pausing_or_empty, create, destroy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
