/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hang_watch.c - three stages, each timed from when the master itself saw the one before.
 *
 * A stamp's age alone would not do: after the whole host (or master and workers together) stood
 * still, all stamps are old, and every worker would be aborted at the master's first look.
 */
#include "master/hang_watch.h"

#include "shared/check.h"

static enum hang_action enter(
        struct hang_watch *watch, enum hang_stage stage, uint64_t now_ms, enum hang_action action)
{
	watch->stage = stage;
	watch->since_ms = now_ms;
	return action;
}

enum hang_action hang_watch_step(
        struct hang_watch *watch, uint64_t stamp_ms, uint64_t now_ms, uint64_t hang_ms)
{
	if (hang_ms == 0 || stamp_ms == 0)
		return HANG_DO_NOTHING;
	bool silent = now_ms >= stamp_ms + hang_ms;
	uint64_t waited_ms = now_ms - watch->since_ms;

	switch (watch->stage) {
	case HANG_NONE:
		return silent ? enter(watch, HANG_TOLD, now_ms, HANG_TELL) : HANG_DO_NOTHING;
	case HANG_TOLD:
		if (!silent)
			return enter(watch, HANG_NONE, now_ms, HANG_TELL_OF_RECOVERY);
		if (waited_ms < hang_ms)
			return HANG_DO_NOTHING;
		return enter(watch, HANG_ABORTED, now_ms, HANG_ABORT);
	case HANG_ABORTED:
		if (waited_ms < HANG_ABORT_MS)
			return HANG_DO_NOTHING;
		return enter(watch, HANG_KILLED, now_ms, HANG_KILL);
	case HANG_KILLED:
		return HANG_DO_NOTHING;
	}
	CHECK(watch->stage <= HANG_KILLED);
	return HANG_DO_NOTHING;
}
