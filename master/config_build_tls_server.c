/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_build_tls_server.c - credentials towards clients.
 *
 * Each section has its own: its name is in its ticket keys, so that a session of one never opens
 * another.
 */
#include "master/config_build_tls.h"

#include "shared/arena.h"

#include <string.h>

static struct config_tls_place place_of(
        struct config_builder *builder, const struct config_section *section)
{
	static const enum config_key keys[CONFIG_TLS_SETTINGS] = {
	        [TLS_SETTING_CERTIFICATE] = CONFIG_SSL_CERTIFICATE_KEY,
	        [TLS_SETTING_KEY] = CONFIG_SSL_CERTIFICATE_KEY_KEY,
	        [TLS_SETTING_PASSWORDS] = CONFIG_SSL_PASSWORD_FILE_KEY,
	        [TLS_SETTING_TRUST] = CONFIG_SSL_TRUSTED_CERTIFICATE_KEY,
	        [TLS_SETTING_CLIENT_CA] = CONFIG_SSL_CLIENT_CERTIFICATE_KEY,
	        [TLS_SETTING_PROTOCOLS] = CONFIG_SSL_PROTOCOLS_KEY,
	        [TLS_SETTING_CIPHERS] = CONFIG_SSL_CIPHERS_KEY,
	        [TLS_SETTING_PRIORITY] = CONFIG_SSL_PRIORITY_KEY,
	        [TLS_SETTING_VERIFY] = CONFIG_SSL_VERIFY_CLIENT_KEY,
	        [TLS_SETTING_ALPN] = CONFIG_SSL_ALPN_KEY,
	};

	struct config_tls_place place = {.builder = builder, .section = section};

	memcpy(place.keys, keys, sizeof(keys));
	for (size_t i = 0; i < CONFIG_TLS_SETTINGS; i++)
		if (config_schema_row_in(keys[i], section->kind))
			place.entries[i] = config_effective(
			        builder->config->tree, section, keys[i]);
	return place;
}

static bool read_pairs(struct config_tls_place *place, struct tls_server_settings *settings)
{
	struct config_builder *builder = place->builder;
	const struct config_entry *certificate = place->entries[TLS_SETTING_CERTIFICATE];
	const struct config_entry *key = place->entries[TLS_SETTING_KEY];
	size_t certificates = 0, keys = 0;
	bool fine = true;

	for (const struct config_entry *each = certificate; each; each = each->next)
		certificates++;
	for (const struct config_entry *each = key; each; each = each->next)
		keys++;
	if (certificates != keys &&
	        (config_tree_refused(builder->tree, CONFIG_SSL_CERTIFICATE_KEY) ||
	                config_tree_refused(builder->tree, CONFIG_SSL_CERTIFICATE_KEY_KEY)))
		return false;
	if (certificates == 0 || certificates != keys) {
		config_messages_add(builder->messages, CONFIG_ERROR,
		        certificate ? &certificate->origin : &place->section->origin,
		        "ssl_certificate: a listen with ssl needs pairs of ssl_certificate and "
		        "ssl_certificate_key; there are %zu and %zu",
		        certificates, keys);
		return false;
	}
	struct tls_key_pair *pairs = arena_alloc_array(
	        builder->config->arena, certificates, sizeof(*pairs));
	const struct config_entry **entries = arena_alloc_array(
	        builder->config->arena, 2 * certificates, sizeof(*entries));
	place->pair_certificates = entries;
	place->pair_keys = entries + certificates;
	for (size_t i = 0; i < certificates;
	        i++, certificate = certificate->next, key = key->next) {
		entries[i] = certificate;
		entries[certificates + i] = key;
		fine &= config_tls_read_pem(
		        builder, certificate, CONFIG_SSL_CERTIFICATE_KEY, &pairs[i].certificate);
		fine &= config_tls_read_pem(
		        builder, key, CONFIG_SSL_CERTIFICATE_KEY_KEY, &pairs[i].key);
	}
	settings->pairs = pairs;
	settings->pair_count = certificates;
	return fine;
}

/* HTTP is what every client of an HTTP listener speaks; of TCP only the operator knows. */
static struct tls_alpn_list alpn_of(const struct config_tls_place *place)
{
	static const char *const http[] = {"http/1.1", "http/1.0"};
	const struct config_entry *entry = place->entries[TLS_SETTING_ALPN];

	if (place->section->kind == CONFIG_HTTP)
		return (struct tls_alpn_list){http, 2};
	if (!entry)
		return (struct tls_alpn_list){NULL, 0};
	return (struct tls_alpn_list){entry->words.items, entry->words.count};
}

