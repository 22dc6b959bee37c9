/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_source.h - where a configuration's bytes come from: files, directories and name look-ups.
 *
 * A live source asks the disk and the resolver and remembers each answer. What it remembers can be
 * packed into bytes and replayed elsewhere: at a reload a child of the master does the slow part (a
 * dead disk or DNS server may hold it up), and the master then loads the same configuration from
 * the child's answers without a blocking call. Overlays (-t --overlay PATH=FILE) are answers given
 * beforehand.
 */
#ifndef MASTER_CONFIG_SOURCE_H
#define MASTER_CONFIG_SOURCE_H

#include "shared/address.h"
#include "shared/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct config_source;

struct config_source *config_source_create(void);
/* Asks neither disk nor resolver: knows the files that it is given, and no others. For tests. */
struct config_source *config_source_create_closed(void);
/* A file of a closed source, owned by the caller; path and text are copied. */
void config_source_give(
        struct config_source *source, const char *path, mode_t mode, struct slice text);
/* Replays what config_source_pack made; NULL when the bytes are no such thing. Copies them. */
struct config_source *config_source_unpack(struct slice packed);
void config_source_destroy(struct config_source *source);

/* As if FILE stood at PATH ("": as if nothing did); both may be directories. Paths absolute. */
void config_source_overlay(struct config_source *source, const char *path, const char *file);
/* The first overlay path that no read and no listing has met, or NULL. */
const char *config_source_unused_overlay(const struct config_source *source);

struct config_file {
	int error; /* errno of the failure, 0 when there is content */
	struct slice text; /* lives as long as the source */
	mode_t mode;
	uid_t uid;
};
/* Each path is read once; the answer is kept. Files past 16 MiB are refused with EFBIG. */
const struct config_file *config_source_read(struct config_source *source, const char *path);

/* Paths that match the glob `pattern`, in byte order, terminated by NULL; lives as long as the
 * source. */
const char *const *config_source_list(struct config_source *source, const char *pattern);

struct config_names {
	const char *error; /* gai_strerror text, or "took longer than 5 s"; NULL: it resolves */
	const struct address *addresses; /* with an error: those that were kept */
	size_t count;
};
/* Looks all hosts up at once, at most `timeout_ms` together. Ports in the answers are 0. Duplicates
 * and already known hosts are fine. */
void config_source_resolve(
        struct config_source *source, const char *const *hosts, size_t count, int timeout_ms);
/* An address that `host` had until now: it keeps it where looking it up fails. */
void config_source_keep(
        struct config_source *source, const char *host, const struct address *address);
/* Of a replayed source: forgets the names that did not resolve, and looks names up from now on;
 * what files held stays as it was. */
void config_source_retry_names(struct config_source *source);
/* What config_source_resolve found; a host never asked for has an error. */
const struct config_names *config_source_addresses(
        const struct config_source *source, const char *host);

/* malloc'ed, the caller frees; holds key files' content: wipe it (explicit_bzero) before. */
void *config_source_pack(const struct config_source *source, size_t *length_out);

#endif
