/* SPDX-License-Identifier: BSD-2-Clause */
/* config_build_group.c - groups: their servers' names looked up, an endpoint for each address. */
#include "master/config_build.h"

#include "shared/arena.h"

#include <stdio.h>
#include <string.h>

enum { RESOLVE_TIMEOUT_MS = 5000, FAULT_MAX = 256, NAMES_MAX = 64 };
enum { HTTP_PORT = 80, HTTPS_PORT = 443 };

struct server_line { /* one `server` of one group */
	struct config_server server;
	const char *host, *text;
	const struct config_origin *origin;
};

/* The first proxy_pass of each kind that leads to a group, or NULL. */
struct users {
	const struct config_entry *tcp, *http, *https;
};

struct group_plan {
	const char *name;
	const struct config_section *section; /* NULL: named by proxy_pass alone */
	const struct config_entry *user; /* that proxy_pass */
	struct server_line *lines;
	size_t line_count;
};

/* ---- who proxies to what ---- */

/* The name of a group without a section says its port. */
static const char *http_group(const struct config_tree *tree, const char *word)
{
	struct config_target target;
	char fault[FAULT_MAX];

	if (!config_read_proxy_pass(word, &target, fault, sizeof(fault)))
		return NULL;
	const char *name = arena_copy(tree->arena, target.authority);
	if (target.port || config_tree_find(tree, CONFIG_UPSTREAM, name))
		return name;
	return arena_format(tree->arena, "%s:%d", name, target.https ? HTTPS_PORT : HTTP_PORT);
}

static void find_targets(struct config_tree *tree)
{
	for (struct config_section *section = tree->first; section; section = section->next) {
		const struct config_entry *entry = section->entries[CONFIG_PROXY_PASS_KEY];
		if (!entry)
			continue;
		const char *word = entry->words.items[0];
		section->group = section->kind == CONFIG_TCP ? word : http_group(tree, word);
	}
}

static struct users users_of(const struct config_tree *tree, const char *group)
{
	struct users users = {NULL, NULL, NULL};

	for (const struct config_section *section = tree->first; section; section = section->next) {
		const struct config_entry *entry = section->entries[CONFIG_PROXY_PASS_KEY];
		if (!section->group || strcmp(section->group, group) != 0)
			continue;
		bool https = slice_starts_with(slice_of(entry->words.items[0]), SLICE("https:"));
		const struct config_entry **user = section->kind == CONFIG_TCP ? &users.tcp
		                                   : https                     ? &users.https
		                                                               : &users.http;
		if (!*user)
			*user = entry;
	}
	return users;
}

/* ---- what the sections say ---- */

static bool read_line(struct config_builder *builder, const struct config_words *words,
        const struct config_origin *origin, struct server_line *line)
{
	char fault[FAULT_MAX];

	if (!config_read_server(words, &line->server, fault, sizeof(fault)))
		return false; /* was reported when it was read */
	line->host = arena_copy(builder->config->arena, line->server.host);
	line->text = words->items[0];
	line->origin = origin;
	return true;
}

/* A port that is not written is that of the scheme, where there is one scheme. */
static void settle_port(
        struct config_builder *builder, const struct users *users, struct server_line *line)
{
	if (line->server.port)
		return;
	if (users->tcp)
		config_messages_add(builder->messages, CONFIG_ERROR, line->origin,
		        "server: '%s' has no port, and the [tcp] at %s:%u that proxies to it has "
		        "no default; write %s:PORT",
		        line->text, users->tcp->origin.file, users->tcp->origin.line, line->text);
	else if (users->http && users->https)
		config_messages_add(builder->messages, CONFIG_ERROR, line->origin,
		        "server: '%s' has no port, and is reached by http at %s:%u and by https at "
		        "%s:%u; write %s:PORT",
		        line->text, users->http->origin.file, users->http->origin.line,
		        users->https->origin.file, users->https->origin.line, line->text);
	else if (users->http || users->https)
		line->server.port = users->https ? HTTPS_PORT : HTTP_PORT;
}

