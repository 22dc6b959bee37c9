/* SPDX-License-Identifier: BSD-2-Clause */
/* config_build_tls.c - TLS settings of a [tcp NAME]: the files read, the credentials made, the
 * faults placed. */
#include "master/config_build.h"

#include "shared/arena.h"
#include "shared/tls_credentials.h"

#include <string.h>
#include <sys/stat.h>

enum { SETTING_COUNT = TLS_SETTING_ALPN + 1 };

/* Says of each setting which entry it came from, so that a credential's fault gets its FILE:LINE.
 */
struct placed {
	struct config_builder *builder;
	const struct config_entry *entries[SETTING_COUNT];
	enum config_key keys[SETTING_COUNT];
	const struct config_entry *const *pair_certificates, *const *pair_keys; /* of a listener */
	struct config_origin fallback;
};

static void report(void *opaque, enum tls_severity severity, enum tls_setting setting, size_t pair,
        const char *text)
{
	static const enum config_severity severities[] = {[TLS_NOTICE] = CONFIG_NOTICE,
	        [TLS_WARNING] = CONFIG_WARNING,
	        [TLS_ERROR] = CONFIG_ERROR};
	struct placed *placed = opaque;
	const struct config_entry *entry = placed->entries[setting];

	if (setting == TLS_SETTING_CERTIFICATE && placed->pair_certificates)
		entry = placed->pair_certificates[pair];
	if (setting == TLS_SETTING_KEY && placed->pair_keys)
		entry = placed->pair_keys[pair];
	config_messages_add(placed->builder->messages, severities[severity],
	        entry ? &entry->origin : &placed->fallback, "%s: %s",
	        config_schema_row(placed->keys[setting])->key, text);
}

bool config_read_pem(struct config_builder *builder, const struct config_entry *entry,
        const char *key, bool secret, struct tls_pem *pem_out)
{
	const char *path = config_path(builder, entry->words.items[entry->words.count - 1]);
	const struct config_file *file = config_source_read(builder->source, path);

	if (file->error) {
		config_messages_add(builder->messages, CONFIG_ERROR, &entry->origin, "%s: %s: %s",
		        key, path, strerror(file->error));
		return false;
	}
	if (secret && file->mode & S_IROTH)
		config_messages_add(builder->messages, CONFIG_WARNING, &entry->origin,
		        "%s: %s can be read by everybody; chmod o-r would keep it secret", key,
		        path);
	*pem_out = (struct tls_pem){.text = file->text, .name = path};
	if (!pem_out->text.data)
		pem_out->text.data = "";
	return true;
}

static bool read_pem(struct config_builder *builder, const struct config_entry *entry,
        enum config_key key, struct tls_pem *pem_out)
{
	bool secret = key == CONFIG_PROXY_SSL_CERTIFICATE_KEY_KEY ||
	              key == CONFIG_PROXY_SSL_PASSWORD_FILE_KEY ||
	              key == CONFIG_SSL_CERTIFICATE_KEY_KEY || key == CONFIG_SSL_PASSWORD_FILE_KEY;

	if (!entry || config_is_none(entry))
		return true;
	return config_read_pem(builder, entry, config_schema_row(key)->key, secret, pem_out);
}

static struct tls_alpn_list alpn_of(const struct config_entry *entry)
{
	if (!entry)
		return (struct tls_alpn_list){NULL, 0};
	return (struct tls_alpn_list){entry->words.items, entry->words.count};
}

static struct tls_policy_settings policy_of(struct placed *placed)
{
	const struct config_entry *priority = placed->entries[TLS_SETTING_PRIORITY];

	return (struct tls_policy_settings){
	        .protocols = (unsigned)config_number(placed->entries[TLS_SETTING_PROTOCOLS],
	                placed->keys[TLS_SETTING_PROTOCOLS]),
	        .ciphers = config_text(
	                placed->entries[TLS_SETTING_CIPHERS], placed->keys[TLS_SETTING_CIPHERS]),
	        .priority = priority ? priority->words.items[0] : NULL,
	};
}

/* ---- towards the upstream ---- */

