/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_message.h - the head of a request or a response, parsed and checked.
 *
 * All slices live in the arena that the parser was given, until that is rewound; none points into
 * an I/O buffer.
 */
#ifndef WORKER_HTTP_HTTP_MESSAGE_H
#define WORKER_HTTP_HTTP_MESSAGE_H

#include "shared/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_field {
	struct slice name, value; /* as received; the value trimmed */
};

/* How a message's end is found (RFC 9112 6.3). */
enum http_framing { HTTP_NO_BODY, HTTP_BODY_SIZED, HTTP_BODY_CHUNKED, HTTP_BODY_UNTIL_CLOSE };

enum http_kind { HTTP_REQUEST, HTTP_RESPONSE };

enum http_method {
	HTTP_METHOD_OTHER,
	HTTP_METHOD_GET,
	HTTP_METHOD_HEAD,
	HTTP_METHOD_POST,
	HTTP_METHOD_PUT,
	HTTP_METHOD_DELETE,
	HTTP_METHOD_OPTIONS,
	HTTP_METHOD_CONNECT,
	HTTP_METHOD_TRACE,
};

struct http_head {
	enum http_kind kind;
	unsigned minor; /* HTTP/1.`minor`: 0 or 1 */
	struct http_field *fields;
	size_t field_count;
	enum http_framing framing;
	uint64_t content_length; /* of HTTP_BODY_SIZED, never 0; and of a HEAD's or 304's answer */
	bool has_content_length;
	bool keep_alive; /* the sender would go on (RFC 9112 9.3) */
	struct slice upgrade; /* the Upgrade field, where Connection names it; empty: none */
	struct slice
	        connection; /* the options of all Connection fields, joined by ", "; as received */
	/* a request's */
	enum http_method method;
	struct slice method_name;
	bool idempotent; /* RFC 9110 9.2.2 */
	struct slice request_line; /* as received, for logs */
	struct slice target; /* in origin form, or "*": path and query as received */
	struct slice path; /* of it: percent-decoded, dot segments and double slashes removed; of
	                      "*": "/" */
	struct slice args; /* of it, behind the first '?'; as received */
	struct slice authority; /* "host" or "host:port", lower case; empty only for HTTP/1.0 */
	struct slice host; /* of it, without the port */
	bool expect_continue; /* and a body that is waited for */
	/* a response's */
	unsigned status;
	struct slice reason;
};

/* The value of the first such field; data NULL: none. `name` in any case. */
struct slice http_head_field(const struct http_head *head, struct slice name);

#endif
