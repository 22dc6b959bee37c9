/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loop.c - libev behind what the master needs of it.
 *
 * Children are reaped here and not by libev's child watchers, which exist in its default loop only.
 * libev takes delays relative to a cached time; a turn that took long (a configuration was loaded)
 * would make the next deadline come early, so the time is read again before each start.
 */
#include "master/loop.h"

#include "shared/check.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct loop {
	struct ev_loop *ev;
	struct list children;
	struct loop_signal child_ended;
};

uint64_t loop_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void tell_of_child(struct loop *loop, pid_t pid, int status)
{
	LIST_EACH(link, &loop->children)
	{
		struct loop_child *child = LIST_OBJECT(link, struct loop_child, link);
		if (child->pid != pid)
			continue;
		loop_child_stop(child);
		child->fn(child, status);
		return;
	}
}

static void reap(struct loop_signal *signal)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		tell_of_child(signal->loop, pid, status);
}

struct loop *loop_create(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	loop->ev = ev_loop_new(EVFLAG_NOENV | EVFLAG_NOSIGMASK);
	if (!loop->ev) {
		free(loop);
		return NULL;
	}
	list_init(&loop->children);
	loop_signal_start(&loop->child_ended, loop, SIGCHLD, reap, NULL);
	return loop;
}

void loop_destroy(struct loop *loop)
{
	if (!loop)
		return;
	CHECK(list_is_empty(&loop->children));
	loop_signal_stop(&loop->child_ended);
	ev_loop_destroy(loop->ev);
	free(loop);
}

void loop_run(struct loop *loop)
{
	ev_run(loop->ev, 0);
}

void loop_stop(struct loop *loop)
{
	ev_break(loop->ev, EVBREAK_ALL);
}

static void reset_signals(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};

	for (int number = 1; number < NSIG; number++)
		sigaction(number, &action, NULL); /* those that can't be caught say EINVAL */
}

pid_t loop_fork(void)
{
	sigset_t all, before, none;

	sigfillset(&all);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid_t pid = fork();
	if (pid == 0) {
		reset_signals();
		sigprocmask(SIG_SETMASK, &none, NULL);
	} else {
		sigprocmask(SIG_SETMASK, &before, NULL);
	}
	return pid;
}

void loop_leave_signals_to_master(void)
{
	static const int numbers[] = {SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		signal(numbers[i], SIG_IGN);
}

static void on_io(struct ev_loop *ev, struct ev_io *io, int revents)
{
	struct loop_watch *watch = io->data;

	(void)ev;
	(void)revents;
	watch->fn(watch);
}

void loop_watch_start(
        struct loop_watch *watch, struct loop *loop, int fd, int events, loop_watch_fn *fn)
{
	loop_watch_stop(watch);
	watch->loop = loop;
	watch->fn = fn;
	ev_io_init(&watch->io, on_io, fd, events);
	watch->io.data = watch;
	ev_io_start(loop->ev, &watch->io);
}

void loop_watch_stop(struct loop_watch *watch)
{
	if (watch->loop)
		ev_io_stop(watch->loop->ev, &watch->io);
}

static void on_timer(struct ev_loop *ev, struct ev_timer *timer, int revents)
{
	struct loop_timer *owner = timer->data;

	(void)ev;
	(void)revents;
	owner->fn(owner);
}

void loop_timer_start(
        struct loop_timer *timer, struct loop *loop, uint64_t delay_ms, loop_timer_fn *fn)
{
	loop_timer_stop(timer);
	timer->loop = loop;
	timer->fn = fn;
	ev_now_update(loop->ev);
	ev_timer_init(&timer->timer, on_timer, (double)delay_ms / 1000, 0.);
	timer->timer.data = timer;
	ev_timer_start(loop->ev, &timer->timer);
}

void loop_timer_stop(struct loop_timer *timer)
{
	if (timer->loop)
		ev_timer_stop(timer->loop->ev, &timer->timer);
}

static void on_signal(struct ev_loop *ev, struct ev_signal *signal, int revents)
{
	struct loop_signal *owner = signal->data;

	(void)ev;
	(void)revents;
	owner->fn(owner);
}

void loop_signal_start(
        struct loop_signal *signal, struct loop *loop, int number, loop_signal_fn *fn, void *opaque)
{
	signal->opaque = opaque;
	signal->loop = loop;
	signal->fn = fn;
	signal->number = number;
	ev_signal_init(&signal->signal, on_signal, number);
	signal->signal.data = signal;
	ev_signal_start(loop->ev, &signal->signal);
}

void loop_signal_stop(struct loop_signal *signal)
{
	if (signal->loop)
		ev_signal_stop(signal->loop->ev, &signal->signal);
}

void loop_child_start(struct loop_child *child, struct loop *loop, pid_t pid, loop_child_fn *fn)
{
	child->pid = pid;
	child->fn = fn;
	list_append(&loop->children, &child->link);
}

void loop_child_stop(struct loop_child *child)
{
	if (child->pid)
		list_remove(&child->link);
	child->pid = 0;
}
