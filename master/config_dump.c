/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_dump.c - what a configuration comes to, for -T.
 *
 * Sections show every key that may stand in them, inherited or by default. The TLS settings towards
 * upstreams are resolved in [tcp NAME] and in locations, where they are used, so other sections
 * show of them only what they set; for that the '/' that an [http NAME] has by its own proxy_pass
 * or return is shown as a section. A comment behind a value says where it was written, and comments
 * below say what it became: addresses, priorities, numbers of sessions.
 */
#include "master/config_dump.h"

#include "master/config_build.h"
#include "shared/tls_credentials.h"
#include "shared/tls_session_store.h"

#include <string.h>

enum { COMMENT_COLUMN = 56 };

struct dump {
	FILE *file;
	const struct config *config;
	const struct config_section *section; /* that is printed */
	enum config_kind kind; /* of it; a location, while the '/' of an [http NAME] is printed */
};

/* ---- lines ---- */

static void print_origin(const struct dump *dump, const struct config_origin *origin)
{
	if (origin)
		fprintf(dump->file, " ; %s:%u\n", origin->file, origin->line);
	else
		fputs(" ; default\n", dump->file);
}

static void print_value(const struct dump *dump, enum config_key key, const char *text,
        const struct config_origin *origin)
{
	int written = fprintf(dump->file, "%s = %s", config_key_name(key), text);

	if (written < COMMENT_COLUMN)
		fprintf(dump->file, "%*s", COMMENT_COLUMN - written, "");
	print_origin(dump, origin);
}

static void print_entries(
        const struct dump *dump, enum config_key key, const struct config_entry *entry)
{
	const char *default_text = config_schema_row_in(key, dump->kind)->default_text;

	for (const struct config_entry *each = entry; each; each = each->next)
		print_value(dump, key, each->text, &each->origin);
	if (!entry && default_text)
		print_value(dump, key, default_text, NULL);
	else if (!entry)
		fprintf(dump->file, "; %s is not set\n", config_key_name(key));
}

/* ---- what it became ---- */

static void print_addresses(const struct dump *dump)
{
	const struct config_group *group = NULL;
	char text[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < dump->config->group_count && !group; i++)
		if (strcmp(dump->config->groups[i].name, dump->section->name) == 0)
			group = &dump->config->groups[i];
	for (size_t i = 0; group && i < group->endpoint_count; i++) {
		const struct config_endpoint *endpoint = &group->endpoints[i];
		fprintf(dump->file, "; %s is %s\n", endpoint->server,
		        endpoint->address.length
		                ? address_format(&endpoint->address, text, sizeof(text))
		                : "down: its name does not resolve");
	}
}

static void print_policy(
        const struct dump *dump, const char *prefix, const struct tls_policy *policy)
{
	char protocols[64];

	fprintf(dump->file, "; %sprotocols are %s, at security level %u\n", prefix,
	        tls_protocols_format(policy->protocols, protocols, sizeof(protocols)),
	        policy->security_level);
	fprintf(dump->file, "; %sciphers became the priority %s\n", prefix, policy->priority_text);
	if (policy->allowed.count == 0)
		return;
	fprintf(dump->file, "; %sciphers below TLSv1.3:", prefix);
	for (size_t i = 0; i < policy->allowed.count; i++)
		fprintf(dump->file, " %s", tls_suite_openssl_name(policy->allowed.indices[i]));
	putc('\n', dump->file);
}

static const struct config_tcp *tcp_of(const struct dump *dump)
{
	const struct config_tcp *tcp = dump->config->tcps;

	while (strcmp(tcp->name, dump->section->name) != 0)
		tcp++;
	return tcp;
}

static const struct config_http *http_of(const struct dump *dump)
{
	const struct config_http *http = dump->config->https;

	while (strcmp(http->name, dump->section->name) != 0)
		http++;
	return http;
}

static const struct config_location *location_of(const struct dump *dump)
{
	const struct config_section *section = dump->section;
	struct slice path = section->kind == CONFIG_HTTP ? SLICE("/") : slice_of(section->path);
	const struct config_location *location = http_of(dump)->locations;

	while (location->exact != section->exact || !slice_equal(location->path, path))
		location++;
	return location;
}

