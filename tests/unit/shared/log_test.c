/* SPDX-License-Identifier: BSD-2-Clause */
/* log_test.c - what a line looks like, whom it reaches, and peers' bytes made harmless. */
#include "shared/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_SIZE = 65536 };

/* A sink whose lines the test reads back; one each for two levels. */
static struct log_file files[2];
static int readers[2];

static void set_sinks(enum log_level first, enum log_level second)
{
	const struct log_sink sinks[] = {{&files[0], first}, {&files[1], second}};

	log_set_sinks(sinks, 2);
}

static int setup(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		int pipes[2];
		if (pipe2(pipes, O_NONBLOCK) != 0)
			return -1;
		files[i] = (struct log_file){.path = "pipe", .fd = -1};
		log_file_replace(&files[i], pipes[1]);
		readers[i] = pipes[0];
	}
	set_sinks(LOG_DEBUG, LOG_ERROR);
	log_after_fork();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	log_set_sinks(NULL, 0);
	for (int i = 0; i < 2; i++) {
		log_file_close(&files[i]);
		close(readers[i]);
	}
	return 0;
}

static const char *lines(int sink)
{
	static char buffer[TEXT_SIZE];
	ssize_t got = read(readers[sink], buffer, sizeof(buffer) - 1);

	buffer[got > 0 ? got : 0] = '\0';
	return buffer;
}

/* The line without "2026/11/24 18:20:01 ", which must be there. */
static const char *after_time(const char *line)
{
	struct tm time;
	const char *rest = strptime(line, "%Y/%m/%d %H:%M:%S", &time);

	assert_non_null(rest);
	assert_int_equal(rest - line, 19);
	return rest + 1;
}

static void a_line_has_time_level_pid_and_connection(void **state)
{
	char wanted[64];

	(void)state;
	log_write(LOG_NOTICE, "listening on %s", "*:80");
	snprintf(wanted, sizeof(wanted), "[notice] %d: listening on *:80\n", (int)getpid());
	assert_string_equal(after_time(lines(0)), wanted);
	log_connection(LOG_ERROR, 7, "refused");
	snprintf(wanted, sizeof(wanted), "[error] %d#7: refused\n", (int)getpid());
	assert_string_equal(after_time(lines(0)), wanted);
}

static void each_sink_has_its_level(void **state)
{
	static const char *const names[] = {"debug", "info", "notice", "warn", "error", "crit"};

	(void)state;
	for (int i = LOG_DEBUG; i < LOG_LEVEL_COUNT; i++) {
		enum log_level found;
		assert_string_equal(log_level_name((enum log_level)i), names[i]);
		assert_true(log_level_from_name(slice_of(names[i]), &found));
		assert_int_equal(found, i);
		set_sinks(LOG_NOTICE, LOG_ERROR);
		assert_int_equal(log_wants((enum log_level)i), i >= LOG_NOTICE);
		log_write((enum log_level)i, "level %d", i);
		assert_int_equal(lines(0)[0] != '\0', i >= LOG_NOTICE);
		assert_int_equal(lines(1)[0] != '\0', i >= LOG_ERROR);
	}
	enum log_level none;
	assert_false(log_level_from_name(SLICE("warning"), &none));
	assert_false(log_level_from_name(SLICE(""), &none));
}

static void the_journal_gets_a_priority_in_place_of_time_and_pid(void **state)
{
	(void)state;
	files[0].journal = true;
	log_write(LOG_WARN, "careful");
	assert_string_equal(lines(0), "<4>careful\n");
	log_connection(LOG_ERROR, 12, "refused");
	assert_string_equal(lines(0), "<3>#12: refused\n");
	log_write(LOG_DEBUG, "step");
	assert_string_equal(lines(0), "<7>step\n");
}

static void a_line_is_one_line_and_not_too_long(void **state)
{
	char *text = malloc(LOG_LINE_MAX * 2);

	(void)state;
	assert_non_null(text);
	log_write(LOG_WARN, "a\nb\tc\x1b[0m\x7f");
	assert_non_null(strstr(lines(0), ": a?b?c?[0m?\n"));
	memset(text, 'x', LOG_LINE_MAX * 2 - 1);
	text[LOG_LINE_MAX * 2 - 1] = '\0';
	log_connection(LOG_WARN, UINT64_MAX, "%s", text);
	const char *line = lines(0);
	assert_true(strlen(line) <= LOG_LINE_MAX);
	assert_true(strlen(line) > LOG_LINE_MAX - 128);
	assert_string_equal(line + strlen(line) - 5, "x...\n");
	free(text);
}

