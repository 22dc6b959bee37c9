/* SPDX-License-Identifier: BSD-2-Clause */
/* config_build_tls.c - files and faults of TLS settings, for both sides. */
#include "master/config_build_tls.h"

#include <string.h>
#include <sys/stat.h>

void config_tls_report(void *opaque, enum tls_severity severity, enum tls_setting setting,
        size_t pair, const char *text)
{
	static const enum config_severity severities[] = {[TLS_NOTICE] = CONFIG_NOTICE,
	        [TLS_WARNING] = CONFIG_WARNING,
	        [TLS_ERROR] = CONFIG_ERROR};
	struct config_tls_place *place = opaque;
	const struct config_entry *entry = place->entries[setting];

	if (setting == TLS_SETTING_CERTIFICATE && place->pair_certificates)
		entry = place->pair_certificates[pair];
	if (setting == TLS_SETTING_KEY && place->pair_keys)
		entry = place->pair_keys[pair];
	config_messages_add(place->builder->messages, severities[severity],
	        entry ? &entry->origin : &place->section->origin, "%s: %s",
	        config_key_name(place->keys[setting]), text);
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

bool config_tls_read_pem(struct config_builder *builder, const struct config_entry *entry,
        enum config_key key, struct tls_pem *pem_out)
{
	bool secret = key == CONFIG_PROXY_SSL_CERTIFICATE_KEY_KEY ||
	              key == CONFIG_PROXY_SSL_PASSWORD_FILE_KEY ||
	              key == CONFIG_SSL_CERTIFICATE_KEY_KEY || key == CONFIG_SSL_PASSWORD_FILE_KEY;

	if (!entry || config_is_none(entry))
		return true;
	return config_read_pem(builder, entry, config_key_name(key), secret, pem_out);
}

struct tls_policy_settings config_tls_policy(const struct config_tls_place *place)
{
	const struct config_entry *priority = place->entries[TLS_SETTING_PRIORITY];
	enum config_kind kind = place->section->kind;

	return (struct tls_policy_settings){
	        .protocols = (unsigned)config_number(place->entries[TLS_SETTING_PROTOCOLS],
	                place->keys[TLS_SETTING_PROTOCOLS], kind),
	        .ciphers = config_text(place->entries[TLS_SETTING_CIPHERS],
	                place->keys[TLS_SETTING_CIPHERS], kind),
	        .priority = priority ? priority->words.items[0] : NULL,
	};
}
