/* SPDX-License-Identifier: BSD-2-Clause */
/* config_answers.h - what a configuration source remembers; for config_source.c, config_list.c
 * and config_pack.c alone. */
#ifndef MASTER_CONFIG_ANSWERS_H
#define MASTER_CONFIG_ANSWERS_H

#include "master/config_source.h"

#include <stdbool.h>

struct arena;

struct file_answer {
	struct file_answer *next;
	const char *path;
	struct config_file file;
};

struct list_answer {
	struct list_answer *next;
	const char *pattern;
	const char **paths; /* terminated by NULL */
	size_t count;
};

struct name_answer {
	struct name_answer *next;
	const char *host;
	struct config_names names;
};

struct overlay_rule {
	struct overlay_rule *next;
	const char *path, *file;
	bool met;
};

struct former_address {
	struct former_address *next;
	const char *host;
	struct address address; /* port 0 */
};

struct config_source {
	struct arena *arena;
	bool live; /* files, lists and names are asked for */
	bool names_live; /* names are, whatever the rest */
	struct file_answer *files;
	struct list_answer *lists;
	struct name_answer *names;
	struct former_address *former;
	struct overlay_rule *overlays;
};

/* Each adds an answer that is filled in by the caller; texts are copied. */
struct file_answer *config_answers_add_file(struct config_source *source, const char *path);
struct list_answer *config_answers_add_list(struct config_source *source, const char *pattern);
void config_answers_add_name(
        struct config_source *source, const char *host, const struct config_names *names);

/* Where `path` is really to be read: itself, a file elsewhere, or NULL where it is as if removed.
 */
const char *config_answers_real_path(struct config_source *source, const char *path);
/* Finds what answer->pattern matches. */
void config_list_fill(struct config_source *source, struct list_answer *answer);

#endif
