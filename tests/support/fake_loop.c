/* SPDX-License-Identifier: BSD-2-Clause */
/* fake_loop.c - lists of what is watched and set, and nothing that waits. */
#include "tests/support/fake_loop.h"

#include "shared/check.h"

#include <stdlib.h>

enum { FAKE_LOOP_MAX = 256 };

struct event_loop {
	uint64_t now_ms;
	struct list tasks;
	struct event_watch *watches[FAKE_LOOP_MAX];
	struct event_timer *timers[FAKE_LOOP_MAX];
	unsigned turns;
	size_t watch_count, timer_count, watch_changes, noted_reads;
};

/* ---- what the library calls ---- */

struct event_loop *event_loop_create(void)
{
	struct event_loop *loop = calloc(1, sizeof(*loop));

	CHECK(loop);
	loop->now_ms = 1000000; /* so that nothing counts from zero */
	list_init(&loop->tasks);
	return loop;
}

void event_loop_destroy(struct event_loop *loop)
{
	if (!loop)
		return;
	event_loop_run_tasks(loop);
	CHECK(loop->watch_count == 0);
	CHECK(loop->timer_count == 0);
	free(loop);
}

void event_loop_run(struct event_loop *loop)
{
	CHECK(!loop); /* it is turned by hand */
}

void event_loop_stop(struct event_loop *loop)
{
	CHECK(!loop);
}

uint64_t event_loop_now_ms(const struct event_loop *loop)
{
	return loop->now_ms;
}

unsigned event_loop_turn(const struct event_loop *loop)
{
	return loop->turns;
}

struct ev_loop *event_loop_ev(struct event_loop *loop)
{
	(void)loop;
	return NULL;
}

void event_watch_init(
        struct event_watch *watch, struct event_loop *loop, int fd, event_watch_fn *fn)
{
	watch->loop = loop;
	watch->fn = fn;
	watch->fd = fd;
	watch->events = 0;
}

void event_watch_set(struct event_watch *watch, unsigned events)
{
	struct event_loop *loop = watch->loop;
	size_t i = 0;

	if (watch->events == events)
		return;
	loop->watch_changes++;
	if (watch->events == 0) {
		CHECK(loop->watch_count < FAKE_LOOP_MAX);
		loop->watches[loop->watch_count++] = watch;
	}
	watch->events = events;
	if (events)
		return;
	while (loop->watches[i] != watch)
		i++;
	loop->watches[i] = loop->watches[--loop->watch_count];
}

static void forget_timer(struct event_timer *timer)
{
	struct event_loop *loop = timer->loop;

	for (size_t i = 0; i < loop->timer_count; i++) {
		if (loop->timers[i] == timer)
			loop->timers[i] = loop->timers[--loop->timer_count];
	}
	timer->deadline_ms = 0;
}

void event_timer_init(struct event_timer *timer, struct event_loop *loop, event_timer_fn *fn)
{
	timer->loop = loop;
	timer->fn = fn;
	timer->deadline_ms = 0;
}

void event_timer_set(struct event_timer *timer, uint64_t delay_ms)
{
	struct event_loop *loop = timer->loop;

	forget_timer(timer);
	CHECK(loop->timer_count < FAKE_LOOP_MAX);
	loop->timers[loop->timer_count++] = timer;
	timer->deadline_ms = loop->now_ms + delay_ms;
}

void event_timer_stop(struct event_timer *timer)
{
	forget_timer(timer);
}

void event_task_init(struct event_task *task, event_task_fn *fn)
{
	list_init(&task->link);
	task->fn = fn;
}

void event_loop_defer(struct event_loop *loop, struct event_task *task)
{
	if (list_is_empty(&task->link))
		list_append(&loop->tasks, &task->link);
}

void event_loop_run_tasks(struct event_loop *loop)
{
	while (!list_is_empty(&loop->tasks)) {
		struct event_task *task = LIST_OBJECT(loop->tasks.next, struct event_task, link);
		list_remove(&task->link);
		task->fn(task);
	}
}

void event_loop_note_read(struct event_loop *loop, size_t got, size_t room)
{
	CHECK(got <= room);
	loop->noted_reads++;
}

/* ---- what the test calls ---- */

bool fake_loop_fire_in_turn(struct event_watch *watch, unsigned events)
{
	events &= watch->events;
	if (events)
		watch->fn(watch, events);
	return events != 0;
}

bool fake_loop_fire(struct event_watch *watch, unsigned events)
{
	struct event_loop *loop = watch->loop; /* the watch may be gone afterwards */
	bool fired = fake_loop_fire_in_turn(watch, events);

	fake_loop_end_turn(loop);
	return fired;
}

void fake_loop_end_turn(struct event_loop *loop)
{
	loop->turns++;
	event_loop_run_tasks(loop);
}

static struct event_timer *first_due(const struct event_loop *loop, uint64_t until_ms)
{
	struct event_timer *first = NULL;

	for (size_t i = 0; i < loop->timer_count; i++) {
		struct event_timer *timer = loop->timers[i];
		if (timer->deadline_ms > until_ms)
			continue;
		if (!first || timer->deadline_ms < first->deadline_ms)
			first = timer;
	}
	return first;
}

void fake_loop_advance(struct event_loop *loop, uint64_t ms)
{
	uint64_t until_ms = loop->now_ms + ms;
	struct event_timer *timer;

	while ((timer = first_due(loop, until_ms))) {
		loop->now_ms = timer->deadline_ms;
		forget_timer(timer);
		timer->fn(timer);
		fake_loop_end_turn(loop);
	}
	loop->now_ms = until_ms;
}

size_t fake_loop_watch_count(const struct event_loop *loop)
{
	return loop->watch_count;
}

size_t fake_loop_timer_count(const struct event_loop *loop)
{
	return loop->timer_count;
}

size_t fake_loop_watch_changes(const struct event_loop *loop)
{
	return loop->watch_changes;
}

size_t fake_loop_noted_reads(const struct event_loop *loop)
{
	return loop->noted_reads;
}
