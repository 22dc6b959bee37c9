/* SPDX-License-Identifier: BSD-2-Clause */
/* http_host.c - what the HTTP sessions of a worker share: settings made once, memory lent. */
#include "worker/http/http_host.h"

#include "shared/arena.h"
#include "shared/check.h"
#include "shared/tls_credentials.h"

#include <stdlib.h>

enum { ARENA_BYTES = 16 * 1024, SPARE_ARENAS_MAX = 256 };

struct http_host {
	const struct config *config;
	struct arena *texts; /* of the plans */
	struct http_location_plan **plans; /* of each server: of each location, then `unmatched` */
	struct arena *spare[SPARE_ARENAS_MAX];
	size_t spare_count;
};

/* The name that is verified and sent as SNI, with the port unless it is the scheme's own; to http
 * and without SNI what proxy_pass says. */
static struct slice host_of(const struct http_location_plan *plan,
        const struct config_location *location, const struct config_endpoint *endpoint,
        struct arena *arena)
{
	const struct dial_settings *settings = &plan->dial;

	if (!settings->tls || !settings->tls->send_server_name)
		return location->proxy_host;
	const char *name = dial_name(settings, endpoint);
	unsigned port = address_port(&endpoint->address);
	if (port == 443 || !endpoint->address.length)
		return slice_of(name);
	return slice_of(arena_format(arena, "%s:%u", name, port));
}

static void fill_hosts(struct http_location_plan *plan, const struct config_location *location,
        struct arena *arena)
{
	const struct config_group *group = location->group;

	plan->hosts = arena_alloc_array(arena, group->endpoint_count, sizeof(*plan->hosts));
	for (size_t i = 0; i < group->endpoint_count; i++)
		plan->hosts[i] = host_of(plan, location, &group->endpoints[i], arena);
}

static void fill_plan(struct http_location_plan *plan, const struct config_location *location,
        struct arena *arena)
{
	*plan = (struct http_location_plan){
	        .dial =
	                {
	                        .group = location->group,
	                        .tls = location->upstream_tls,
	                        .tls_name = location->proxy_ssl_name,
	                        .connect_timeout_ms = location->proxy_connect_timeout_ms,
	                        .next_upstream = location->next_upstream,
	                        .tries_max = location->next_upstream_tries,
	                        .tries_timeout_ms = location->next_upstream_timeout_ms,
	                        .buffer_bytes_max = HTTP_BUFFER_BYTES_MAX,
	                        .keepalive = location->proxy_socket_keepalive,
	                        .pooled = true,
	                        .answer_confirms = true,
	                },
	        .tunnel =
	                {
	                        .half_close = true,
	                        .truncation_resets = true,
	                        .idle_timeout_ms = location->proxy_read_timeout_ms,
	                },
	};
	dial_settings_identify(&plan->dial);
	fill_hosts(plan, location, arena);
}

struct http_host *http_host_create(const struct config *config)
{
	struct http_host *host = calloc(1, sizeof(*host));

	CHECK(host);
	host->config = config;
	host->plans = calloc(config->http_count + 1, sizeof(struct http_location_plan *));
	host->texts = arena_create(ARENA_BYTES);
	CHECK(host->plans && host->texts);
	for (size_t i = 0; i < config->http_count; i++) {
		const struct config_http *server = &config->https[i];
		host->plans[i] = calloc(server->location_count + 1, sizeof(**host->plans));
		CHECK(host->plans[i]);
		for (size_t j = 0; j < server->location_count; j++)
			if (server->locations[j].group)
				fill_plan(&host->plans[i][j], &server->locations[j], host->texts);
	}
	return host;
}

void http_host_destroy(struct http_host *host)
{
	if (!host)
		return;
	while (host->spare_count)
		arena_destroy(host->spare[--host->spare_count]);
	for (size_t i = 0; i < host->config->http_count; i++)
		free(host->plans[i]);
	free(host->plans);
	arena_destroy(host->texts);
	free(host);
}

const struct http_location_plan *http_host_plan(const struct http_host *host,
        const struct config_http *server, const struct config_location *location)
{
	size_t index = (size_t)(location - server->locations);

	CHECK(location != server->unmatched && index < server->location_count);
	return &host->plans[server - host->config->https][index];
}

uint32_t http_host_shutdown_timeout_ms(const struct http_host *host)
{
	return host->config->main.worker_shutdown_timeout_ms;
}

struct arena *http_host_lend_arena(struct http_host *host)
{
	struct arena *arena = host->spare_count ? host->spare[--host->spare_count]
	                                        : arena_create(ARENA_BYTES);

	CHECK(arena);
	return arena;
}

void http_host_return_arena(struct http_host *host, struct arena *arena)
{
	if (host->spare_count == SPARE_ARENAS_MAX) {
		arena_destroy(arena);
		return;
	}
	arena_rewind(arena);
	host->spare[host->spare_count++] = arena;
}
