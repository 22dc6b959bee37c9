/* SPDX-License-Identifier: BSD-2-Clause */
/* hang_watch_test.c - told, aborted, killed, each in its time and once. */
#include "master/hang_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { HANG = 10000, STAMP = 1000000 };

/* Looks once a second from the stamp on; the second in which each action is first asked for. */
struct course {
	unsigned told, aborted, killed, actions;
};

static struct course watch_silence(unsigned seconds, uint64_t hang_ms)
{
	struct hang_watch watch = {HANG_NONE, 0};
	struct course course = {0, 0, 0, 0};

	for (unsigned second = 1; second <= seconds; second++) {
		uint64_t now_ms = STAMP + second * 1000ULL;
		enum hang_action action = hang_watch_step(&watch, STAMP, now_ms, hang_ms);
		course.actions += action != HANG_DO_NOTHING;
		if (action == HANG_TELL)
			course.told = second;
		if (action == HANG_ABORT)
			course.aborted = second;
		if (action == HANG_KILL)
			course.killed = second;
	}
	return course;
}

static void silence_is_told_then_aborted_then_killed(void **state)
{
	struct course course = watch_silence(60, HANG);

	(void)state;
	assert_int_equal(course.told, 10);
	assert_int_equal(course.aborted, 20);
	assert_int_equal(course.killed, 25);
	assert_int_equal(course.actions, 3);
}

static void without_a_limit_nothing_hangs(void **state)
{
	(void)state;
	assert_int_equal(watch_silence(1000, 0).actions, 0);
}

static void one_that_has_not_started_is_not_watched(void **state)
{
	struct hang_watch watch = {HANG_NONE, 0};

	(void)state;
	assert_int_equal(hang_watch_step(&watch, 0, STAMP, HANG), HANG_DO_NOTHING);
}

static void one_that_goes_on_is_told_of_and_starts_afresh(void **state)
{
	struct hang_watch watch = {HANG_NONE, 0};
	uint64_t now_ms = STAMP + HANG;

	(void)state;
	assert_int_equal(hang_watch_step(&watch, STAMP, now_ms, HANG), HANG_TELL);
	assert_int_equal(
	        hang_watch_step(&watch, now_ms, now_ms + 1000, HANG), HANG_TELL_OF_RECOVERY);
	assert_int_equal(hang_watch_step(&watch, now_ms, now_ms + 2000, HANG), HANG_DO_NOTHING);
	assert_int_equal(hang_watch_step(&watch, now_ms, now_ms + HANG, HANG), HANG_TELL);
}

/* Master and workers were stopped together for an hour: stamps are old, nobody hangs. */
static void a_master_that_slept_itself_aborts_nobody_at_once(void **state)
{
	struct hang_watch watch = {HANG_NONE, 0};
	uint64_t now_ms = STAMP + 3600 * 1000;

	(void)state;
	assert_int_equal(hang_watch_step(&watch, STAMP, now_ms, HANG), HANG_TELL);
	assert_int_equal(hang_watch_step(&watch, STAMP, now_ms + 1000, HANG), HANG_DO_NOTHING);
	assert_int_equal(
	        hang_watch_step(&watch, now_ms + 1500, now_ms + 2000, HANG), HANG_TELL_OF_RECOVERY);
}

static void a_stamp_ahead_of_the_clock_is_fresh(void **state)
{
	struct hang_watch watch = {HANG_NONE, 0};

	(void)state;
	assert_int_equal(hang_watch_step(&watch, STAMP + 50, STAMP, HANG), HANG_DO_NOTHING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(silence_is_told_then_aborted_then_killed),
	        cmocka_unit_test(without_a_limit_nothing_hangs),
	        cmocka_unit_test(one_that_has_not_started_is_not_watched),
	        cmocka_unit_test(one_that_goes_on_is_told_of_and_starts_afresh),
	        cmocka_unit_test(a_master_that_slept_itself_aborts_nobody_at_once),
	        cmocka_unit_test(a_stamp_ahead_of_the_clock_is_fresh),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
