/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_reply.h - answers of our own: pages of errors, and what `return` says.
 *
 * A page names its status and nothing of the inside. Like snprintf, http_write_reply returns the
 * length of the whole; what does not fit into `size` is not written.
 */
#ifndef WORKER_HTTP_HTTP_REPLY_H
#define WORKER_HTTP_HTTP_REPLY_H

#include "shared/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* An answer of our own. */
struct http_reply {
	unsigned status; /* also nginx's 495, 496, 497: shown as 400, with the reason in the page */
	struct slice body; /* data NULL: the short page of the status */
	struct slice content_type; /* of `body`; empty: text/plain */
	struct slice location; /* empty: no Location */
	unsigned client_minor;
	bool keep_alive;
	bool head_only; /* answers HEAD */
	time_t now;
};

/* Head and body. Statuses below 300 have no page, only the body that is given. */
size_t http_write_reply(const struct http_reply *reply, char *out, size_t size);

/* Bytes of its body that go out, for the access log. */
size_t http_reply_body_bytes(const struct http_reply *reply);

/* Suffices for every reply without `body` and `location`. */
enum { HTTP_REPLY_PAGE_MAX = 1024 };

/* "404 Not Found"; NULL for a status we have no words for. */
const char *http_status_text(unsigned status);
/* What the client sees of a status: 400 for 495, 496, 497, else the same. */
unsigned http_status_shown(unsigned status);

/* The Connection field that tells a client of HTTP/1.`client_minor` what becomes of the connection,
 * with its CRLF; empty where it knows already. */
struct slice http_connection_field(bool keep_alive, unsigned client_minor);

#endif
