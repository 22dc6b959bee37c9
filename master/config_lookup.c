/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_lookup.c - a child process for each name.
 *
 * getaddrinfo may hang for as long as the resolver's configuration says and cannot be cancelled. A
 * child can be killed: that needs no thread, leaks nothing, and works with every kind of name
 * service the system has.
 */
#include "master/config_lookup.h"

#include "shared/check.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHILDREN_MAX = 64, ADDRESSES_MAX = 64 };

struct answer { /* what a child writes */
	char error[128];
	uint32_t count;
	struct address addresses[ADDRESSES_MAX];
};

struct child {
	pid_t pid;
	int fd;
	size_t index;
	size_t got; /* bytes of the answer */
	struct answer answer;
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool is_known(const struct answer *answer, const struct address *address)
{
	for (uint32_t i = 0; i < answer->count; i++)
		if (address_equal(&answer->addresses[i], address))
			return true;
	return false;
}

static void look_up(const char *host, struct answer *answer)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;

	memset(answer, 0, sizeof(*answer));
	int code = getaddrinfo(host, NULL, &hints, &found);
	if (code != 0) {
		snprintf(answer->error, sizeof(answer->error), "%s",
		        code == EAI_SYSTEM ? strerror(errno) : gai_strerror(code));
		return;
	}
	for (const struct addrinfo *each = found; each && answer->count < ADDRESSES_MAX;
	        each = each->ai_next) {
		struct address address;
		if (address_from_sockaddr(each->ai_addr, each->ai_addrlen, &address) &&
		        !is_known(answer, &address))
			answer->addresses[answer->count++] = address;
	}
	freeaddrinfo(found);
	if (answer->count == 0)
		snprintf(answer->error, sizeof(answer->error), "it has no IPv4 or IPv6 address");
}

_Noreturn static void run_child(const char *host, int fd)
{
	struct answer answer;
	const char *at = (const char *)&answer;
	size_t left = sizeof(answer);

	signal(SIGTERM, SIG_DFL);
	look_up(host, &answer);
	while (left) {
		ssize_t put = write(fd, at, left);
		if (put <= 0)
			_exit(1);
		at += put;
		left -= (size_t)put;
	}
	_exit(0);
}

static bool start_child(struct child *child, const char *host, size_t index)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return false;
	pid_t pid = fork();
	if (pid == 0)
		run_child(host, fds[1]);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return false;
	}
	*child = (struct child){.pid = pid, .fd = fds[0], .index = index};
	return true;
}

static void take_answer(const struct child *child, struct config_lookup *lookup)
{
	const struct answer *answer = &child->answer;

	if (child->got != sizeof(*answer)) {
		snprintf(lookup->error, sizeof(lookup->error), "the look-up did not end in time");
		return;
	}
	memcpy(lookup->error, answer->error, sizeof(lookup->error));
	lookup->error[sizeof(lookup->error) - 1] = '\0';
	if (answer->count == 0 || answer->count > ADDRESSES_MAX)
		return;
	lookup->addresses = calloc(answer->count, sizeof(*lookup->addresses));
	CHECK(lookup->addresses);
	memcpy(lookup->addresses, answer->addresses, answer->count * sizeof(*lookup->addresses));
	lookup->count = answer->count;
}

static void end_child(struct child *child, struct config_lookup *lookups)
{
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
	close(child->fd);
	take_answer(child, &lookups[child->index]);
	child->pid = 0;
}

/* True when the child has said all, or died. */
static bool read_some(struct child *child)
{
	ssize_t got = read(
	        child->fd, (char *)&child->answer + child->got, sizeof(child->answer) - child->got);

	if (got < 0)
		return errno != EINTR;
	child->got += (size_t)got;
	return got == 0 || child->got == sizeof(child->answer);
}

static void wait_for_some(struct child *children, int timeout_ms, struct config_lookup *lookups)
{
	struct pollfd polls[CHILDREN_MAX];

	for (size_t i = 0; i < CHILDREN_MAX; i++)
		polls[i] = (struct pollfd){
		        .fd = children[i].pid ? children[i].fd : -1, .events = POLLIN};
	if (poll(polls, CHILDREN_MAX, timeout_ms) <= 0)
		return;
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (polls[i].revents && read_some(&children[i]))
			end_child(&children[i], lookups);
}

static bool answer_literal(const char *host, struct config_lookup *lookup)
{
	struct address address;

	if (!address_parse_ip(slice_of(host), &address))
		return false;
	lookup->addresses = calloc(1, sizeof(*lookup->addresses));
	CHECK(lookup->addresses);
	*lookup->addresses = address;
	lookup->count = 1;
	return true;
}

void config_lookup_all(
        const char *const *hosts, size_t count, int timeout_ms, struct config_lookup *lookups_out)
{
	struct child *children = calloc(CHILDREN_MAX, sizeof(*children));
	uint64_t end_ms = now_ms() + (uint64_t)timeout_ms;
	size_t next = 0, running;

	CHECK(children);
	do {
		running = 0;
		for (size_t i = 0; i < CHILDREN_MAX; i++) {
			while (!children[i].pid && next < count) {
				size_t index = next++;
				lookups_out[index] = (struct config_lookup){.count = 0};
				if (answer_literal(hosts[index], &lookups_out[index]))
					continue;
				if (now_ms() >= end_ms ||
				        !start_child(&children[i], hosts[index], index))
					snprintf(lookups_out[index].error,
					        sizeof(lookups_out[index].error),
					        "the look-up could not be started in time");
			}
			running += children[i].pid != 0;
		}
		uint64_t now = now_ms();
		if (running && now < end_ms)
			wait_for_some(children, (int)(end_ms - now), lookups_out);
		for (size_t i = 0; i < CHILDREN_MAX && now >= end_ms; i++)
			if (children[i].pid)
				end_child(&children[i], lookups_out);
	} while (running || next < count);
	free(children);
}
