/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_build_tls_client.c - credentials towards upstreams.
 *
 * A server with forty locations that inherit everything has one set of them: what was made from the
 * same entries is the same.
 */
#include "master/config_build_tls.h"

#include "shared/arena.h"

#include <string.h>

/* The keys that decide what is made. */
static const enum config_key deciding_keys[] = {CONFIG_PROXY_SSL_CERTIFICATE_KEY,
        CONFIG_PROXY_SSL_CERTIFICATE_KEY_KEY, CONFIG_PROXY_SSL_PASSWORD_FILE_KEY,
        CONFIG_PROXY_SSL_TRUSTED_CERTIFICATE_KEY, CONFIG_PROXY_SSL_PROTOCOLS_KEY,
        CONFIG_PROXY_SSL_CIPHERS_KEY, CONFIG_PROXY_SSL_PRIORITY_KEY, CONFIG_PROXY_SSL_VERIFY_KEY,
        CONFIG_PROXY_SSL_VERIFY_DEPTH_KEY, CONFIG_PROXY_SSL_SERVER_NAME_KEY,
        CONFIG_PROXY_SSL_SESSION_REUSE_KEY, CONFIG_PROXY_SSL_ALPN_KEY};
enum { DECIDING_KEYS = sizeof(deciding_keys) / sizeof(deciding_keys[0]) };

struct config_client_tls {
	struct config_client_tls *next;
	const struct config_entry *entries[DECIDING_KEYS];
	bool http; /* defaults differ */
	struct tls_client_credentials *credentials; /* NULL: there was a fault, which was told */
};

struct user { /* of an upstream: whose settings are looked for */
	struct config_builder *builder;
	const struct config_section *section, *group;
};

static const struct config_entry *entry_of(const struct user *user, enum config_key key)
{
	return config_effective_tls(user->builder->config->tree, user->section, user->group, key);
}

static uint64_t number_of(const struct user *user, enum config_key key)
{
	return config_number(entry_of(user, key), key, user->section->kind);
}

static struct config_tls_place place_of(const struct user *user)
{
	static const enum config_key keys[CONFIG_TLS_SETTINGS] = {
	        [TLS_SETTING_CERTIFICATE] = CONFIG_PROXY_SSL_CERTIFICATE_KEY,
	        [TLS_SETTING_KEY] = CONFIG_PROXY_SSL_CERTIFICATE_KEY_KEY,
	        [TLS_SETTING_PASSWORDS] = CONFIG_PROXY_SSL_PASSWORD_FILE_KEY,
	        [TLS_SETTING_TRUST] = CONFIG_PROXY_SSL_TRUSTED_CERTIFICATE_KEY,
	        [TLS_SETTING_CLIENT_CA] = CONFIG_PROXY_SSL_TRUSTED_CERTIFICATE_KEY,
	        [TLS_SETTING_PROTOCOLS] = CONFIG_PROXY_SSL_PROTOCOLS_KEY,
	        [TLS_SETTING_CIPHERS] = CONFIG_PROXY_SSL_CIPHERS_KEY,
	        [TLS_SETTING_PRIORITY] = CONFIG_PROXY_SSL_PRIORITY_KEY,
	        [TLS_SETTING_VERIFY] = CONFIG_PROXY_SSL_VERIFY_KEY,
	        [TLS_SETTING_ALPN] = CONFIG_PROXY_SSL_ALPN_KEY,
	};

	struct config_tls_place place = {.builder = user->builder, .section = user->section};

	memcpy(place.keys, keys, sizeof(keys));
	for (size_t i = 0; i < CONFIG_TLS_SETTINGS; i++)
		place.entries[i] = entry_of(user, keys[i]);
	return place;
}

/* `system`, FILE, or `system FILE`. */
static bool read_trust(struct config_builder *builder, const struct config_entry *entry,
        struct tls_client_settings *settings)
{
	settings->trust_system = !entry || strcmp(entry->words.items[0], "system") == 0;
	if (!entry || (settings->trust_system && entry->words.count == 1))
		return true;
	if (!settings->trust_system && entry->words.count > 1) {
		config_messages_add(builder->messages, CONFIG_ERROR, &entry->origin,
		        "proxy_ssl_trusted_certificate: takes FILE, system, or system FILE");
		return false;
	}
	return config_tls_read_pem(
	        builder, entry, CONFIG_PROXY_SSL_TRUSTED_CERTIFICATE_KEY, &settings->trusted);
}

static bool read_own(const struct config_tls_place *place, struct tls_client_settings *settings)
{
	struct config_builder *builder = place->builder;
	const struct config_entry *certificate = place->entries[TLS_SETTING_CERTIFICATE];
	const struct config_entry *key = place->entries[TLS_SETTING_KEY];

	if (config_is_none(certificate))
		return true;
	if (!certificate != !key) {
		const struct config_entry *there = certificate ? certificate : key;
		if (config_tree_refused(
		            builder->tree, certificate ? CONFIG_PROXY_SSL_CERTIFICATE_KEY_KEY
		                                       : CONFIG_PROXY_SSL_CERTIFICATE_KEY))
			return false;
		config_messages_add(builder->messages, CONFIG_ERROR, &there->origin,
		        certificate
		                ? "proxy_ssl_certificate: its proxy_ssl_certificate_key is missing"
		                : "proxy_ssl_certificate_key: its proxy_ssl_certificate is "
		                  "missing");
		return false;
	}
	bool fine = config_tls_read_pem(
	        builder, certificate, CONFIG_PROXY_SSL_CERTIFICATE_KEY, &settings->own.certificate);
	fine &= config_tls_read_pem(
	        builder, key, CONFIG_PROXY_SSL_CERTIFICATE_KEY_KEY, &settings->own.key);
	return config_tls_read_pem(builder, place->entries[TLS_SETTING_PASSWORDS],
	               CONFIG_PROXY_SSL_PASSWORD_FILE_KEY, &settings->passwords) &&
	       fine;
}

