/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hang_watch.h - when a worker whose loop does not turn is told of, aborted and killed.
 *
 * The other workers serve its sockets by themselves; here it is only decided what the master does.
 */
#ifndef MASTER_HANG_WATCH_H
#define MASTER_HANG_WATCH_H

#include <stdbool.h>
#include <stdint.h>

enum hang_stage { HANG_NONE, HANG_TOLD, HANG_ABORTED, HANG_KILLED };

/* How long an aborted worker may take to die (it may write a core). */
enum { HANG_ABORT_MS = 5000 };

struct hang_watch {
	enum hang_stage stage;
	uint64_t since_ms; /* when that stage began, by the master's clock */
};

enum hang_action { HANG_DO_NOTHING, HANG_TELL, HANG_ABORT, HANG_KILL, HANG_TELL_OF_RECOVERY };

/* Once a second. `stamp_ms`: the last turn of its loop, 0 before the first; `hang_ms` 0: never.
 * Each action is asked for once. */
enum hang_action hang_watch_step(
        struct hang_watch *watch, uint64_t stamp_ms, uint64_t now_ms, uint64_t hang_ms);

#endif
