/* SPDX-License-Identifier: BSD-2-Clause */
/* http_authority.h - "host" or "host:port", of a Host field or an absolute target. */
#ifndef WORKER_HTTP_HTTP_AUTHORITY_H
#define WORKER_HTTP_HTTP_AUTHORITY_H

#include "shared/slice.h"

struct arena;

struct http_authority {
	struct slice host; /* IPv6 with its brackets; never empty */
	struct slice port; /* digits; empty: none */
};

/* Strict (RFC 3986 3.2.2 without IPvFuture): no userinfo, no empty label, an IPv6 address that is
 * one, a port up to 65535. The parts lie in `text`. */
bool http_authority_read(struct slice text, struct http_authority *authority_out);

/* Same host in any case, same port; a port left out is `port_default`. */
bool http_authority_equal(
        const struct http_authority *a, const struct http_authority *b, struct slice port_default);

/* Lower case, in the arena: "host" or "host:port", and of that the host without a dot at its end.
 */
void http_authority_write(const struct http_authority *authority, struct arena *arena,
        struct slice *text_out, struct slice *host_out);

#endif
