/* SPDX-License-Identifier: BSD-2-Clause */
/* status_listeners_test.c - sockets that appear, stay and go with what a configuration wants. */
#include "master/status_listeners.h"

#include "shared/config.h"

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
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { LISTENERS_MAX = 3 };

struct rig {
	char directory[64], paths[LISTENERS_MAX][128];
	struct status_listeners *listeners;
	struct config_admin_listener wanted[LISTENERS_MAX];
	struct config config;
	char fault[STATUS_LISTENERS_FAULT_MAX];
};

static int open_rig(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	strcpy(rig->directory, "/tmp/sealane-status-XXXXXX");
	if (!mkdtemp(rig->directory))
		return -1;
	rig->listeners = status_listeners_create();
	rig->config.admin_listeners = rig->wanted;
	for (size_t i = 0; i < LISTENERS_MAX; i++)
		snprintf(rig->paths[i], sizeof(rig->paths[i]), "%s/%zu.sock", rig->directory, i);
	*state = rig;
	return 0;
}

static int close_rig(void **state)
{
	struct rig *rig = *state;

	status_listeners_destroy(rig->listeners);
	for (size_t i = 0; i < LISTENERS_MAX; i++)
		unlink(rig->paths[i]);
	int status = rmdir(rig->directory);
	free(rig);
	return status;
}

static void want_unix(struct rig *rig, size_t path, unsigned mode)
{
	rig->wanted[rig->config.admin_listener_count++] = (struct config_admin_listener){
	        .text = "unix:path",
	        .origin = {"a.ini", 7},
	        .unix_path = rig->paths[path],
	        .mode = mode,
	};
}

static void want_address(struct rig *rig, const struct address *address)
{
	rig->wanted[rig->config.admin_listener_count++] = (struct config_admin_listener){
	        .text = "127.0.0.1", .origin = {"a.ini", 7}, .address = *address};
}

static bool stage(struct rig *rig)
{
	return status_listeners_stage(rig->listeners, &rig->config, 0, rig->fault);
}

static void commit(struct rig *rig)
{
	if (!stage(rig))
		fail_msg("%s", rig->fault);
	status_listeners_commit(rig->listeners, &rig->config);
}

static size_t count(const struct rig *rig)
{
	size_t count;

	status_listeners_fds(rig->listeners, &count);
	return count;
}

static int first_fd(const struct rig *rig)
{
	size_t count;

	return status_listeners_fds(rig->listeners, &count)[0];
}

static unsigned mode_of(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 ? status.st_mode & 07777 : 0;
}

static int connect_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, path);
	int result = connect(fd, (struct sockaddr *)&address, sizeof(address));
	close(fd);
	return result;
}

