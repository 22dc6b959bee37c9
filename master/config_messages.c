/* SPDX-License-Identifier: BSD-2-Clause */
/* config_messages.c - what there is to say about a configuration, kept until somebody prints it. */
#include "master/config_load.h"

#include "shared/arena.h"
#include "shared/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ERRORS_KEPT_MAX = 20, OTHERS_KEPT_MAX = 200, TEXT_MAX = 2048 };

void config_messages_init(struct config_messages *messages)
{
	*messages = (struct config_messages){.arena = arena_create(16 * 1024)};
	CHECK(messages->arena);
}

void config_messages_clear(struct config_messages *messages)
{
	arena_destroy(messages->arena);
	free(messages->items);
	*messages = (struct config_messages){0};
}

static bool is_known(const struct config_messages *messages, const struct config_message *message)
{
	for (size_t i = 0; i < messages->count; i++) {
		const struct config_message *other = &messages->items[i];
		if (other->line == message->line && other->severity == message->severity &&
		        strcmp(other->text, message->text) == 0 &&
		        strcmp(other->file ? other->file : "",
		                message->file ? message->file : "") == 0)
			return true;
	}
	return false;
}

static bool is_kept(struct config_messages *messages, enum config_severity severity)
{
	if (severity == CONFIG_ERROR)
		return ++messages->error_count <= ERRORS_KEPT_MAX;
	messages->warning_count += severity == CONFIG_WARNING;
	return messages->count < OTHERS_KEPT_MAX;
}

void config_messages_add(struct config_messages *messages, enum config_severity severity,
        const struct config_origin *origin, const char *format, ...)
{
	char text[TEXT_MAX];
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
	/* One profile used by ten sections has one fault, not ten. */
	if (is_known(messages, &message) || !is_kept(messages, severity))
		return;
	if (messages->count == messages->capacity) {
		messages->capacity = messages->capacity ? messages->capacity * 2 : 32;
		messages->items = realloc(
		        messages->items, messages->capacity * sizeof(*messages->items));
		CHECK(messages->items);
	}
	message.text = arena_copy(messages->arena, slice_of(text));
	message.file = message.file ? arena_copy(messages->arena, slice_of(message.file)) : NULL;
	messages->items[messages->count++] = message;
}

const char *config_message_format(const struct config_message *message, char *buffer, size_t size)
{
	static const char *const marks[] = {
	        [CONFIG_NOTICE] = "notice: ", [CONFIG_WARNING] = "warning: ", [CONFIG_ERROR] = ""};
	char place[512] = "";

	if (message->file && message->line)
		snprintf(place, sizeof(place), "%s:%u: ", message->file, message->line);
	else if (message->file)
		snprintf(place, sizeof(place), "%s: ", message->file);
	snprintf(buffer, size, "%s%s%s", marks[message->severity], place, message->text);
	return buffer;
}

/* As JSON wants it: quotes, backslashes and control characters escaped. */
static void print_json_text(FILE *out, const char *text)
{
	putc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20)
			fprintf(out, "\\u%04x", c);
		else
			putc(c, out);
	}
	putc('"', out);
}

static void print_json(FILE *out, const struct config_message *message)
{
	static const char *const severities[] = {
	        [CONFIG_NOTICE] = "notice", [CONFIG_WARNING] = "warning", [CONFIG_ERROR] = "error"};

	fprintf(out, "{\"severity\":\"%s\",\"file\":", severities[message->severity]);
	if (message->file)
		print_json_text(out, message->file);
	else
		fputs("null", out);
	fprintf(out, ",\"line\":%u,\"message\":", message->line);
	print_json_text(out, message->text);
	fputs("}\n", out);
}

void config_messages_print(
        const struct config_messages *messages, FILE *out, bool json, bool errors_only)
{
	char line[TEXT_MAX + 600];

	for (size_t i = 0; i < messages->count; i++) {
		const struct config_message *message = &messages->items[i];
		if (errors_only && message->severity != CONFIG_ERROR)
			continue;
		if (json)
			print_json(out, message);
		else
			fprintf(out, "%s\n", config_message_format(message, line, sizeof(line)));
	}
	if (messages->error_count > ERRORS_KEPT_MAX && !json)
		fprintf(out, "... and %zu more errors\n", messages->error_count - ERRORS_KEPT_MAX);
}
