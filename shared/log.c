/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log.c - one sentence to every sink that wants it.
 *
 * The process's only file-scope state that changes: sinks, the cached second, and what log_limit
 * counts. errno survives every call, so that a caller can log first and decide afterwards.
 */
#include "shared/log.h"

#include "shared/check.h"
#include "shared/log_limit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PREFIX_MAX = 96, TIME_TEXT_MAX = 32 };

/* The longest sentence: a line with its prefix and newline is then LOG_LINE_MAX, which a pipe takes
 * whole. */
enum { TEXT_MAX = LOG_LINE_MAX - PREFIX_MAX - 1 };

static struct {
	struct log_sink sinks[LOG_SINKS_MAX];
	size_t sink_count;
	bool sinks_set;
	struct log_file early; /* stderr, until sinks are set */
	pid_t pid; /* 0: not asked yet */
	time_t second; /* that time_text is for */
	char time_text[TIME_TEXT_MAX];
	struct log_limit limit;
} state;

static const struct {
	const char *name;
	unsigned priority; /* syslog's */
} levels[LOG_LEVEL_COUNT] = {
        [LOG_DEBUG] = {"debug", 7},
        [LOG_INFO] = {"info", 6},
        [LOG_NOTICE] = {"notice", 5},
        [LOG_WARN] = {"warn", 4},
        [LOG_ERROR] = {"error", 3},
        [LOG_CRIT] = {"crit", 2},
};

const char *log_level_name(enum log_level level)
{
	CHECK((unsigned)level < LOG_LEVEL_COUNT);
	return levels[level].name;
}

bool log_level_from_name(struct slice name, enum log_level *level_out)
{
	for (size_t i = 0; i < LOG_LEVEL_COUNT; i++) {
		if (!slice_equal(name, slice_of(levels[i].name)))
			continue;
		*level_out = (enum log_level)i;
		return true;
	}
	return false;
}

void log_set_sinks(const struct log_sink *sinks, size_t count)
{
	CHECK(count <= LOG_SINKS_MAX);
	if (count)
		memcpy(state.sinks, sinks, count * sizeof(*sinks));
	state.sink_count = count;
	if (!state.sinks_set)
		state.early.fd = -1;
	state.sinks_set = true;
}

/* Lines that come before there is a configuration go to the stderr this process was started with.
 */
static void use_early_sink(void)
{
	if (state.sinks_set || state.sink_count)
		return;
	state.early = (struct log_file){.path = "stderr", .fd = -1};
	log_file_replace(&state.early, STDERR_FILENO);
	state.sinks[0] = (struct log_sink){&state.early, LOG_NOTICE};
	state.sink_count = 1;
}

bool log_wants(enum log_level level)
{
	use_early_sink();
	for (size_t i = 0; i < state.sink_count; i++)
		if (level >= state.sinks[i].level)
			return true;
	return false;
}

static const char *time_text(void)
{
	struct timespec now;
	struct tm local;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != state.second || !state.time_text[0]) {
		state.second = now.tv_sec;
		localtime_r(&now.tv_sec, &local);
		strftime(state.time_text, sizeof(state.time_text), "%Y/%m/%d %H:%M:%S", &local);
	}
	return state.time_text;
}

static int format_prefix(
        const struct log_file *file, enum log_level level, uint64_t connection, char *buffer)
{
	char number[24] = "";

	if (connection)
		snprintf(number, sizeof(number), "#%" PRIu64, connection);
	if (file->journal)
		return snprintf(buffer, PREFIX_MAX, "<%u>%s%s", levels[level].priority, number,
		        connection ? ": " : "");
	if (!state.pid)
		state.pid = getpid();
	return snprintf(buffer, PREFIX_MAX, "%s [%s] %d%s: ", time_text(), levels[level].name,
	        (int)state.pid, number);
}

static bool write_line(
        struct log_file *file, enum log_level level, uint64_t connection, struct slice text)
{
	char line[LOG_LINE_MAX];
	size_t length = (size_t)format_prefix(file, level, connection, line);

	CHECK(text.length <= TEXT_MAX);
	memcpy(line + length, text.data, text.length);
	length += text.length;
	line[length++] = '\n';
	return log_file_write(file, line, length);
}

