/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_limit.c - counts sentences in a small table, searched from end to end.
 *
 * Sixty-four compares of a number cost less than the write that they save, so there is no index.
 * Sentences are taken for the same when their 64-bit hashes are.
 */
#include "shared/log_limit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* FNV-1a; never 0, which marks a free entry. */
static uint64_t hash_sentence(enum log_level level, struct slice text)
{
	uint64_t hash = (0xcbf29ce484222325u ^ (uint64_t)level) * 0x100000001b3u;

	for (size_t i = 0; i < text.length; i++)
		hash = (hash ^ (unsigned char)text.data[i]) * 0x100000001b3u;
	return hash ? hash : 1;
}

static void finish(struct log_limit_entry *entry, uint64_t now_ms, log_limit_fn *tell)
{
	char line[LOG_LIMIT_TEXT_MAX + 96];

	if (entry->held) {
		uint64_t seconds = (now_ms - entry->since_ms + 500) / 1000;
		int length = snprintf(line, sizeof(line),
		        "repeated %" PRIu64 " times in the last %" PRIu64 " s: %.*s", entry->held,
		        seconds ? seconds : 1, (int)entry->length, entry->text);
		tell(entry->level, (struct slice){line, (size_t)length});
	}
	entry->hash = 0;
}

static bool is_over(const struct log_limit_entry *entry, uint64_t now_ms)
{
	return now_ms - entry->since_ms >= LOG_LIMIT_WINDOW_MS;
}

static void start(struct log_limit_entry *entry, uint64_t hash, enum log_level level,
        struct slice text, uint64_t now_ms)
{
	entry->hash = hash;
	entry->level = level;
	entry->since_ms = now_ms;
	entry->written = entry->held = 0;
	entry->length = text.length < LOG_LIMIT_TEXT_MAX ? text.length : LOG_LIMIT_TEXT_MAX;
	memcpy(entry->text, text.data, entry->length);
}

/* A free entry, else the one whose window began first. */
static struct log_limit_entry *entry_to_use(
        struct log_limit *limit, uint64_t now_ms, log_limit_fn *tell)
{
	struct log_limit_entry *oldest = &limit->entries[0];

	for (size_t i = 0; i < LOG_LIMIT_ENTRIES; i++) {
		struct log_limit_entry *entry = &limit->entries[i];
		if (!entry->hash)
			return entry;
		if (entry->since_ms < oldest->since_ms)
			oldest = entry;
	}
	finish(oldest, now_ms, tell);
	return oldest;
}

static struct log_limit_entry *find(struct log_limit *limit, uint64_t hash)
{
	for (size_t i = 0; i < LOG_LIMIT_ENTRIES; i++)
		if (limit->entries[i].hash == hash)
			return &limit->entries[i];
	return NULL;
}

bool log_limit_allows(struct log_limit *limit, enum log_level level, struct slice text,
        uint64_t now_ms, log_limit_fn *tell)
{
	uint64_t hash = hash_sentence(level, text);
	struct log_limit_entry *entry = find(limit, hash);

	if (entry && is_over(entry, now_ms)) {
		finish(entry, now_ms, tell);
		entry = NULL;
	}
	if (!entry) {
		entry = entry_to_use(limit, now_ms, tell);
		start(entry, hash, level, text, now_ms);
	}
	if (entry->written >= LOG_LIMIT_SAME) {
		entry->held++;
		return false;
	}
	entry->written++;
	return true;
}

void log_limit_tick(struct log_limit *limit, uint64_t now_ms, log_limit_fn *tell)
{
	for (size_t i = 0; i < LOG_LIMIT_ENTRIES; i++) {
		struct log_limit_entry *entry = &limit->entries[i];
		if (entry->hash && is_over(entry, now_ms))
			finish(entry, now_ms, tell);
	}
}
