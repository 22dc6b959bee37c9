/* SPDX-License-Identifier: BSD-2-Clause */
/* unix_path_test.c - sockets whose path has no room in an address, and those beside a pid file. */
#include "master/unix_path.h"

#include "shared/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROOM = sizeof(((struct sockaddr_un *)NULL)->sun_path), PATH_SIZE = 400 };

struct rig {
	char top[32], directory[256]; /* a long one */
};

static int open_rig(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	char name[121];

	*state = rig;
	strcpy(rig->top, "/tmp/unix_path_test.XXXXXX");
	if (!mkdtemp(rig->top))
		return -1;
	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(rig->directory, sizeof(rig->directory), "%s/%s", rig->top, name);
	return mkdir(rig->directory, 0700);
}

static int close_rig(void **state)
{
	struct rig *rig = *state;
	int result = rmdir(rig->directory) + rmdir(rig->top);

	free(rig);
	return result;
}

/* A path of so many bytes below `directory`. */
static void make_path(char path[PATH_SIZE], const char *directory, size_t length)
{
	size_t used = (size_t)snprintf(path, PATH_SIZE, "%s/", directory);

	assert_true(used < length && length < PATH_SIZE);
	memset(path + used, 's', length - used);
	path[length] = '\0';
}

static int connect_to(const char *path)
{
	struct sockaddr_un address;
	int directory;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(unix_path_address(path, &address, &directory));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		fd_close(&fd);
	fd_close(&directory);
	return fd;
}

static int open_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void a_path_of_any_length_is_listened_on(void **state)
{
	struct rig *rig = *state;
	const size_t lengths[] = {ROOM - 1, ROOM, strlen(rig->directory) + 20};
	char path[PATH_SIZE];
	struct stat status;

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		make_path(path, i < 2 ? rig->top : rig->directory, lengths[i]);
		int before = open_descriptors();
		mode_t mask = umask(0);
		umask(mask);
		int fd = unix_path_listen(path, SOCK_STREAM, 0620, 4);
		assert_true(fd >= 0);
		assert_int_equal(umask(mask), mask);
		assert_int_equal(lstat(path, &status), 0);
		assert_true(S_ISSOCK(status.st_mode));
		assert_int_equal(status.st_mode & 0777, 0620);
		int client = connect_to(path);
		assert_true(client >= 0);
		close(client);
		close(fd);
		assert_int_equal(open_descriptors(), before);
		assert_int_equal(unlink(path), 0);
	}
}

static void what_cannot_be_listened_on_is_an_error(void **state)
{
	struct rig *rig = *state;
	char path[PATH_SIZE];
	struct sockaddr_un address;
	int directory;

	make_path(path, rig->directory, strlen(rig->directory) + ROOM); /* a name without room */
	assert_int_equal(unix_path_listen(path, SOCK_STREAM, 0600, 4), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	make_path(path, "/tmp/unix_path_test.nowhere", ROOM + 10);
	assert_int_equal(unix_path_listen(path, SOCK_STREAM, 0600, 4), -1);
	assert_int_equal(errno, ENOENT);
	memset(path, 's', ROOM); /* without a directory */
	path[ROOM] = '\0';
	assert_false(unix_path_address(path, &address, &directory));
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(directory, -1);
}

static void the_control_socket_stands_beside_the_pid_file(void **state)
{
	static const struct {
		const char *pid_file, *wanted;
	} cases[] = {
	        {"/run/sealane.pid", "/run/sealane.sock"},
	        {"/run/sealane", "/run/sealane.sock"},
	        {"/run/a.pid.old", "/run/a.pid.old.sock"},
	        {".pid", ".pid.sock"},
	        {"a.pid", "a.sock"},
	};
	char path[18];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char room[32];
		assert_true(unix_path_beside(cases[i].pid_file, room, sizeof(room)));
		assert_string_equal(room, cases[i].wanted);
	}
	assert_true(unix_path_beside("/run/sealane.pid", path, sizeof(path)));
	assert_false(unix_path_beside("/run/sealane.pid", path, sizeof(path) - 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(
	                a_path_of_any_length_is_listened_on, open_rig, close_rig),
	        cmocka_unit_test_setup_teardown(
	                what_cannot_be_listened_on_is_an_error, open_rig, close_rig),
	        cmocka_unit_test(the_control_socket_stands_beside_the_pid_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
