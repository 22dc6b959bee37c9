/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker_env.h - all that a worker inherits at fork. If it isn't here, a worker doesn't have it.
 *
 * Descriptors that it does not name are closed by the worker first of all: a worker that kept the
 * other end of somebody's control socket would hide the master's death.
 */
#ifndef SHARED_WORKER_ENV_H
#define SHARED_WORKER_ENV_H

#include "shared/log_file.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct config;
struct scoreboard;
struct tls_session_store;
struct ticket_key;
struct upstream_state;

struct worker_listener {
	const int *fds; /* the SO_REUSEPORT sockets of this listen, all non-blocking */
	size_t fd_count;
};

struct worker_env {
	const struct config *config;
	unsigned slot; /* 0 to worker_count - 1 */
	unsigned worker_count; /* of this generation */
	uint64_t generation;
	pid_t master_pid;
	int control_fd; /* SOCK_SEQPACKET towards the master; end of file: the master died */
	const struct worker_listener *listeners; /* as config->listeners */
	struct log_file *log_files; /* as config->log_paths; this process's own copy */
	struct scoreboard *scoreboard;
	size_t scoreboard_row;
	struct tls_session_store *session_store;
	struct ticket_key *ticket_key;
	struct upstream_state *upstream_state;
};

#endif
