/* SPDX-License-Identifier: BSD-2-Clause */
/* config_effective.c - inheritance: which of several entries of a key counts. */
#include "master/config_build.h"

#include "master/config_words.h"
#include "shared/check.h"

#include <stdio.h>
#include <string.h>

/* Keys of which a level sets all or none. */
static const enum config_key certificate_set[] = {CONFIG_PROXY_SSL_CERTIFICATE_KEY,
        CONFIG_PROXY_SSL_CERTIFICATE_KEY_KEY, CONFIG_PROXY_SSL_PASSWORD_FILE_KEY};
static const enum config_key policy_set[] = {CONFIG_PROXY_SSL_PROTOCOLS_KEY,
        CONFIG_PROXY_SSL_CIPHERS_KEY, CONFIG_PROXY_SSL_PRIORITY_KEY};
enum { SET_KEYS = 3 };

static const enum config_key *set_of(enum config_key key)
{
	for (size_t i = 0; i < SET_KEYS; i++) {
		if (certificate_set[i] == key)
			return certificate_set;
		if (policy_set[i] == key)
			return policy_set;
	}
	return NULL;
}

const struct config_entry *config_effective(
        const struct config_tree *tree, const struct config_section *tcp, enum config_key key)
{
	const struct config_section *defaults;

	if (tcp->entries[key])
		return tcp->entries[key];
	defaults = config_tree_find(tree, CONFIG_TCP_DEFAULTS, "");
	return defaults ? defaults->entries[key] : NULL;
}

static struct config_section *profile_of(
        const struct config_tree *tree, const struct config_section *level)
{
	const struct config_entry *entry = level->entries[CONFIG_PROXY_TLS_KEY];

	return entry ? config_tree_find(tree, CONFIG_TLS, entry->words.items[0]) : NULL;
}

const struct config_entry *config_at_level(
        const struct config_tree *tree, const struct config_section *level, enum config_key key)
{
	if (level->entries[key])
		return level->entries[key];
	const struct config_section *profile = profile_of(tree, level);
	return profile ? profile->entries[key] : NULL;
}

static bool sets_any(const struct config_tree *tree, const struct config_section *level,
        const enum config_key *set)
{
	for (size_t i = 0; i < SET_KEYS; i++)
		if (config_at_level(tree, level, set[i]))
			return true;
	return false;
}

const struct config_entry *config_effective_tls(const struct config_tree *tree,
        const struct config_section *tcp, const struct config_section *group, enum config_key key)
{
	const struct config_section *levels[] = {
	        tcp, group, config_tree_find(tree, CONFIG_TCP_DEFAULTS, "")};
	const enum config_key *set = set_of(key);

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (!levels[i])
			continue;
		const struct config_entry *entry = config_at_level(tree, levels[i], key);
		if (entry || (set && sets_any(tree, levels[i], set)))
			return entry;
	}
	return NULL;
}

uint64_t config_number(const struct config_entry *entry, enum config_key key)
{
	const struct config_schema_row *row = config_schema_row(key);
	struct config_value value = {0};
	struct config_words words;
	const char *items[8];
	char text[128], fault[8], *rest = text;

	if (entry) {
		words = entry->words;
	} else {
		CHECK(row->default_text);
		snprintf(text, sizeof(text), "%s", row->default_text);
		words = (struct config_words){items, 0};
		for (char *word; words.count < 8 && (word = strsep(&rest, " "));)
			items[words.count++] = word;
	}
	/* It was parsed before; a key with an error in it has no entry. */
	CHECK(row->parse(&words, &value, fault, sizeof(fault)));
	return value.number;
}

const char *config_text(const struct config_entry *entry, enum config_key key)
{
	return entry ? entry->words.items[0] : config_schema_row(key)->default_text;
}

bool config_is_none(const struct config_entry *entry)
{
	return entry && entry->words.count == 1 && strcmp(entry->words.items[0], "none") == 0;
}

/* priority replaces the two others: beside one of them it would hide it. */
static void check_policy_set(struct config_builder *builder, const struct config_section *section,
        enum config_key priority, enum config_key protocols, enum config_key ciphers)
{
	const struct config_tree *tree = builder->tree;
	const struct config_entry *entry = config_at_level(tree, section, priority);
	enum config_key other = config_at_level(tree, section, protocols) ? protocols : ciphers;
	const struct config_entry *beside = config_at_level(tree, section, other);

	if (entry && beside)
		config_messages_add(builder->messages, CONFIG_ERROR, &entry->origin,
		        "%s replaces %s, which stands beside it at %s:%u; leave one out",
		        config_schema_row(priority)->key, config_schema_row(other)->key,
		        beside->origin.file, beside->origin.line);
}

void config_check_profiles(struct config_builder *builder)
{
	for (struct config_section *section = builder->config->tree->first; section;
	        section = section->next) {
		const struct config_entry *entry = section->entries[CONFIG_PROXY_TLS_KEY];
		struct config_section *profile = profile_of(builder->config->tree, section);
		if (profile)
			profile->used = true;
		else if (entry)
			config_messages_add(builder->messages, CONFIG_ERROR, &entry->origin,
			        "proxy_tls: there is no [tls %s]", entry->words.items[0]);
		check_policy_set(builder, section, CONFIG_PROXY_SSL_PRIORITY_KEY,
		        CONFIG_PROXY_SSL_PROTOCOLS_KEY, CONFIG_PROXY_SSL_CIPHERS_KEY);
		check_policy_set(builder, section, CONFIG_SSL_PRIORITY_KEY,
		        CONFIG_SSL_PROTOCOLS_KEY, CONFIG_SSL_CIPHERS_KEY);
	}
	for (const struct config_section *section = builder->config->tree->first; section;
	        section = section->next)
		if (section->kind == CONFIG_TLS && !section->used)
			config_messages_add(builder->messages, CONFIG_WARNING, &section->origin,
			        "[%s] is used by nobody; 'proxy_tls = %s' would use it",
			        section->title, section->name);
}