/* What a master leaves that was killed. */
static void leave_stale(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

static void a_socket_has_its_mode_and_goes_at_the_end(void **state)
{
	struct rig *rig = *state;

	want_unix(rig, 0, 0640);
	commit(rig);
	assert_int_equal(count(rig), 1);
	assert_int_equal(mode_of(rig->paths[0]), 0640);
	assert_int_equal(connect_unix(rig->paths[0]), 0);
	status_listeners_destroy(rig->listeners);
	assert_int_not_equal(access(rig->paths[0], F_OK), 0);
	rig->listeners = status_listeners_create();
}

static void what_stays_is_not_touched_but_for_its_mode(void **state)
{
	struct rig *rig = *state;

	want_unix(rig, 0, 0600);
	commit(rig);
	int fd = first_fd(rig);
	rig->config.admin_listener_count = 0;
	want_unix(rig, 1, 0600);
	want_unix(rig, 0, 0666);
	commit(rig);
	assert_int_equal(count(rig), 2);
	assert_int_equal(first_fd(rig), fd);
	assert_int_equal(mode_of(rig->paths[0]), 0666);
	rig->config.admin_listener_count = 1;
	commit(rig);
	assert_int_equal(count(rig), 1);
	assert_int_not_equal(access(rig->paths[0], F_OK), 0);
	assert_int_equal(connect_unix(rig->paths[1]), 0);
}

static void what_is_rolled_back_leaves_nothing(void **state)
{
	struct rig *rig = *state;

	want_unix(rig, 0, 0600);
	commit(rig);
	want_unix(rig, 1, 0600);
	assert_true(stage(rig));
	assert_int_equal(count(rig), 2);
	status_listeners_roll_back(rig->listeners);
	assert_int_equal(count(rig), 1);
	assert_int_not_equal(access(rig->paths[1], F_OK), 0);
	assert_int_equal(connect_unix(rig->paths[0]), 0);
}

static void a_stale_socket_is_replaced(void **state)
{
	struct rig *rig = *state;

	leave_stale(rig->paths[0]);
	assert_int_not_equal(connect_unix(rig->paths[0]), 0);
	want_unix(rig, 0, 0600);
	commit(rig);
	assert_int_equal(connect_unix(rig->paths[0]), 0);
}

static void what_others_use_stays_theirs(void **state)
{
	struct rig *rig = *state;
	struct rig *other = NULL;

	assert_int_equal(open_rig((void **)&other), 0);
	assert_non_null(other);
	strcpy(other->paths[0], rig->paths[0]);
	want_unix(other, 0, 0600);
	commit(other);
	want_unix(rig, 1, 0600);
	want_unix(rig, 0, 0600);
	assert_false(stage(rig));
	assert_string_equal(rig->fault,
	        "listen unix:path (a.ini:7): in use by another process; stop it, or listen "
	        "elsewhere");
	assert_int_equal(count(rig), 0);
	assert_int_not_equal(access(rig->paths[1], F_OK), 0);
	assert_int_equal(connect_unix(rig->paths[0]), 0);
	assert_int_equal(close_rig((void **)&other), 0);
}

static void a_file_that_is_no_socket_stays(void **state)
{
	struct rig *rig = *state;

	close(open(rig->paths[0], O_CREAT | O_WRONLY, 0600));
	want_unix(rig, 0, 0600);
	assert_false(stage(rig));
	assert_non_null(strstr(rig->fault, "no socket"));
	assert_int_equal(access(rig->paths[0], F_OK), 0);
}

static void somebody_elses_file_is_not_removed(void **state)
{
	struct rig *rig = *state;

	want_unix(rig, 0, 0600);
	commit(rig);
	leave_stale(rig->paths[1]);
	assert_int_equal(rename(rig->paths[1], rig->paths[0]), 0);
	rig->config.admin_listener_count = 0;
	commit(rig);
	assert_int_equal(count(rig), 0);
	assert_int_equal(access(rig->paths[0], F_OK), 0);
}

static void an_address_is_taken_once(void **state)
{
	struct rig *rig = *state;
	struct status_listeners *other = status_listeners_create();
	struct address address;
	struct sockaddr_storage bound;
	socklen_t length = sizeof(bound);

	assert_true(address_parse(SLICE("127.0.0.1:0"), 0, &address));
	want_address(rig, &address);
	commit(rig);
	assert_int_equal(getsockname(first_fd(rig), (struct sockaddr *)&bound, &length), 0);
	assert_true(address_from_sockaddr((struct sockaddr *)&bound, length, &address));
	rig->wanted[0].address = address;
	assert_false(status_listeners_stage(other, &rig->config, 50, rig->fault));
	assert_non_null(strstr(rig->fault, "in use"));
	status_listeners_destroy(other);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
	const struct CMUnitTest tests[] = {
	        TEST(a_socket_has_its_mode_and_goes_at_the_end),
	        TEST(what_stays_is_not_touched_but_for_its_mode),
	        TEST(what_is_rolled_back_leaves_nothing),
	        TEST(a_stale_socket_is_replaced),
	        TEST(what_others_use_stays_theirs),
	        TEST(a_file_that_is_no_socket_stays),
	        TEST(somebody_elses_file_is_not_removed),
	        TEST(an_address_is_taken_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
