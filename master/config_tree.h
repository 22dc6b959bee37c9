/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_tree.h - what the files say, before anybody asks what it means.
 *
 * Sections in the order they were read, each with the entries of every key it sets. Texts live in
 * the tree's arena.
 */
#ifndef MASTER_CONFIG_TREE_H
#define MASTER_CONFIG_TREE_H

#include "master/config_schema.h"
#include "shared/config.h"

#include <stddef.h>

struct config_words {
	const char *const *items; /* without quotes and escapes */
	size_t count; /* at least 1 */
};

struct config_entry {
	struct config_entry *next; /* of the same key in the same section: a repeatable one */
	const char *text; /* the value as written, without comment */
	struct config_words words;
	struct config_origin origin;
};

struct config_section {
	struct config_section *next;
	enum config_kind kind;
	const char *name; /* "" for kinds without one; of a location that of its [http NAME] */
	const char *path; /* of a location, else "" */
	bool exact; /* ... which is meant alone, not as a prefix */
	const char *title; /* as written, for messages: "tcp shop" */
	struct config_origin origin;
	struct config_entry *entries[CONFIG_KEY_COUNT]; /* first of each key; NULL: not set */
	bool refused[CONFIG_KEY_COUNT]; /* some value of it was refused: it is not missing */
	const char *group; /* name of the one its proxy_pass leads to, once groups are built */
	bool used; /* a [tls NAME] that somebody names */
};

struct config_tree {
	struct arena *arena;
	struct config_section *first, *last;
};

/* True when some section's value of `key` was refused: then a missing one is no further fault. */
bool config_tree_refused(const struct config_tree *tree, enum config_key key);

/* NULL when there is none. Not for locations, of which many have one name. */
struct config_section *config_tree_find(
        const struct config_tree *tree, enum config_kind kind, const char *name);

#endif
