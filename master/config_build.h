/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_build.h - from the tree of sections to a checked configuration, one file for each part.
 *
 * Everything that is wrong is added to the messages; what is built after an error is thrown away,
 * but building goes on so that all errors are found at once.
 */
#ifndef MASTER_CONFIG_BUILD_H
#define MASTER_CONFIG_BUILD_H

#include "master/config_load.h"
#include "master/config_parse.h"
#include "master/config_source.h"
#include "master/config_tree.h"

struct tls_pem;

struct config_builder {
	struct config_tree *tree; /* config->tree, while it is read */
	struct config_source *source;
	const struct config_load_options *options;
	struct config_messages *messages;
	struct config *config;
	const char *prefix;
	const char **read_paths; /* files that were read */
	size_t read_count;
	const char **log_paths; /* grows; becomes config->log_paths */
	size_t log_path_count;
};

/* ---- config_effective.c: what a section's key comes to ---- */

/* The first entry of `key` in [tcp NAME], else in [tcp]; NULL: the default holds. */
const struct config_entry *config_effective(
        const struct config_tree *tree, const struct config_section *tcp, enum config_key key);
/* Of a proxy_ssl_* key for what `tcp` sends to `group` (NULL: a group without a section): [tcp
 * NAME], [upstream], [tcp], each with the profile that its proxy_tls names; keys that are decided
 * as one set come from one level. */
const struct config_entry *config_effective_tls(const struct config_tree *tree,
        const struct config_section *tcp, const struct config_section *group, enum config_key key);
/* The value of an entry, or of the key's default where the entry is NULL. */
uint64_t config_number(const struct config_entry *entry, enum config_key key);
/* The first word of an entry, or the default's text, or NULL. */
const char *config_text(const struct config_entry *entry, enum config_key key);
bool config_is_none(const struct config_entry *entry);
/* The level's own entry, or that of the profile that its proxy_tls names. */
const struct config_entry *config_at_level(
        const struct config_tree *tree, const struct config_section *level, enum config_key key);
/* proxy_tls names that no [tls NAME] has, sets with too much in them, profiles that nobody uses. */
void config_check_profiles(struct config_builder *builder);

/* ---- places and files ---- */

/* Absolute, in the configuration's arena. */
const char *config_path(const struct config_builder *builder, const char *path);
/* Reads the file that an entry names; says what is wrong and leaves *pem_out unset. `secret`:
 * readable by others is a warning. */
bool config_read_pem(struct config_builder *builder, const struct config_entry *entry,
        const char *key, bool secret, struct tls_pem *pem_out);
size_t config_log_index(struct config_builder *builder, const char *path);

/* ---- parts ---- */

void config_build_main(struct config_builder *builder);
/* Only config->main.pid_file: for -s, which needs no more. */
void config_build_pid_file(struct config_builder *builder);
/* Resolves all names, then fills config->groups; each tcp's group is found by config_find_group. */
void config_build_groups(struct config_builder *builder);
const struct config_group *config_find_group(
        const struct config_builder *builder, const char *name);
void config_build_tcps(struct config_builder *builder);
void config_build_tcp_tls(struct config_builder *builder, const struct config_section *section,
        struct config_tcp *tcp, bool has_ssl_listener);

#endif
