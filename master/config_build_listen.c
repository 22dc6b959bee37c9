/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_build_listen.c - addresses where clients come in, and the servers of each.
 *
 * An address belongs to one [tcp NAME], or to any number of [http NAME], whose lines for it have to
 * agree since there is one socket for all of them. Which server is its default has to be known
 * before the servers' credentials are made, and their credentials before the listeners: so lines
 * are planned first and made into listeners last.
 */
#include "master/config_build.h"

#include "shared/arena.h"

#include <stdlib.h>
#include <string.h>

enum { FAULT_MAX = 256 };

/* The largest heads that can be configured fit beside a record that is still arriving. */
enum { HTTP_BUFFER_BYTES = 256 * 1024 };

/* ---- lines, and what two of them have against each other ---- */

/* [::]:PORT with ipv6only=off beside *:PORT. */
static bool takes_ipv4_of(const struct config_listener *six, const struct config_listener *four)
{
	return six->address.any.sa_family == AF_INET6 && !six->ipv6only &&
	       IN6_IS_ADDR_UNSPECIFIED(&six->address.in6.sin6_addr) &&
	       four->address.any.sa_family == AF_INET &&
	       four->address.in.sin_addr.s_addr == htonl(INADDR_ANY) &&
	       address_port(&six->address) == address_port(&four->address);
}

static bool same_keepalive(
        const struct config_tcp_keepalive *a, const struct config_tcp_keepalive *b)
{
	return a->on == b->on && a->idle_s == b->idle_s && a->interval_s == b->interval_s &&
	       a->count == b->count;
}

/* The option that they disagree on, or NULL. */
static const char *disagreement(const struct config_listener *a, const struct config_listener *b)
{
	if (a->ssl != b->ssl)
		return "ssl";
	if (a->backlog != b->backlog)
		return "backlog";
	if (a->ipv6only != b->ipv6only)
		return "ipv6only";
	if (a->deferred != b->deferred)
		return "deferred";
	if (a->freebind != b->freebind)
		return "freebind";
	if (!same_keepalive(&a->so_keepalive, &b->so_keepalive))
		return "so_keepalive";
	return NULL;
}

static void refuse_pair(struct config_builder *builder, const struct config_listen_line *line,
        const struct config_listen_line *other)
{
	const struct config_listener *mine = &line->listen.listener;
	const struct config_origin *there = &other->listen.listener.origin;
	const char *option = disagreement(mine, &other->listen.listener);

	if (line->section == other->section)
		config_messages_add(builder->messages, CONFIG_ERROR, &mine->origin,
		        "listen: '%s' is here a second time; the first is at %s:%u", mine->text,
		        there->file, there->line);
	else if (line->section->kind == CONFIG_TCP || other->section->kind == CONFIG_TCP)
		config_messages_add(builder->messages, CONFIG_ERROR, &mine->origin,
		        "listen: '%s' is taken by [%s] at %s:%u", mine->text, other->section->title,
		        there->file, there->line);
	else if (option)
		config_messages_add(builder->messages, CONFIG_ERROR, &mine->origin,
		        "listen: '%s' and the same address at %s:%u differ in '%s'; all lines of "
		        "an address have to agree",
		        mine->text, there->file, there->line, option);
}

static void check_default(struct config_builder *builder, struct config_listen_line *line,
        struct config_listen_line *first)
{
	const struct config_listen_line *standard = &builder->lines[first->standard];

	if (!line->listen.default_server)
		return;
	if (line != standard && standard->listen.default_server)
		config_messages_add(builder->messages, CONFIG_ERROR, &line->listen.listener.origin,
		        "listen: '%s' has a default_server already, at %s:%u",
		        line->listen.listener.text, standard->listen.listener.origin.file,
		        standard->listen.listener.origin.line);
	first->standard = (size_t)(line - builder->lines);
}

