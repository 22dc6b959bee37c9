/* SPDX-License-Identifier: BSD-2-Clause */
/* log_file_test.c - whole lines or none, and never a wait. */
#include "shared/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_SIZE = 8192 };

static char folder[] = "/tmp/log_file_test.XXXXXX";
static char path[sizeof(folder) + 8], fifo[sizeof(folder) + 8];

static int setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	alarm(60); /* a write that waits is what must not be */
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/log", folder);
	snprintf(fifo, sizeof(fifo), "%s/fifo", folder);
	return mkfifo(fifo, 0600);
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	unlink(fifo);
	return rmdir(folder);
}

static bool write_text(struct log_file *file, const char *line)
{
	return log_file_write(file, line, strlen(line));
}

static const char *content(const char *of, char *buffer)
{
	int fd = open(of, O_RDONLY);
	ssize_t got = read(fd, buffer, TEXT_SIZE - 1);

	close(fd);
	buffer[got > 0 ? got : 0] = '\0';
	return buffer;
}

static void a_file_is_created_for_owner_and_group_and_appended_to(void **state)
{
	struct log_file file;
	struct stat status;
	char buffer[TEXT_SIZE];

	(void)state;
	umask(0);
	assert_int_equal(log_file_open(&file, path, (gid_t)-1), 0);
	assert_int_equal(file.kind, LOG_FILE_REGULAR);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0640);
	assert_true(write_text(&file, "one\n"));
	log_file_close(&file);
	assert_int_equal(file.fd, -1);

	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(log_file_open(&file, path, (gid_t)-1), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_true(write_text(&file, "two\n"));
	assert_int_equal(fcntl(file.fd, F_GETFD), FD_CLOEXEC);
	log_file_close(&file);
	assert_string_equal(content(path, buffer), "one\ntwo\n");
}

static void a_group_is_given_to_a_new_file(void **state)
{
	struct log_file file;
	struct stat status;

	(void)state;
	if (geteuid() != 0)
		skip();
	unlink(path);
	assert_int_equal(log_file_open(&file, path, 12345), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_gid, 12345);
	log_file_close(&file);
}

static void what_cannot_be_opened_says_why(void **state)
{
	struct log_file file;

	(void)state;
	assert_int_equal(log_file_open(&file, "/nonexistent/log", (gid_t)-1), ENOENT);
	assert_int_equal(file.fd, -1);
	assert_int_equal(log_file_open(&file, folder, (gid_t)-1), EISDIR);
	assert_false(write_text(&file, "lost\n"));
	assert_int_equal(file.lines_dropped, 1);
	log_file_close(&file);
}

static void a_descriptor_is_replaced_under_the_same_number(void **state)
{
	struct log_file file;
	char buffer[TEXT_SIZE], other[sizeof(path) + 8];

	(void)state;
	snprintf(other, sizeof(other), "%s.1", path);
	unlink(path);
	assert_int_equal(log_file_open(&file, path, (gid_t)-1), 0);
	assert_true(write_text(&file, "before\n"));
	assert_int_equal(rename(path, other), 0);
	int number = file.fd;
	log_file_replace(&file, open(path, O_WRONLY | O_CREAT | O_APPEND, 0600));
	assert_int_equal(file.fd, number);
	assert_int_equal(fcntl(file.fd, F_GETFD), FD_CLOEXEC);
	assert_true(write_text(&file, "after\n"));
	log_file_close(&file);
	assert_string_equal(content(other, buffer), "before\n");
	assert_string_equal(content(path, buffer), "after\n");
	unlink(other);
}

static void a_full_disk_drops_and_counts(void **state)
{
	struct log_file file;

	(void)state;
	assert_int_equal(log_file_open(&file, "/dev/full", (gid_t)-1), 0);
	errno = 7;
	for (int i = 0; i < 3; i++)
		assert_false(write_text(&file, "lost\n"));
	assert_int_equal(errno, 7);
	assert_int_equal(file.lines_dropped, 3);
	log_file_close(&file);
}

/* Writes until a line is dropped; what was taken is whole lines. */
static void fill(struct log_file *file)
{
	char line[1000];

	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	for (int i = 0; log_file_write(file, line, sizeof(line)); i++)
		assert_true(i < 100000);
	assert_int_equal(file->lines_dropped, 1);
}

static void empty(int fd)
{
	char buffer[TEXT_SIZE];

	while (read(fd, buffer, sizeof(buffer)) > 0)
		;
}

static void a_pipe_that_nobody_reads_drops_and_goes_on_when_read(void **state)
{
	struct log_file file;
	char buffer[TEXT_SIZE];

	(void)state;
	assert_int_equal(log_file_open(&file, fifo, (gid_t)-1), 0);
	assert_int_equal(file.kind, LOG_FILE_STREAM);
	fill(&file);
	int reader = open(fifo, O_RDONLY | O_NONBLOCK);
	empty(reader);
	assert_true(write_text(&file, "again\n"));
	ssize_t got = read(reader, buffer, sizeof(buffer));
	assert_int_equal(got, strlen("again\n"));
	close(reader);
	log_file_close(&file);
}

static void an_inherited_pipe_keeps_its_flags_and_does_not_block(void **state)
{
	int pipes[2], kept = dup(STDERR_FILENO);
	struct log_file file;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	dup2(pipes[1], STDERR_FILENO);
	int error = log_file_open(&file, "stderr", (gid_t)-1);
	dup2(kept, STDERR_FILENO);
	close(kept);
	assert_int_equal(error, 0);
	fill(&file);
	assert_false(fcntl(pipes[1], F_GETFL) & O_NONBLOCK);
	close(pipes[0]);
	assert_false(write_text(&file, "nobody\n"));
	log_file_close(&file);
	close(pipes[1]);
}

