/* SPDX-License-Identifier: BSD-2-Clause */
/* config_build_settings.c - what sections of both protocols have: times, logs; and headers. */
#include "master/config_build.h"

#include "master/config_template.h"
#include "shared/arena.h"

#include <string.h>

void config_refuse_zero_times(struct config_builder *builder, const struct config_section *section,
        const enum config_key *keys, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct config_entry *entry = config_effective(
		        builder->config->tree, section, keys[i]);
		if (entry && config_number(entry, keys[i], section->kind) == 0)
			config_messages_add(builder->messages, CONFIG_ERROR, &entry->origin,
			        "%s: 0 would end every connection at once",
			        config_key_name(keys[i]));
	}
}

size_t config_build_access_logs(struct config_builder *builder,
        const struct config_section *section, const struct config_access_log **logs_out)
{
	const struct config_entry *entry = config_effective(
	        builder->config->tree, section, CONFIG_ACCESS_LOG_KEY);
	size_t entry_count = config_entry_count(entry), count = 0;
	struct config_access_log *logs = arena_alloc_array(
	        builder->config->arena, entry_count + 1, sizeof(*logs));

	*logs_out = logs;
	for (; entry; entry = entry->next) {
		const char *word = entry->words.items[0];
		if (strcmp(word, "off") == 0) {
			if (entry_count > 1)
				config_messages_add(builder->messages, CONFIG_ERROR, &entry->origin,
				        "access_log: 'off' beside another access_log; leave one "
				        "out");
			continue;
		}
		const char *path = strcmp(word, "stderr") == 0 ? word : config_path(builder, word);
		logs[count++] = (struct config_access_log){
		        .log_index = config_log_index(builder, path),
		        .format = (enum access_log_format)config_number(
		                entry, CONFIG_ACCESS_LOG_KEY, section->kind),
		};
	}
	return count;
}

/* ---- proxy_set_header ---- */

static bool sets_header(const struct config_section *section, const char *name)
{
	const struct config_entry *entry = section->entries[CONFIG_PROXY_SET_HEADER_KEY];

	for (; entry; entry = entry->next)
		if (!config_is_none(entry) &&
		        slice_equal_nocase(slice_of(entry->words.items[0]), slice_of(name)))
			return true;
	return false;
}

static bool takes_headers_back(const struct config_section *section)
{
	const struct config_entry *entry = section->entries[CONFIG_PROXY_SET_HEADER_KEY];

	while (entry && !config_is_none(entry))
		entry = entry->next;
	return entry != NULL;
}

static bool is_set_further_in(const struct config_levels *levels, size_t level, const char *name)
{
	for (size_t i = 0; i < level; i++)
		if (sets_header(levels->at[i], name))
			return true;
	return false;
}

void config_each_header(const struct config_tree *tree, const struct config_section *section,
        config_header_fn *visit, void *opaque)
{
	struct config_levels levels = config_levels_of(tree, section);
	size_t level = 0;

	while (level + 1 < levels.count && !takes_headers_back(levels.at[level]))
		level++;
	for (;; level--) {
		const struct config_entry *entry =
		        levels.at[level]->entries[CONFIG_PROXY_SET_HEADER_KEY];
		for (; entry; entry = entry->next)
			if (!config_is_none(entry) &&
			        !is_set_further_in(&levels, level, entry->words.items[0]))
				visit(opaque, entry);
		if (level == 0)
			return;
	}
}

void config_check_headers(struct config_builder *builder)
{
	for (const struct config_section *section = builder->tree->first; section;
	        section = section->next) {
		const struct config_entry *entry = section->entries[CONFIG_PROXY_SET_HEADER_KEY];
		for (; entry; entry = entry->next) {
			const struct config_entry *first =
			        section->entries[CONFIG_PROXY_SET_HEADER_KEY];
			while (first != entry &&
			        !slice_equal_nocase(slice_of(first->words.items[0]),
			                slice_of(entry->words.items[0])))
				first = first->next;
			if (first != entry)
				config_messages_add(builder->messages, CONFIG_ERROR, &entry->origin,
				        "proxy_set_header: '%s' is here a second time in [%s]; the "
				        "first is at %s:%u",
				        entry->words.items[0], section->title, first->origin.file,
				        first->origin.line);
		}
	}
}

struct header_list {
	const struct config_builder *builder;
	struct config_header_rule *rules; /* NULL: they are counted first */
	size_t count;
};

static void add_header(void *opaque, const struct config_entry *entry)
{
	struct header_list *list = opaque;

	if (list->rules)
		list->rules[list->count] = (struct config_header_rule){
		        .name = slice_of(entry->words.items[0]),
		        .value = config_template_compile(
		                list->builder->config->arena, entry->words.items[1]),
		};
	list->count++;
}

size_t config_build_headers(struct config_builder *builder, const struct config_section *section,
        const struct config_header_rule **rules_out)
{
	struct header_list list = {.builder = builder};

	config_each_header(builder->config->tree, section, add_header, &list);
	list.rules = arena_alloc_array(builder->config->arena, list.count + 1, sizeof(*list.rules));
	*rules_out = list.rules;
	list.count = 0;
	config_each_header(builder->config->tree, section, add_header, &list);
	return list.count;
}
