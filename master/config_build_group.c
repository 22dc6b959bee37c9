/* SPDX-License-Identifier: BSD-2-Clause */
/* config_build_group.c - groups: their servers' names looked up, an endpoint for each address. */
#include "master/config_build.h"

#include "shared/arena.h"

#include <stdio.h>
#include <string.h>

enum { RESOLVE_TIMEOUT_MS = 5000, FAULT_MAX = 256 };

struct server_line { /* one `server` of one group */
	struct config_server server;
	const char *host, *text;
	const struct config_origin *origin;
};

struct group_plan {
	const char *name;
	const struct config_section *section; /* NULL: named by proxy_pass alone */
	const struct config_entry *user; /* a proxy_pass that leads here, or NULL */
	struct server_line *lines;
	size_t line_count;
};

static bool read_line(
        struct config_builder *builder, const struct config_entry *entry, struct server_line *line)
{
	char fault[FAULT_MAX];

	if (!config_read_server(&entry->words, &line->server, fault, sizeof(fault)))
		return false; /* was reported when it was read */
	line->host = arena_copy(builder->config->arena, line->server.host);
	line->text = entry->words.items[0];
	line->origin = &entry->origin;
	return true;
}

static size_t count_entries(const struct config_entry *entry)
{
	size_t count = 0;

	for (; entry; entry = entry->next)
		count++;
	return count;
}

static const struct config_entry *user_of(const struct config_builder *builder, const char *group)
{
	for (const struct config_section *section = builder->config->tree->first; section;
	        section = section->next) {
		const struct config_entry *entry = section->entries[CONFIG_PROXY_PASS_KEY];
		if (section->kind == CONFIG_TCP && entry &&
		        strcmp(entry->words.items[0], group) == 0)
			return entry;
	}
	return NULL;
}

static void check_lines(struct config_builder *builder, const struct group_plan *plan)
{
	size_t primaries = 0;

	for (size_t i = 0; i < plan->line_count; i++) {
		const struct server_line *line = &plan->lines[i];
		primaries += !line->server.backup;
		if (line->server.port == 0 && plan->user)
			config_messages_add(builder->messages, CONFIG_ERROR, line->origin,
			        "server: '%s' has no port, and the [tcp] at %s:%u that proxies to "
			        "it has no default; "
			        "write %s:PORT",
			        line->text, plan->user->origin.file, plan->user->origin.line,
			        line->text);
	}
	if (plan->line_count && primaries == 0)
		config_messages_add(builder->messages, CONFIG_ERROR, plan->lines[0].origin,
		        "[%s] has backup servers only; one has to come first",
		        plan->section->title);
}

static void plan_section(struct config_builder *builder, const struct config_section *section,
        struct group_plan *plan)
{
	const struct config_entry *entry = section->entries[CONFIG_SERVER_KEY];

	plan->name = section->name;
	plan->section = section;
	plan->user = user_of(builder, section->name);
	plan->lines = arena_alloc_array(
	        builder->config->arena, count_entries(entry) + 1, sizeof(*plan->lines));
	if (!entry && !section->refused[CONFIG_SERVER_KEY])
		config_messages_add(builder->messages, CONFIG_ERROR, &section->origin,
		        "[%s] has no server; write 'server = HOST:PORT'", section->title);
	for (; entry; entry = entry->next)
		plan->line_count += read_line(builder, entry, &plan->lines[plan->line_count]);
	check_lines(builder, plan);
}

/* proxy_pass names a server and no group. */
static bool plan_target(
        struct config_builder *builder, const struct config_entry *entry, struct group_plan *plan)
{
	const char *text = entry->words.items[0];
	struct server_line *line = arena_alloc(builder->config->arena, sizeof(*line));
	const char *names[64];
	size_t count = 0;

	plan->name = text;
	plan->user = entry;
	plan->lines = line;
	if (read_line(builder, entry, line) && line->server.port) {
		plan->line_count = 1;
		return true;
	}
	for (const struct config_section *section = builder->config->tree->first;
	        section && count < 64; section = section->next)
		if (section->kind == CONFIG_UPSTREAM)
			names[count++] = section->name;
	const char *near = config_suggest(text, names, count);
	if (near)
		config_messages_add(builder->messages, CONFIG_ERROR, &entry->origin,
		        "proxy_pass: there is no [upstream %s]; did you mean '%s'?", text, near);
	else
		config_messages_add(builder->messages, CONFIG_ERROR, &entry->origin,
		        "proxy_pass: there is no [upstream %s], and it is no HOST:PORT", text);
	return false;
}

static void resolve(struct config_builder *builder, const struct group_plan *plans, size_t count)
{
	size_t host_count = 0, used = 0;

	for (size_t i = 0; i < count; i++)
		host_count += plans[i].line_count;
	const char **hosts = arena_alloc_array(
	        builder->config->arena, host_count + 1, sizeof(*hosts));
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < plans[i].line_count; j++)
			hosts[used++] = plans[i].lines[j].host;
	config_source_resolve(builder->source, hosts, host_count, RESOLVE_TIMEOUT_MS);
}

