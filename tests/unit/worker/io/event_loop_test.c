/* SPDX-License-Identifier: BSD-2-Clause */
/* event_loop_test.c - the real loop over real pipes: watches, deadlines, and work left for later.
 */
#include "worker/io/event_loop.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { LOG_MAX = 64, SLACK_MS = 3000 };

/* One of everything, writing down in which order it was called. */
struct fixture {
	struct event_loop *loop;
	int pipe_a[2], pipe_b[2];
	struct event_watch watch_a, watch_b;
	struct event_timer timer, stop_timer;
	struct event_task task, task_2;
	char calls[LOG_MAX]; /* "a", "b": watches; "t": timer; "1", "2": tasks */
	size_t call_count;
	unsigned events_a;
	bool timer_again; /* sets itself anew once */
	void (*on_a)(struct fixture *fixture);
};

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void note(struct fixture *fixture, char call)
{
	assert_true(fixture->call_count < LOG_MAX - 1);
	fixture->calls[fixture->call_count++] = call;
}

static void on_watch_a(struct event_watch *watch, unsigned events)
{
	struct fixture *fixture = LIST_OBJECT(watch, struct fixture, watch_a);

	note(fixture, 'a');
	fixture->events_a = events;
	if (fixture->on_a)
		fixture->on_a(fixture);
	else
		event_watch_set(watch, 0);
}

static void on_watch_b(struct event_watch *watch, unsigned events)
{
	struct fixture *fixture = LIST_OBJECT(watch, struct fixture, watch_b);

	(void)events;
	note(fixture, 'b');
	event_watch_set(watch, 0);
}

static void on_timer(struct event_timer *timer)
{
	struct fixture *fixture = LIST_OBJECT(timer, struct fixture, timer);

	note(fixture, 't');
	if (fixture->timer_again) {
		fixture->timer_again = false;
		event_timer_set(timer, 5);
	}
}

static void on_stop(struct event_timer *timer)
{
	event_loop_stop(timer->loop);
}

static void on_task(struct event_task *task)
{
	note(LIST_OBJECT(task, struct fixture, task), '1');
}

static void on_task_2(struct event_task *task)
{
	note(LIST_OBJECT(task, struct fixture, task_2), '2');
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->loop = event_loop_create();
	assert_non_null(fixture->loop);
	assert_int_equal(pipe2(fixture->pipe_a, O_NONBLOCK), 0);
	assert_int_equal(pipe2(fixture->pipe_b, O_NONBLOCK), 0);
	event_watch_init(&fixture->watch_a, fixture->loop, fixture->pipe_a[0], on_watch_a);
	event_watch_init(&fixture->watch_b, fixture->loop, fixture->pipe_b[0], on_watch_b);
	event_timer_init(&fixture->timer, fixture->loop, on_timer);
	event_timer_init(&fixture->stop_timer, fixture->loop, on_stop);
	event_task_init(&fixture->task, on_task);
	event_task_init(&fixture->task_2, on_task_2);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	event_watch_set(&fixture->watch_a, 0);
	event_watch_set(&fixture->watch_b, 0);
	event_timer_stop(&fixture->timer);
	for (size_t i = 0; i < 2; i++) {
		close(fixture->pipe_a[i]);
		close(fixture->pipe_b[i]);
	}
	event_loop_destroy(fixture->loop);
	free(fixture);
	return 0;
}

static void run_for(struct fixture *fixture, uint64_t ms)
{
	event_timer_set(&fixture->stop_timer, ms);
	event_loop_run(fixture->loop);
}

static void put_byte(const int *ends)
{
	assert_int_equal(write(ends[1], "x", 1), 1);
}

/* ---- watches ---- */

static void a_watch_hears_what_it_watches_for(void **state)
{
	struct fixture *fixture = *state;

	event_watch_set(&fixture->watch_a, EVENT_READ);
	run_for(fixture, 5);
	assert_string_equal(fixture->calls, "");
	put_byte(fixture->pipe_a);
	run_for(fixture, 5);
	assert_string_equal(fixture->calls, "a");
	assert_int_equal(fixture->events_a, EVENT_READ);
	run_for(fixture, 5); /* stopped by itself, though the byte is still there */
	assert_string_equal(fixture->calls, "a");
}

static void a_watch_may_change_its_mind(void **state)
{
	struct fixture *fixture = *state;

	event_watch_init(&fixture->watch_a, fixture->loop, fixture->pipe_a[1], on_watch_a);
	event_watch_set(&fixture->watch_a, EVENT_READ); /* never comes on this end */
	run_for(fixture, 5);
	assert_string_equal(fixture->calls, "");
	event_watch_set(&fixture->watch_a, EVENT_READ | EVENT_WRITE);
	run_for(fixture, 5);
	assert_string_equal(fixture->calls, "a");
	assert_int_equal(fixture->events_a, EVENT_WRITE);
	event_watch_set(&fixture->watch_a, EVENT_WRITE);
	event_watch_set(&fixture->watch_a, 0);
	run_for(fixture, 5);
	assert_string_equal(fixture->calls, "a");
}

