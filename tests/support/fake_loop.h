/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake_loop.h - the loop of worker/io/event_loop.h with a clock moved by hand and events fired by
 * hand.
 *
 * Whoever includes this is linked with it in place of the real loop (see the Makefile). No
 * descriptor is looked at: the test says what is readable. As in the real loop an event reaches
 * only who watches for it, and deferred tasks run at the end of a turn.
 */
#ifndef TESTS_SUPPORT_FAKE_LOOP_H
#define TESTS_SUPPORT_FAKE_LOOP_H

#include "worker/io/event_loop.h"

/* One turn with these events, as far as they are watched for; false, and no call, when none is. */
bool fake_loop_fire(struct event_watch *watch, unsigned events);
/* The same without the end of the turn: for several events in one. */
bool fake_loop_fire_in_turn(struct event_watch *watch, unsigned events);
/* Runs what was deferred. */
void fake_loop_end_turn(struct event_loop *loop);
/* Moves the clock on; deadlines on the way fire in their order, each in a turn of its own. */
void fake_loop_advance(struct event_loop *loop, uint64_t ms);

/* What is watched or set now: zero of both when everything was taken down. */
size_t fake_loop_watch_count(const struct event_loop *loop);
size_t fake_loop_timer_count(const struct event_loop *loop);
/* Since the creation: changes of watches (each is a system call in the real loop), noted reads. */
size_t fake_loop_watch_changes(const struct event_loop *loop);
size_t fake_loop_noted_reads(const struct event_loop *loop);

#endif
