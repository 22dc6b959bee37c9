/* SPDX-License-Identifier: BSD-2-Clause */
/* config_source_test.c - files, lists, overlays and names from a real directory, and their replay.
 */
#include "master/config_source.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATH_BYTES = 256, JOINED_BYTES = 1024 };

/* Tests run in a directory of their own: paths are relative. */
struct stage {
	char directory[PATH_BYTES];
	struct config_source *source;
};

static void put(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	strcpy(stage->directory, "/tmp/config_source_XXXXXX");
	if (!mkdtemp(stage->directory) || chdir(stage->directory) != 0)
		return -1;
	stage->source = config_source_create();
	*state = stage;
	return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	config_source_destroy(stage->source);
	assert_int_equal(chdir("/"), 0);
	nftw(stage->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(stage);
	return 0;
}

static void assert_text(struct stage *stage, const char *name, const char *wanted)
{
	const struct config_file *file = config_source_read(stage->source, name);

	assert_int_equal(file->error, 0);
	assert_int_equal(file->text.length, strlen(wanted));
	assert_memory_equal(file->text.data, wanted, strlen(wanted));
}

/* Names without the directory, blank separated. */
static const char *joined(struct stage *stage, const char *pattern, char *buffer)
{
	size_t used = 0;

	buffer[0] = '\0';
	for (const char *const *path = config_source_list(stage->source, pattern); *path; path++)
		used += (size_t)snprintf(
		        buffer + used, JOINED_BYTES - used, "%s%s", used ? " " : "", *path);
	return buffer;
}

static void files_are_read_once(void **state)
{
	struct stage *stage = *state;

	put("a", "first");
	assert_text(stage, "a", "first");
	put("a", "second");
	assert_text(stage, "a", "first");
	put("empty", "");
	assert_text(stage, "empty", "");
}

static void failures_are_told_apart(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(config_source_read(stage->source, "none")->error, ENOENT);
	assert_int_equal(config_source_read(stage->source, stage->directory)->error, EISDIR);
	put("a", "x");
	assert_int_equal(config_source_read(stage->source, "a/b")->error, ENOTDIR);
	int fd = open("large", O_CREAT | O_WRONLY, 0600);
	assert_int_equal(ftruncate(fd, (16 << 20) + 1), 0);
	close(fd);
	assert_int_equal(config_source_read(stage->source, "large")->error, EFBIG);
	put("secret", "x");
	assert_int_equal(chmod("secret", 0), 0);
	if (getuid() == 0)
		return; /* root may read it */
	assert_int_equal(config_source_read(stage->source, "secret")->error, EACCES);
}

static void mode_and_owner_come_along(void **state)
{
	struct stage *stage = *state;

	put("key", "x");
	assert_int_equal(chmod("key", 0640), 0);
	const struct config_file *file = config_source_read(stage->source, "key");
	assert_int_equal(file->mode & 0777, 0640);
	assert_int_equal(file->uid, geteuid());
}

static void lists_are_in_byte_order_without_leftovers(void **state)
{
	struct stage *stage = *state;
	static const char *const names[] = {"b.ini", "a.ini", "B.ini", "10.ini", "9.ini", ".x.ini",
	        "c.ini~", "d.ini.bak", "e.ini.dpkg-old", "f.ini.rpmsave", "g.txt", "h.ini"};
	char buffer[JOINED_BYTES];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		put(names[i], "");
	assert_string_equal(joined(stage, "*.ini", buffer), "10.ini 9.ini B.ini a.ini b.ini h.ini");
	assert_string_equal(
	        joined(stage, "*.ini*", buffer), "10.ini 9.ini B.ini a.ini b.ini h.ini");
	assert_string_equal(joined(stage, "no*", buffer), "");
}

/* A site that was switched on by a link whose target is gone must not just vanish. */
static void a_link_that_leads_nowhere_is_listed(void **state)
{
	struct stage *stage = *state;
	char buffer[JOINED_BYTES];

	assert_int_equal(symlink("gone", "a.ini"), 0);
	assert_int_equal(symlink("gone", ".#b.ini"), 0); /* an editor's lock */
	assert_string_equal(joined(stage, "*.ini", buffer), "a.ini");
	assert_int_equal(config_source_read(stage->source, "a.ini")->error, ENOENT);
}

static void overlays_stand_in_for_files(void **state)
{
	struct stage *stage = *state;
	char buffer[JOINED_BYTES];

	put("a.ini", "a");
	put("b.ini", "b");
	put("new", "new a");
	config_source_overlay(stage->source, "a.ini", "new");
	config_source_overlay(stage->source, "b.ini", "");
	config_source_overlay(stage->source, "c.ini", "new");
	config_source_overlay(stage->source, "d.conf", "new");
	assert_string_equal(joined(stage, "*.ini", buffer), "a.ini c.ini");
	assert_text(stage, "a.ini", "new a");
	assert_text(stage, "c.ini", "new a");
	assert_int_equal(config_source_read(stage->source, "b.ini")->error, ENOENT);
	assert_string_equal(config_source_unused_overlay(stage->source), "d.conf");
	assert_text(stage, "d.conf", "new a");
	assert_null(config_source_unused_overlay(stage->source));
}

static void overlays_can_be_directories(void **state)
{
	struct stage *stage = *state;
	char buffer[JOINED_BYTES];

	assert_int_equal(mkdir("conf.d", 0700), 0);
	assert_int_equal(mkdir("next", 0700), 0);
	put("conf.d/old.ini", "old");
	put("conf.d/same.ini", "before");
	put("next/same.ini", "after");
	put("next/new.ini", "new");
	config_source_overlay(stage->source, "conf.d", "next");
	assert_string_equal(
	        joined(stage, "conf.d/*.ini", buffer), "conf.d/new.ini conf.d/same.ini");
	assert_text(stage, "conf.d/same.ini", "after");
	assert_text(stage, "conf.d/new.ini", "new");
	assert_null(config_source_unused_overlay(stage->source));
}

static void keep(struct config_source *source, const char *host, const char *text)
{
	struct address address;

	assert_true(address_parse(slice_of(text), 443, &address));
	config_source_keep(source, host, &address);
}

static void a_name_that_is_lost_keeps_what_it_had(void **state)
{
	struct stage *stage = *state;
	static const char *const hosts[] = {"nosuch.invalid", "localhost", "other.invalid"};
	size_t length;

	keep(stage->source, "nosuch.invalid", "192.0.2.1");
	keep(stage->source, "nosuch.invalid", "192.0.2.1:8443"); /* of another server line */
	keep(stage->source, "localhost", "192.0.2.2");
	keep(stage->source, "nosuch.invalid", "192.0.2.3");
	config_source_resolve(stage->source, hosts, 3, 5000);
	void *packed = config_source_pack(stage->source, &length);
	struct config_source *replayed = config_source_unpack((struct slice){packed, length});
	free(packed);
	for (int i = 0; i < 2; i++) {
		struct config_source *source = i ? replayed : stage->source;
		const struct config_names *names = config_source_addresses(source, hosts[0]);
		char text[ADDRESS_TEXT_MAX];
		assert_non_null(names->error);
		assert_int_equal(names->count, 2);
		assert_string_equal(
		        address_format(&names->addresses[0], text, sizeof(text)), "192.0.2.1:0");
		assert_string_equal(
		        address_format(&names->addresses[1], text, sizeof(text)), "192.0.2.3:0");
		names = config_source_addresses(source, "localhost");
		assert_null(names->error);
		assert_string_not_equal(
		        address_format(&names->addresses[0], text, sizeof(text)), "192.0.2.2:0");
		assert_int_equal(config_source_addresses(source, "other.invalid")->count, 0);
	}
	config_source_destroy(replayed);
}

static void a_fifo_is_read_and_never_waited_for(void **state)
{
	struct stage *stage = *state;
	int writer;

	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(mkfifo("used", 0600), 0);
	const struct config_file *file = config_source_read(stage->source, "fifo");
	assert_int_equal(file->error, 0);
	assert_int_equal(file->text.length, 0);

	pid_t child = fork();
	if (child == 0) {
		writer = open("used", O_RDWR);
		usleep(100 * 1000);
		_exit(write(writer, "late", 4) == 4 && usleep(100 * 1000) == 0 ? 0 : 1);
	}
	writer = open("used", O_WRONLY); /* the child has it open by now */
	close(writer);
	file = config_source_read(stage->source, "used");
	assert_int_equal(file->error, 0);
	assert_memory_equal(file->text.data, "late", 4);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void a_directory_can_be_removed(void **state)
{
	struct stage *stage = *state;
	char buffer[JOINED_BYTES];

	assert_int_equal(mkdir("conf.d", 0700), 0);
	put("conf.d/a.ini", "a");
	config_source_overlay(stage->source, "conf.d", "");
	assert_string_equal(joined(stage, "conf.d/*.ini", buffer), "");
	assert_null(config_source_unused_overlay(stage->source));
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void names_are_looked_up_together(void **state)
{
	struct stage *stage = *state;
	static const char *const hosts[] = {"127.0.0.1", "::1", "localhost", "nosuch.invalid",
	        "a.nosuch.invalid", "localhost", "127.0.0.1"};
	uint64_t start = now_ms();

	config_source_resolve(stage->source, hosts, sizeof(hosts) / sizeof(hosts[0]), 5000);
	assert_true(now_ms() - start < 6000);
	const struct config_names *names = config_source_addresses(stage->source, "127.0.0.1");
	assert_null(names->error);
	assert_int_equal(names->count, 1);
	assert_int_equal(names->addresses[0].any.sa_family, AF_INET);
	assert_int_equal(config_source_addresses(stage->source, "::1")->count, 1);
	assert_true(config_source_addresses(stage->source, "localhost")->count >= 1);
	names = config_source_addresses(stage->source, "nosuch.invalid");
	assert_non_null(names->error);
	assert_int_equal(names->count, 0);
	assert_non_null(config_source_addresses(stage->source, "never.asked")->error);
}

static void a_limit_ends_look_ups(void **state)
{
	struct stage *stage = *state;
	static const char *const hosts[] = {"localhost"};

	config_source_resolve(stage->source, hosts, 1, 0);
	assert_non_null(config_source_addresses(stage->source, "localhost")->error);
}

static struct config_source *replayed(struct stage *stage)
{
	size_t length;
	void *packed = config_source_pack(stage->source, &length);
	struct config_source *source = config_source_unpack((struct slice){packed, length});

	free(packed);
	assert_non_null(source);
	return source;
}

static void what_was_asked_is_replayed(void **state)
{
	struct stage *stage = *state;
	static const char *const hosts[] = {"127.0.0.1", "nosuch.invalid"};
	char before[JOINED_BYTES], after[JOINED_BYTES];

	put("a.ini", "text with \n lines");
	put("b.ini", "");
	put("never", "asked");
	assert_int_equal(chmod("a.ini", 0604), 0);
	assert_text(stage, "a.ini", "text with \n lines");
	config_source_read(stage->source, "none");
	joined(stage, "*.ini", before);
	joined(stage, "no*", after);
	config_source_resolve(stage->source, hosts, 2, 5000);
	struct config_source *copy = replayed(stage);
	config_source_destroy(stage->source);
	stage->source = copy;
	assert_int_equal(unlink("a.ini"), 0);
	assert_text(stage, "a.ini", "text with \n lines");
	assert_int_equal(config_source_read(stage->source, "a.ini")->mode & 0777, 0604);
	assert_int_equal(config_source_read(stage->source, "none")->error, ENOENT);
	assert_int_equal(config_source_read(stage->source, "never")->error, ENOENT);
	assert_string_equal(joined(stage, "*.ini", after), before);
	assert_int_equal(config_source_addresses(stage->source, "127.0.0.1")->count, 1);
	assert_non_null(config_source_addresses(stage->source, "nosuch.invalid")->error);
}

/* Cut or changed bytes are refused or read as something; nothing is read behind their end. */
static void broken_packs_are_harmless(void **state)
{
	struct stage *stage = *state;
	static const char *const hosts[] = {"127.0.0.1"};
	char buffer[JOINED_BYTES];
	size_t length;

	put("a.ini", "text");
	assert_text(stage, "a.ini", "text");
	joined(stage, "*.ini", buffer);
	config_source_resolve(stage->source, hosts, 1, 5000);
	char *packed = config_source_pack(stage->source, &length);
	for (size_t cut = 1; cut < length; cut++) {
		char *piece = malloc(cut);
		memcpy(piece, packed, cut);
		config_source_destroy(config_source_unpack((struct slice){piece, cut}));
		free(piece);
	}
	for (size_t i = 0; i < length; i++) {
		for (unsigned flip = 1; flip < 256; flip *= 2) {
			packed[i] = (char)(packed[i] ^ (char)flip);
			config_source_destroy(config_source_unpack((struct slice){packed, length}));
			packed[i] = (char)(packed[i] ^ (char)flip);
		}
	}
	assert_null(config_source_unpack(SLICE("nothing of the kind")));
	assert_null(config_source_unpack(SLICE("")));
	free(packed);
}

int main(void)
{
#define STAGED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        STAGED(files_are_read_once),
	        STAGED(failures_are_told_apart),
	        STAGED(mode_and_owner_come_along),
	        STAGED(lists_are_in_byte_order_without_leftovers),
	        STAGED(a_link_that_leads_nowhere_is_listed),
	        STAGED(overlays_stand_in_for_files),
	        STAGED(overlays_can_be_directories),
	        STAGED(a_name_that_is_lost_keeps_what_it_had),
	        STAGED(a_fifo_is_read_and_never_waited_for),
	        STAGED(a_directory_can_be_removed),
	        STAGED(names_are_looked_up_together),
	        STAGED(a_limit_ends_look_ups),
	        STAGED(what_was_asked_is_replayed),
	        STAGED(broken_packs_are_harmless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