static void stop_b(struct fixture *fixture)
{
	event_watch_set(&fixture->watch_a, 0);
	event_watch_set(&fixture->watch_b, 0);
}

static void stop_a(struct event_watch *watch, unsigned events)
{
	struct fixture *fixture = LIST_OBJECT(watch, struct fixture, watch_b);

	(void)events;
	note(fixture, 'b');
	stop_b(fixture);
}

static void who_was_stopped_in_a_turn_hears_nothing_of_it(void **state)
{
	struct fixture *fixture = *state;

	/* Both are readable at once; whoever comes first stops the other. */
	fixture->on_a = stop_b;
	fixture->watch_b.fn = stop_a;
	put_byte(fixture->pipe_a);
	put_byte(fixture->pipe_b);
	event_watch_set(&fixture->watch_a, EVENT_READ);
	event_watch_set(&fixture->watch_b, EVENT_READ);
	run_for(fixture, 5);
	assert_int_equal(fixture->call_count, 1);
}

static void reuse_descriptor(struct fixture *fixture)
{
	int fd = fixture->pipe_a[0];
	int fresh[2];

	/* Closed, and the same number comes back for something else, in one turn. */
	event_watch_set(&fixture->watch_a, 0);
	close(fd);
	assert_int_equal(pipe2(fresh, O_NONBLOCK), 0);
	assert_int_equal(fresh[0], fd);
	close(fixture->pipe_a[1]);
	fixture->pipe_a[1] = fresh[1];
	fixture->on_a = NULL;
	event_watch_init(&fixture->watch_a, fixture->loop, fd, on_watch_a);
	event_watch_set(&fixture->watch_a, EVENT_READ);
}

static void a_descriptor_number_may_be_reused_in_the_same_turn(void **state)
{
	struct fixture *fixture = *state;

	fixture->on_a = reuse_descriptor;
	put_byte(fixture->pipe_a);
	event_watch_set(&fixture->watch_a, EVENT_READ);
	run_for(fixture, 10);
	assert_string_equal(fixture->calls, "a"); /* the new pipe is empty */
	put_byte(fixture->pipe_a);
	run_for(fixture, 10);
	assert_string_equal(fixture->calls, "aa");
}

/* ---- deadlines ---- */

static void a_deadline_fires_once_and_never_early(void **state)
{
	struct fixture *fixture = *state;
	uint64_t set_ms = event_loop_now_ms(fixture->loop);

	event_timer_set(&fixture->timer, 20);
	while (fixture->call_count == 0) {
		run_for(fixture, 1);
		assert_true(fixture->call_count == 0 || clock_ms() - set_ms >= 20);
		assert_true(clock_ms() - set_ms < 20 + SLACK_MS);
	}
	assert_int_equal(fixture->timer.deadline_ms, 0);
	run_for(fixture, 40);
	assert_string_equal(fixture->calls, "t");
}

static void a_deadline_can_be_moved(void **state)
{
	static const struct {
		uint64_t first_ms, then_ms;
	} cases[] = {
	        {10, 40}, /* outwards: the usual case of an idle deadline, which costs a store */
	        {5000, 20}, /* inwards */
	        {15, 15},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t start_ms = event_loop_now_ms(fixture->loop);
		fixture->call_count = 0;
		event_timer_set(&fixture->timer, cases[i].first_ms);
		event_timer_set(&fixture->timer, cases[i].then_ms);
		while (fixture->call_count == 0) {
			run_for(fixture, 1);
			assert_true(event_loop_now_ms(fixture->loop) - start_ms <
			            cases[i].then_ms + SLACK_MS);
		}
		assert_true(event_loop_now_ms(fixture->loop) - start_ms >= cases[i].then_ms);
		run_for(fixture, 20);
		assert_int_equal(fixture->call_count, 1);
	}
}

static void a_deadline_moved_again_and_again_does_not_fire(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < 20; i++) {
		event_timer_set(&fixture->timer, 150);
		run_for(fixture, 10);
	}
	assert_string_equal(fixture->calls, "");
	run_for(fixture, 200);
	assert_string_equal(fixture->calls, "t");
}

static void a_deadline_that_was_stopped_does_not_fire(void **state)
{
	struct fixture *fixture = *state;

	event_timer_stop(&fixture->timer); /* fine when it is not set */
	event_timer_set(&fixture->timer, 5);
	event_timer_stop(&fixture->timer);
	run_for(fixture, 20);
	assert_string_equal(fixture->calls, "");
	event_timer_set(&fixture->timer, 5);
	run_for(fixture, 20);
	assert_string_equal(fixture->calls, "t");
}

static void a_deadline_may_set_itself_anew(void **state)
{
	struct fixture *fixture = *state;

	fixture->timer_again = true;
	event_timer_set(&fixture->timer, 5);
	for (int i = 0; i < 100 && fixture->call_count < 2; i++)
		run_for(fixture, 10);
	assert_string_equal(fixture->calls, "tt");
}

/* ---- tasks ---- */

static void defer_both(struct fixture *fixture)
{
	event_watch_set(&fixture->watch_a, 0);
	event_loop_defer(fixture->loop, &fixture->task_2);
	event_loop_defer(fixture->loop, &fixture->task);
	event_loop_defer(fixture->loop, &fixture->task_2); /* waits already */
}