/* The entry's names, or the one that is the default of the section's kind. */
static struct tls_alpn_list alpn_of(const struct config_tls_place *place, const char **one_name)
{
	const struct config_entry *entry = place->entries[TLS_SETTING_ALPN];

	if (entry)
		return (struct tls_alpn_list){entry->words.items, entry->words.count};
	*one_name = config_text(NULL, CONFIG_PROXY_SSL_ALPN_KEY, place->section->kind);
	return (struct tls_alpn_list){one_name, *one_name != NULL};
}

static struct tls_client_credentials *make(const struct user *user)
{
	struct config_tls_place place = place_of(user);
	const char *one_name;
	struct tls_client_settings settings = {
	        .verify = number_of(user, CONFIG_PROXY_SSL_VERIFY_KEY) != 0,
	        .verify_depth = (unsigned)number_of(user, CONFIG_PROXY_SSL_VERIFY_DEPTH_KEY),
	        .send_server_name = number_of(user, CONFIG_PROXY_SSL_SERVER_NAME_KEY) != 0,
	        .session_reuse = number_of(user, CONFIG_PROXY_SSL_SESSION_REUSE_KEY) != 0,
	        .alpn = alpn_of(&place, &one_name),
	        .policy = config_tls_policy(&place),
	};
	bool fine = read_own(&place, &settings);

	fine &= read_trust(user->builder, place.entries[TLS_SETTING_TRUST], &settings);
	return fine ? tls_client_credentials_create(&settings, config_tls_report, &place) : NULL;
}

/* The configuration frees it. */
static void keep(struct config *config, struct tls_client_credentials *credentials)
{
	struct tls_client_credentials **list = arena_alloc_array(config->arena,
	        config->client_tls_count + 1, sizeof(struct tls_client_credentials *));

	if (config->client_tls_count)
		memcpy(list, config->client_tls,
		        config->client_tls_count * sizeof(struct tls_client_credentials *));
	list[config->client_tls_count++] = credentials;
	config->client_tls = list;
}

static struct config_client_tls *find(
        const struct config_builder *builder, const struct config_entry *const *entries, bool http)
{
	struct config_client_tls *known = builder->client_tls;

	while (known && (known->http != http ||
	                        memcmp(known->entries, entries, sizeof(known->entries)) != 0))
		known = known->next;
	return known;
}

static struct tls_client_credentials *find_or_make(const struct user *user)
{
	struct config_builder *builder = user->builder;
	const struct config_entry *entries[DECIDING_KEYS];
	bool http = user->section->kind != CONFIG_TCP;

	for (size_t i = 0; i < DECIDING_KEYS; i++)
		entries[i] = entry_of(user, deciding_keys[i]);
	struct config_client_tls *known = find(builder, entries, http);
	if (known)
		return known->credentials;
	known = arena_alloc(builder->config->arena, sizeof(*known));
	memcpy(known->entries, entries, sizeof(entries));
	known->http = http;
	known->credentials = make(user);
	known->next = builder->client_tls;
	builder->client_tls = known;
	if (known->credentials)
		keep(builder->config, known->credentials);
	return known->credentials;
}

static struct user user_of(struct config_builder *builder, const struct config_section *section,
        const struct config_group *group)
{
	return (struct user){builder, section,
	        group ? config_tree_find(builder->config->tree, CONFIG_UPSTREAM, group->name)
	              : NULL};
}

struct tls_client_credentials *config_build_client_tls(struct config_builder *builder,
        const struct config_section *section, const struct config_group *group,
        const char **name_out)
{
	struct user user = user_of(builder, section, group);
	const struct config_entry *name = entry_of(&user, CONFIG_PROXY_SSL_NAME_KEY);

	*name_out = name ? name->words.items[0] : NULL;
	return find_or_make(&user);
}

static bool is_towards_upstream(enum config_key key)
{
	return (config_schema_where(key) & IN_PROXY_TLS) == IN_PROXY_TLS;
}

void config_check_idle_client_tls(struct config_builder *builder,
        const struct config_section *section, const struct config_group *group, const char *missing)
{
	struct user user = user_of(builder, section, group);
	const struct config_entry *first = NULL;

	for (unsigned key = 0; key < CONFIG_KEY_COUNT && !first; key++)
		if (is_towards_upstream((enum config_key)key))
			first = config_at_level(
			        builder->config->tree, section, (enum config_key)key);
	if (!first)
		return;
	config_messages_add(builder->messages, CONFIG_NOTICE, &first->origin,
	        "[%s] has settings for TLS to its upstream, but %s: the traffic is not encrypted",
	        section->title, missing);
	find_or_make(&user); /* it may be switched on next */
}