/* True when the file takes lines, and has taken the count of those it did not. */
static bool tell_dropped(struct log_file *file)
{
	char text[96];
	uint64_t dropped = file->lines_dropped;

	if (!dropped)
		return true;
	int length = snprintf(text, sizeof(text),
	        "%" PRIu64 " log lines were dropped here: the file took none", dropped);
	if (!write_line(file, LOG_WARN, 0, (struct slice){text, (size_t)length})) {
		file->lines_dropped = dropped;
		return false;
	}
	file->lines_dropped = 0;
	return true;
}

static void write_to_sinks(enum log_level level, uint64_t connection, struct slice text)
{
	for (size_t i = 0; i < state.sink_count; i++) {
		struct log_file *file = state.sinks[i].file;
		if (level < state.sinks[i].level)
			continue;
		if (tell_dropped(file))
			write_line(file, level, connection, text);
		else
			file->lines_dropped++;
	}
}

/* One line stays one line, whatever a library or a file name put into it. */
static void flatten(char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			text[i] = '?';
}

__attribute__((format(printf, 2, 0))) static struct slice format_text(
        char *buffer, const char *format, va_list arguments)
{
	int wanted = vsnprintf(buffer, TEXT_MAX, format, arguments);
	size_t length = wanted < 0 ? 0 : (size_t)wanted;

	if (length >= TEXT_MAX) {
		length = TEXT_MAX - 1;
		memset(buffer + length - 3, '.', 3);
	}
	flatten(buffer, length);
	return (struct slice){buffer, length};
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Told by log_limit of what it held back. */
static void write_repetition(enum log_level level, struct slice text)
{
	write_to_sinks(level, 0, text);
}

__attribute__((format(printf, 3, 0))) static void write_sentence(
        enum log_level level, uint64_t connection, const char *format, va_list arguments)
{
	char buffer[TEXT_MAX];
	int error = errno;

	CHECK((unsigned)level < LOG_LEVEL_COUNT);
	if (!log_wants(level))
		return;
	struct slice text = format_text(buffer, format, arguments);
	/* Who asks for debug lines wants all of them; a process that ends says why. */
	if (level == LOG_DEBUG || level == LOG_CRIT ||
	        log_limit_allows(&state.limit, level, text, now_ms(), write_repetition))
		write_to_sinks(level, connection, text);
	errno = error;
}

void log_write(enum log_level level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_sentence(level, 0, format, arguments);
	va_end(arguments);
}

void log_connection(enum log_level level, uint64_t connection, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_sentence(level, connection, format, arguments);
	va_end(arguments);
}

void log_tick(void)
{
	int error = errno;

	log_limit_tick(&state.limit, now_ms(), write_repetition);
	for (size_t i = 0; i < state.sink_count; i++)
		tell_dropped(state.sinks[i].file);
	errno = error;
}

void log_after_fork(void)
{
	state.pid = 0;
	state.limit = (struct log_limit){0};
	for (size_t i = 0; i < state.sink_count; i++)
		state.sinks[i].file->lines_dropped = 0;
}

static bool is_harmless(unsigned char c)
{
	return c >= ' ' && c < 0x7f && c != '\\' && c != '"' && c != '\'';
}

const char *log_escape(struct slice bytes, char *buffer, size_t buffer_size)
{
	static const char hex[] = "0123456789abcdef";
	static const char more[] = "...";
	size_t used = 0, whole = 0; /* whole: as much as leaves room for "..." */

	CHECK(buffer_size >= sizeof(more));
	for (size_t i = 0; i < bytes.length; i++) {
		unsigned char c = (unsigned char)bytes.data[i];
		size_t wanted = is_harmless(c) ? 1 : 4;
		if (used + wanted >= buffer_size) {
			memcpy(buffer + whole, more, sizeof(more));
			return buffer;
		}
		if (wanted == 1)
			buffer[used] = (char)c;
		else
			memcpy(buffer + used, (char[]){'\\', 'x', hex[c >> 4], hex[c & 15]}, 4);
		used += wanted;
		if (used + sizeof(more) <= buffer_size)
			whole = used;
	}
	buffer[used] = '\0';
	return buffer;
}
