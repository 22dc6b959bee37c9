/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_build_location.c - what a server does with the requests below a path.
 *
 * The keys of a location can stand in its server as well, where a proxy_pass or return makes its
 * '/'. A location of its own is built with the server's settings for requests that none matches.
 */
#include "master/config_build.h"

#include "master/config_template.h"
#include "shared/arena.h"
#include "shared/tls_credentials.h"

#include <stdlib.h>
#include <string.h>

enum { FAULT_MAX = 256, NOT_FOUND = 404 };

static uint32_t number_of(const struct config_builder *builder,
        const struct config_section *section, enum config_key key)
{
	return (uint32_t)config_effective_number(builder->config->tree, section, key);
}

/* ---- settings ---- */

static void build_limits(struct config_builder *builder, const struct config_section *section,
        struct config_location *location)
{
	static const enum config_key times[] = {CONFIG_PROXY_CONNECT_TIMEOUT_KEY,
	        CONFIG_PROXY_SEND_TIMEOUT_KEY, CONFIG_PROXY_READ_TIMEOUT_KEY,
	        CONFIG_CLIENT_BODY_TIMEOUT_KEY, CONFIG_SEND_TIMEOUT_KEY};
	uint32_t *const fields[] = {&location->proxy_connect_timeout_ms,
	        &location->proxy_send_timeout_ms, &location->proxy_read_timeout_ms,
	        &location->client_body_timeout_ms, &location->send_timeout_ms};
	enum { TIMES = sizeof(times) / sizeof(times[0]) };

	for (size_t i = 0; i < TIMES; i++)
		*fields[i] = number_of(builder, section, times[i]);
	config_refuse_zero_times(builder, section, times, TIMES);
	location->keepalive_timeout_ms = number_of(builder, section, CONFIG_KEEPALIVE_TIMEOUT_KEY);
	location->shutdown_timeout_ms = number_of(builder, section, CONFIG_SHUTDOWN_TIMEOUT_KEY);
	location->proxy_buffer_size = number_of(builder, section, CONFIG_PROXY_BUFFER_SIZE_KEY);
	location->client_max_body_size = config_effective_number(
	        builder->config->tree, section, CONFIG_CLIENT_MAX_BODY_SIZE_KEY);
}

static void build_settings(struct config_builder *builder, const struct config_section *section,
        struct config_location *location)
{
	const struct config_entry *keepalive = config_effective(
	        builder->config->tree, section, CONFIG_PROXY_SOCKET_KEEPALIVE_KEY);

	build_limits(builder, section, location);
	config_read_keepalive(
	        config_text(keepalive, CONFIG_PROXY_SOCKET_KEEPALIVE_KEY, section->kind),
	        &location->proxy_socket_keepalive);
	location->next_upstream = number_of(builder, section, CONFIG_PROXY_NEXT_UPSTREAM_KEY);
	location->next_upstream_tries = number_of(
	        builder, section, CONFIG_PROXY_NEXT_UPSTREAM_TRIES_KEY);
	location->next_upstream_timeout_ms = number_of(
	        builder, section, CONFIG_PROXY_NEXT_UPSTREAM_TIMEOUT_KEY);
	location->header_rule_count = config_build_headers(
	        builder, section, &location->header_rules);
	location->access_log_count = config_build_access_logs(
	        builder, section, &location->access_logs);
}

/* ---- return and proxy_pass ---- */

static void build_return(struct config_builder *builder, const struct config_entry *entry,
        struct config_location *location)
{
	location->return_status = (unsigned)config_number(
	        entry, CONFIG_RETURN_KEY, CONFIG_LOCATION);
	if (entry->words.count > 1)
		location->return_text = config_template_compile(
		        builder->config->arena, entry->words.items[1]);
}

static struct slice host_header(
        const struct config_builder *builder, const struct config_target *target)
{
	uint16_t usual = target->https ? 443 : 80;
	size_t length = target->authority.length;

	if (target->port == usual)
		while (target->authority.data[--length] != ':')
			;
	return slice_of(
	        arena_copy(builder->config->arena, (struct slice){target->authority.data, length}));
}

static void find_host(void *opaque, const struct config_entry *entry)
{
	const struct config_entry **host = opaque;

	if (slice_equal_nocase(slice_of(entry->words.items[0]), SLICE("Host")))
		*host = entry;
}

/* Which name servers see and which one they are verified by should be the same. */
static void check_host(struct config_builder *builder, const struct config_location *location,
        const struct config_section *section)
{
	const struct config_entry *host = NULL;

	if (!location->upstream_tls || location->proxy_ssl_name ||
	        !location->upstream_tls->send_server_name)
		return;
	config_each_header(builder->config->tree, section, find_host, &host);
	if (!host || (strcmp(host->words.items[1], "$host") != 0 &&
	                     strcmp(host->words.items[1], "$http_host") != 0))
		return;
	config_messages_add(builder->messages, CONFIG_NOTICE, &host->origin,
	        "proxy_set_header: upstreams get the client's name as Host, but are verified by "
	        "the name of their server line, which is sent as SNI too; some answer 421 then; "
	        "'proxy_ssl_name = NAME' would make them the same");
}

