/* SPDX-License-Identifier: BSD-2-Clause */
/* http_route.h - host to server, path to location, and the URI that goes on. */
#ifndef WORKER_HTTP_HTTP_ROUTE_H
#define WORKER_HTTP_HTTP_ROUTE_H

#include "shared/config.h"
#include "worker/http/http_message.h"

struct arena;

/* The server that has this name (in any case), else the standard one. `host` has no port. */
const struct config_http *http_route_server(
        const struct config_http_names *names, struct slice host);
/* Never NULL: `unmatched` where no location matches. `path` is normalised. */
const struct config_location *http_route_location(
        const struct config_http *http, struct slice path);
/* What stands in the request line for the upstream: the target as it came, or with the matched
 * prefix replaced as nginx does: on the normalised path, escaped anew, the query as it came. */
struct slice http_route_target(const struct config_location *location,
        const struct http_head *request, struct arena *arena);

#endif