/* As after `sealane 2>file`: the shell and libraries go on writing through descriptor 2. */
static void a_redirected_file_is_shared_and_nobody_overwrites(void **state)
{
	int kept = dup(STDERR_FILENO);
	struct log_file file, second;
	char buffer[TEXT_SIZE];

	(void)state;
	unlink(path);
	int redirected = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(redirected, "before\n", 7), 7);
	dup2(redirected, STDERR_FILENO);
	int error = log_file_open(&file, "stderr", (gid_t)-1);
	dup2(kept, STDERR_FILENO);
	close(kept);
	assert_int_equal(error, 0);
	assert_int_equal(file.kind, LOG_FILE_REGULAR);
	assert_int_equal(fcntl(file.fd, F_GETFD), FD_CLOEXEC);

	assert_true(write_text(&file, "logged\n"));
	assert_int_equal(write(redirected, "shell\n", 6), 6);
	assert_true(write_text(&file, "again\n"));
	assert_int_equal(log_file_open(&second, path, (gid_t)-1), 0);
	assert_true(write_text(&second, "by path\n"));
	assert_int_equal(write(redirected, "last\n", 5), 5);
	log_file_close(&second);
	log_file_close(&file);
	close(redirected);
	assert_string_equal(content(path, buffer), "before\nlogged\nshell\nagain\nby path\nlast\n");
}

static void a_blocking_descriptor_is_asked_first(void **state)
{
	int pipes[2];
	struct log_file file = {.path = "stderr", .fd = -1};

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	log_file_replace(&file, pipes[1]);
	fill(&file);
	log_file_close(&file);
	close(pipes[0]);
}

/* Small lines into a small buffer that is emptied by odd amounts: some line is taken in part. */
static void a_line_taken_in_part_is_ended_before_the_next(void **state)
{
	static const char line[] = "abcdefghijklmnopqrstuvwxyz\n";
	int pair[2], size = 1;
	struct log_file file = {.path = "stderr", .fd = -1};
	char text[TEXT_SIZE];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	assert_int_equal(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
	log_file_replace(&file, pair[0]);
	assert_int_equal(file.kind, LOG_FILE_SOCKET);

	fill(&file);
	file.cut = true; /* as after a partial write: the kernel takes a small line whole or not at
	                    all */
	empty(pair[1]);
	assert_true(write_text(&file, line));
	assert_true(write_text(&file, line));
	assert_false(file.cut);
	ssize_t got = read(pair[1], text, sizeof(text));
	assert_int_equal(got, 1 + 2 * strlen(line));
	assert_int_equal(text[0], '\n');
	close(pair[1]);
	assert_false(write_text(&file, "nobody\n"));
	log_file_close(&file);
}

/* A file size limit lets a part of the line through, as a disk does that fills up. */
static void a_disk_that_fills_up_leaves_a_cut(void **state)
{
	struct rlimit limit = {10, 10}, before;
	struct log_file file;
	char buffer[TEXT_SIZE];

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	unlink(path);
	assert_int_equal(log_file_open(&file, path, (gid_t)-1), 0);
	getrlimit(RLIMIT_FSIZE, &before);
	limit.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	bool first = write_text(&file, "1234567\n"), second = write_text(&file, "1234567\n");
	setrlimit(RLIMIT_FSIZE, &before);
	assert_true(first);
	assert_false(second);
	assert_true(file.cut);
	assert_int_equal(file.lines_dropped, 1);
	assert_true(write_text(&file, "last\n"));
	log_file_close(&file);
	assert_string_equal(content(path, buffer), "1234567\n12\nlast\n");
}

static void the_journal_is_known_by_its_inode(void **state)
{
	int pair[2];
	struct log_file file = {.path = "stderr", .fd = -1};
	struct stat status;
	char name[64];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(fstat(pair[0], &status), 0);
	log_file_replace(&file, dup(pair[0]));
	assert_false(file.journal);
	log_file_close(&file);
	snprintf(name, sizeof(name), "%llu:%llu", (unsigned long long)status.st_dev,
	        (unsigned long long)status.st_ino);
	setenv("JOURNAL_STREAM", name, 1);
	log_file_replace(&file, dup(pair[0]));
	assert_true(file.journal);
	log_file_close(&file);
	unsetenv("JOURNAL_STREAM");
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_file_is_created_for_owner_and_group_and_appended_to),
	        cmocka_unit_test(a_group_is_given_to_a_new_file),
	        cmocka_unit_test(what_cannot_be_opened_says_why),
	        cmocka_unit_test(a_descriptor_is_replaced_under_the_same_number),
	        cmocka_unit_test(a_full_disk_drops_and_counts),
	        cmocka_unit_test(a_pipe_that_nobody_reads_drops_and_goes_on_when_read),
	        cmocka_unit_test(an_inherited_pipe_keeps_its_flags_and_does_not_block),
	        cmocka_unit_test(a_redirected_file_is_shared_and_nobody_overwrites),
	        cmocka_unit_test(a_blocking_descriptor_is_asked_first),
	        cmocka_unit_test(a_line_taken_in_part_is_ended_before_the_next),
	        cmocka_unit_test(a_disk_that_fills_up_leaves_a_cut),
	        cmocka_unit_test(the_journal_is_known_by_its_inode),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
