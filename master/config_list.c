/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_list.c - the paths that a pattern matches, overlays counted in.
 *
 * Leftovers of editors and package managers are no part of a configuration.
 */
#include "master/config_answers.h"
#include "shared/arena.h"

#include <fnmatch.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_leftover(const char *path)
{
	static const char *const endings[] = {"~", ".bak", ".swp", ".orig", ".rej"};
	const char *name = strrchr(path, '/');

	name = name ? name + 1 : path;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (slice_ends_with(slice_of(name), slice_of(endings[i])))
			return true;
	return name[0] == '.' || strstr(name, ".dpkg-") || strstr(name, ".rpm");
}

static void append_path(struct config_source *source, struct list_answer *answer, size_t *capacity,
        const char *path)
{
	if (is_leftover(path))
		return;
	for (size_t i = 0; i < answer->count; i++)
		if (strcmp(answer->paths[i], path) == 0)
			return;
	if (answer->count + 1 >= *capacity) {
		*capacity = *capacity ? *capacity * 2 : 16;
		const char **larger = arena_alloc_array(source->arena, *capacity, sizeof(*larger));
		if (answer->count)
			memcpy(larger, answer->paths, answer->count * sizeof(*larger));
		answer->paths = larger;
	}
	answer->paths[answer->count++] = arena_copy(source->arena, slice_of(path));
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort(struct list_answer *answer)
{
	if (answer->count)
		qsort(answer->paths, answer->count, sizeof(*answer->paths), compare_paths);
}

static bool matches(const char *pattern, const char *path)
{
	return fnmatch(pattern, path, FNM_PATHNAME | FNM_PERIOD) == 0;
}

/* A file laid over a path that does not exist yet has to be found by the pattern all the same. */
static void append_overlaid(struct config_source *source, struct list_answer *answer,
        size_t *capacity, const char *pattern)
{
	for (struct overlay_rule *rule = source->overlays; rule; rule = rule->next) {
		glob_t found;
		if (matches(pattern, rule->path)) {
			rule->met = true;
			if (rule->file[0])
				append_path(source, answer, capacity, rule->path);
			continue;
		}
		/* A directory: the files in it stand under the rule's path. */
		const char *inside = rule->file[0] ? arena_format(source->arena, "%s/*", rule->file)
		                                   : NULL;
		if (!inside || glob(inside, 0, NULL, &found) != 0)
			continue;
		for (size_t i = 0; i < found.gl_pathc; i++) {
			const char *path = arena_format(source->arena, "%s%s", rule->path,
			        found.gl_pathv[i] + strlen(rule->file));
			if (!matches(pattern, path))
				continue;
			rule->met = true;
			append_path(source, answer, capacity, path);
		}
		globfree(&found);
	}
}

static void list_live(struct config_source *source, struct list_answer *answer)
{
	size_t capacity = 0;
	glob_t found;

	if (glob(answer->pattern, GLOB_NOSORT, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			const char *real = config_answers_real_path(source, found.gl_pathv[i]);
			struct stat status;
			/* A link that leads nowhere counts: its target is missed, not left out. */
			if (real && lstat(real, &status) == 0)
				append_path(source, answer, &capacity, found.gl_pathv[i]);
		}
		globfree(&found);
	}
	append_overlaid(source, answer, &capacity, answer->pattern);
	sort(answer);
}

/* A replayed source knows the list of every pattern that was asked for; a closed one finds its
 * files. */
static void list_known(struct config_source *source, struct list_answer *answer)
{
	size_t capacity = 0;

	for (const struct file_answer *file = source->files; file; file = file->next)
		if (!file->file.error && matches(answer->pattern, file->path))
			append_path(source, answer, &capacity, file->path);
	sort(answer);
}

void config_list_fill(struct config_source *source, struct list_answer *answer)
{
	if (source->live)
		list_live(source, answer);
	else
		list_known(source, answer);
}
