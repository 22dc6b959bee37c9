/* SPDX-License-Identifier: BSD-2-Clause */
/* access_log.c - a line from the facts of a tunnel or an exchange. */
#include "worker/session/access_log.h"

#include "shared/check.h"
#include "shared/log.h"
#include "worker/io/text_writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	NAME_TEXT_MAX = 256,
	REQUEST_TEXT_MAX = 2048,
	REFERER_TEXT_MAX = 1024,
	AGENT_TEXT_MAX = 512
};

static void format_time(time_t second, enum access_log_format format, char *buffer)
{
	struct tm local;
	char zone[8];

	localtime_r(&second, &local);
	switch (format) {
	case ACCESS_LOG_UPSTREAM_TLS: /* 2026-11-24T18:20:01+00:00 */
		strftime(buffer, ACCESS_LOG_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &local);
		strftime(zone, sizeof(zone), "%z", &local);
		size_t length = strlen(buffer);
		snprintf(
		        buffer + length, ACCESS_LOG_TIME_MAX - length, "%.3s:%.2s", zone, zone + 3);
		break;
	case ACCESS_LOG_COMBINED: /* 24/Nov/2026:18:20:01 +0000 */
		strftime(buffer, ACCESS_LOG_TIME_MAX, "%d/%b/%Y:%H:%M:%S %z", &local);
		break;
	}
}

/* The record's time in the clock's memory, or in `buffer` of ACCESS_LOG_TIME_MAX bytes. */
static const char *time_text(
        const struct access_log_record *record, enum access_log_format format, char *buffer)
{
	time_t second = record->time.tv_sec;

	if (!record->clock) {
		format_time(second, format, buffer);
		return buffer;
	}
	char *text = record->clock->of[format].text;
	if (!*text || record->clock->of[format].second != second) {
		format_time(second, format, text);
		record->clock->of[format].second = second;
	}
	return text;
}

static const char *or_dash(const char *text)
{
	return text && *text ? text : "-";
}

static const char *reused(const struct access_log_record *record)
{
	if (!record->upstream_protocol)
		return "-";
	return record->upstream_resumed ? "r" : ".";
}

static size_t format_upstream_tls(const struct access_log_record *record, char *buffer)
{
	char time[ACCESS_LOG_TIME_MAX], client[ADDRESS_TEXT_MAX], name[NAME_TEXT_MAX],
	        request[REQUEST_TEXT_MAX], status[16] = "-";

	log_escape(slice_of(record->server_name), name, sizeof(name));
	log_escape(record->request, request, sizeof(request));
	if (record->status)
		snprintf(status, sizeof(status), "%u", record->status);
	int length = snprintf(buffer, ACCESS_LOG_LINE_MAX - 1,
	        "%s %s %s \"%s\" %s up=%.1024s in=%" PRIu64 " out=%" PRIu64 " time=%" PRIu64
	        ".%03u tls=%s"
	        " cipher=%s session=%s end=%s",
	        time_text(record, ACCESS_LOG_UPSTREAM_TLS, time),
	        address_format(record->client, client, sizeof(client)), or_dash(name),
	        or_dash(request), status, or_dash(record->upstream_addresses),
	        record->bytes_received, record->bytes_sent, record->duration_ms / 1000,
	        (unsigned)(record->duration_ms % 1000), or_dash(record->upstream_protocol),
	        or_dash(record->upstream_cipher), reused(record),
	        close_reason_word(record->reason));
	size_t used = (size_t)length < ACCESS_LOG_LINE_MAX - 1 ? (size_t)length
	                                                       : ACCESS_LOG_LINE_MAX - 2;
	buffer[used] = '\n';
	buffer[used + 1] = '\0';
	return used + 1;
}

static bool needs_escape(unsigned char c)
{
	return c < ' ' || c == '"' || c == '\\' || c >= 0x7f;
}

/* As nginx's escape=default: "-" for nothing. Cut with "..." to at most `size` bytes. */
static void put_quoted(struct text_writer *writer, struct slice text, size_t size)
{
	static const char hex[] = "0123456789ABCDEF";
	static const struct slice more = {"...", 3};
	size_t end = writer->used + size - more.length;

	if (text.length == 0)
		text_put_char(writer, '-');
	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];
		bool escaped = needs_escape(c);
		if (writer->used + (escaped ? 4 : 1) > end) {
			text_put(writer, more);
			return;
		}
		if (escaped)
			text_put(writer,
			        (struct slice){(char[]){'\\', 'x', hex[c >> 4], hex[c & 15]}, 4});
		else
			text_put_char(writer, (char)c);
	}
}

static size_t format_combined(const struct access_log_record *record, char *buffer)
{
	struct text_writer writer = {.out = buffer, .size = ACCESS_LOG_LINE_MAX};
	char time[ACCESS_LOG_TIME_MAX], client[ADDRESS_TEXT_MAX];

	text_put(&writer, slice_of(address_format_ip(record->client, client, sizeof(client))));
	text_put(&writer, SLICE(" - - ["));
	text_put(&writer, slice_of(time_text(record, ACCESS_LOG_COMBINED, time)));
	text_put(&writer, SLICE("] \""));
	put_quoted(&writer, record->request, REQUEST_TEXT_MAX);
	text_put(&writer, SLICE("\" "));
	if (record->status)
		text_put_uint(&writer, record->status);
	else
		text_put(&writer, SLICE("000"));
	text_put_char(&writer, ' ');
	text_put_uint(&writer, record->body_bytes_sent);
	text_put(&writer, SLICE(" \""));
	put_quoted(&writer, record->referer, REFERER_TEXT_MAX);
	text_put(&writer, SLICE("\" \""));
	put_quoted(&writer, record->user_agent, AGENT_TEXT_MAX);
	text_put(&writer, (struct slice){"\"\n", 3}); /* with its terminator */
	return writer.used - 1;
}

size_t access_log_format(
        const struct access_log_record *record, enum access_log_format format, char *buffer)
{
	switch (format) {
	case ACCESS_LOG_UPSTREAM_TLS:
		return format_upstream_tls(record, buffer);
	case ACCESS_LOG_COMBINED:
		return format_combined(record, buffer);
	}
	CHECK(false); /* no format of the configuration */
	return 0;
}

void access_log_write(struct log_file *file, const char *line, size_t length)
{
	if (!log_file_write(file, line, length)) {
		if (file->lines_dropped == 1)
			log_write(LOG_ERROR,
			        "access log %s: %s; its lines are dropped, traffic goes on",
			        file->path, strerror(file->error));
		return;
	}
	access_log_tell_dropped(file, 1);
}

void access_log_tell_dropped(struct log_file *files, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t dropped = files[i].lines_dropped;
		files[i].lines_dropped = 0;
		if (dropped)
			log_write(LOG_WARN,
			        "access log %s: %" PRIu64 " lines were dropped before this: it "
			        "took none",
			        files[i].path, dropped);
	}
}

void access_log_write_all(const struct access_log_record *record,
        const struct config_access_log *logs, size_t log_count, struct log_file *files)
{
	char line[ACCESS_LOG_LINE_MAX];

	for (size_t i = 0; i < log_count; i++) {
		size_t length = access_log_format(record, logs[i].format, line);
		access_log_write(&files[logs[i].log_index], line, length);
	}
}
