/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_load.h - from files to a checked configuration, or to everything that is wrong with them.
 */
#ifndef MASTER_CONFIG_LOAD_H
#define MASTER_CONFIG_LOAD_H

#include "shared/config.h"
#include "shared/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct config_source;

enum config_severity { CONFIG_NOTICE, CONFIG_WARNING, CONFIG_ERROR };

struct config_message {
	enum config_severity severity;
	const char *file; /* NULL: about no file */
	unsigned line; /* 0: about no line */
	const char *text;
};

/* Grows; owns its texts. At most 20 errors are kept and the rest counted; what was said once of a
 * line is not said again. Zeroed is empty. */
struct config_messages {
	struct arena *arena;
	struct config_message *items;
	size_t count, capacity;
	size_t error_count, warning_count;
};
void config_messages_init(struct config_messages *messages);
void config_messages_clear(struct config_messages *messages);
void config_messages_add(struct config_messages *messages, enum config_severity severity,
        const struct config_origin *origin, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
/* "FILE:LINE: text" for errors, "notice: FILE:LINE: text", "warning: ..."; returns `buffer`. */
const char *config_message_format(const struct config_message *message, char *buffer, size_t size);
/* How a log line of it is marked. */
enum log_level config_message_level(const struct config_message *message);
/* -W: what was a warning is an error. */
void config_messages_raise_warnings(struct config_messages *messages);
/* One line each, in the order they were added; as JSON an object each, with "severity", "file",
 * "line" and "text". `errors_only`: -q. */
void config_messages_print(
        const struct config_messages *messages, FILE *file, bool json, bool errors_only);

struct config_load_options {
	const char *main_file; /* absolute */
	const char *prefix; /* -p DIR, absolute, or NULL: the main file's directory */
	const char *pid_file; /* --pid FILE in place of [main] pid_file, or NULL */
	bool warnings_are_errors; /* -W */
};

/* NULL when any error was added to `messages`. Never binds, forks, writes or signals. */
struct config *config_load(struct config_source *source, const struct config_load_options *options,
        struct config_messages *messages);

/* The pid file alone, reading no more than [main] pid_file, for -s; in a broken configuration as
 * far as it can be read. Copied into `buffer`; false when there is none. */
bool config_load_pid_file(struct config_source *source, const struct config_load_options *options,
        char *buffer, size_t size);

#endif