static void place_client(struct placed *placed, const struct config_section *section,
        const struct config_section *group)
{
	static const enum config_key keys[SETTING_COUNT] = {
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

	memcpy(placed->keys, keys, sizeof(keys));
	for (size_t i = 0; i < SETTING_COUNT; i++)
		placed->entries[i] = config_effective_tls(
		        placed->builder->config->tree, section, group, keys[i]);
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
	return read_pem(
	        builder, entry, CONFIG_PROXY_SSL_TRUSTED_CERTIFICATE_KEY, &settings->trusted);
}

static bool read_own(struct placed *placed, struct tls_client_settings *settings)
{
	struct config_builder *builder = placed->builder;
	const struct config_entry *certificate = placed->entries[TLS_SETTING_CERTIFICATE];
	const struct config_entry *key = placed->entries[TLS_SETTING_KEY];

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
	bool fine = read_pem(
	        builder, certificate, CONFIG_PROXY_SSL_CERTIFICATE_KEY, &settings->own.certificate);
	fine &= read_pem(builder, key, CONFIG_PROXY_SSL_CERTIFICATE_KEY_KEY, &settings->own.key);
	return read_pem(builder, placed->entries[TLS_SETTING_PASSWORDS],
	               CONFIG_PROXY_SSL_PASSWORD_FILE_KEY, &settings->passwords) &&
	       fine;
}

static void build_client(struct config_builder *builder, const struct config_section *section,
        struct config_tcp *tcp)
{
	const struct config_section *group = tcp->group ? config_tree_find(builder->config->tree,
	                                                          CONFIG_UPSTREAM, tcp->group->name)
	                                                : NULL;
	struct placed placed = {.builder = builder, .fallback = section->origin};
	struct tls_client_settings settings = {0};
	const struct config_entry *name = config_effective_tls(
	        builder->config->tree, section, group, CONFIG_PROXY_SSL_NAME_KEY);
	const struct config_entry *verify = config_effective_tls(
	        builder->config->tree, section, group, CONFIG_PROXY_SSL_VERIFY_KEY);

	place_client(&placed, section, group);
	tcp->proxy_ssl_name = name ? name->words.items[0] : NULL;
	settings.verify = config_number(verify, CONFIG_PROXY_SSL_VERIFY_KEY) != 0;
	settings.verify_depth = (unsigned)config_number(
	        config_effective_tls(
	                builder->config->tree, section, group, CONFIG_PROXY_SSL_VERIFY_DEPTH_KEY),
	        CONFIG_PROXY_SSL_VERIFY_DEPTH_KEY);
	settings.send_server_name = config_number(
	                                    config_effective_tls(builder->config->tree, section,
	                                            group, CONFIG_PROXY_SSL_SERVER_NAME_KEY),
	                                    CONFIG_PROXY_SSL_SERVER_NAME_KEY) != 0;
	settings.session_reuse = config_number(config_effective_tls(builder->config->tree, section,
	                                               group, CONFIG_PROXY_SSL_SESSION_REUSE_KEY),
	                                 CONFIG_PROXY_SSL_SESSION_REUSE_KEY) != 0;
	settings.alpn = alpn_of(placed.entries[TLS_SETTING_ALPN]);
	settings.policy = policy_of(&placed);
	bool fine = read_own(&placed, &settings);
	fine &= read_trust(builder, placed.entries[TLS_SETTING_TRUST], &settings);
	if (fine)
		tcp->upstream_tls = tls_client_credentials_create(&settings, report, &placed);
}

/* ---- towards clients ---- */

static void place_server(struct placed *placed, const struct config_section *section)
{
	static const enum config_key keys[SETTING_COUNT] = {
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

	memcpy(placed->keys, keys, sizeof(keys));
	for (size_t i = 0; i < SETTING_COUNT; i++)
		placed->entries[i] = config_effective(
		        placed->builder->config->tree, section, keys[i]);
	/* The three of a policy are decided by the innermost section that sets any of them. */
	bool own = section->entries[CONFIG_SSL_PROTOCOLS_KEY] ||
	           section->entries[CONFIG_SSL_CIPHERS_KEY] ||
	           section->entries[CONFIG_SSL_PRIORITY_KEY];
	for (size_t i = TLS_SETTING_PROTOCOLS; own && i <= TLS_SETTING_PRIORITY; i++)
		placed->entries[i] = section->entries[keys[i]];
}

static bool read_pairs(struct placed *placed, struct tls_server_settings *settings)
{
	struct config_builder *builder = placed->builder;
	const struct config_entry *certificate = placed->entries[TLS_SETTING_CERTIFICATE];
	const struct config_entry *key = placed->entries[TLS_SETTING_KEY];
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
		        certificate ? &certificate->origin : &placed->fallback,
		        "ssl_certificate: a listen with ssl needs pairs of ssl_certificate and "
		        "ssl_certificate_key; there are %zu and %zu",
		        certificates, keys);
		return false;
	}
	struct tls_key_pair *pairs = arena_alloc_array(
	        builder->config->arena, certificates, sizeof(*pairs));
	const struct config_entry **entries = arena_alloc_array(
	        builder->config->arena, 2 * certificates, sizeof(*entries));
	placed->pair_certificates = entries;
	placed->pair_keys = entries + certificates;
	for (size_t i = 0; i < certificates;
	        i++, certificate = certificate->next, key = key->next) {
		entries[i] = certificate;
		entries[certificates + i] = key;
		fine &= read_pem(
		        builder, certificate, CONFIG_SSL_CERTIFICATE_KEY, &pairs[i].certificate);
		fine &= read_pem(builder, key, CONFIG_SSL_CERTIFICATE_KEY_KEY, &pairs[i].key);
	}
	settings->pairs = pairs;
	settings->pair_count = certificates;
	return fine;
}