static void tasks_run_after_the_callbacks_of_a_turn_in_order(void **state)
{
	struct fixture *fixture = *state;

	fixture->on_a = defer_both;
	put_byte(fixture->pipe_a);
	put_byte(fixture->pipe_b);
	event_watch_set(&fixture->watch_a, EVENT_READ);
	event_watch_set(&fixture->watch_b, EVENT_READ);
	run_for(fixture, 5);
	assert_true(strcmp(fixture->calls, "ab21") == 0 || strcmp(fixture->calls, "ba21") == 0);
}

static void tasks_run_before_the_loop_waits_again(void **state)
{
	struct fixture *fixture = *state;

	fixture->on_a = defer_both;
	put_byte(fixture->pipe_a);
	event_watch_set(&fixture->watch_a, EVENT_READ);
	event_timer_set(&fixture->timer, 20);
	run_for(fixture, 60);
	assert_string_equal(fixture->calls, "a21t");
}

static void tasks_can_be_run_at_once(void **state)
{
	struct fixture *fixture = *state;

	event_loop_defer(fixture->loop, &fixture->task);
	event_loop_run_tasks(fixture->loop);
	event_loop_run_tasks(fixture->loop);
	assert_string_equal(fixture->calls, "1");
}

static void on_task_defer_2(struct event_task *task)
{
	struct fixture *fixture = LIST_OBJECT(task, struct fixture, task);

	note(fixture, '1');
	event_loop_defer(fixture->loop, &fixture->task_2);
}

static void a_task_may_leave_another(void **state)
{
	struct fixture *fixture = *state;

	fixture->task.fn = on_task_defer_2;
	event_loop_defer(fixture->loop, &fixture->task);
	run_for(fixture, 1);
	assert_string_equal(fixture->calls, "12");
}

static void a_task_can_be_taken_back(void **state)
{
	struct fixture *fixture = *state;

	event_loop_defer(fixture->loop, &fixture->task);
	list_remove(&fixture->task.link);
	run_for(fixture, 1);
	assert_string_equal(fixture->calls, "");
}

static void tasks_left_at_the_end_run_before_the_loop_is_gone(void **state)
{
	struct fixture *fixture = *state;
	struct event_loop *other = event_loop_create();

	event_loop_defer(other, &fixture->task);
	event_loop_destroy(other);
	assert_string_equal(fixture->calls, "1");
	event_loop_destroy(NULL);
}

/* ---- the clock, and the pause after bulk ---- */

static void now_is_the_monotonic_clock_at_the_start_of_the_turn(void **state)
{
	struct fixture *fixture = *state;
	uint64_t before_ms = clock_ms();

	run_for(fixture, 10);
	assert_true(event_loop_now_ms(fixture->loop) >= before_ms + 10);
	assert_true(event_loop_now_ms(fixture->loop) <= clock_ms());
}

/* How often the process gave the processor away: once in each pause. */
static long pauses_in(struct fixture *fixture, int turns, size_t got, size_t room, bool small_too)
{
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	for (int i = 0; i < turns; i++) {
		event_loop_note_read(fixture->loop, got, room);
		if (small_too)
			event_loop_note_read(fixture->loop, 100, 36864);
		ev_run(event_loop_ev(fixture->loop), EVRUN_NOWAIT);
	}
	getrusage(RUSAGE_SELF, &after);
	return after.ru_nvcsw - before.ru_nvcsw;
}

static void bulk_in_small_pieces_brings_a_pause(void **state)
{
	struct fixture *fixture = *state;

	assert_true(pauses_in(fixture, 100, 16384, 262144, false) >= 100);
	assert_true(pauses_in(fixture, 100, 200000, 262144, false) < 50); /* large pieces */
	assert_true(
	        pauses_in(fixture, 100, 16384, 262144, true) < 50); /* somebody's small request */
	assert_true(pauses_in(fixture, 100, 100, 36864, false) < 50);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(a_watch_hears_what_it_watches_for),
	        CASE(a_watch_may_change_its_mind),
	        CASE(who_was_stopped_in_a_turn_hears_nothing_of_it),
	        CASE(a_descriptor_number_may_be_reused_in_the_same_turn),
	        CASE(a_deadline_fires_once_and_never_early),
	        CASE(a_deadline_can_be_moved),
	        CASE(a_deadline_moved_again_and_again_does_not_fire),
	        CASE(a_deadline_that_was_stopped_does_not_fire),
	        CASE(a_deadline_may_set_itself_anew),
	        CASE(tasks_run_after_the_callbacks_of_a_turn_in_order),
	        CASE(tasks_run_before_the_loop_waits_again),
	        CASE(tasks_can_be_run_at_once),
	        CASE(a_task_may_leave_another),
	        CASE(a_task_can_be_taken_back),
	        CASE(tasks_left_at_the_end_run_before_the_loop_is_gone),
	        CASE(now_is_the_monotonic_clock_at_the_start_of_the_turn),
	        CASE(bulk_in_small_pieces_brings_a_pause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
