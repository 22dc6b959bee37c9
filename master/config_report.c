/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_report.c - a header, the messages, the packed source.
 *
 * Both ends are the same binary on the same machine, so numbers go as they lie in memory; but the
 * child may have died in the middle of a write, so every length is checked.
 */
#include "master/config_report.h"

#include "shared/check.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { REPORT_MAGIC = 0x5ea1c0de, NO_TEXT = UINT32_MAX };

struct report_header {
	uint32_t magic, outcome;
	uint64_t message_count, error_count, packed_length;
};

struct message_header {
	uint32_t severity, line, file_length, text_length; /* file_length may be NO_TEXT */
};

static uint32_t length_of(const char *text)
{
	return text ? (uint32_t)strlen(text) : (uint32_t)NO_TEXT;
}

static size_t bytes_of(uint32_t length)
{
	return length == (uint32_t)NO_TEXT ? 0 : length;
}

static size_t encoded_length(const struct config_report *report)
{
	size_t length = sizeof(struct report_header) + report->packed.length;

	for (size_t i = 0; i < report->messages.count; i++) {
		const struct config_message *message = &report->messages.items[i];
		length += sizeof(struct message_header) + bytes_of(length_of(message->file)) +
		          strlen(message->text);
	}
	return length;
}

static char *put(char *at, const void *bytes, size_t length)
{
	if (length)
		memcpy(at, bytes, length);
	return at + length;
}

static char *put_message(char *at, const struct config_message *message)
{
	struct message_header header = {
	        .severity = (uint32_t)message->severity,
	        .line = message->line,
	        .file_length = length_of(message->file),
	        .text_length = length_of(message->text),
	};

	at = put(at, &header, sizeof(header));
	at = put(at, message->file, bytes_of(header.file_length));
	return put(at, message->text, header.text_length);
}

void *config_report_encode(const struct config_report *report, size_t *length_out)
{
	struct report_header header = {
	        .magic = (uint32_t)REPORT_MAGIC,
	        .outcome = (uint32_t)report->outcome,
	        .message_count = report->messages.count,
	        .error_count = report->messages.error_count,
	        .packed_length = report->packed.length,
	};
	char *bytes = malloc(*length_out = encoded_length(report));

	CHECK(bytes);
	char *at = put(bytes, &header, sizeof(header));
	for (size_t i = 0; i < report->messages.count; i++)
		at = put_message(at, &report->messages.items[i]);
	put(at, report->packed.data, report->packed.length);
	return bytes;
}

static bool take(struct slice *rest, size_t length, const char **bytes_out)
{
	if (rest->length < length)
		return false;
	*bytes_out = rest->data;
	*rest = (struct slice){rest->data + length, rest->length - length};
	return true;
}

static bool take_message(struct slice *rest, struct config_messages *messages)
{
	struct message_header header;
	const char *bytes, *file, *text;

	if (!take(rest, sizeof(header), &bytes))
		return false;
	memcpy(&header, bytes, sizeof(header));
	size_t file_length = bytes_of(header.file_length);
	if (header.severity > CONFIG_ERROR || !take(rest, file_length, &file) ||
	        !take(rest, header.text_length, &text))
		return false;
	char *name = header.file_length == (uint32_t)NO_TEXT ? NULL : strndup(file, file_length);
	struct config_origin origin = {.file = name, .line = header.line};
	config_messages_add(messages, (enum config_severity)header.severity, name ? &origin : NULL,
	        "%.*s", (int)header.text_length, text);
	free(name);
	return true;
}

static bool is_known(uint32_t outcome)
{
	return outcome == CONFIG_LOADED || outcome == CONFIG_REFUSED ||
	       outcome == CONFIG_SAME_NAMES;
}

bool config_report_decode(struct slice rest, struct config_report *report_out)
{
	struct report_header header;
	const char *bytes;

	if (!take(&rest, sizeof(header), &bytes))
		return false;
	memcpy(&header, bytes, sizeof(header));
	if (header.magic != (uint32_t)REPORT_MAGIC || !is_known(header.outcome))
		return false;
	report_out->outcome = (enum config_outcome)header.outcome;
	config_messages_init(&report_out->messages);
	for (uint64_t i = 0; i < header.message_count; i++)
		if (!take_message(&rest, &report_out->messages))
			goto fail;
	report_out->messages.error_count = header.error_count; /* also those not kept */
	report_out->packed = rest;
	if (rest.length == header.packed_length)
		return true;
fail:
	config_messages_clear(&report_out->messages);
	return false;
}
