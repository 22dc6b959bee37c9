/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log.h - the error log of this process.
 *
 * One line per event, made for people: time, level, pid, then a sentence that names what failed,
 * where and why. Under the journal (the sink is its socket) a line starts with <N> and has no time
 * and pid. A line never blocks: what a sink does not take is dropped and counted, and the count is
 * logged when writing works again. The same sentence repeated is counted, not written (see
 * log_tick).
 *
 * State is the process's own: the log is the one thing every layer reaches without being handed it.
 */
#ifndef SHARED_LOG_H
#define SHARED_LOG_H

#include "shared/log_file.h"
#include "shared/slice.h"

#include <stddef.h>
#include <stdint.h>

/* error: one connection hurt; crit: this process ends or cannot do its work. */
enum log_level { LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARN, LOG_ERROR, LOG_CRIT };
enum { LOG_LEVEL_COUNT = LOG_CRIT + 1, LOG_LINE_MAX = 4096 };

/* "debug", "info", ... */
const char *log_level_name(enum log_level level);
/* false when `name` is no level. */
bool log_level_from_name(struct slice name, enum log_level *level_out);

struct log_sink {
	struct log_file *file; /* not owned */
	enum log_level level; /* lines below it are not written there */
};

/* Replaces all sinks; the array is copied, the files must outlive their use here. Before the first
 * call lines of notice and above go to stderr. At most LOG_SINKS_MAX. */
enum { LOG_SINKS_MAX = 16 };
void log_set_sinks(const struct log_sink *sinks, size_t count);

/* True when some sink wants `level`: asks before an expensive argument is made. */
bool log_wants(enum log_level level);

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same with " #CONNECTION" in the prefix; it does not count as part of the sentence when
 * repetitions are compared. */
void log_connection(enum log_level level, uint64_t connection, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* Once a second, from the loop of each process: writes "... repeated N times" and dropped counts.
 */
void log_tick(void);

/* After fork: forgets counts that belong to the parent. */
void log_after_fork(void);

/* Bytes from a peer, made harmless: printable ASCII but for backslash and quotes stays, the rest
 * becomes \xNN; cut with "..." so that it fits. Returns `buffer`, always terminated. */
const char *log_escape(struct slice bytes, char *buffer, size_t buffer_size);

#endif