static void check_lines(struct config_builder *builder, const struct group_plan *plan)
{
	struct users users = users_of(builder->tree, plan->name);
	size_t primaries = 0;

	for (size_t i = 0; i < plan->line_count; i++) {
		primaries += !plan->lines[i].server.backup;
		settle_port(builder, &users, &plan->lines[i]);
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
	plan->lines = arena_alloc_array(
	        builder->config->arena, config_entry_count(entry) + 1, sizeof(*plan->lines));
	if (!entry && !section->refused[CONFIG_SERVER_KEY])
		config_messages_add(builder->messages, CONFIG_ERROR, &section->origin,
		        "[%s] has no server; write 'server = HOST:PORT'", section->title);
	for (; entry; entry = entry->next)
		plan->line_count += read_line(
		        builder, &entry->words, &entry->origin, &plan->lines[plan->line_count]);
	check_lines(builder, plan);
}

/* The name of an [upstream] that is near to `word`, or NULL. */
static const char *near_group(const struct config_builder *builder, const char *word)
{
	const char *names[NAMES_MAX];
	size_t count = 0;

	for (const struct config_section *section = builder->config->tree->first;
	        section && count < NAMES_MAX; section = section->next)
		if (section->kind == CONFIG_UPSTREAM)
			names[count++] = section->name;
	return config_suggest(word, names, count);
}

/* proxy_pass names a server and no group. */
static bool plan_target(struct config_builder *builder, const char *name,
        const struct config_entry *entry, struct group_plan *plan)
{
	struct server_line *line = arena_alloc(builder->config->arena, sizeof(*line));
	const char *const *words = &plan->name;

	plan->name = name;
	plan->user = entry;
	plan->lines = line;
	if (read_line(builder, &(struct config_words){words, 1}, &entry->origin, line) &&
	        line->server.port) {
		plan->line_count = 1;
		return true;
	}
	const char *near = near_group(builder, name);
	if (near)
		config_messages_add(builder->messages, CONFIG_ERROR, &entry->origin,
		        "proxy_pass: there is no [upstream %s]; did you mean '%s'?", name, near);
	else
		config_messages_add(builder->messages, CONFIG_ERROR, &entry->origin,
		        "proxy_pass: there is no [upstream %s], and it is no HOST:PORT", name);
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

/* Where proxy_pass names it, the name of a group may have been meant. */
static void report_unresolved(struct config_builder *builder, const struct group_plan *plan,
        const struct server_line *line, const struct config_names *names)
{
	const char *error = names->error ? names->error : "no address";
	bool required = builder->config->main.resolve_required;
	const char *near = plan->section ? NULL : near_group(builder, line->host);

	builder->config->names_unresolved = true;
	config_messages_add(builder->messages, required ? CONFIG_ERROR : CONFIG_WARNING,
	        line->origin, "%s: '%s' does not resolve (%s)%s%s%s%s",
	        plan->section ? "server" : "proxy_pass", line->host, error,
	        required       ? "; 'resolve_at_start = lenient' would start without it"
	        : names->count ? "; it keeps the addresses it had, looked up again every 10 s"
	                       : "; it is down until it does, looked up again every 10 s",
	        near ? "; was the [upstream '" : "", near ? near : "", near ? "'] meant?" : "");
}

static void build_binds(struct config_builder *builder, const struct config_section *section,
        struct config_group *group)
{
	const struct config_entry *entry = section ? section->entries[CONFIG_PROXY_BIND_KEY] : NULL;
	size_t count = config_entry_count(entry);
	struct address *addresses = arena_alloc_array(
	        builder->config->arena, count + 1, sizeof(*addresses));

	group->bind_addresses = addresses;
	group->bind_address_count = count;
	for (size_t i = 0; entry; entry = entry->next, i++)
		address_parse_ip(slice_of(entry->words.items[0]), &addresses[i]);
}

static void build_keepalive(const struct config_section *section, struct config_group *group)
{
	static const enum config_key keys[] = {CONFIG_KEEPALIVE_KEY, CONFIG_KEEPALIVE_TIMEOUT_KEY,
	        CONFIG_KEEPALIVE_REQUESTS_KEY, CONFIG_KEEPALIVE_TIME_KEY};
	uint32_t *const fields[] = {&group->keepalive, &group->keepalive_timeout_ms,
	        &group->keepalive_requests, &group->keepalive_time_ms};

	for (size_t i = 0; i < 4; i++)
		*fields[i] = (uint32_t)config_number(
		        section ? section->entries[keys[i]] : NULL, keys[i], CONFIG_UPSTREAM);
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
		if (names->count && !names->error)
			continue;
		report_unresolved(builder, plan, line, names);
		if (names->count == 0)
			fill_endpoint(builder, &endpoints[group->endpoint_count++], line, NULL);
		for (size_t j = names->count ? names->count : 1; j > 0; j--)
			endpoints[group->endpoint_count - j].unresolved = true;
	}
	group->name = plan->name;
	group->origin = plan->section ? plan->section->origin : plan->user->origin;
	group->endpoints = endpoints;
	build_binds(builder, plan->section, group);
	build_keepalive(plan->section, group);
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

	find_targets(builder->tree);
	for (const struct config_section *section = config->tree->first; section;
	        section = section->next)
		section_count++;
	struct group_plan *plans = arena_alloc_array(
	        config->arena, section_count + 1, sizeof(*plans));
	for (const struct config_section *section = config->tree->first; section;
	        section = section->next)
		if (section->kind == CONFIG_UPSTREAM)
			plan_section(builder, section, &plans[count++]);
	for (const struct config_section *section = builder->config->tree->first; section;
	        section = section->next) {
		if (section->group && !is_planned(plans, count, section->group))
			count += plan_target(builder, section->group,
			        section->entries[CONFIG_PROXY_PASS_KEY], &plans[count]);
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
