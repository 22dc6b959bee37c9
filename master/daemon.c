/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * daemon.c - a fork, a new session, and a pipe over which the child tells how its start ended.
 *
 * stderr stays the caller's until the start is over: that is where its errors belong.
 */
#include "master/daemon.h"

#include "master/options.h"
#include "shared/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

_Noreturn static void wait_for_report(int fd)
{
	unsigned char status = EXIT_RUN_TIME; /* of a child that died without a word */
	ssize_t got;

	do
		got = read(fd, &status, 1);
	while (got < 0 && errno == EINTR);
	_exit(status);
}

int daemon_enter(struct daemon *daemon)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return -1;
	pid_t pid = fork();
	if (pid < 0) {
		int error = errno;
		close(fds[0]);
		close(fds[1]);
		errno = error;
		return -1;
	}
	if (pid > 0) {
		close(fds[1]);
		wait_for_report(fds[0]);
	}
	close(fds[0]);
	daemon->fd = fds[1];
	setsid();
	return chdir("/");
}

static void let_go_of_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	if (null > STDERR_FILENO)
		close(null);
}

void daemon_report(struct daemon *daemon, int exit_status)
{
	unsigned char status = (unsigned char)exit_status;

	if (daemon->fd < 0)
		return;
	if (exit_status == EXIT_DONE)
		let_go_of_terminal();
	while (write(daemon->fd, &status, 1) < 0 && errno == EINTR)
		;
	fd_close(&daemon->fd);
}
