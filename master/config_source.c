/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_source.c - answers, asked for once and remembered by their question.
 *
 * A live source asks the disk; a replayed one has every answer already, and a question it does not
 * know is answered with "no such file". Overlays are settled before the disk is asked, and the
 * answer is remembered like any other.
 */
#include "master/config_source.h"

#include "master/config_answers.h"
#include "master/config_lookup.h"
#include "shared/arena.h"
#include "shared/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 16 << 20, ARENA_CHUNK = 64 * 1024 };

struct config_source *config_source_create(void)
{
	struct config_source *source = calloc(1, sizeof(*source));

	CHECK(source);
	source->arena = arena_create(ARENA_CHUNK);
	CHECK(source->arena);
	source->live = true;
	return source;
}

struct config_source *config_source_create_closed(void)
{
	struct config_source *source = config_source_create();

	source->live = false;
	return source;
}

void config_source_give(
        struct config_source *source, const char *path, mode_t mode, struct slice text)
{
	struct file_answer *answer = config_answers_add_file(source, path);

	answer->file.text = (struct slice){arena_copy(source->arena, text), text.length};
	answer->file.mode = S_IFREG | mode;
	answer->file.uid = geteuid();
}

/* Key files were read into the arena: nothing of them stays in freed memory. */
void config_source_destroy(struct config_source *source)
{
	if (!source)
		return;
	for (struct file_answer *answer = source->files; answer; answer = answer->next)
		if (answer->file.text.length)
			explicit_bzero((char *)(uintptr_t)answer->file.text.data,
			        answer->file.text.length);
	arena_destroy(source->arena);
	free(source);
}

static const char *copy(struct config_source *source, const char *text)
{
	return arena_copy(source->arena, slice_of(text));
}

/* ---- overlays ---- */

void config_source_overlay(struct config_source *source, const char *path, const char *file)
{
	struct overlay_rule *rule = arena_alloc(source->arena, sizeof(*rule));

	rule->path = copy(source, path);
	rule->file = copy(source, file);
	rule->next = source->overlays;
	source->overlays = rule;
}

const char *config_source_unused_overlay(const struct config_source *source)
{
	for (const struct overlay_rule *rule = source->overlays; rule; rule = rule->next)
		if (!rule->met)
			return rule->path;
	return NULL;
}

const char *config_answers_real_path(struct config_source *source, const char *path)
{
	for (struct overlay_rule *rule = source->overlays; rule; rule = rule->next) {
		size_t length = strlen(rule->path);
		if (strncmp(path, rule->path, length) != 0 || (path[length] && path[length] != '/'))
			continue;
		rule->met = true;
		if (!rule->file[0])
			return NULL;
		return arena_format(source->arena, "%s%s", rule->file, path + length);
	}
	return path;
}

/* ---- files ---- */

static int read_descriptor(struct config_source *source, int fd, struct config_file *file)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return errno;
	if (S_ISDIR(status.st_mode))
		return EISDIR;
	if (S_ISREG(status.st_mode) && status.st_size > FILE_BYTES_MAX)
		return EFBIG;
	file->mode = status.st_mode;
	file->uid = status.st_uid;
	size_t size = S_ISREG(status.st_mode) ? (size_t)status.st_size + 1 : 64 * 1024, used = 0;
	char *text = malloc(size);
	int error = text ? 0 : ENOMEM;
	while (!error) {
		if (used == size) {
			if (size > FILE_BYTES_MAX) {
				error = EFBIG;
				break;
			}
			char *larger = malloc(size * 2);
			if (!larger) {
				error = ENOMEM;
				break;
			}
			memcpy(larger, text, used);
			explicit_bzero(text, used);
			free(text);
			text = larger;
			size *= 2;
		}
		ssize_t got = read(fd, text + used, size - used);
		if (got == 0)
			break;
		if (got > 0)
			used += (size_t)got;
		else if (errno != EINTR)
			error = errno;
	}
	if (!error)
		file->text = (struct slice){
		        arena_copy(source->arena, (struct slice){text, used}), used};
	if (text)
		explicit_bzero(text, used);
	free(text);
	return error;
}

static void read_live(struct config_source *source, const char *path, struct config_file *file)
{
	const char *real = config_answers_real_path(source, path);

	if (!real) {
		file->error = ENOENT;
		return;
	}
	/* A FIFO without a writer is empty; waiting for one would be waiting for ever. */
	int fd = open(real, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		file->error = errno;
		return;
	}
	fcntl(fd, F_SETFL, 0); /* a pipe with one is waited for: -c <(a command) */
	file->error = read_descriptor(source, fd, file);
	close(fd);
}

struct file_answer *config_answers_add_file(struct config_source *source, const char *path)
{
	struct file_answer *answer = arena_alloc(source->arena, sizeof(*answer));

	answer->path = copy(source, path);
	answer->next = source->files;
	source->files = answer;
	return answer;
}

