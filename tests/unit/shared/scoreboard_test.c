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

static struct scoreboard_totals read_totals(const struct scoreboard *scoreboard)
{
	struct scoreboard_totals totals;

	scoreboard_read_totals(scoreboard, &totals);
	return totals;
}

static void a_freed_row_is_taken_again_and_starts_at_zero(void **state)
{
	struct scoreboard *scoreboard = *state;
	size_t first = scoreboard_take_row(scoreboard, 0, 1);
	size_t second = scoreboard_take_row(scoreboard, 1, 1);

	assert_int_not_equal(first, second);
	scoreboard_count(scoreboard_row(scoreboard, first), STAT_ACCEPTED, 5);
	struct scoreboard_row *row = scoreboard_row(scoreboard, first);
	atomic_store(&row->paused, 1);
	atomic_store(&row->stamp_ms, 1000);
	atomic_store(&row->state, (uint32_t)WORKER_DRAINING);
	atomic_store(&row->sessions, 7);
	scoreboard_free_row(scoreboard, first);
	assert_int_equal(scoreboard_take_row(scoreboard, 3, 2), first);

	assert_int_equal(atomic_load(&row->counters[STAT_ACCEPTED]), 0);
	assert_int_equal(atomic_load(&row->paused), 0);
	assert_int_equal(atomic_load(&row->stamp_ms), 0);
	assert_int_equal(atomic_load(&row->state), WORKER_STARTING);
	assert_int_equal(atomic_load(&row->sessions), 0);
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
	scoreboard_count_failed_attempt(scoreboard_row(scoreboard, dead), CLOSE_BIND);
	scoreboard_count_failed_attempt(scoreboard_row(scoreboard, living), CLOSE_BIND);
	scoreboard_observe(scoreboard_row(scoreboard, dead), HISTOGRAM_REQUEST_SECONDS, 1000);
	scoreboard_observe(scoreboard_row(scoreboard, living), HISTOGRAM_REQUEST_SECONDS, 501);
	atomic_store(&scoreboard_row(scoreboard, dead)->sessions, 7);
	atomic_store(&scoreboard_row(scoreboard, living)->sessions, 2);
	scoreboard_count_master(scoreboard, MASTER_STAT_RELOADS_DONE);
	scoreboard_free_row(scoreboard, dead);

	struct scoreboard_totals totals = read_totals(scoreboard);
	assert_int_equal(totals.counters[STAT_ACCEPTED], 7);
	assert_int_equal(totals.counters[STAT_ACCEPT_PAUSES], 0);
	assert_int_equal(totals.closed[CLOSE_DONE], 2);
	assert_int_equal(totals.closed[CLOSE_BIND], 1);
	assert_int_equal(totals.failed[CLOSE_BIND], 2);
	assert_int_equal(totals.failed[CLOSE_DONE], 0);
	assert_int_equal(totals.buckets[HISTOGRAM_REQUEST_SECONDS][1], 2);
	assert_int_equal(totals.observed_us[HISTOGRAM_REQUEST_SECONDS], 1501);
	assert_int_equal(totals.observed_us[HISTOGRAM_UPSTREAM_HANDSHAKE_SECONDS], 0);
	assert_int_equal(totals.sessions, 2);
	assert_int_equal(totals.master[MASTER_STAT_RELOADS_DONE], 1);
	assert_int_equal(totals.master[MASTER_STAT_RELOADS_REFUSED], 0);
}

