/* SPDX-License-Identifier: BSD-2-Clause */
/* pidfile_test.c - a lock tells the living from what is left over. */
#include "master/pidfile.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
	char directory[64], path[96], deep[128];
};

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	snprintf(place->directory, sizeof(place->directory), "/tmp/sealane-pidfile-XXXXXX");
	if (!mkdtemp(place->directory))
		return -1;
	snprintf(place->path, sizeof(place->path), "%s/a.pid", place->directory);
	snprintf(place->deep, sizeof(place->deep), "%s/run/a.pid", place->directory);
	*state = place;
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;
	char run[96];

	snprintf(run, sizeof(run), "%s/run", place->directory);
	unlink(place->path);
	unlink(place->deep);
	rmdir(run);
	int result = rmdir(place->directory);
	free(place);
	return result;
}

static long number_in(const char *path)
{
	char text[32] = "";
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	return strtol(text, NULL, 10);
}

/* A child that takes the file and waits; its pid, when it has it. */
static pid_t hold_elsewhere(const char *path)
{
	int fds[2];
	char byte;

	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct pidfile file;
		char fault[256];
		if (!pidfile_take(&file, path, fault, sizeof(fault)))
			_exit(1);
		if (write(fds[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	close(fds[0]);
	return pid;
}

static void kill_and_reap(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void it_holds_our_pid_and_goes_when_dropped(void **state)
{
	struct place *place = *state;
	struct pidfile file;
	char fault[256];

	assert_true(pidfile_take(&file, place->path, fault, sizeof(fault)));
	assert_int_equal(number_in(place->path), getpid());
	pidfile_drop(&file);
	assert_int_not_equal(access(place->path, F_OK), 0);
	pidfile_drop(&file); /* twice is harmless */
}

static void a_living_holder_is_named_and_left_alone(void **state)
{
	struct place *place = *state;
	struct pidfile file;
	char fault[256], wanted[64];
	pid_t pid = hold_elsewhere(place->path);

	snprintf(wanted, sizeof(wanted), "already running, pid %d", (int)pid);
	assert_int_equal(pidfile_holder(place->path), pid);
	assert_false(pidfile_take(&file, place->path, fault, sizeof(fault)));
	assert_string_equal(fault, wanted);
	assert_int_equal(number_in(place->path), pid);
	pidfile_drop(&file);
	assert_int_equal(number_in(place->path), pid);
	kill_and_reap(pid);
}

static void what_a_killed_master_left_is_replaced(void **state)
{
	struct place *place = *state;
	struct pidfile file;
	char fault[256];

	kill_and_reap(hold_elsewhere(place->path));
	assert_int_equal(access(place->path, F_OK), 0);
	assert_int_equal(pidfile_holder(place->path), 0);
	assert_true(pidfile_take(&file, place->path, fault, sizeof(fault)));
	assert_int_equal(number_in(place->path), getpid());
	pidfile_drop(&file);
}

/* A child forked by the holder, as workers are, must not keep the lock of a dead master. */
static void children_do_not_inherit_the_lock(void **state)
{
	struct place *place = *state;
	struct pidfile file;
	char fault[256];
	int status;

	assert_true(pidfile_take(&file, place->path, fault, sizeof(fault)));
	pid_t pid = fork();
	if (pid == 0)
		_exit(pidfile_holder(place->path) == getppid() ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	pidfile_drop(&file);
}

static void a_missing_directory_is_made(void **state)
{
	struct place *place = *state;
	struct pidfile file;
	char fault[256];

	assert_true(pidfile_take(&file, place->deep, fault, sizeof(fault)));
	assert_int_equal(number_in(place->deep), getpid());
	pidfile_drop(&file);
}

static void a_symbolic_link_is_not_followed(void **state)
{
	struct place *place = *state;
	struct pidfile file;
	char fault[256];

	assert_int_equal(symlink("/dev/null", place->path), 0);
	assert_false(pidfile_take(&file, place->path, fault, sizeof(fault)));
	assert_non_null(strstr(fault, place->path));
}

int main(void)
{
#define AT_A_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)
	const struct CMUnitTest tests[] = {
	        AT_A_PLACE(it_holds_our_pid_and_goes_when_dropped),
	        AT_A_PLACE(a_living_holder_is_named_and_left_alone),
	        AT_A_PLACE(what_a_killed_master_left_is_replaced),
	        AT_A_PLACE(children_do_not_inherit_the_lock),
	        AT_A_PLACE(a_missing_directory_is_made),
	        AT_A_PLACE(a_symbolic_link_is_not_followed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
