/* SPDX-License-Identifier: BSD-2-Clause */
/* http_target.h - the four forms of a request's target (RFC 9112 3.2), brought to one. */
#ifndef WORKER_HTTP_HTTP_TARGET_H
#define WORKER_HTTP_HTTP_TARGET_H

#include "worker/http/http_message.h"

struct arena;

/* Sets target, path and args of `head` from what stood in its request line; *authority_out is what
 * an absolute target named, data NULL: none. NULL, or what is wrong with it. */
const char *http_target_read(struct http_head *head, struct slice received, struct arena *arena,
        struct slice *authority_out);

/* "80" or "443": the port that an absolute target's scheme stands for. */
struct slice http_target_default_port(struct slice received);

#endif
