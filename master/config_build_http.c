/* SPDX-License-Identifier: BSD-2-Clause */
/* config_build_http.c - [http NAME] sections: names, limits and TLS of a server. */
#include "master/config_build.h"

#include "shared/arena.h"
#include "shared/tls_credentials.h"

#include <ctype.h>
#include <string.h>

static uint32_t number_of(const struct config_builder *builder,
        const struct config_section *section, enum config_key key)
{
	return (uint32_t)config_effective_number(builder->config->tree, section, key);
}

static struct slice lower_case(struct arena *arena, const char *word)
{
	char *name = arena_copy(arena, slice_of(word));

	for (char *at = name; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return slice_of(name);
}

static void build_names(struct config_builder *builder, const struct config_section *section,
        struct config_http *http)
{
	const struct config_entry *entry = section->entries[CONFIG_SERVER_NAME_KEY];
	size_t count = entry ? entry->words.count : 0;
	struct slice *names = arena_alloc_array(builder->config->arena, count + 1, sizeof(*names));

	for (size_t i = 0; i < count; i++)
		names[i] = lower_case(builder->config->arena, entry->words.items[i]);
	http->server_names = names;
	http->server_name_count = count;
}

/* ---- TLS ---- */

static bool has_certificate(
        const struct config_builder *builder, const struct config_section *section)
{
	const struct config_tree *tree = builder->config->tree;

	return config_effective(tree, section, CONFIG_SSL_CERTIFICATE_KEY) ||
	       config_effective(tree, section, CONFIG_SSL_CERTIFICATE_KEY_KEY) ||
	       config_tree_refused(tree, CONFIG_SSL_CERTIFICATE_KEY) ||
	       config_tree_refused(tree, CONFIG_SSL_CERTIFICATE_KEY_KEY);
}

/* The default server of an address that the section's ssl line is for; itself, where it is one. */
static const struct config_section *standard_of(
        const struct config_builder *builder, const struct config_section *section)
{
	const struct config_section *standard = NULL;

	for (size_t i = 0; i < builder->line_count; i++) {
		const struct config_listen_line *line = &builder->lines[i];
		if (line->section != section || !line->listen.listener.ssl)
			continue;
		const struct config_listen_line *first = &builder->lines[line->first];
		standard = builder->lines[first->standard].section;
		if (standard == section)
			break;
	}
	return standard;
}

static void build_tls(struct config_builder *builder, const struct config_section *section,
        struct config_http *http)
{
	if (!config_has_ssl_listen(builder, section)) {
		config_check_idle_server_tls(builder, section);
		return;
	}
	const struct config_section *standard = standard_of(builder, section);
	const struct config_entry *verify = config_effective(
	        builder->config->tree, section, CONFIG_SSL_VERIFY_CLIENT_KEY);
	if (has_certificate(builder, section) || standard == section)
		http->listener_tls = config_build_server_tls(builder, section);
	else if (config_number(verify, CONFIG_SSL_VERIFY_CLIENT_KEY, CONFIG_HTTP) !=
	         TLS_VERIFY_CLIENT_OFF)
		config_messages_add(builder->messages, CONFIG_ERROR, &verify->origin,
		        "ssl_verify_client: [%s] has no ssl_certificate, so its clients would be "
		        "judged as [%s] says; give it a certificate of its own",
		        section->title, standard->title);
}

/* A server without a certificate is reached through that of the default server. */
static void share_tls(struct config_builder *builder, struct config_http *https)
{
	const struct config *config = builder->config;

	for (size_t i = 0; i < config->http_count; i++) {
		const struct config_section *section = config_tree_find(
		        config->tree, CONFIG_HTTP, https[i].name);
		const struct config_section *standard = standard_of(builder, section);
		if (https[i].listener_tls || !standard)
			continue;
		for (size_t j = 0; j < config->http_count; j++)
			if (strcmp(https[j].name, standard->name) == 0)
				https[i].listener_tls = https[j].listener_tls;
	}
}

/* ---- all of it ---- */

static void build_http(struct config_builder *builder, const struct config_section *section,
        struct config_http *http)
{
	static const enum config_key times[] = {
	        CONFIG_CLIENT_HEADER_TIMEOUT_KEY, CONFIG_SSL_HANDSHAKE_TIMEOUT_KEY};

	http->name = section->name;
	http->origin = section->origin;
	http->ssl_handshake_timeout_ms = number_of(
	        builder, section, CONFIG_SSL_HANDSHAKE_TIMEOUT_KEY);
	http->client_header_timeout_ms = number_of(
	        builder, section, CONFIG_CLIENT_HEADER_TIMEOUT_KEY);
	http->keepalive_requests = number_of(builder, section, CONFIG_KEEPALIVE_REQUESTS_KEY);
	http->client_max_header_size = number_of(
	        builder, section, CONFIG_CLIENT_MAX_HEADER_SIZE_KEY);
	config_refuse_zero_times(builder, section, times, sizeof(times) / sizeof(times[0]));
	build_names(builder, section, http);
	build_tls(builder, section, http);
	config_build_locations(builder, section, http);
}

void config_build_https(struct config_builder *builder)
{
	struct config *config = builder->config;
	size_t count = 0;

	for (const struct config_section *section = config->tree->first; section;
	        section = section->next)
		count += section->kind == CONFIG_HTTP;
	struct config_http *https = arena_alloc_array(config->arena, count + 1, sizeof(*https));
	config->https = https;
	for (const struct config_section *section = config->tree->first; section;
	        section = section->next)
		if (section->kind == CONFIG_HTTP)
			build_http(builder, section, &https[config->http_count++]);
	share_tls(builder, https);
	config_check_headers(builder);
}
