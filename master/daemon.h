/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * daemon.h - `daemon = on`: the caller gets its shell back when the gateway serves, or the exit
 * status and the message when it does not.
 */
#ifndef MASTER_DAEMON_H
#define MASTER_DAEMON_H

struct daemon {
	int fd; /* -1: nobody waits */
};

/* Returns in the child alone: the parent waits for daemon_report and exits with what it says. -1
 * with errno when no child could be made. */
int daemon_enter(struct daemon *daemon);
/* Status 0 also lets go of the terminal; the first call counts. */
void daemon_report(struct daemon *daemon, int exit_status);

#endif