static bool read_authorities(
        const struct config_tls_place *place, struct tls_server_settings *settings)
{
	struct config_builder *builder = place->builder;
	const struct config_entry *verify = place->entries[TLS_SETTING_VERIFY];
	bool fine = config_tls_read_pem(builder, place->entries[TLS_SETTING_CLIENT_CA],
	        CONFIG_SSL_CLIENT_CERTIFICATE_KEY, &settings->client_ca);

	fine &= config_tls_read_pem(builder, place->entries[TLS_SETTING_TRUST],
	        CONFIG_SSL_TRUSTED_CERTIFICATE_KEY, &settings->trusted_ca);
	bool needs_some = settings->verify_client == TLS_VERIFY_CLIENT_ON ||
	                  settings->verify_client == TLS_VERIFY_CLIENT_OPTIONAL;
	if (!fine || !needs_some || settings->client_ca.text.data || settings->trusted_ca.text.data)
		return fine;
	if (config_tree_refused(builder->tree, CONFIG_SSL_CLIENT_CERTIFICATE_KEY) ||
	        config_tree_refused(builder->tree, CONFIG_SSL_TRUSTED_CERTIFICATE_KEY))
		return false;
	config_messages_add(builder->messages, CONFIG_ERROR,
	        verify ? &verify->origin : &place->section->origin,
	        "ssl_verify_client: '%s' needs ssl_client_certificate or ssl_trusted_certificate",
	        config_text(verify, CONFIG_SSL_VERIFY_CLIENT_KEY, place->section->kind));
	return false;
}

static struct tls_server_credentials *make(
        struct config_builder *builder, const struct config_section *section)
{
	const struct config_tree *tree = builder->config->tree;
	struct config_tls_place place = place_of(builder, section);
	uint64_t timeout_ms = config_effective_number(
	        tree, section, CONFIG_SSL_SESSION_TIMEOUT_KEY);
	struct tls_server_settings settings = {
	        .name = arena_format(builder->config->arena, "%s %s",
	                config_kind_words(section->kind)->word, section->name),
	        .verify_client = (enum tls_verify_client)config_effective_number(
	                tree, section, CONFIG_SSL_VERIFY_CLIENT_KEY),
	        .verdict_after_handshake = section->kind == CONFIG_HTTP,
	        .verify_depth = (unsigned)config_effective_number(
	                tree, section, CONFIG_SSL_VERIFY_DEPTH_KEY),
	        .session_tickets = config_effective_number(
	                                   tree, section, CONFIG_SSL_SESSION_TICKETS_KEY) != 0,
	        .session_cache = config_effective_number(
	                                 tree, section, CONFIG_SSL_SESSION_CACHE_KEY) != 0,
	        .session_timeout_s = timeout_ms < 1000 ? 1 : (uint32_t)(timeout_ms / 1000),
	        .alpn = alpn_of(&place),
	        .policy = config_tls_policy(&place),
	};
	bool fine = read_pairs(&place, &settings);

	fine &= config_tls_read_pem(builder, place.entries[TLS_SETTING_PASSWORDS],
	        CONFIG_SSL_PASSWORD_FILE_KEY, &settings.passwords);
	fine &= read_authorities(&place, &settings);
	return fine ? tls_server_credentials_create(&settings, config_tls_report, &place) : NULL;
}

struct tls_server_credentials *config_build_server_tls(
        struct config_builder *builder, const struct config_section *section)
{
	struct config *config = builder->config;
	struct tls_server_credentials *credentials = make(builder, section);

	if (!credentials)
		return NULL;
	struct tls_server_credentials **list = arena_alloc_array(config->arena,
	        config->server_tls_count + 1, sizeof(struct tls_server_credentials *));
	if (config->server_tls_count)
		memcpy(list, config->server_tls,
		        config->server_tls_count * sizeof(struct tls_server_credentials *));
	list[config->server_tls_count++] = credentials;
	config->server_tls = list;
	return credentials;
}

void config_check_idle_server_tls(
        struct config_builder *builder, const struct config_section *section)
{
	const struct config_entry *certificate = section->entries[CONFIG_SSL_CERTIFICATE_KEY];

	if (!certificate)
		return;
	config_messages_add(builder->messages, CONFIG_NOTICE, &certificate->origin,
	        "[%s] has a certificate for its clients, but none of its listen lines has 'ssl'",
	        section->title);
	tls_server_credentials_destroy(make(builder, section)); /* it may be switched on next */
}
