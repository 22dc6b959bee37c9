/* SPDX-License-Identifier: BSD-2-Clause */
/* config_effective.c - inheritance: which of several entries of a key counts. */
#include "master/config_build.h"

#include "master/config_words.h"
#include "shared/check.h"

#include <stdio.h>
#include <string.h>

enum { SET_KEYS = 3, NAMES_MAX = 64 };

/* Keys of which a level sets all or none. */
static const enum config_key sets[][SET_KEYS] = {
        {CONFIG_PROXY_SSL_CERTIFICATE_KEY, CONFIG_PROXY_SSL_CERTIFICATE_KEY_KEY,
                CONFIG_PROXY_SSL_PASSWORD_FILE_KEY},
        {CONFIG_PROXY_SSL_PROTOCOLS_KEY, CONFIG_PROXY_SSL_CIPHERS_KEY,
                CONFIG_PROXY_SSL_PRIORITY_KEY},
        {CONFIG_SSL_PROTOCOLS_KEY, CONFIG_SSL_CIPHERS_KEY, CONFIG_SSL_PRIORITY_KEY},
};

static const enum config_key *set_of(enum config_key key)
{
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		for (size_t j = 0; j < SET_KEYS; j++)
			if (sets[i][j] == key)
				return sets[i];
	return NULL;
}

struct config_levels config_levels_of(
        const struct config_tree *tree, const struct config_section *section)
{
	struct config_levels levels = {{section}, 1};
	const struct config_section *outer[2] = {NULL, NULL};

	if (section->kind == CONFIG_LOCATION)
		outer[0] = config_tree_find(tree, CONFIG_HTTP, section->name);
	if (section->kind == CONFIG_LOCATION || section->kind == CONFIG_HTTP)
		outer[1] = config_tree_find(tree, CONFIG_HTTP_DEFAULTS, "");
	else if (section->kind == CONFIG_TCP)
		outer[1] = config_tree_find(tree, CONFIG_TCP_DEFAULTS, "");
	for (size_t i = 0; i < 2; i++)
		if (outer[i])
			levels.at[levels.count++] = outer[i];
	return levels;
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

/* The first level that sets `key`, or any key of its set, decides. */
static const struct config_entry *decide(const struct config_tree *tree,
        const struct config_section *const *levels, size_t count, enum config_key key)
{
	const enum config_key *set = set_of(key);

	for (size_t i = 0; i < count; i++) {
		const struct config_entry *entry = config_at_level(tree, levels[i], key);
		if (entry || (set && sets_any(tree, levels[i], set)))
			return entry;
	}
	return NULL;
}

const struct config_entry *config_effective(
        const struct config_tree *tree, const struct config_section *section, enum config_key key)
{
	const struct config_schema_row *row = config_schema_row_in(key, section->kind);
	struct config_levels levels = config_levels_of(tree, section);

	if (row && row->traits & CONFIG_OWN)
		return section->entries[key];
	return decide(tree, levels.at, levels.count, key);
}

const struct config_entry *config_effective_tls(const struct config_tree *tree,
        const struct config_section *section, const struct config_section *group,
        enum config_key key)
{
	struct config_levels levels = config_levels_of(tree, section);
	const struct config_section *with_group[CONFIG_LEVELS_MAX + 1] = {section};
	size_t count = 1;

	if (group)
		with_group[count++] = group;
	for (size_t i = 1; i < levels.count; i++)
		with_group[count++] = levels.at[i];
	return decide(tree, with_group, count, key);
}

uint64_t config_number(const struct config_entry *entry, enum config_key key, enum config_kind kind)
{
	const struct config_schema_row *row = config_schema_row_in(key, kind);
	struct config_value value = {0};
	struct config_words words;
	const char *items[8];
	char text[128], fault[8], *rest = text;

	CHECK(row);
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

uint64_t config_effective_number(
        const struct config_tree *tree, const struct config_section *section, enum config_key key)
{
	return config_number(config_effective(tree, section, key), key, section->kind);
}

const char *config_text(
        const struct config_entry *entry, enum config_key key, enum config_kind kind)
{
	return entry ? entry->words.items[0] : config_schema_row_in(key, kind)->default_text;
}

size_t config_entry_count(const struct config_entry *entry)
{
	size_t count = 0;

	for (; entry; entry = entry->next)
		count++;
	return count;
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
		        config_key_name(priority), config_key_name(other), beside->origin.file,
		        beside->origin.line);
}

static void check_profile(struct config_builder *builder, const struct config_section *section)
{
	const struct config_entry *entry = section->entries[CONFIG_PROXY_TLS_KEY];
	struct config_section *profile = profile_of(builder->tree, section);

	if (profile)
		profile->used = true;
	else if (entry)
		config_messages_add(builder->messages, CONFIG_ERROR, &entry->origin,
		        "proxy_tls: there is no [tls %s]", entry->words.items[0]);
}

static void check_server_of(struct config_builder *builder, const struct config_section *location)
{
	const char *names[NAMES_MAX];
	size_t count = 0;

	if (config_tree_find(builder->tree, CONFIG_HTTP, location->name))
		return;
	for (const struct config_section *section = builder->tree->first;
	        section && count < NAMES_MAX; section = section->next)
		if (section->kind == CONFIG_HTTP)
			names[count++] = section->name;
	const char *near = config_suggest(location->name, names, count);
	config_messages_add(builder->messages, CONFIG_ERROR, &location->origin,
	        "[%s]: there is no [http %s]%s%s%s", location->title, location->name,
	        near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

void config_check_sections(struct config_builder *builder)
{
	for (const struct config_section *section = builder->tree->first; section;
	        section = section->next) {
		check_profile(builder, section);
		check_policy_set(builder, section, CONFIG_PROXY_SSL_PRIORITY_KEY,
		        CONFIG_PROXY_SSL_PROTOCOLS_KEY, CONFIG_PROXY_SSL_CIPHERS_KEY);
		check_policy_set(builder, section, CONFIG_SSL_PRIORITY_KEY,
		        CONFIG_SSL_PROTOCOLS_KEY, CONFIG_SSL_CIPHERS_KEY);
		if (section->kind == CONFIG_LOCATION)
			check_server_of(builder, section);
	}
	for (const struct config_section *section = builder->tree->first; section;
	        section = section->next)
		if (section->kind == CONFIG_TLS && !section->used)
			config_messages_add(builder->messages, CONFIG_WARNING, &section->origin,
			        "[%s] is used by nobody; 'proxy_tls = %s' would use it",
			        section->title, section->name);
}
