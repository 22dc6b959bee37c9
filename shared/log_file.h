/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_file.h - a file that takes whole lines and never holds its writer up.
 *
 * The master opens every log file and workers inherit the descriptors: a worker opens nothing. A
 * full disk, a stopped reader of a pipe or terminal, or a stuck socket drops the line and counts
 * it. A reader that has gone is a drop too, for a process that ignores SIGPIPE: both the master and
 * the workers do.
 */
#ifndef SHARED_LOG_FILE_H
#define SHARED_LOG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum log_file_kind { LOG_FILE_REGULAR, LOG_FILE_STREAM /* pipe, terminal */, LOG_FILE_SOCKET };

struct log_file {
	const char *path; /* "stderr", or an absolute path; not owned */
	int fd; /* -1: not open */
	enum log_file_kind kind;
	bool journal; /* the socket that JOURNAL_STREAM names */
	bool may_block; /* the descriptor is not non-blocking and not ours to change */
	bool cut; /* the last line was taken in part: the next starts on a line of its own */
	int error; /* why the last of them was dropped, an errno */
	uint64_t lines_dropped; /* not told yet: who next sees a write succeed tells them and sets 0
	                         */
};

/* Opens `path` for appending, created with mode 0640 and group `group` ((gid_t)-1: as it is).
 * "stderr" is opened anew without blocking where the kernel allows, so that whoever shares it is
 * not affected; a plain file behind it is shared, with its offset, and appended to. Returns 0, or
 * an errno with *file closed. */
int log_file_open(struct log_file *file, const char *path, gid_t group);

/* Takes a descriptor opened elsewhere (owned from now on) in place of the current one, which is
 * closed; the descriptor's number stays what it was, as others may have copied it. */
void log_file_replace(struct log_file *file, int fd);

void log_file_close(struct log_file *file);

/* Writes `line` (which ends in a newline) with one system call; false when it was dropped. */
bool log_file_write(struct log_file *file, const char *line, size_t length);

#endif