/* NULL where the section's clients speak plainly. */
static const struct tls_server_credentials *listener_tls(const struct dump *dump)
{
	if (dump->kind == CONFIG_TCP)
		return tcp_of(dump)->listener_tls;
	return dump->kind == CONFIG_HTTP ? http_of(dump)->listener_tls : NULL;
}

static const struct tls_client_credentials *upstream_tls(const struct dump *dump)
{
	if (dump->kind == CONFIG_TCP)
		return tcp_of(dump)->upstream_tls;
	return dump->kind == CONFIG_LOCATION ? location_of(dump)->upstream_tls : NULL;
}

static void print_policies(const struct dump *dump)
{
	const struct tls_server_credentials *listener = listener_tls(dump);
	const struct tls_client_credentials *upstream = upstream_tls(dump);

	if (listener)
		print_policy(dump, "ssl_", &listener->policy);
	if (upstream)
		print_policy(dump, "proxy_ssl_", &upstream->policy);
}

static void print_main_results(const struct dump *dump)
{
	const struct config_main *settings = &dump->config->main;

	fprintf(dump->file, "; workers: %u\n", settings->workers);
	fprintf(dump->file, "; pid_file: %s\n", settings->pid_file ? settings->pid_file : "none");
	fprintf(dump->file, "; tls_session_cache_size holds about %zu sessions towards upstreams\n",
	        tls_session_store_capacity((size_t)settings->tls_session_cache_size));
}

/* ---- sections ---- */

static bool is_upstream_tls(enum config_key key)
{
	return (config_schema_where(key) & IN_PROXY_TLS) == IN_PROXY_TLS;
}

/* Whether all settings of TLS to the upstream are shown, since they are used here. */
static bool resolves_tls(const struct dump *dump)
{
	return dump->kind == CONFIG_TCP || (dump->kind == CONFIG_LOCATION && upstream_tls(dump));
}

/* Where a value that counts in this section was written. */
static const struct config_entry *effective(const struct dump *dump, enum config_key key)
{
	const struct config_tree *tree = dump->config->tree;
	const struct config_section *section = dump->section;

	if (!is_upstream_tls(key) && key != CONFIG_PROXY_TLS_KEY)
		return config_effective(tree, section, key);
	if (!resolves_tls(dump) || key == CONFIG_PROXY_TLS_KEY)
		return section->entries[key];
	return config_effective_tls(
	        tree, section, config_tree_find(tree, CONFIG_UPSTREAM, section->group), key);
}

/* A key that another one hides would be a fault beside it, when this is read again. */
static bool is_hidden(const struct dump *dump, enum config_key key)
{
	static const struct {
		enum config_key hidden, by;
	} rows[] = {
	        {CONFIG_SSL_PROTOCOLS_KEY, CONFIG_SSL_PRIORITY_KEY},
	        {CONFIG_SSL_CIPHERS_KEY, CONFIG_SSL_PRIORITY_KEY},
	        {CONFIG_PROXY_SSL_PROTOCOLS_KEY, CONFIG_PROXY_SSL_PRIORITY_KEY},
	        {CONFIG_PROXY_SSL_CIPHERS_KEY, CONFIG_PROXY_SSL_PRIORITY_KEY},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].hidden == key && effective(dump, rows[i].by))
			return true;
	return false;
}

/* Settings that are resolved where they are used and would not be all of them here, and files that
 * an outer section names, which nobody opens for a listener without ssl. */
static bool shows_only_set(const struct dump *dump, enum config_key key)
{
	bool is_certificate = key == CONFIG_SSL_CERTIFICATE_KEY ||
	                      key == CONFIG_SSL_CERTIFICATE_KEY_KEY ||
	                      key == CONFIG_SSL_PASSWORD_FILE_KEY;
	bool is_listening = dump->kind == CONFIG_TCP || dump->kind == CONFIG_HTTP;

	return dump->kind == CONFIG_TLS || key == CONFIG_PROXY_TLS_KEY ||
	       (is_upstream_tls(key) && !resolves_tls(dump)) ||
	       (is_certificate && is_listening && !listener_tls(dump));
}

