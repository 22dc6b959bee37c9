/* SPDX-License-Identifier: BSD-2-Clause */
/* log_files_test.c - all files of a configuration or none, and the same numbers after a reopening.
 */
#include "master/log_files.h"

#include "shared/config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATH_SIZE = 64, TEXT_SIZE = 8192, SOME_GROUP = 12345 };

/* A directory, and a configuration of two error logs and one access log in it. */
struct rig {
	char directory[PATH_SIZE], first[PATH_SIZE + 8], second[PATH_SIZE + 8],
	        access[PATH_SIZE + 8], moved[PATH_SIZE + 8];
	const char *paths[3];
	struct config_error_log error_logs[2];
	struct config config;
	struct log_files files;
	char fault[512];
};

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	strcpy(rig->directory, "/tmp/log_files_test.XXXXXX");
	if (!mkdtemp(rig->directory))
		return -1;
	snprintf(rig->first, sizeof(rig->first), "%s/first", rig->directory);
	snprintf(rig->second, sizeof(rig->second), "%s/second", rig->directory);
	snprintf(rig->access, sizeof(rig->access), "%s/access", rig->directory);
	snprintf(rig->moved, sizeof(rig->moved), "%s/moved", rig->directory);
	rig->paths[0] = rig->access;
	rig->paths[1] = rig->first;
	rig->paths[2] = rig->second;
	rig->error_logs[0] = (struct config_error_log){.log_index = 1, .level = LOG_INFO};
	rig->error_logs[1] = (struct config_error_log){.log_index = 2, .level = LOG_ERROR};
	rig->config.log_paths = rig->paths;
	rig->config.log_path_count = 3;
	rig->config.main.error_logs = rig->error_logs;
	rig->config.main.error_log_count = 2;
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	log_set_sinks(NULL, 0);
	log_files_close(&rig->files);
	unlink(rig->first);
	unlink(rig->second);
	unlink(rig->access);
	unlink(rig->moved);
	int result = rmdir(rig->directory);
	free(rig);
	return result;
}

static void open_all(struct rig *rig)
{
	if (!log_files_open(&rig->files, &rig->config, rig->fault, sizeof(rig->fault)))
		fail_msg("%s", rig->fault);
}

static const char *content(const char *path)
{
	static char text[TEXT_SIZE];
	int fd = open(path, O_RDONLY);
	ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[got] = '\0';
	return text;
}

static bool has(const char *path, const char *wanted)
{
	return strstr(content(path), wanted) != NULL;
}

static void each_path_is_opened_at_its_own_place(void **state)
{
	struct rig *rig = *state;
	struct stat status;

	open_all(rig);
	assert_int_equal(rig->files.count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(rig->files.items[i].path, rig->paths[i]);
		assert_true(rig->files.items[i].fd >= 0);
		assert_int_equal(stat(rig->paths[i], &status), 0);
		assert_int_equal(status.st_mode & 07777, 0640);
	}
	assert_true(log_file_write(&rig->files.items[0], "a visit\n", 8));
	assert_string_equal(content(rig->access), "a visit\n");
	log_files_close(&rig->files);
	assert_int_equal(rig->files.count, 0);
	assert_null(rig->files.items);
}

static void new_files_get_the_group_of_user(void **state)
{
	struct rig *rig = *state;
	struct stat status;

	if (geteuid() != 0)
		skip();
	rig->config.main.gid = SOME_GROUP;
	open_all(rig);
	assert_int_equal(stat(rig->first, &status), 0);
	assert_int_not_equal(status.st_gid, SOME_GROUP); /* no `user`: as it is */
	log_files_close(&rig->files);
	unlink(rig->first);

	rig->config.main.user_name = "somebody";
	open_all(rig);
	assert_int_equal(stat(rig->first, &status), 0);
	assert_int_equal(status.st_gid, SOME_GROUP);
	assert_int_equal(stat(rig->second, &status), 0);
	assert_int_not_equal(status.st_gid, SOME_GROUP); /* it existed */
}