/* False for a repetition, which has been told. */
static bool place_line(struct config_builder *builder, size_t index)
{
	struct config_listen_line *line = &builder->lines[index];
	const struct config_listener *mine = &line->listen.listener;

	line->first = line->standard = index;
	for (size_t i = 0; i < index; i++) {
		const struct config_listener *other = &builder->lines[i].listen.listener;
		if (takes_ipv4_of(mine, other) || takes_ipv4_of(other, mine))
			config_messages_add(builder->messages, CONFIG_ERROR, &mine->origin,
			        "listen: '%s' and '%s' at %s:%u both take every IPv4 address, one "
			        "of them by 'ipv6only=off'",
			        mine->text, other->text, other->origin.file, other->origin.line);
		if (line->first != index || !address_equal(&other->address, &mine->address))
			continue;
		refuse_pair(builder, line, &builder->lines[i]);
		if (line->section == builder->lines[i].section)
			return false;
		line->first = builder->lines[i].first;
	}
	check_default(builder, line, &builder->lines[line->first]);
	return true;
}

static void add_line(struct config_builder *builder, const struct config_section *section,
        const struct config_words *words, const struct config_origin *origin)
{
	struct config_listen_line *line = &builder->lines[builder->line_count];
	char fault[FAULT_MAX];

	line->section = section;
	if (!config_read_listen(
	            words, section->kind == CONFIG_HTTP, &line->listen, fault, sizeof(fault)))
		return; /* was reported when it was read */
	line->listen.listener.text = words->items[0];
	line->listen.listener.origin = *origin;
	builder->line_count += place_line(builder, builder->line_count);
}

static void add_lines(struct config_builder *builder, const struct config_section *section)
{
	const struct config_entry *entry = section->entries[CONFIG_LISTEN_KEY];
	const char *default_text =
	        config_schema_row_in(CONFIG_LISTEN_KEY, section->kind)->default_text;

	if (!entry && section->refused[CONFIG_LISTEN_KEY])
		return;
	if (!entry && default_text)
		add_line(builder, section, &(struct config_words){&default_text, 1},
		        &section->origin);
	else if (!entry)
		config_messages_add(builder->messages, CONFIG_ERROR, &section->origin,
		        "[%s] listens nowhere; write 'listen = [ADDRESS:]PORT'", section->title);
	for (; entry; entry = entry->next)
		add_line(builder, section, &entry->words, &entry->origin);
}

void config_plan_listens(struct config_builder *builder)
{
	const struct config_tree *tree = builder->tree;
	size_t most = 0;

	for (const struct config_section *section = tree->first; section; section = section->next)
		most += 1 + config_entry_count(section->entries[CONFIG_LISTEN_KEY]);
	builder->lines = arena_alloc_array(tree->arena, most + 1, sizeof(*builder->lines));
	for (const struct config_section *section = tree->first; section; section = section->next)
		if (section->kind == CONFIG_TCP || section->kind == CONFIG_HTTP)
			add_lines(builder, section);
}

bool config_has_ssl_listen(
        const struct config_builder *builder, const struct config_section *section)
{
	for (size_t i = 0; i < builder->line_count; i++)
		if (builder->lines[i].section == section && builder->lines[i].listen.listener.ssl)
			return true;
	return false;
}

/* ---- the servers of an address ---- */

static const struct config_http *http_of(
        const struct config_builder *builder, const struct config_listen_line *line)
{
	const struct config *config = builder->config;

	for (size_t i = 0; i < config->http_count; i++)
		if (strcmp(config->https[i].name, line->section->name) == 0)
			return &config->https[i];
	return NULL;
}

static int compare_slices(struct slice a, struct slice b)
{
	int order = memcmp(a.data, b.data, a.length < b.length ? a.length : b.length);

	return order ? order : (a.length > b.length) - (a.length < b.length);
}

/* Equal names in the order of the file, so that the second one is told of the first. */
static int compare_names(const void *a, const void *b)
{
	const struct config_server_name *one = a, *other = b;
	int order = compare_slices(one->name, other->name);

	if (order)
		return order;
	return (one->http > other->http) - (one->http < other->http);
}

static const struct config_origin *origin_of_names(
        const struct config_builder *builder, const struct config_http *http)
{
	return &config_tree_find(builder->tree, CONFIG_HTTP, http->name)
	                ->entries[CONFIG_SERVER_NAME_KEY]
	                ->origin;
}

