/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_dump.c - what a configuration comes to, for -T.
 *
 * [main], [tcp] and [tcp NAME] show every key that may stand in them, inherited or by default; the
 * TLS settings towards the upstream are resolved in [tcp NAME], where they are used, so [upstream]
 * and [tls] show of them only what they set. A comment behind a value says where it was written,
 * and comments below say what it became: addresses, priorities, numbers of sessions.
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
	int written = fprintf(dump->file, "%s = %s", config_schema_row(key)->key, text);

	if (written < COMMENT_COLUMN)
		fprintf(dump->file, "%*s", COMMENT_COLUMN - written, "");
	print_origin(dump, origin);
}

static void print_entries(
        const struct dump *dump, enum config_key key, const struct config_entry *entry)
{
	const char *default_text = config_schema_row(key)->default_text;

	for (const struct config_entry *each = entry; each; each = each->next)
		print_value(dump, key, each->text, &each->origin);
	if (!entry && default_text)
		print_value(dump, key, default_text, NULL);
	else if (!entry)
		fprintf(dump->file, "; %s is not set\n", config_schema_row(key)->key);
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

static void print_policies(const struct dump *dump)
{
	for (size_t i = 0; i < dump->config->tcp_count; i++) {
		const struct config_tcp *tcp = &dump->config->tcps[i];
		if (strcmp(tcp->name, dump->section->name) != 0)
			continue;
		if (tcp->listener_tls)
			print_policy(dump, "ssl_", &tcp->listener_tls->policy);
		if (tcp->upstream_tls)
			print_policy(dump, "proxy_ssl_", &tcp->upstream_tls->policy);
	}
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

/* Where a value that counts in this section was written. */
static const struct config_entry *effective(const struct dump *dump, enum config_key key)
{
	const struct config_tree *tree = dump->config->tree;
	const struct config_section *section = dump->section;

	if (section->kind != CONFIG_TCP)
		return section->entries[key];
	if ((config_schema_row(key)->where & IN_PROXY_TLS) != IN_PROXY_TLS)
		return config_effective(tree, section, key);
	const struct config_entry *pass = section->entries[CONFIG_PROXY_PASS_KEY];
	return config_effective_tls(
	        tree, section, config_tree_find(tree, CONFIG_UPSTREAM, pass->words.items[0]), key);
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

/* Settings that are resolved in [tcp NAME] and would not be all of them here. */
static bool shows_only_set(const struct dump *dump, enum config_key key)
{
	unsigned where = config_schema_row(key)->where;

	return dump->section->kind == CONFIG_TLS || key == CONFIG_PROXY_TLS_KEY ||
	       (dump->section->kind != CONFIG_TCP && (where & IN_PROXY_TLS) == IN_PROXY_TLS);
}

static void print_key(const struct dump *dump, enum config_key key)
{
	const struct config_entry *entry = effective(dump, key);

	if (key == CONFIG_PROXY_TLS_KEY && dump->section->kind == CONFIG_TCP) {
		entry = dump->section->entries[key]; /* resolved below, key by key */
		if (entry)
			fprintf(dump->file, "; proxy_tls = %s ; %s:%u\n", entry->text,
			        entry->origin.file, entry->origin.line);
		return;
	}
	if (!entry && (shows_only_set(dump, key) || is_hidden(dump, key)))
		return;
	print_entries(dump, key, entry);
}

static void print_section(struct dump *dump, const struct config_section *section)
{
	dump->section = section;
	fprintf(dump->file, "\n[%s] ; %s:%u\n", section->title, section->origin.file,
	        section->origin.line);
	for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++)
		if (config_schema_row((enum config_key)key)->where & 1U << section->kind)
			print_key(dump, (enum config_key)key);
	if (section->kind == CONFIG_MAIN)
		print_main_results(dump);
	if (section->kind == CONFIG_UPSTREAM)
		print_addresses(dump);
	if (section->kind == CONFIG_TCP)
		print_policies(dump);
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
