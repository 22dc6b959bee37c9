/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_check.h - what we refuse, and with which status, given a head's lines.
 *
 * Whatever two readers of a head could take differently ends here: who is meant (target and Host),
 * where the message ends (framing), who goes on (Connection).
 */
#ifndef WORKER_HTTP_HTTP_CHECK_H
#define WORKER_HTTP_HTTP_CHECK_H

#include "worker/http/http_parser.h"

/* Both fill the rest of a head that has its first line (http_layout_read) and its fields; `target`
 * still as received. False: *refusal_out says why, and the head is of use for logs alone. */
bool http_check_request(
        struct http_head *head, struct arena *arena, struct http_refusal *refusal_out);
/* `method` of the request it answers. The status to answer is always 502. */
bool http_check_response(struct http_head *head, enum http_method method, struct arena *arena,
        struct http_refusal *refusal_out);

/* Sets method and idempotent from method_name. */
void http_check_method(struct http_head *head);

#endif
