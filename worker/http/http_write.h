/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_write.h - heads to bytes, always afresh from their parts. Answers of our own: http_reply.
 *
 * Like snprintf: each returns the length of the whole, and what does not fit into `size` is not
 * written; then nothing of the buffer is of use.
 */
#ifndef WORKER_HTTP_HTTP_WRITE_H
#define WORKER_HTTP_HTTP_WRITE_H

#include "worker/http/http_variables.h"

struct http_request_form {
	struct slice target; /* http_route_target */
	struct slice default_host; /* where no proxy_set_header sets Host */
	enum http_framing framing;
	uint64_t content_length;
	bool keep_alive; /* false: Connection: close */
	bool upgrade; /* the client's Upgrade is passed on */
	bool expect_continue; /* the client's Expect is passed on */
};

/* Hop-by-hop fields and those that Connection names are left out (RFC 9110 7.6.1), rules applied;
 * names with '_' are dropped. */
size_t http_write_request(const struct http_facts *facts, const struct http_request_form *form,
        struct arena *arena, char *out, size_t size);

struct http_response_form {
	enum http_framing framing; /* towards the client */
	uint64_t content_length;
	bool has_content_length; /* also of a HEAD's answer */
	bool keep_alive;
	bool upgrade; /* 101 */
	unsigned client_minor;
};

size_t http_write_response(const struct http_head *response, const struct http_response_form *form,
        char *out, size_t size);

#endif