static size_t open_descriptors(void)
{
	size_t count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* In a directory where only root may write, as an ordinary user. */
static bool denied_as_nobody(struct rig *rig)
{
	if (geteuid() == 0 && seteuid(65534) != 0)
		return false;
	bool opened = log_files_open(&rig->files, &rig->config, rig->fault, sizeof(rig->fault));
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	return !opened;
}

static void one_that_cannot_be_opened_leaves_none_open(void **state)
{
	struct rig *rig = *state;
	char absent[PATH_SIZE + 16], wanted[256];
	size_t before = open_descriptors();

	snprintf(absent, sizeof(absent), "%s/no/where", rig->directory);
	rig->paths[2] = absent;
	assert_false(log_files_open(&rig->files, &rig->config, rig->fault, sizeof(rig->fault)));
	snprintf(wanted, sizeof(wanted),
	        "log file %s: No such file or directory; its directory does not exist", absent);
	assert_string_equal(rig->fault, wanted);
	assert_int_equal(rig->files.count, 0);
	assert_null(rig->files.items);
	assert_int_equal(open_descriptors(), before);

	rig->paths[2] = rig->directory;
	assert_false(log_files_open(&rig->files, &rig->config, rig->fault, sizeof(rig->fault)));
	snprintf(wanted, sizeof(wanted), "log file %s: Is a directory", rig->directory);
	assert_string_equal(rig->fault, wanted);

	rig->paths[0] = rig->paths[1] = "stderr";
	rig->paths[2] = "/proc/1/sealane.log";
	assert_true(denied_as_nobody(rig));
	assert_non_null(strstr(rig->fault, "log file /proc/1/sealane.log: "));
	assert_int_equal(open_descriptors(), before);
}

static void who_may_not_write_there_is_told_so(void **state)
{
	struct rig *rig = *state;
	char wanted[256];

	assert_int_equal(chmod(rig->directory, 0555), 0);
	assert_true(denied_as_nobody(rig));
	assert_int_equal(chmod(rig->directory, 0700), 0);
	snprintf(wanted, sizeof(wanted),
	        "log file %s: Permission denied; who starts sealane must be able to write there",
	        rig->access);
	assert_string_equal(rig->fault, wanted);
}

static void each_error_log_takes_lines_from_its_level_on(void **state)
{
	struct rig *rig = *state;

	open_all(rig);
	log_files_use(&rig->files, &rig->config, LOG_DEBUG, NULL);
	log_write(LOG_DEBUG, "a detail");
	log_write(LOG_INFO, "some news");
	log_write(LOG_ERROR, "a mishap");
	assert_false(has(rig->first, "a detail"));
	assert_true(has(rig->first, "some news"));
	assert_true(has(rig->first, "a mishap"));
	assert_false(has(rig->second, "some news"));
	assert_true(has(rig->second, "a mishap"));
	assert_string_equal(content(rig->access), "");
}

static void a_floor_keeps_lines_from_all_of_them(void **state)
{
	struct rig *rig = *state;

	open_all(rig);
	log_files_use(&rig->files, &rig->config, LOG_WARN, NULL);
	log_write(LOG_NOTICE, "a note");
	log_write(LOG_WARN, "a warning");
	assert_false(has(rig->first, "a note"));
	assert_true(has(rig->first, "a warning"));
	assert_false(has(rig->second, "a warning")); /* a floor lowers nothing */
}

static void an_extra_file_gets_errors_alone(void **state)
{
	struct rig *rig = *state;
	struct log_file extra;

	open_all(rig);
	assert_int_equal(log_file_open(&extra, rig->moved, (gid_t)-1), 0);
	log_files_use(&rig->files, &rig->config, LOG_DEBUG, &extra);
	log_write(LOG_WARN, "a warning to some");
	log_write(LOG_ERROR, "a mishap for all");
	log_set_sinks(NULL, 0);
	log_file_close(&extra);
	assert_false(has(rig->moved, "a warning to some"));
	assert_true(has(rig->moved, "a mishap for all"));
	assert_true(has(rig->second, "a mishap for all"));
}

/* ---- reopening ---- */

struct told {
	size_t indexes[4];
	bool open[4];
	size_t count;
};

static void note(void *opaque, size_t index, int fd)
{
	struct told *told = opaque;

	assert_true(told->count < 4);
	told->indexes[told->count] = index;
	told->open[told->count++] = fcntl(fd, F_GETFD) >= 0;
}

static void reopening_follows_the_name_and_keeps_the_number(void **state)
{
	struct rig *rig = *state;
	struct told told = {.count = 0};

	open_all(rig);
	log_files_use(&rig->files, &rig->config, LOG_DEBUG, NULL);
	log_write(LOG_ERROR, "the old day");
	int number = rig->files.items[1].fd;
	assert_int_equal(rename(rig->first, rig->moved), 0);
	size_t before = open_descriptors();
	assert_true(log_files_reopen(&rig->files, &rig->config, note, &told));

	assert_int_equal(open_descriptors(), before);
	assert_int_equal(rig->files.items[1].fd, number);
	log_write(LOG_ERROR, "the new day");
	assert_true(has(rig->moved, "the old day"));
	assert_false(has(rig->moved, "the new day"));
	assert_true(has(rig->first, "the new day"));
	assert_true(has(rig->second, "the old day") && has(rig->second, "the new day"));
	assert_int_equal(told.count, 3);
	for (size_t i = 0; i < told.count; i++) {
		assert_int_equal(told.indexes[i], i);
		assert_true(told.open[i]);
	}
}

static void stderr_is_left_alone_by_a_reopening(void **state)
{
	struct rig *rig = *state;
	struct told told = {.count = 0};

	rig->paths[0] = "stderr";
	open_all(rig);
	assert_true(log_files_reopen(&rig->files, &rig->config, note, &told));
	assert_int_equal(told.count, 2);
	assert_int_equal(told.indexes[0], 1);
	assert_int_equal(told.indexes[1], 2);
}

static void what_cannot_be_reopened_stays_and_is_told(void **state)
{
	struct rig *rig = *state;
	struct told told = {.count = 0};

	open_all(rig);
	log_files_use(&rig->files, &rig->config, LOG_DEBUG, NULL);
	assert_int_equal(rename(rig->first, rig->moved), 0);
	assert_int_equal(mkdir(rig->first, 0700), 0);
	assert_false(log_files_reopen(&rig->files, &rig->config, note, &told));
	assert_int_equal(rmdir(rig->first), 0);
	assert_int_equal(told.count, 2);
	assert_int_equal(told.indexes[1], 2);
	assert_true(has(rig->moved, "Is a directory; lines go on into the file that was open"));
	log_write(LOG_ERROR, "still here");
	assert_true(has(rig->moved, "still here"));
	assert_true(has(rig->second, "still here"));
}

/* ---- counts ---- */

static void untold_drops_go_over_to_the_same_path(void **state)
{
	struct rig *rig = *state;
	struct log_file olds[] = {
	        {.path = rig->first, .fd = -1, .lines_dropped = 3},
	        {.path = "/gone", .fd = -1, .lines_dropped = 5},
	        {.path = rig->second, .fd = -1},
	};
	struct log_files old = {.items = olds, .count = 3};

	open_all(rig);
	rig->files.items[1].lines_dropped = 1;
	log_files_take_over_counts(&rig->files, &old);
	assert_int_equal(rig->files.items[0].lines_dropped, 0);
	assert_int_equal(rig->files.items[1].lines_dropped, 4);
	assert_int_equal(rig->files.items[2].lines_dropped, 0);
	assert_int_equal(olds[0].lines_dropped, 0); /* told once only */
	log_files_use(&rig->files, &rig->config, LOG_DEBUG, NULL);
	log_write(LOG_ERROR, "hello again");
	assert_true(has(rig->first, "4 log lines were dropped here"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(
	                each_path_is_opened_at_its_own_place, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(new_files_get_the_group_of_user, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(
	                one_that_cannot_be_opened_leaves_none_open, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(
	                who_may_not_write_there_is_told_so, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(
	                each_error_log_takes_lines_from_its_level_on, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(
	                a_floor_keeps_lines_from_all_of_them, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(an_extra_file_gets_errors_alone, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(
	                reopening_follows_the_name_and_keeps_the_number, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(
	                stderr_is_left_alone_by_a_reopening, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(
	                what_cannot_be_reopened_stays_and_is_told, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(
	                untold_drops_go_over_to_the_same_path, set_up, tear_down),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
