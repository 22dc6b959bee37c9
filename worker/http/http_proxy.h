/* SPDX-License-Identifier: BSD-2-Clause */
/* http_proxy.h - the HTTP protocol of a session: exchanges one after another, 101 to a tunnel. */
#ifndef WORKER_HTTP_HTTP_PROXY_H
#define WORKER_HTTP_HTTP_PROXY_H

#include "worker/session/protocol.h"
#include "worker/session/session.h"

struct http_exchange;

extern const struct protocol http_protocol;

/* Runs the exchange, and those behind it, as far as they go. For whoever changed something outside
 * of a stream's event. */
void http_proxy_go_on(struct session *session);
/* The upstream's events are the exchange's from now on. */
void http_proxy_hear_upstream(struct session *session);
/* The head of the 101 is queued: both streams become a tunnel. */
void http_proxy_upgrade(struct http_exchange *exchange);

#endif
