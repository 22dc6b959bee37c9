/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_limit.h - which sentences are written, and which are only counted.
 *
 * The first LOG_LIMIT_SAME times within LOG_LIMIT_WINDOW_MS a sentence is written; further ones are
 * counted and told once the window is over. The table is bounded: a sentence that finds it full
 * takes the place of the oldest, whose count is told at once. Called by log.c alone; holds no
 * memory but the struct.
 */
#ifndef SHARED_LOG_LIMIT_H
#define SHARED_LOG_LIMIT_H

#include "shared/log.h"
#include "shared/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	LOG_LIMIT_SAME = 5,
	LOG_LIMIT_WINDOW_MS = 10000,
	LOG_LIMIT_ENTRIES = 64,
	LOG_LIMIT_TEXT_MAX = 512 /* what is kept of a sentence, to tell of it */
};

struct log_limit_entry {
	uint64_t hash; /* of level and whole sentence; 0: free */
	uint64_t since_ms;
	uint64_t written, held;
	enum log_level level;
	size_t length;
	char text[LOG_LIMIT_TEXT_MAX];
};

struct log_limit { /* zeroed: nothing counted */
	struct log_limit_entry entries[LOG_LIMIT_ENTRIES];
};

/* Writes "repeated N times in the last 10 s: SENTENCE". */
typedef void log_limit_fn(enum log_level level, struct slice text);

/* True when the sentence is to be written. */
bool log_limit_allows(struct log_limit *limit, enum log_level level, struct slice text,
        uint64_t now_ms, log_limit_fn *tell);

/* Tells of every window that is over, and frees its entry. */
void log_limit_tick(struct log_limit *limit, uint64_t now_ms, log_limit_fn *tell);

#endif
