/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load.c - the client side of the benchmark: keeps a proxy busy and measures a window of that.
 *
 * It reads the CPU clocks of the proxy's processes itself, at the two edges of the window, so that
 * work and CPU time are of the same moments; a driver that slept would be milliseconds off. Prints
 * one line of counters:
 *
 *   exchanges= bytes= handshakes= resumed= errors= wall_ns= cpu_ns=
 *
 * In an idle run it prints the line when all connections stand, holds them, and ends with its
 * stdin.
 */
#include "tests/bench/load_client.h"
#include "tests/bench/socket.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_MAX 256
#define WAIT_MS 50
/* How long connections may take to end when the window has closed. */
#define DRAIN_S 1.0
/* A proxy that refuses everything is not hammered for the whole run. */
#define ERRORS_MAX 1000

/* The counters at one edge of the window. */
struct sample {
	uint64_t wall_ns;
	uint64_t cpu_ns;
	struct load_clients clients;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now))
		fail("a process of the proxy has gone");
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static uint64_t seconds_ns(double seconds)
{
	return (uint64_t)(seconds * 1e9);
}

static struct sample sample_take(const struct load_clients *clients)
{
	const struct load_plan *plan = clients->plan;
	struct sample sample = {.wall_ns = clock_ns(CLOCK_MONOTONIC), .clients = *clients};

	for (unsigned i = 0; i < plan->proxy_clock_count; i++)
		sample.cpu_ns += clock_ns(plan->proxy_clocks[i]);
	return sample;
}

static void report(const struct sample *start, const struct sample *end)
{
	const struct load_clients *before = &start->clients;
	const struct load_clients *after = &end->clients;

	printf("exchanges=%" PRIu64 " bytes=%" PRIu64 " handshakes=%" PRIu64 " resumed=%" PRIu64
	       " errors=%" PRIu64 " wall_ns=%" PRIu64 " cpu_ns=%" PRIu64 "\n",
	        after->exchanges - before->exchanges, after->bytes - before->bytes,
	        after->handshakes - before->handshakes, after->resumed - before->resumed,
	        after->errors, end->wall_ns - start->wall_ns, end->cpu_ns - start->cpu_ns);
	fflush(stdout);
}

static void say_open(void)
{
	puts("open");
	fflush(stdout);
}

static void turn(struct load_clients *clients)
{
	struct epoll_event events[EVENTS_MAX];
	int count = epoll_wait(clients->epoll_fd, events, EVENTS_MAX, WAIT_MS);

	for (int i = 0; i < count; i++)
		load_client_continue(clients, events[i].data.ptr);
}

/* A run that counts connections opens just as many as it is limited to. */
static void reopen_closed(struct load_clients *clients, struct load_client *all)
{
	const struct load_plan *plan = clients->plan;
	uint64_t opened_max = plan->limit && work_reconnects(plan->work) ? plan->limit : UINT64_MAX;

	for (unsigned i = 0; i < plan->at_once && clients->opened < opened_max; i++)
		if (all[i].state == CLIENT_CLOSED)
			load_client_open(clients, &all[i]);
}

static bool limit_reached(const struct load_clients *clients, const struct sample *start)
{
	const struct load_plan *plan = clients->plan;

	if (!plan->limit)
		return false;
	if (work_is_exchanges(plan->work))
		return clients->exchanges + clients->errors >= plan->limit;
	return clients->bytes - start->clients.bytes >= plan->limit;
}

static void run_for(struct load_clients *clients, struct load_client *all, double seconds,
        const struct sample *start)
{
	uint64_t end_ns = clock_ns(CLOCK_MONOTONIC) + seconds_ns(seconds);

	while (clock_ns(CLOCK_MONOTONIC) < end_ns && !limit_reached(clients, start)) {
		if (clients->errors > ERRORS_MAX)
			fail("%" PRIu64 " connections have failed", clients->errors);
		reopen_closed(clients, all);
		turn(clients);
	}
}

/* Lets exchanges under way complete: what is cut off here would count as the next run's failures.
 */
static void drain(struct load_clients *clients, struct load_client *all)
{
	uint64_t end_ns = clock_ns(CLOCK_MONOTONIC) + seconds_ns(DRAIN_S);
	bool open = true;

	clients->draining = true;
	while (open && clock_ns(CLOCK_MONOTONIC) < end_ns) {
		open = false;
		for (unsigned i = 0; i < clients->plan->at_once; i++) {
			if (all[i].state == CLIENT_STREAMING)
				load_client_close(&all[i]);
			open = open || all[i].state != CLIENT_CLOSED;
		}
		if (open)
			turn(clients);
	}
}

static void run_measured(struct load_clients *clients)
{
	const struct load_plan *plan = clients->plan;
	struct load_client *all = calloc(plan->at_once, sizeof(*all));
	struct sample start = sample_take(clients);

	if (!all)
		fail("start: %s", strerror(errno));
	if (plan->warmup_s > 0) {
		run_for(clients, all, plan->warmup_s, &start);
		start = sample_take(clients);
	}
	say_open();
	run_for(clients, all, plan->measured_s, &start);
	struct sample end = sample_take(clients);
	drain(clients, all);
	report(&start, &end);
	free(all);
}

/* Opens `limit` connections, never more than `at_once` of them at the same time. */
static void run_idle(struct load_clients *clients)
{
	const struct load_plan *plan = clients->plan;
	struct load_client *all = calloc(plan->limit, sizeof(*all));
	struct sample start = sample_take(clients);
	uint64_t opened = 0;
	char unused[16];

	if (!all)
		fail("start: %s", strerror(errno));
	while (clients->exchanges < plan->limit) {
		if (clients->errors)
			fail("a connection failed while %" PRIu64 " were open", clients->exchanges);
		while (opened < plan->limit && opened - clients->exchanges < plan->at_once)
			load_client_open(clients, &all[opened++]);
		turn(clients);
	}
	say_open();
	while (read(STDIN_FILENO, unused, sizeof(unused)) > 0)
		;
	turn(clients); /* an idle connection with news is one that the proxy has closed */
	struct sample end = sample_take(clients);
	report(&start, &end);
	for (uint64_t i = 0; i < plan->limit; i++)
		load_client_close(&all[i]);
	free(all);
}

int main(int argc, char **argv)
{
	struct load_plan plan = load_plan_parse(argc, argv);
	struct load_clients clients;

	signal(SIGPIPE, SIG_IGN);
	load_clients_open(&clients, &plan);
	if (plan.work == WORK_IDLE)
		run_idle(&clients);
	else
		run_measured(&clients);
	return 0;
}
