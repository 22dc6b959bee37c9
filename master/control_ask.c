/* SPDX-License-Identifier: BSD-2-Clause */
/* control_ask.c - connect, send the order, print answers until the last one. */
#include "master/control_ask.h"

#include "master/loop.h"
#include "master/options.h"
#include "master/unix_path.h"
#include "shared/fd.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct ask {
	const char *name; /* of the request */
	int fd;
	uint64_t until_ms;
	char reached[CONTROL_TEXT_MAX]; /* the last progress */
};

static int connect_to(const char *path)
{
	struct sockaddr_un address;
	int directory = -1;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	bool connected = unix_path_address(path, &address, &directory) &&
	                 connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	int error = errno;
	fd_close(&directory);
	if (connected)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

/* Length of the next packet, or 0 after a message that says why there is none. */
static size_t next_packet(struct ask *ask, char *packet, size_t size)
{
	struct pollfd poller = {.fd = ask->fd, .events = POLLIN};

	for (;;) {
		uint64_t now_ms = loop_clock_ms();
		if (now_ms >= ask->until_ms) {
			fprintf(stderr, "sealane: %s: no verdict in time; reached: %s\n", ask->name,
			        ask->reached);
			return 0;
		}
		if (poll(&poller, 1, (int)(ask->until_ms - now_ms)) <= 0)
			continue;
		ssize_t got = recv(ask->fd, packet, size - 1, MSG_DONTWAIT);
		if (got > 0) {
			packet[got] = '\0';
			return (size_t)got;
		}
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		fprintf(stderr, "sealane: %s: the master ended before it answered\n", ask->name);
		return 0;
	}
}

static int print_answers(struct ask *ask)
{
	char packet[CONTROL_TEXT_MAX + 1];

	while (next_packet(ask, packet, sizeof(packet)) > 0) {
		if (packet[0] == ANSWER_MESSAGE)
			fprintf(stderr, "sealane: %s\n", packet + 1);
		else if (packet[0] == ANSWER_PROGRESS)
			memcpy(ask->reached, packet + 1, strlen(packet)); /* with its end */
		else if (packet[0] == ANSWER_DONE)
			return (int)strtol(packet + 1, NULL, 10);
	}
	return EXIT_RUN_TIME;
}

static bool send_order(int fd, const struct control_order *order)
{
	char text[64];
	int length = snprintf(text, sizeof(text), "%s%s", control_request_name(order->request),
	        order->warnings_are_errors ? " -W" : "");

	return send(fd, text, (size_t)length, MSG_NOSIGNAL) == length;
}

int control_ask(const char *pid_file, const struct control_order *order, uint64_t limit_ms)
{
	char path[PATH_MAX];
	struct ask ask = {
	        .name = control_request_name(order->request),
	        .until_ms = loop_clock_ms() + limit_ms,
	        .reached = "nothing yet",
	};

	errno = ENAMETOOLONG;
	ask.fd = unix_path_beside(pid_file, path, sizeof(path)) ? connect_to(path) : -1;
	if (ask.fd < 0) {
		int error = errno;
		bool absent = error == ENOENT || error == ECONNREFUSED || error == ENOTDIR;
		if (absent)
			fprintf(stderr, "sealane: not running: nobody answers at %s\n", path);
		else
			fprintf(stderr, "sealane: %s: %s\n", path, strerror(error));
		return absent ? EXIT_NOT_RUNNING : EXIT_RUN_TIME;
	}
	int status = EXIT_RUN_TIME;
	if (send_order(ask.fd, order))
		status = print_answers(&ask);
	else
		fprintf(stderr, "sealane: %s: %s\n", path, strerror(errno));
	close(ask.fd);
	return status;
}