static void build_pass(struct config_builder *builder, const struct config_section *section,
        const struct config_entry *entry, struct config_location *location)
{
	struct config_target target;
	char fault[FAULT_MAX];

	if (!config_read_proxy_pass(entry->words.items[0], &target, fault, sizeof(fault)))
		return; /* was reported when it was read */
	location->group = config_find_group(builder, section->group);
	location->proxy_host = host_header(builder, &target);
	location->replaces_uri = target.uri.length > 0;
	location->replacement = target.uri;
	if (target.https)
		location->upstream_tls = config_build_client_tls(
		        builder, section, location->group, &location->proxy_ssl_name);
	else
		config_check_idle_client_tls(
		        builder, section, location->group, "its proxy_pass says http://");
	check_host(builder, location, section);
}

static void build_answer(struct config_builder *builder, const struct config_section *section,
        struct config_location *location)
{
	const struct config_entry *pass = section->entries[CONFIG_PROXY_PASS_KEY];
	const struct config_entry *returns = section->entries[CONFIG_RETURN_KEY];

	if (pass && returns)
		config_messages_add(builder->messages, CONFIG_ERROR, &returns->origin,
		        "return: [%s] has a proxy_pass already, at %s:%u; leave one out",
		        section->title, pass->origin.file, pass->origin.line);
	else if (!pass && !returns && !section->refused[CONFIG_PROXY_PASS_KEY] &&
	         !section->refused[CONFIG_RETURN_KEY])
		config_messages_add(builder->messages, CONFIG_ERROR, &section->origin,
		        "[%s] goes nowhere; write 'proxy_pass = https://GROUP' or 'return = CODE "
		        "TEXT'",
		        section->title);
	if (returns)
		build_return(builder, returns, location);
	else if (pass)
		build_pass(builder, section, pass, location);
}

/* ---- the locations of a server ---- */

static bool answers_itself(const struct config_section *http)
{
	return http->entries[CONFIG_PROXY_PASS_KEY] || http->entries[CONFIG_RETURN_KEY];
}

static bool is_location_of(const struct config_section *section, const struct config_section *http)
{
	return section->kind == CONFIG_LOCATION && strcmp(section->name, http->name) == 0;
}

static void refuse_second_root(struct config_builder *builder, const struct config_section *http,
        const struct config_section *location)
{
	const struct config_entry *pass = http->entries[CONFIG_PROXY_PASS_KEY];
	const struct config_entry *own = pass ? pass : http->entries[CONFIG_RETURN_KEY];

	config_messages_add(builder->messages, CONFIG_ERROR, &location->origin,
	        "[%s]: the %s at %s:%u makes that location of [%s] already; leave one out",
	        location->title, pass ? "proxy_pass" : "return", own->origin.file, own->origin.line,
	        http->title);
}

static void add_location(struct config_builder *builder, const struct config_section *section,
        struct config_http *http, struct config_location *locations)
{
	struct config_location *location = &locations[http->location_count++];
	bool is_root = section->kind == CONFIG_HTTP;

	location->origin = section->origin;
	location->path = slice_of(is_root ? "/" : section->path);
	location->exact = section->exact;
	build_settings(builder, section, location);
	build_answer(builder, section, location);
}

/* Exact ones, then the longest prefix first. */
static int compare_locations(const void *a, const void *b)
{
	const struct config_location *one = a, *other = b;

	if (one->exact != other->exact)
		return one->exact ? -1 : 1;
	if (one->path.length != other->path.length)
		return one->path.length > other->path.length ? -1 : 1;
	return memcmp(one->path.data, other->path.data, one->path.length);
}

static void build_unmatched(struct config_builder *builder, const struct config_section *section,
        struct config_http *http)
{
	struct config_location *location = arena_alloc(builder->config->arena, sizeof(*location));

	location->origin = section->origin;
	location->path = SLICE("/");
	location->return_status = NOT_FOUND;
	build_settings(builder, section, location);
	http->unmatched = location;
}

void config_build_locations(struct config_builder *builder, const struct config_section *section,
        struct config_http *http)
{
	const struct config_tree *tree = builder->config->tree;
	size_t count = 1;

	for (const struct config_section *each = tree->first; each; each = each->next)
		count += is_location_of(each, section);
	struct config_location *locations = arena_alloc_array(
	        builder->config->arena, count, sizeof(*locations));
	/* One that goes nowhere by itself is fine when it has locations. */
	if (answers_itself(section) || count == 1)
		add_location(builder, section, http, locations);
	for (const struct config_section *each = tree->first; each; each = each->next) {
		if (!is_location_of(each, section))
			continue;
		if (answers_itself(section) && !each->exact && strcmp(each->path, "/") == 0)
			refuse_second_root(builder, section, each);
		add_location(builder, each, http, locations);
	}
	qsort(locations, http->location_count, sizeof(*locations), compare_locations);
	http->locations = locations;
	build_unmatched(builder, section, http);
}
