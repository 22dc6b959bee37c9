/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * access_log.h - one line per tunnel or exchange.
 *
 * upstream_tls:
 * $time_iso8601 $remote_addr:$remote_port $server_name "$request" $status up=$upstream_addr
 * in=$bytes_received out=$bytes_sent time=$request_time tls=$upstream_ssl_protocol
 * cipher=$upstream_ssl_cipher session=$upstream_ssl_session_reused end=$close_reason
 * What does not apply is "-". Fields are only ever added at the end.
 *
 * combined, byte for byte nginx's, which many programs read:
 * $remote_addr - - [$time_local] "$request" $status $body_bytes_sent "$http_referer"
 * "$http_user_agent"
 *
 * Texts that are too long for a line are cut, with "..." at their end.
 */
#ifndef WORKER_SESSION_ACCESS_LOG_H
#define WORKER_SESSION_ACCESS_LOG_H

#include "shared/address.h"
#include "shared/close_reason.h"
#include "shared/config.h"
#include "shared/log_file.h"
#include "shared/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { ACCESS_LOG_TIME_MAX = 40, ACCESS_LOG_FORMATS = ACCESS_LOG_COMBINED + 1 };

/* The time as each format last wrote it: most lines are of the same second. One per worker, zeroed
 * at first. */
struct access_log_clock {
	struct {
		time_t second;
		char text[ACCESS_LOG_TIME_MAX]; /* "": none yet */
	} of[ACCESS_LOG_FORMATS];
};

struct access_log_record {
	struct timespec time; /* wall clock: a tunnel's start, an exchange's end */
	struct access_log_clock *clock; /* NULL: the time's text is made anew */
	const struct address *client;
	const char *server_name; /* of a TCP proxy: the name of its section; NULL: none */
	struct slice request; /* from the client: escaped here; empty: none */
	unsigned status; /* 0: none */
	const char *upstream_addresses; /* "10.0.0.1:443, 10.0.0.2:443"; NULL: none was tried */
	uint64_t bytes_received, bytes_sent;
	uint64_t body_bytes_sent; /* of bytes_sent, without heads */
	uint64_t duration_ms;
	const char *upstream_protocol, *upstream_cipher; /* NULL: no TLS */
	bool upstream_resumed;
	struct slice referer, user_agent; /* as `request` */
	enum close_reason reason;
};

enum { ACCESS_LOG_LINE_MAX = 4096 };

/* The line with its newline; returns its length. `buffer` is ACCESS_LOG_LINE_MAX bytes. */
size_t access_log_format(
        const struct access_log_record *record, enum access_log_format format, char *buffer);

/* Never waits. The error log is told of the first line that is dropped, and how many were once one
 * is taken again. */
void access_log_write(struct log_file *file, const char *line, size_t length);
/* At a worker's end: what is still to be told of them. */
void access_log_tell_dropped(struct log_file *files, size_t count);

/* A line to each of the logs, in its format; `files` are those of config->log_paths. */
void access_log_write_all(const struct access_log_record *record,
        const struct config_access_log *logs, size_t log_count, struct log_file *files);

#endif
