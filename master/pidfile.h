/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pidfile.h - the pid file, whose lock says whether its master lives.
 *
 * The lock is the kernel's (fcntl), belongs to the master alone and goes with it, however it ends:
 * a file without one is left over and is replaced.
 */
#ifndef MASTER_PIDFILE_H
#define MASTER_PIDFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct pidfile {
	const char *path; /* not owned */
	int fd; /* -1: not held */
};

/* The pid of the living master that holds `path`; 0: nobody does. Changes nothing. */
pid_t pidfile_holder(const char *path);

/* Writes our pid and locks the file; its directory is made where that is missing. false with a
 * reason in `fault`: "already running, pid 4711". */
bool pidfile_take(struct pidfile *file, const char *path, char *fault, size_t fault_size);
/* Removes the file and lets go of the lock. */
void pidfile_drop(struct pidfile *file);

#endif
