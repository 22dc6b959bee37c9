/* SPDX-License-Identifier: BSD-2-Clause */
/* http_host.h - what the HTTP sessions of a worker share: settings made once, memory lent. */
#ifndef WORKER_HTTP_HTTP_HOST_H
#define WORKER_HTTP_HTTP_HOST_H

#include "worker/session/session.h"
#include "worker/session/tunnel.h"

enum { HTTP_BUFFER_BYTES_MAX = 256 * 1024 }; /* the largest lent buffer of an HTTP connection */

struct arena;
struct http_host;

/* How a location reaches its group; lives as long as the configuration. */
struct http_location_plan {
	struct dial_settings dial; /* group NULL: it proxies nowhere */
	struct tunnel_settings tunnel; /* after a 101 */
	struct slice *hosts; /* of each endpoint of the group: its Host, where no rule sets one */
};

struct http_host *http_host_create(const struct config *config);
void http_host_destroy(struct http_host *host); /* no session is open; NULL is fine */

const struct http_location_plan *http_host_plan(const struct http_host *host,
        const struct config_http *server, const struct config_location *location);

/* worker_shutdown_timeout. */
uint32_t http_host_shutdown_timeout_ms(const struct http_host *host);

/* Empty, for one exchange. */
struct arena *http_host_lend_arena(struct http_host *host);
void http_host_return_arena(struct http_host *host, struct arena *arena);

#endif
