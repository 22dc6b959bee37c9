/* SPDX-License-Identifier: BSD-2-Clause */
/* access_log.c - the upstream_tls line from the facts of a session. */
#include "worker/session/access_log.h"

#include "shared/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TIME_TEXT_MAX = 40, NAME_TEXT_MAX = 256, REQUEST_TEXT_MAX = 2048 };

/* 2026-11-24T18:20:01+00:00, as nginx's $time_iso8601. */
static void format_time(const struct timespec *time, char *buffer)
{
	struct tm local;
	char zone[8];

	localtime_r(&time->tv_sec, &local);
	strftime(buffer, TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &local);
	strftime(zone, sizeof(zone), "%z", &local);
	size_t length = strlen(buffer);
	snprintf(buffer + length, TIME_TEXT_MAX - length, "%.3s:%.2s", zone, zone + 3);
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

size_t access_log_format(const struct access_log_record *record, char *buffer)
{
	char time[TIME_TEXT_MAX], client[ADDRESS_TEXT_MAX], name[NAME_TEXT_MAX],
	        request[REQUEST_TEXT_MAX], status[16] = "-";

	format_time(&record->time, time);
	log_escape(slice_of(record->server_name), name, sizeof(name));
	log_escape(record->request, request, sizeof(request));
	if (record->status)
		snprintf(status, sizeof(status), "%u", record->status);
	int length = snprintf(buffer, ACCESS_LOG_LINE_MAX - 1,
	        "%s %s %s \"%s\" %s up=%.1024s in=%" PRIu64 " out=%" PRIu64 " time=%" PRIu64
	        ".%03u tls=%s"
	        " cipher=%s session=%s end=%s",
	        time, address_format(record->client, client, sizeof(client)), or_dash(name),
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

void access_log_write(struct log_file *file, const char *line, size_t length)
{
	if (!log_file_write(file, line, length) || !file->lines_dropped)
		return;
	uint64_t dropped = file->lines_dropped;
	file->lines_dropped = 0;
	log_write(LOG_WARN,
	        "access log %s: %" PRIu64 " lines were dropped before this: it took none",
	        file->path, dropped);
}