static unsigned count_lines(const char *text)
{
	unsigned count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static void repeated_faults_are_counted_whatever_their_connection(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 20; i++)
		log_connection(LOG_ERROR, i, "upstream refused");
	assert_int_equal(count_lines(lines(0)), 5);
	assert_int_equal(count_lines(lines(1)), 5);
	for (int i = 0; i < 20; i++)
		log_write(LOG_DEBUG, "step");
	assert_int_equal(count_lines(lines(0)), 20);
	for (int i = 0; i < 6; i++)
		log_write(LOG_CRIT, "the end");
	assert_int_equal(count_lines(lines(0)), 6);
}

static void dropped_lines_are_told_when_writing_works_again(void **state)
{
	(void)state;
	int fd = files[0].fd;
	files[0].fd = -1;
	for (int i = 0; i < 3; i++)
		log_write(LOG_WARN, "lost %d", i);
	assert_int_equal(files[0].lines_dropped, 3);
	log_tick();
	assert_int_equal(files[0].lines_dropped, 3);
	files[0].fd = fd;
	log_write(LOG_WARN, "here");
	assert_non_null(strstr(lines(0), "3 log lines were dropped here"));
	assert_int_equal(files[0].lines_dropped, 0);

	files[0].lines_dropped = 2;
	log_tick();
	assert_non_null(strstr(lines(0), "2 log lines were dropped here"));
}

static void errno_survives(void **state)
{
	(void)state;
	files[0].fd = dup(files[0].fd);
	close(files[0].fd);
	errno = ENOENT;
	log_write(LOG_WARN, "cannot: %m");
	assert_int_equal(errno, ENOENT);
	log_tick();
	assert_int_equal(errno, ENOENT);
	files[0].fd = -1;
}

static void a_child_has_its_own_pid(void **state)
{
	int status;

	(void)state;
	log_write(LOG_WARN, "parent");
	lines(0);
	pid_t pid = fork();
	if (pid == 0) {
		char wanted[32];
		log_after_fork();
		log_write(LOG_WARN, "child");
		snprintf(wanted, sizeof(wanted), "[warn] %d: child\n", (int)getpid());
		_exit(strcmp(after_time(lines(0)), wanted) != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void bytes_of_peers_are_escaped(void **state)
{
	static const struct {
		struct slice bytes;
		size_t size;
		const char *wanted;
	} cases[] = {
	        {{"", 0}, 16, ""},
	        {{NULL, 0}, 4, ""},
	        {{"HTTP/1.1 400", 12}, 16, "HTTP/1.1 400"},
	        {{"a\r\n", 3}, 16, "a\\x0d\\x0a"},
	        {{"\\\"'", 3}, 16, "\\x5c\\x22\\x27"},
	        {{"\x00\x7f\x80\xff", 4}, 32, "\\x00\\x7f\\x80\\xff"},
	        {{"abc", 3}, 4, "abc"},
	        {{"abcd", 4}, 4, "..."},
	        {{"abcd", 4}, 5, "abcd"},
	        {{"abcdef", 6}, 5, "a..."},
	        {{"ab\n", 3}, 6, "ab..."},
	        {{"ab\n", 3}, 7, "ab\\x0a"},
	        {{"a\nbc", 4}, 8, "a\\x0abc"},
	        {{"a\nbcd", 5}, 8, "a..."},
	        {{"\n\n", 2}, 8, "\\x0a..."},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *buffer = malloc(cases[i].size);
		assert_non_null(buffer);
		assert_string_equal(
		        log_escape(cases[i].bytes, buffer, cases[i].size), cases[i].wanted);
		free(buffer);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(a_line_has_time_level_pid_and_connection),
	        TEST(each_sink_has_its_level),
	        TEST(the_journal_gets_a_priority_in_place_of_time_and_pid),
	        TEST(a_line_is_one_line_and_not_too_long),
	        TEST(repeated_faults_are_counted_whatever_their_connection),
	        TEST(dropped_lines_are_told_when_writing_works_again),
	        TEST(errno_survives),
	        TEST(a_child_has_its_own_pid),
	        cmocka_unit_test(bytes_of_peers_are_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
