/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event_loop.h - the worker's loop: descriptors, deadlines, and work left for later.
 *
 * A thin layer over libev, for three reasons: watchers here are set to a wanted state (never
 * started and stopped from all over), a deadline that moves outwards costs a store and no system
 * call, and tests stand a loop with a clock moved by hand in its place (tests/support/fake_loop).
 */
#ifndef WORKER_IO_EVENT_LOOP_H
#define WORKER_IO_EVENT_LOOP_H

#include "shared/list.h"

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_loop;

struct event_loop *event_loop_create(void); /* NULL: out of memory or descriptors */
void event_loop_destroy(struct event_loop *loop);
/* Until event_loop_stop; the current turn is finished first. */
void event_loop_run(struct event_loop *loop);
void event_loop_stop(struct event_loop *loop);
/* CLOCK_MONOTONIC at the start of this turn. */
uint64_t event_loop_now_ms(const struct event_loop *loop);
/* Counts the turns, and wraps. */
unsigned event_loop_turn(const struct event_loop *loop);
/* For watchers this layer does not know (signals). */
struct ev_loop *event_loop_ev(struct event_loop *loop);

enum { EVENT_READ = 1, EVENT_WRITE = 2 };

struct event_watch;
typedef void event_watch_fn(struct event_watch *watch, unsigned events);

/* Embedded in its owner, which finds itself with offsetof. Must be stopped before the descriptor is
 * closed. */
struct event_watch {
	struct ev_io io;
	struct event_loop *loop;
	event_watch_fn *fn;
	int fd;
	unsigned events; /* watched now */
};
void event_watch_init(
        struct event_watch *watch, struct event_loop *loop, int fd, event_watch_fn *fn);
/* Watches for `events` from now on; 0 stops. Nothing happens when that is so already. */
void event_watch_set(struct event_watch *watch, unsigned events);

struct event_timer;
typedef void event_timer_fn(struct event_timer *timer);
struct event_timer {
	struct ev_timer timer;
	struct event_loop *loop;
	event_timer_fn *fn;
	uint64_t deadline_ms; /* 0: not set */
};
void event_timer_init(struct event_timer *timer, struct event_loop *loop, event_timer_fn *fn);
/* Fires once, `delay_ms` after the start of this turn, in place of an earlier setting. */
void event_timer_set(struct event_timer *timer, uint64_t delay_ms);
void event_timer_stop(struct event_timer *timer);

/* A call made after the callbacks of this turn, before the loop waits again. Each task waits at
 * most once; scheduling it again meanwhile changes nothing. */
struct event_task;
typedef void event_task_fn(struct event_task *task);
struct event_task {
	struct list link;
	event_task_fn *fn;
};
void event_task_init(struct event_task *task, event_task_fn *fn);
void event_loop_defer(struct event_loop *loop, struct event_task *task);
/* Makes these calls now; the loop does so by itself before it waits. */
void event_loop_run_tasks(struct event_loop *loop);

/* Tells of one read of `got` bytes where `room` would have fitted. A turn whose reads were all of
 * bulk data but came in small pieces is followed by a short pause, in which more arrives: fewer,
 * larger reads. */
void event_loop_note_read(struct event_loop *loop, size_t got, size_t room);

#endif