static void print_as_comment(const struct dump *dump, const struct config_entry *entry,
        enum config_key key, const char *why)
{
	fprintf(dump->file, "; %s = %s ; %s:%u%s\n", config_key_name(key), entry->text,
	        entry->origin.file, entry->origin.line, why);
}

static void print_header(void *opaque, const struct config_entry *entry)
{
	print_value(opaque, CONFIG_PROXY_SET_HEADER_KEY, entry->text, &entry->origin);
}

static void count_header(void *opaque, const struct config_entry *entry)
{
	size_t *count = opaque;

	(void)entry;
	(*count)++;
}

/* Merged; a `none` of the section's own stays, since the outer sections do. */
static void print_headers(struct dump *dump)
{
	const struct config_entry *entry = dump->section->entries[CONFIG_PROXY_SET_HEADER_KEY];
	size_t count = 0;

	for (; entry; entry = entry->next) {
		if (!config_is_none(entry))
			continue;
		print_header(dump, entry);
		count++;
	}
	config_each_header(dump->config->tree, dump->section, count_header, &count);
	config_each_header(dump->config->tree, dump->section, print_header, dump);
	if (count == 0)
		print_entries(dump, CONFIG_PROXY_SET_HEADER_KEY, NULL);
}

static void print_key(struct dump *dump, enum config_key key)
{
	const struct config_entry *entry = effective(dump, key);
	const struct config_entry *own = dump->section->entries[key];

	if (key == CONFIG_PROXY_SET_HEADER_KEY)
		print_headers(dump);
	else if (key == CONFIG_PROXY_TLS_KEY && resolves_tls(dump) && own)
		print_as_comment(dump, own, key, ""); /* resolved below, key by key */
	else if ((key == CONFIG_PROXY_PASS_KEY || key == CONFIG_RETURN_KEY) &&
	         dump->kind == CONFIG_HTTP && own)
		print_as_comment(dump, own, key, ": see its location /");
	else if (shows_only_set(dump, key) && !own)
		return;
	else if (entry || !is_hidden(dump, key))
		print_entries(dump, key, entry);
}

static void print_keys(struct dump *dump)
{
	for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++)
		if (config_schema_row_in((enum config_key)key, dump->kind))
			print_key(dump, (enum config_key)key);
}

/* As a word of a title is written. */
static void print_quoted(FILE *file, const char *word)
{
	putc('"', file);
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			putc('\\', file);
		if (*word == '\n' || *word == '\t')
			fputs(*word == '\n' ? "\\n" : "\\t", file);
		else
			putc(*word, file);
	}
	putc('"', file);
}

static void print_own_location(struct dump *dump)
{
	const struct config_section *section = dump->section;

	if (!section->entries[CONFIG_PROXY_PASS_KEY] && !section->entries[CONFIG_RETURN_KEY])
		return;
	dump->kind = CONFIG_LOCATION;
	fputs("\n[location ", dump->file);
	print_quoted(dump->file, section->name);
	fprintf(dump->file, " /] ; %s:%u\n", section->origin.file, section->origin.line);
	print_keys(dump);
	print_policies(dump);
}

static void print_section(struct dump *dump, const struct config_section *section)
{
	dump->section = section;
	dump->kind = section->kind;
	fprintf(dump->file, "\n[%s] ; %s:%u\n", section->title, section->origin.file,
	        section->origin.line);
	print_keys(dump);
	if (section->kind == CONFIG_MAIN)
		print_main_results(dump);
	if (section->kind == CONFIG_UPSTREAM)
		print_addresses(dump);
	print_policies(dump);
	if (section->kind == CONFIG_HTTP)
		print_own_location(dump);
}

void config_dump(const struct config *config, FILE *file)
{
	static const struct config_section no_main = {
	        .kind = CONFIG_MAIN, .name = "", .title = "main"};
	struct dump dump = {.file = file, .config = config};

	fprintf(file, "; %s, with every value and where it comes from\n", config->main_file);
	if (!config_tree_find(config->tree, CONFIG_MAIN, ""))
		print_section(&dump, &no_main);
	for (const struct config_section *section = config->tree->first; section;
	        section = section->next)
		print_section(&dump, section);
}
