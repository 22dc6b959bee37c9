/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status_server.h - answers requests for the status, in a process of its own.
 *
 * One request a connection, five seconds for all of it. Nobody waits for a slow client; where there
 * are too many, the one that has been there longest goes.
 */
#ifndef MASTER_STATUS_SERVER_H
#define MASTER_STATUS_SERVER_H

#include <stddef.h>

struct status_view;

enum { STATUS_CLIENTS_MAX = 64, STATUS_CLIENT_LIMIT_MS = 5000 };

struct status_server_settings {
	const int *listeners; /* they listen, and are non-blocking */
	size_t listener_count;
	int control_fd; /* its end of file: this process has served its time */
	const struct status_view *view;
};

/* Until the end of the control socket. Clients that were accepted before it are still answered,
 * unless it came of the master's death. SIGPIPE has to be ignored. */
void status_server_run(const struct status_server_settings *settings);

#endif
