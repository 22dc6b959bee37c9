/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_messages.c - what there is to say about a configuration, kept and printed.
 *
 * The whole of a configuration is read before anything is printed, so that one run shows every
 * fault. The same sentence about the same line is kept once: a key in [tcp] is looked at for each
 * [tcp NAME] that inherits it.
 */
#include "master/config_load.h"
#include "master/json.h"
#include "shared/arena.h"
#include "shared/check.h"
#include "shared/slice.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { ERRORS_MAX = 20, MESSAGE_TEXT_MAX = 4096, ARENA_CHUNK = 16 * 1024 };

void config_messages_init(struct config_messages *messages)
{
	*messages = (struct config_messages){.arena = NULL};
}

void config_messages_clear(struct config_messages *messages)
{
	arena_destroy(messages->arena);
	free(messages->items);
	config_messages_init(messages);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_known(const struct config_messages *messages, const struct config_message *message)
{
	for (size_t i = 0; i < messages->count; i++) {
		const struct config_message *known = &messages->items[i];
		if (known->severity == message->severity && known->line == message->line &&
		        same_text(known->file, message->file) &&
		        strcmp(known->text, message->text) == 0)
			return true;
	}
	return false;
}

static void append(struct config_messages *messages, const struct config_message *message)
{
	if (!messages->arena)
		messages->arena = arena_create(ARENA_CHUNK);
	CHECK(messages->arena);
	if (messages->count == messages->capacity) {
		messages->capacity = messages->capacity ? messages->capacity * 2 : 16;
		messages->items = realloc(
		        messages->items, messages->capacity * sizeof(*messages->items));
		CHECK(messages->items);
	}
	messages->items[messages->count++] = (struct config_message){
	        .severity = message->severity,
	        .file = message->file ? arena_copy(messages->arena, slice_of(message->file)) : NULL,
	        .line = message->line,
	        .text = arena_copy(messages->arena, slice_of(message->text)),
	};
}

void config_messages_add(struct config_messages *messages, enum config_severity severity,
        const struct config_origin *origin, const char *format, ...)
{
	char text[MESSAGE_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);

	struct config_message message = {
	        .severity = severity,
	        .file = origin ? origin->file : NULL,
	        .line = origin ? origin->line : 0,
	        .text = text,
	};
	if (is_known(messages, &message))
		return;
	if (severity == CONFIG_WARNING)
		messages->warning_count++;
	if (severity == CONFIG_ERROR && messages->error_count++ >= ERRORS_MAX)
		return;
	append(messages, &message);
}

void config_messages_raise_warnings(struct config_messages *messages)
{
	for (size_t i = 0; i < messages->count; i++)
		if (messages->items[i].severity == CONFIG_WARNING)
			messages->items[i].severity = CONFIG_ERROR;
	messages->error_count += messages->warning_count;
	messages->warning_count = 0;
}

static const char *severity_name(enum config_severity severity)
{
	switch (severity) {
	case CONFIG_NOTICE:
		return "notice";
	case CONFIG_WARNING:
		return "warning";
	case CONFIG_ERROR:
		return "error";
	}
	return "";
}

const char *config_message_format(const struct config_message *message, char *buffer, size_t size)
{
	bool is_error = message->severity == CONFIG_ERROR;
	const char *prefix = is_error ? "" : severity_name(message->severity);
	const char *after_prefix = is_error ? "" : ": ";

	if (!message->file)
		snprintf(buffer, size, "%s%s%s", prefix, after_prefix, message->text);
	else if (message->line == 0)
		snprintf(buffer, size, "%s%s%s: %s", prefix, after_prefix, message->file,
		        message->text);
	else
		snprintf(buffer, size, "%s%s%s:%u: %s", prefix, after_prefix, message->file,
		        message->line, message->text);
	return buffer;
}

static void print_json(FILE *file, const struct config_message *message)
{
	fprintf(file, "{\"severity\":\"%s\",\"file\":", severity_name(message->severity));
	if (message->file)
		json_print_string(file, message->file);
	else
		fputs("null", file);
	fputs(",\"line\":", file);
	if (message->line)
		fprintf(file, "%u", message->line);
	else
		fputs("null", file);
	fputs(",\"text\":", file);
	json_print_string(file, message->text);
	fputs("}\n", file);
}

static void print_plain(FILE *file, const struct config_message *message)
{
	char line[MESSAGE_TEXT_MAX + 4096 + 64];

	fprintf(file, "%s\n", config_message_format(message, line, sizeof(line)));
}

enum log_level config_message_level(const struct config_message *message)
{
	switch (message->severity) {
	case CONFIG_NOTICE:
		return LOG_NOTICE;
	case CONFIG_WARNING:
		return LOG_WARN;
	case CONFIG_ERROR:
		return LOG_ERROR;
	}
	return LOG_ERROR;
}

void config_messages_print(
        const struct config_messages *messages, FILE *file, bool json, bool errors_only)
{
	void (*print)(FILE *, const struct config_message *) = json ? print_json : print_plain;

	size_t more = messages->error_count;

	for (size_t i = 0; i < messages->count; i++) {
		bool is_error = messages->items[i].severity == CONFIG_ERROR;
		if (is_error || !errors_only)
			print(file, &messages->items[i]);
		more -= is_error;
	}
	if (more == 0)
		return;
	char text[64];
	snprintf(text, sizeof(text), "and %zu more error%s", more, more == 1 ? "" : "s");
	print(file, &(struct config_message){.severity = CONFIG_ERROR, .text = text});
}
