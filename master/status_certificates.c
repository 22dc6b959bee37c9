/* SPDX-License-Identifier: BSD-2-Clause */
/* status_certificates.c - section by section, those that have one of their own. */
#include "master/status_certificates.h"

#include "shared/arena.h"
#include "shared/check.h"
#include "shared/config.h"
#include "shared/tls_credentials.h"

enum { ARENA_CHUNK_BYTES = 16 * 1024 };

static void add_certificate(struct status_certificates *certificates, const char *section,
        bool upstream, int64_t not_after)
{
	if (not_after != INT64_MAX)
		certificates->items[certificates->count++] = (struct status_certificate){
		        section, upstream, not_after};
}

static void add_server(struct status_certificates *certificates, const char *section,
        const struct tls_server_credentials *credentials)
{
	if (credentials)
		add_certificate(certificates, section, false, credentials->own_not_after);
}

static void add_client(struct status_certificates *certificates, const char *section,
        const struct tls_client_credentials *credentials)
{
	if (credentials)
		add_certificate(certificates, section, true, credentials->own_not_after);
}

static size_t count_max(const struct config *config)
{
	size_t count = 2 * config->tcp_count;

	for (size_t i = 0; i < config->http_count; i++)
		count += 1 + config->https[i].location_count;
	return count;
}

static void read_http(struct status_certificates *certificates, const struct config_http *http)
{
	const char *name = http->name ? http->name : "";

	add_server(certificates, arena_format(certificates->arena, "http %s", name),
	        http->listener_tls);
	for (size_t i = 0; i < http->location_count; i++) {
		const struct config_location *location = &http->locations[i];
		const char *section = arena_format(certificates->arena, "location %s %s%.*s", name,
		        location->exact ? "= " : "", (int)location->path.length,
		        location->path.data);
		add_client(certificates, section, location->upstream_tls);
	}
}

void status_certificates_read(struct status_certificates *certificates, const struct config *config)
{
	*certificates = (struct status_certificates){.arena = arena_create(ARENA_CHUNK_BYTES)};
	CHECK(certificates->arena);
	certificates->items = arena_alloc_array(
	        certificates->arena, count_max(config), sizeof(*certificates->items));
	for (size_t i = 0; i < config->tcp_count; i++) {
		const struct config_tcp *tcp = &config->tcps[i];
		const char *section = arena_format(certificates->arena, "tcp %s", tcp->name);
		add_server(certificates, section, tcp->listener_tls);
		add_client(certificates, section, tcp->upstream_tls);
	}
	for (size_t i = 0; i < config->http_count; i++)
		read_http(certificates, &config->https[i]);
}

void status_certificates_drop(struct status_certificates *certificates)
{
	arena_destroy(certificates->arena);
	*certificates = (struct status_certificates){0};
}
