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

struct tls_client_credentials;
struct tls_pem;
struct tls_server_credentials;

/* A `listen` of [tcp NAME] or [http NAME], or the default of the latter. */
struct config_listen_line {
	const struct config_section *section;
	struct config_listen listen;
	size_t first; /* index of the first line of the same address: where it becomes a listener */
	size_t standard; /* of that one: index of the line of the default server */
};

struct config_client_tls; /* credentials by the entries that they were made from */

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
	struct config_listen_line *lines; /* of all listens */
	size_t line_count;
	struct config_client_tls *client_tls;
};

/* ---- config_effective.c: what a section's key comes to ---- */

enum { CONFIG_LEVELS_MAX = 3 };

/* Where a key of a section may come from, the section itself first: [location NAME PATH], [http
 * NAME], [http]; [tcp NAME], [tcp]. */
struct config_levels {
	const struct config_section *at[CONFIG_LEVELS_MAX];
	size_t count; /* at least 1 */
};
struct config_levels config_levels_of(
        const struct config_tree *tree, const struct config_section *section);

/* The first entry of `key` in the innermost level that sets it; NULL: the default holds. Keys that
 * are decided as one set come from one level. */
const struct config_entry *config_effective(
        const struct config_tree *tree, const struct config_section *section, enum config_key key);
/* Of a proxy_ssl_* key for what `section` sends to `group` (NULL: a group without a section), which
 * stands between the section and its outer ones, each with the profile that its proxy_tls names. */
const struct config_entry *config_effective_tls(const struct config_tree *tree,
        const struct config_section *section, const struct config_section *group,
        enum config_key key);
/* The value of an entry that counts in a section of `kind`, or of the key's default there where the
 * entry is NULL. */
uint64_t config_number(
        const struct config_entry *entry, enum config_key key, enum config_kind kind);
/* The first word of an entry, or the default's text, or NULL. */
const char *config_text(
        const struct config_entry *entry, enum config_key key, enum config_kind kind);
uint64_t config_effective_number(
        const struct config_tree *tree, const struct config_section *section, enum config_key key);
size_t config_entry_count(const struct config_entry *entry); /* and all behind it */
bool config_is_none(const struct config_entry *entry);
/* The level's own entry, or that of the profile that its proxy_tls names. */
const struct config_entry *config_at_level(
        const struct config_tree *tree, const struct config_section *level, enum config_key key);
/* proxy_tls names that no [tls NAME] has, sets with too much in them, profiles that nobody uses,
 * locations of no server. */
void config_check_sections(struct config_builder *builder);

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
/* Says of each section which group it proxies to, resolves all names, then fills config->groups;
 * config_find_group finds a section's. */
void config_build_groups(struct config_builder *builder);
const struct config_group *config_find_group(
        const struct config_builder *builder, const char *name);
/* Reads every `listen`, and says which of them disagree; before the sections are built. */
void config_plan_listens(struct config_builder *builder);
bool config_has_ssl_listen(
        const struct config_builder *builder, const struct config_section *section);
void config_build_tcps(struct config_builder *builder);
void config_build_https(struct config_builder *builder);
/* The locations of a server whose other fields are filled. */
void config_build_locations(struct config_builder *builder, const struct config_section *section,
        struct config_http *http);
/* An address each, from the lines; after the sections are built. */
void config_build_listeners(struct config_builder *builder);
void config_build_admin(struct config_builder *builder);

/* ---- settings that several kinds of sections have ---- */

/* Says of each of `keys` that is 0 in this section that it must not be. */
void config_refuse_zero_times(struct config_builder *builder, const struct config_section *section,
        const enum config_key *keys, size_t count);
size_t config_build_access_logs(struct config_builder *builder,
        const struct config_section *section, const struct config_access_log **logs_out);

/* Every proxy_set_header that counts in a section, outer ones first, each name once. */
typedef void config_header_fn(void *opaque, const struct config_entry *entry);
void config_each_header(const struct config_tree *tree, const struct config_section *section,
        config_header_fn *visit, void *opaque);
/* Names that one section sets twice. */
void config_check_headers(struct config_builder *builder);
size_t config_build_headers(struct config_builder *builder, const struct config_section *section,
        const struct config_header_rule **rules_out);

/* ---- TLS; what is made belongs to the configuration ---- */

/* For what `section` sends to `group`; *name_out is its proxy_ssl_name or NULL. NULL after an
 * error. Sections with the same settings share one. */
struct tls_client_credentials *config_build_client_tls(struct config_builder *builder,
        const struct config_section *section, const struct config_group *group,
        const char **name_out);
/* A section whose traffic is not encrypted has settings for it: a notice, with what is `missing`,
 * and they are checked all the same. */
void config_check_idle_client_tls(struct config_builder *builder,
        const struct config_section *section, const struct config_group *group,
        const char *missing);
struct tls_server_credentials *config_build_server_tls(
        struct config_builder *builder, const struct config_section *section);
void config_check_idle_server_tls(
        struct config_builder *builder, const struct config_section *section);

#endif