static void refuse_equal_names(struct config_builder *builder, const char *address,
        const struct config_server_name *names, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (!slice_equal(names[i - 1].name, names[i].name))
			continue;
		const struct config_origin *origin = origin_of_names(builder, names[i].http);
		const struct config_origin *first = origin_of_names(builder, names[i - 1].http);
		if (names[i - 1].http == names[i].http)
			config_messages_add(builder->messages, CONFIG_ERROR, origin,
			        "server_name: '%.*s' is here twice", (int)names[i].name.length,
			        names[i].name.data);
		else
			config_messages_add(builder->messages, CONFIG_ERROR, origin,
			        "server_name: '%.*s' is a name of [http %s] on '%s' too, at %s:%u",
			        (int)names[i].name.length, names[i].name.data,
			        names[i - 1].http->name, address, first->file, first->line);
	}
}

static bool is_of_address(const struct config_builder *builder, size_t line, size_t first)
{
	return builder->lines[line].first == first &&
	       builder->lines[line].section->kind == CONFIG_HTTP;
}

static const struct config_http_names *build_names(struct config_builder *builder, size_t first)
{
	struct config_http_names *all = arena_alloc(builder->config->arena, sizeof(*all));
	const struct config_listen_line *line = &builder->lines[first];
	size_t count = 0;

	all->standard = http_of(builder, &builder->lines[line->standard]);
	for (size_t i = first; i < builder->line_count; i++)
		if (is_of_address(builder, i, first))
			count += http_of(builder, &builder->lines[i])->server_name_count;
	struct config_server_name *names = arena_alloc_array(
	        builder->config->arena, count + 1, sizeof(*names));
	for (size_t i = first; i < builder->line_count; i++) {
		if (!is_of_address(builder, i, first))
			continue;
		const struct config_http *http = http_of(builder, &builder->lines[i]);
		for (size_t j = 0; j < http->server_name_count; j++)
			names[all->name_count++] = (struct config_server_name){
			        http->server_names[j], http};
		if (http->server_name_count == 0 && http != all->standard)
			config_messages_add(builder->messages, CONFIG_WARNING, &http->origin,
			        "[%s] gets no requests on '%s': it has no server_name, and [http "
			        "%s] is the default server there",
			        builder->lines[i].section->title, line->listen.listener.text,
			        all->standard->name);
	}
	if (all->name_count)
		qsort(names, all->name_count, sizeof(*names), compare_names);
	refuse_equal_names(builder, line->listen.listener.text, names, all->name_count);
	all->names = names;
	return all;
}

/* ---- lines to listeners ---- */

static void fill_tcp(const struct config_builder *builder, const struct config_listen_line *line,
        struct config_listener *listener)
{
	const struct config_tcp *tcp = builder->config->tcps;

	while (strcmp(tcp->name, line->section->name) != 0)
		tcp++;
	listener->tcp = tcp;
	listener->section = line->section->title;
	listener->tls = listener->ssl ? tcp->listener_tls : NULL;
	listener->ssl_handshake_timeout_ms = tcp->ssl_handshake_timeout_ms;
	listener->buffer_bytes_max = tcp->proxy_buffer_size;
	listener->shutdown_timeout_ms = tcp->shutdown_timeout_ms;
}

static void fill_http(
        struct config_builder *builder, size_t first, struct config_listener *listener)
{
	const struct config_listen_line *line = &builder->lines[first];

	listener->http = build_names(builder, first);
	const struct config_http *standard = listener->http->standard;
	listener->section = builder->lines[line->standard].section->title;
	listener->tls = listener->ssl ? standard->listener_tls : NULL;
	listener->ssl_handshake_timeout_ms = standard->ssl_handshake_timeout_ms;
	listener->buffer_bytes_max = HTTP_BUFFER_BYTES;
}

void config_build_listeners(struct config_builder *builder)
{
	struct config_listener *listeners = arena_alloc_array(
	        builder->config->arena, builder->line_count + 1, sizeof(*listeners));
	size_t count = 0;

	for (size_t i = 0; i < builder->line_count; i++) {
		const struct config_listen_line *line = &builder->lines[i];
		if (line->first != i)
			continue;
		struct config_listener *listener = &listeners[count++];
		*listener = line->listen.listener;
		if (line->section->kind == CONFIG_HTTP)
			fill_http(builder, i, listener);
		else
			fill_tcp(builder, line, listener);
	}
	builder->config->listeners = listeners;
	builder->config->listener_count = count;
}
