/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_files.h - the log files of one configuration, opened by the master for everybody.
 *
 * Workers inherit the descriptors and could open nothing themselves: they are not root.
 */
#ifndef MASTER_LOG_FILES_H
#define MASTER_LOG_FILES_H

#include "shared/log.h"
#include "shared/log_file.h"

#include <stdbool.h>
#include <stddef.h>

struct config;

struct log_files {
	struct log_file *items; /* as config->log_paths */
	size_t count;
};

/* Opens all, mode 0640, with the group of `user`. On false nothing is open and `fault` tells which
 * and why. */
bool log_files_open(
        struct log_files *files, const struct config *config, char *fault, size_t fault_size);
void log_files_close(struct log_files *files);

/* Lines that `old` dropped and nobody was told of are told by the same paths of `new`. */
void log_files_take_over_counts(struct log_files *new, struct log_files *old);

/* The error log goes to the files of `config` from now on, no line below `floor` to any of them;
 * `extra` (or NULL) gets errors besides. The files must stay open meanwhile. */
void log_files_use(const struct log_files *files, const struct config *config, enum log_level floor,
        struct log_file *extra);

/* Some error log of `config` is stderr. */
bool log_files_have_stderr(const struct config *config);

/* Opens every path anew and calls `fn` with each new descriptor (valid during the call), before the
 * master itself goes over to it. One that can't be opened stays what it was, and is logged; then it
 * is false. */
typedef void log_files_fn(void *opaque, size_t index, int fd);
bool log_files_reopen(
        struct log_files *files, const struct config *config, log_files_fn *fn, void *opaque);

#endif
