/* SPDX-License-Identifier: BSD-2-Clause */
/* config_load.c - the order in which a configuration is read, checked and built. */
#include "master/config_load.h"

#include "master/config_build.h"
#include "master/config_read.h"
#include "shared/arena.h"
#include "shared/check.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_CHUNK = 64 * 1024 };

const char *config_path(const struct config_builder *builder, const char *path)
{
	if (path[0] == '/')
		return path;
	return arena_format(builder->config->arena, "%s/%s", builder->prefix, path);
}

size_t config_log_index(struct config_builder *builder, const char *path)
{
	for (size_t i = 0; i < builder->log_path_count; i++)
		if (strcmp(builder->log_paths[i], path) == 0)
			return i;
	const char **paths = arena_alloc_array(
	        builder->config->arena, builder->log_path_count + 1, sizeof(*paths));
	if (builder->log_path_count)
		memcpy(paths, builder->log_paths, builder->log_path_count * sizeof(*paths));
	paths[builder->log_path_count] = path;
	builder->log_paths = paths;
	return builder->log_path_count++;
}

static const char *prefix_of(struct config_builder *builder)
{
	if (builder->options->prefix)
		return builder->options->prefix;
	const char *file = builder->options->main_file, *slash = strrchr(file, '/');
	if (!slash || slash == file)
		return "/";
	return arena_copy(builder->config->arena, (struct slice){file, (size_t)(slash - file)});
}

/* A file is read once, be it matched by two patterns, or be it the main file itself. */
static bool take_turn(struct config_builder *builder, const char *path)
{
	for (size_t i = 0; i < builder->read_count; i++)
		if (strcmp(builder->read_paths[i], path) == 0)
			return false;
	const char **paths = arena_alloc_array(
	        builder->config->arena, builder->read_count + 1, sizeof(*paths));
	if (builder->read_count)
		memcpy(paths, builder->read_paths, builder->read_count * sizeof(*paths));
	paths[builder->read_count++] = path;
	builder->read_paths = paths;
	return true;
}

static void read_file(struct config_builder *builder, const char *path, bool included)
{
	if (take_turn(builder, path))
		config_read_file(builder->tree, builder->source, path, included, builder->messages);
}

static void read_included(struct config_builder *builder)
{
	const struct config_section *section = config_tree_find(builder->tree, CONFIG_MAIN, "");
	const struct config_entry *entry = section ? section->entries[CONFIG_INCLUDE_KEY] : NULL;

	for (; entry; entry = entry->next) {
		const char *pattern = config_path(builder, entry->words.items[0]);
		if (!strpbrk(pattern, "*?[")) {
			const struct config_file *file = config_source_read(
			        builder->source, pattern);
			if (file->error)
				config_messages_add(builder->messages, CONFIG_ERROR, &entry->origin,
				        "include: %s: %s", pattern, strerror(file->error));
			else
				read_file(builder, pattern, true);
			continue;
		}
		for (const char *const *path = config_source_list(builder->source, pattern); *path;
		        path++)
			read_file(builder, *path, true);
	}
}

/* False when it can't be read. */
static bool read_main_file(struct config_builder *builder)
{
	const char *main_file = builder->options->main_file;
	int error = config_source_read(builder->source, main_file)->error;

	if (error) {
		config_messages_add(builder->messages, CONFIG_ERROR,
		        &(struct config_origin){main_file, 0},
		        "cannot be read: %s; -c FILE names another", strerror(error));
		return false;
	}
	read_file(builder, main_file, false);
	return true;
}

static void open_builder(struct config_builder *builder, struct config_source *source,
        const struct config_load_options *options, struct config_messages *messages)
{
	struct config *config = calloc(1, sizeof(*config));

	CHECK(config);
	config->arena = arena_create(ARENA_CHUNK);
	CHECK(config->arena);
	struct config_tree *tree = arena_alloc(config->arena, sizeof(*tree));
	tree->arena = config->arena;
	config->tree = tree;
	*builder = (struct config_builder){
	        .tree = tree,
	        .source = source,
	        .options = options,
	        .messages = messages,
	        .config = config,
	};
	builder->prefix = prefix_of(builder);
	config->main_file = arena_copy(config->arena, slice_of(options->main_file));
}

struct config *config_load(struct config_source *source, const struct config_load_options *options,
        struct config_messages *messages)
{
	struct config_builder builder;

	open_builder(&builder, source, options, messages);
	if (read_main_file(&builder)) {
		read_included(&builder);
		config_check_sections(&builder);
		config_build_main(&builder);
		config_build_groups(&builder);
		config_plan_listens(&builder);
		config_build_tcps(&builder);
		config_build_https(&builder);
		config_build_listeners(&builder);
		config_build_admin(&builder);
		if (builder.config->tcp_count + builder.config->http_count == 0)
			config_messages_add(messages, CONFIG_ERROR,
			        &(struct config_origin){options->main_file, 0},
			        "there is no [tcp NAME] and no [http NAME] section, so nothing to "
			        "do");
		builder.config->log_paths = builder.log_paths;
		builder.config->log_path_count = builder.log_path_count;
	}
	const char *unused = config_source_unused_overlay(source);
	if (unused)
		config_messages_add(messages, CONFIG_ERROR, NULL,
		        "--overlay: %s is neither the main file nor matched by an include", unused);
	if (options->warnings_are_errors)
		config_messages_raise_warnings(messages);
	if (messages->error_count == 0)
		return builder.config;
	config_destroy(builder.config);
	return NULL;
}

bool config_load_pid_file(struct config_source *source, const struct config_load_options *options,
        char *buffer, size_t size)
{
	struct config_messages messages;
	struct config_builder builder;

	config_messages_init(&messages);
	open_builder(&builder, source, options, &messages);
	if (!options->pid_file)
		read_main_file(&builder); /* where [main] stands; the rest may be broken */
	config_build_pid_file(&builder);
	const char *path = builder.config->main.pid_file;
	bool found = path && strlen(path) < size;
	if (found)
		snprintf(buffer, size, "%s", path);
	config_destroy(builder.config);
	config_messages_clear(&messages);
	return found;
}
