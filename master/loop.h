/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loop.h - the master's loop: descriptors, deadlines, signals, and children that end.
 *
 * Everything is embedded in its owner, which finds itself with LIST_OBJECT, and must be stopped
 * before its memory goes. Stopping what is not started is harmless where the memory was zero.
 */
#ifndef MASTER_LOOP_H
#define MASTER_LOOP_H

#include "shared/list.h"

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct loop;

struct loop *loop_create(void); /* NULL: out of memory or descriptors */
void loop_destroy(struct loop *loop);
/* Until loop_stop; the current turn is finished first. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* CLOCK_MONOTONIC at this moment. */
uint64_t loop_clock_ms(void);

/* fork(2) with no signal of ours delivered in between. The child (0) has default handlers for all
 * signals and none blocked. */
pid_t loop_fork(void);
/* In a child that lives on: signals that a terminal or a service manager sends to the whole group
 * mean the master. */
void loop_leave_signals_to_master(void);

enum { LOOP_READ = EV_READ, LOOP_WRITE = EV_WRITE };

struct loop_watch;
typedef void loop_watch_fn(struct loop_watch *watch);
struct loop_watch {
	struct ev_io io;
	struct loop *loop;
	loop_watch_fn *fn;
};
void loop_watch_start(
        struct loop_watch *watch, struct loop *loop, int fd, int events, loop_watch_fn *fn);
void loop_watch_stop(struct loop_watch *watch); /* before the descriptor is closed */

struct loop_timer;
typedef void loop_timer_fn(struct loop_timer *timer);
struct loop_timer {
	struct ev_timer timer;
	struct loop *loop;
	loop_timer_fn *fn;
};
/* Fires once, in place of an earlier setting. */
void loop_timer_start(
        struct loop_timer *timer, struct loop *loop, uint64_t delay_ms, loop_timer_fn *fn);
void loop_timer_stop(struct loop_timer *timer);

struct loop_signal;
typedef void loop_signal_fn(struct loop_signal *signal);
struct loop_signal {
	struct ev_signal signal;
	struct loop *loop;
	loop_signal_fn *fn;
	void *opaque; /* the owner's */
	int number;
};
void loop_signal_start(struct loop_signal *signal, struct loop *loop, int number,
        loop_signal_fn *fn, void *opaque);
void loop_signal_stop(struct loop_signal *signal);

/* Ends by itself when the child has been reaped, before `fn` is called. */
struct loop_child;
typedef void loop_child_fn(struct loop_child *child, int status);
struct loop_child {
	struct list link;
	loop_child_fn *fn;
	pid_t pid; /* 0: reaped or never started */
};
void loop_child_start(struct loop_child *child, struct loop *loop, pid_t pid, loop_child_fn *fn);
/* Its end is reaped all the same, and nobody told. */
void loop_child_stop(struct loop_child *child);

#endif