const struct config_file *config_source_read(struct config_source *source, const char *path)
{
	for (struct file_answer *answer = source->files; answer; answer = answer->next)
		if (strcmp(answer->path, path) == 0)
			return &answer->file;
	struct file_answer *answer = config_answers_add_file(source, path);
	if (source->live)
		read_live(source, path, &answer->file);
	else
		answer->file.error = ENOENT;
	return &answer->file;
}

/* ---- lists ---- */

struct list_answer *config_answers_add_list(struct config_source *source, const char *pattern)
{
	struct list_answer *answer = arena_alloc(source->arena, sizeof(*answer));

	answer->pattern = copy(source, pattern);
	answer->paths = arena_alloc_array(source->arena, 1, sizeof(*answer->paths));
	answer->next = source->lists;
	source->lists = answer;
	return answer;
}

const char *const *config_source_list(struct config_source *source, const char *pattern)
{
	for (struct list_answer *answer = source->lists; answer; answer = answer->next)
		if (strcmp(answer->pattern, pattern) == 0)
			return answer->paths;
	struct list_answer *answer = config_answers_add_list(source, pattern);
	config_list_fill(source, answer);
	return answer->paths;
}

/* ---- names ---- */

static struct name_answer *find_name(const struct config_source *source, const char *host)
{
	for (struct name_answer *answer = source->names; answer; answer = answer->next)
		if (strcmp(answer->host, host) == 0)
			return answer;
	return NULL;
}

void config_answers_add_name(
        struct config_source *source, const char *host, const struct config_names *names)
{
	struct name_answer *answer = arena_alloc(source->arena, sizeof(*answer));
	struct address *addresses = arena_alloc_array(
	        source->arena, names->count + 1, sizeof(*addresses));

	if (names->count)
		memcpy(addresses, names->addresses, names->count * sizeof(*addresses));
	answer->host = copy(source, host);
	answer->names = (struct config_names){
	        .error = names->error ? copy(source, names->error) : NULL,
	        .addresses = addresses,
	        .count = names->count,
	};
	answer->next = source->names;
	source->names = answer;
}

void config_source_keep(
        struct config_source *source, const char *host, const struct address *address)
{
	struct former_address *former = arena_alloc(source->arena, sizeof(*former));

	former->host = copy(source, host);
	former->address = *address;
	address_set_port(&former->address, 0);
	for (const struct former_address *other = source->former; other; other = other->next)
		if (strcmp(other->host, host) == 0 &&
		        address_equal(&other->address, &former->address))
			return;
	former->next = source->former;
	source->former = former;
}

/* In the order in which they were kept. Returns how many. */
static size_t former_addresses(
        struct config_source *source, const char *host, const struct address **addresses_out)
{
	size_t count = 0, place;

	for (const struct former_address *former = source->former; former; former = former->next)
		count += strcmp(former->host, host) == 0;
	struct address *addresses = arena_alloc_array(source->arena, count + 1, sizeof(*addresses));
	place = count;
	for (const struct former_address *former = source->former; former; former = former->next)
		if (strcmp(former->host, host) == 0)
			addresses[--place] = former->address;
	*addresses_out = addresses;
	return count;
}

void config_source_resolve(
        struct config_source *source, const char *const *hosts, size_t count, int timeout_ms)
{
	const char **unknown = calloc(count + 1, sizeof(*unknown));
	struct config_lookup *lookups = calloc(count + 1, sizeof(*lookups));
	size_t unknown_count = 0;

	CHECK(unknown && lookups);
	for (size_t i = 0; i < count; i++) {
		struct address literal;
		bool repeated = find_name(source, hosts[i]);
		if (!source->live && !source->names_live &&
		        !address_parse_ip(slice_of(hosts[i]), &literal))
			continue;
		for (size_t j = 0; j < unknown_count && !repeated; j++)
			repeated = strcmp(unknown[j], hosts[i]) == 0;
		if (!repeated)
			unknown[unknown_count++] = hosts[i];
	}
	config_lookup_all(unknown, unknown_count, timeout_ms, lookups);
	for (size_t i = 0; i < unknown_count; i++) {
		struct config_names names = {
		        .error = lookups[i].error[0] ? lookups[i].error : NULL,
		        .addresses = lookups[i].addresses,
		        .count = lookups[i].count,
		};
		if (names.error)
			names.count = former_addresses(source, unknown[i], &names.addresses);
		config_answers_add_name(source, unknown[i], &names);
		free(lookups[i].addresses);
	}
	free(lookups);
	free(unknown);
}

void config_source_retry_names(struct config_source *source)
{
	struct name_answer **place = &source->names;

	source->names_live = true;
	while (*place) {
		if ((*place)->names.error)
			*place = (*place)->next; /* its memory stays the arena's */
		else
			place = &(*place)->next;
	}
}

const struct config_names *config_source_addresses(
        const struct config_source *source, const char *host)
{
	static const struct config_names unknown = {.error = "it was not looked up"};
	const struct name_answer *answer = find_name(source, host);

	return answer ? &answer->names : &unknown;
}