static void fill_endpoint(struct config_builder *builder, struct config_endpoint *endpoint,
        const struct server_line *line, const struct address *address)
{
	*endpoint = (struct config_endpoint){
	        .server = line->text,
	        .host = line->host,
	        .tls_name = line->server.tls_name,
	        .origin = *line->origin,
	        .weight = line->server.weight,
	        .max_fails = line->server.max_fails,
	        .fail_timeout_ms = line->server.fail_timeout_ms,
	        .backup = line->server.backup,
	        .down = line->server.down,
	        .state_index = (uint32_t)builder->config->endpoint_count++,
	};
	if (!address)
		return;
	endpoint->address = *address;
	address_set_port(&endpoint->address, line->server.port);
}

static void report_unresolved(
        struct config_builder *builder, const struct server_line *line, const char *error)
{
	bool required = builder->config->main.resolve_required;

	builder->config->names_unresolved = true;
	config_messages_add(builder->messages, required ? CONFIG_ERROR : CONFIG_WARNING,
	        line->origin, "server: '%s' does not resolve (%s)%s", line->host, error,
	        required ? "; 'resolve_at_start = lenient' would start without it"
	                 : "; it is down until it does, looked up again every 10 s");
}

static void build_binds(struct config_builder *builder, const struct config_section *section,
        struct config_group *group)
{
	const struct config_entry *entry = section ? section->entries[CONFIG_PROXY_BIND_KEY] : NULL;
	size_t count = count_entries(entry);
	struct address *addresses = arena_alloc_array(
	        builder->config->arena, count + 1, sizeof(*addresses));

	group->bind_addresses = addresses;
	group->bind_address_count = count;
	for (size_t i = 0; entry; entry = entry->next, i++)
		address_parse_ip(slice_of(entry->words.items[0]), &addresses[i]);
}

static void build_group(
        struct config_builder *builder, const struct group_plan *plan, struct config_group *group)
{
	size_t capacity = 0;

	for (size_t i = 0; i < plan->line_count; i++) {
		size_t count = config_source_addresses(builder->source, plan->lines[i].host)->count;
		capacity += count ? count : 1;
	}
	struct config_endpoint *endpoints = arena_alloc_array(
	        builder->config->arena, capacity + 1, sizeof(*endpoints));
	for (size_t i = 0; i < plan->line_count; i++) {
		const struct server_line *line = &plan->lines[i];
		const struct config_names *names = config_source_addresses(
		        builder->source, line->host);
		for (size_t j = 0; j < names->count; j++)
			fill_endpoint(builder, &endpoints[group->endpoint_count++], line,
			        &names->addresses[j]);
		if (names->count)
			continue;
		report_unresolved(builder, line, names->error ? names->error : "no address");
		fill_endpoint(builder, &endpoints[group->endpoint_count++], line, NULL);
	}
	group->name = plan->name;
	group->origin = plan->section ? plan->section->origin : plan->user->origin;
	group->endpoints = endpoints;
	build_binds(builder, plan->section, group);
}

static bool is_planned(const struct group_plan *plans, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(plans[i].name, name) == 0)
			return true;
	return false;
}

void config_build_groups(struct config_builder *builder)
{
	struct config *config = builder->config;
	size_t section_count = 0, count = 0;

	for (const struct config_section *section = builder->config->tree->first; section;
	        section = section->next)
		section_count++;
	struct group_plan *plans = arena_alloc_array(
	        config->arena, section_count + 1, sizeof(*plans));
	for (const struct config_section *section = builder->config->tree->first; section;
	        section = section->next)
		if (section->kind == CONFIG_UPSTREAM)
			plan_section(builder, section, &plans[count++]);
	for (const struct config_section *section = builder->config->tree->first; section;
	        section = section->next) {
		const struct config_entry *entry = section->entries[CONFIG_PROXY_PASS_KEY];
		if (section->kind == CONFIG_TCP && entry &&
		        !is_planned(plans, count, entry->words.items[0]))
			count += plan_target(builder, entry, &plans[count]);
	}
	resolve(builder, plans, count);
	struct config_group *groups = arena_alloc_array(config->arena, count + 1, sizeof(*groups));
	for (size_t i = 0; i < count; i++) {
		groups[i].state_index = (uint32_t)i;
		build_group(builder, &plans[i], &groups[i]);
	}
	config->groups = groups;
	config->group_count = count;
}

const struct config_group *config_find_group(const struct config_builder *builder, const char *name)
{
	for (size_t i = 0; i < builder->config->group_count; i++)
		if (strcmp(builder->config->groups[i].name, name) == 0)
			return &builder->config->groups[i];
	return NULL;
}