static void what_took_so_long_falls_into_its_bucket(void **state)
{
	static const struct {
		uint64_t microseconds;
		size_t bucket;
	} cases[] = {
	        {0, 0},
	        {500, 0}, /* a bound belongs to its bucket: le="0.0005" */
	        {501, 1},
	        {60 * 1000 * 1000, HISTOGRAM_BOUND_COUNT - 1},
	        {60 * 1000 * 1000 + 1, HISTOGRAM_BOUND_COUNT},
	        {UINT64_C(1) << 50, HISTOGRAM_BOUND_COUNT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scoreboard_row row = {0};
		scoreboard_observe(&row, HISTOGRAM_REQUEST_SECONDS, cases[i].microseconds);
		for (size_t bucket = 0; bucket < HISTOGRAM_BUCKET_COUNT; bucket++)
			assert_int_equal(row.buckets[HISTOGRAM_REQUEST_SECONDS][bucket],
			        bucket == cases[i].bucket);
		assert_int_equal(row.observed_us[HISTOGRAM_REQUEST_SECONDS], cases[i].microseconds);
	}
}

static void statuses_have_their_class(void **state)
{
	static const struct {
		unsigned status;
		enum stat_counter wanted;
	} cases[] = {
	        {101, STAT_HTTP_1XX},
	        {200, STAT_HTTP_2XX},
	        {299, STAT_HTTP_2XX},
	        {304, STAT_HTTP_3XX},
	        {400, STAT_HTTP_4XX},
	        {499, STAT_HTTP_4XX},
	        {500, STAT_HTTP_5XX},
	        {504, STAT_HTTP_5XX},
	        {999, STAT_HTTP_5XX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(stat_of_http_status(cases[i].status), cases[i].wanted);
}

static void workers_are_read_with_who_they_are_and_how_they_do(void **state)
{
	struct scoreboard *scoreboard = *state;
	static struct scoreboard_worker workers[SCOREBOARD_ROWS];
	size_t gone = scoreboard_take_row(scoreboard, 0, 1);
	size_t living = scoreboard_take_row(scoreboard, 3, 2);
	scoreboard_take_row(scoreboard, 4, 2); /* no pid yet */
	struct scoreboard_row *row = scoreboard_row(scoreboard, living);

	scoreboard_set_pid(scoreboard, gone, 70);
	scoreboard_set_pid(scoreboard, living, 71);
	atomic_store(&row->state, (uint32_t)WORKER_DRAINING);
	atomic_store(&row->stamp_ms, NOW);
	atomic_store(&row->sessions, 5);
	atomic_store(&row->paused, 1);
	scoreboard_free_row(scoreboard, gone);

	assert_int_equal(scoreboard_read_workers(scoreboard, workers), 1);
	assert_int_equal(workers[0].pid, 71);
	assert_int_equal(workers[0].slot, 3);
	assert_int_equal(workers[0].generation, 2);
	assert_int_equal(workers[0].state, WORKER_DRAINING);
	assert_int_equal(workers[0].stamp_ms, NOW);
	assert_int_equal(workers[0].sessions, 5);
	assert_true(workers[0].paused);
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
	assert_int_equal(read_totals(scoreboard).counters[STAT_ACCEPTED], 9);
}

/* Workers come, count and go without pause; whoever adds up meanwhile never sees less than before,
 * and never more than there was. */
static void sums_never_go_back_while_workers_die(void **state)
{
	struct scoreboard *scoreboard = *state;
	enum { ROUNDS = 100000, EACH = 1000 };
	uint64_t last = 0;
	int status;

	pid_t pid = fork();
	if (pid == 0) {
		for (int i = 0; i < ROUNDS; i++) {
			size_t index = scoreboard_take_row(scoreboard, 0, 1);
			scoreboard_count(scoreboard_row(scoreboard, index), STAT_ACCEPTED, EACH);
			scoreboard_free_row(scoreboard, index);
		}
		_exit(0);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		uint64_t now = read_totals(scoreboard).counters[STAT_ACCEPTED];
		assert_true(now >= last);
		assert_int_equal(now % EACH, 0);
		last = now;
	}
	assert_int_equal(status, 0);
	assert_int_equal(read_totals(scoreboard).counters[STAT_ACCEPTED], (uint64_t)ROUNDS * EACH);
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
	        cmocka_unit_test(what_took_so_long_falls_into_its_bucket),
	        cmocka_unit_test(statuses_have_their_class),
	        cmocka_unit_test_setup_teardown(
	                workers_are_read_with_who_they_are_and_how_they_do, create, destroy),
	        cmocka_unit_test_setup_teardown(
	                another_process_counts_into_its_row, create, destroy),
	        cmocka_unit_test_setup_teardown(
	                sums_never_go_back_while_workers_die, create, destroy),
	        cmocka_unit_test_setup_teardown(
	                a_slot_serves_unless_it_is_silent_pausing_or_empty, create, destroy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
