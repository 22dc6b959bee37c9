/* SPDX-License-Identifier: BSD-2-Clause */
/* http_log.h - what the logs say of an exchange. */
#ifndef WORKER_HTTP_HTTP_LOG_H
#define WORKER_HTTP_HTTP_LOG_H

#include "shared/log.h"
#include "worker/http/http_exchange.h"

/* A sentence of the error log, with the client, the server and the request behind it. */
void http_log(const struct http_exchange *exchange, enum log_level level, const char *text);
/* The same about the upstream, which stands in front. */
void http_log_upstream(const struct http_exchange *exchange, const char *text);
/* Its line in the access logs of its location. */
void http_log_exchange(const struct http_exchange *exchange);

#endif
