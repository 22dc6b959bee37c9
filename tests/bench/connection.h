/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * connection.h - a connection of the upstream as its services see it: bytes, plain or over TLS.
 */
#ifndef BENCH_CONNECTION_H
#define BENCH_CONNECTION_H

#include "tests/bench/http_head.h"
#include "tests/bench/tls.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum service { SERVICE_ECHO, SERVICE_SINK, SERVICE_SOURCE, SERVICE_HTTP };
enum watched_kind { WATCHED_CONTROL, WATCHED_PORT, WATCHED_CONNECTION };

/* What an epoll event points to: the first member of everything watched. */
struct watched {
	enum watched_kind kind;
	int fd;
};

/* What a SERVICE_HTTP connection is doing. */
struct http_state {
	const char *answer; /* what is still to be sent */
	size_t answer_left;
	bool close; /* after the answer */
	bool blocked; /* watched for room to send */
	struct http_head head;
};

struct connection {
	struct watched watched;
	enum service service;
	bool ready;
	SSL *ssl; /* NULL: plain */
	struct http_state http;
};

/* Bytes moved; 0: nothing for now; -1: the connection has ended. */
ssize_t connection_read(const struct connection *connection, char *bytes, size_t size);
ssize_t connection_write(const struct connection *connection, const char *bytes, size_t size);

/* What an OpenSSL call that did not succeed means: 0 or -1, as above. */
ssize_t connection_tls_result(const struct connection *connection, int result);

/* Says goodbye where TLS wants it, and closes. */
void connection_close(struct connection *connection);

#endif