static void build_server(struct config_builder *builder, const struct config_section *section,
        struct config_tcp *tcp)
{
	struct placed placed = {.builder = builder, .fallback = section->origin};
	struct tls_server_settings settings = {.name = section->name};

	place_server(&placed, section);
	const struct config_entry *verify = config_effective(
	        builder->config->tree, section, CONFIG_SSL_VERIFY_CLIENT_KEY);
	settings.verify_client = config_number(verify, CONFIG_SSL_VERIFY_CLIENT_KEY) != 0;
	settings.verify_depth = (unsigned)config_number(
	        config_effective(builder->config->tree, section, CONFIG_SSL_VERIFY_DEPTH_KEY),
	        CONFIG_SSL_VERIFY_DEPTH_KEY);
	settings.session_tickets = config_number(config_effective(builder->config->tree, section,
	                                                 CONFIG_SSL_SESSION_TICKETS_KEY),
	                                   CONFIG_SSL_SESSION_TICKETS_KEY) != 0;
	uint64_t timeout_ms = config_number(
	        config_effective(builder->config->tree, section, CONFIG_SSL_SESSION_TIMEOUT_KEY),
	        CONFIG_SSL_SESSION_TIMEOUT_KEY);
	settings.session_timeout_s = timeout_ms < 1000 ? 1 : (uint32_t)(timeout_ms / 1000);
	settings.alpn = alpn_of(placed.entries[TLS_SETTING_ALPN]);
	settings.policy = policy_of(&placed);
	bool fine = read_pairs(&placed, &settings);
	fine &= read_pem(builder, placed.entries[TLS_SETTING_PASSWORDS],
	        CONFIG_SSL_PASSWORD_FILE_KEY, &settings.passwords);
	fine &= read_pem(builder, placed.entries[TLS_SETTING_CLIENT_CA],
	        CONFIG_SSL_CLIENT_CERTIFICATE_KEY, &settings.client_ca);
	fine &= read_pem(builder, placed.entries[TLS_SETTING_TRUST],
	        CONFIG_SSL_TRUSTED_CERTIFICATE_KEY, &settings.trusted_ca);
	if (settings.verify_client && !settings.client_ca.text.data &&
	        !settings.trusted_ca.text.data && fine) {
		config_messages_add(builder->messages, CONFIG_ERROR,
		        verify ? &verify->origin : &section->origin,
		        "ssl_verify_client: 'on' needs ssl_client_certificate or "
		        "ssl_trusted_certificate");
		return;
	}
	if (fine)
		tcp->listener_tls = tls_server_credentials_create(&settings, report, &placed);
}

/* ---- both ---- */

static bool is_towards_upstream(enum config_key key)
{
	return (config_schema_row(key)->where & IN_PROXY_TLS) == IN_PROXY_TLS;
}

/* What is set for a side without TLS is checked all the same: it may be switched on next. */
static void check_idle_client(struct config_builder *builder, const struct config_section *section,
        struct config_tcp *tcp)
{
	const struct config_entry *first = NULL;

	for (unsigned key = 0; key < CONFIG_KEY_COUNT && !first; key++)
		if (is_towards_upstream((enum config_key)key))
			first = config_at_level(
			        builder->config->tree, section, (enum config_key)key);
	if (!first)
		return;
	config_messages_add(builder->messages, CONFIG_NOTICE, &first->origin,
	        "[%s] has settings for TLS to its upstream, but 'proxy_ssl = on' is missing: the "
	        "traffic is not encrypted",
	        section->title);
	build_client(builder, section, tcp);
	tls_client_credentials_destroy(tcp->upstream_tls);
	tcp->upstream_tls = NULL;
	tcp->proxy_ssl_name = NULL;
}

static void check_idle_server(struct config_builder *builder, const struct config_section *section,
        struct config_tcp *tcp)
{
	const struct config_entry *certificate = section->entries[CONFIG_SSL_CERTIFICATE_KEY];

	if (!certificate)
		return;
	config_messages_add(builder->messages, CONFIG_NOTICE, &certificate->origin,
	        "[%s] has a certificate for its clients, but none of its listen lines has 'ssl'",
	        section->title);
	build_server(builder, section, tcp);
	tls_server_credentials_destroy(tcp->listener_tls);
	tcp->listener_tls = NULL;
}

void config_build_tcp_tls(struct config_builder *builder, const struct config_section *section,
        struct config_tcp *tcp, bool has_ssl_listener)
{
	const struct config_entry *proxy_ssl = config_effective(
	        builder->config->tree, section, CONFIG_PROXY_SSL_KEY);

	if (config_number(proxy_ssl, CONFIG_PROXY_SSL_KEY))
		build_client(builder, section, tcp);
	else if (!proxy_ssl)
		check_idle_client(builder, section, tcp);
	if (has_ssl_listener)
		build_server(builder, section, tcp);
	else
		check_idle_server(builder, section, tcp);
}
