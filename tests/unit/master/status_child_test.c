/* SPDX-License-Identifier: BSD-2-Clause */
/* status_child_test.c - the process from fork to end: what it holds, who replaces it, when it goes.
 */
#include "master/status_child.h"

#include "master/generation.h"
#include "master/loop.h"
#include "shared/arena.h"
#include "shared/config.h"
#include "shared/scoreboard.h"
#include "shared/ticket_key.h"
#include "shared/tls_session_store.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct rig {
	char directory[64], path[128];
	struct config_admin_listener wanted;
	struct loop *loop;
	struct loop_timer limit;
	struct scoreboard *scoreboard;
	struct ticket_key *ticket_key;
	struct status_child *status;
	struct generation *generation;
};

static void on_limit(struct loop_timer *timer)
{
	loop_stop(LIST_OBJECT(timer, struct rig, limit)->loop);
}

static void run(struct rig *rig, uint64_t limit_ms)
{
	loop_timer_start(&rig->limit, rig->loop, limit_ms, on_limit);
	loop_run(rig->loop);
}

static struct generation *make_generation(struct rig *rig, uint64_t number, bool admin)
{
	struct config *config = calloc(1, sizeof(*config));
	char fault[256];

	config->arena = arena_create(4096);
	config->main_file = "a.ini";
	config->main = (struct config_main){
	        .workers = 1, .tls_session_cache_size = TLS_SESSION_STORE_BYTES_MIN};
	if (getuid() == 0) { /* as `nobody` is everywhere */
		config->main.user_name = "nobody";
		config->main.uid = config->main.gid = 65534;
	}
	config->admin_listeners = &rig->wanted;
	config->admin_listener_count = admin;
	struct generation *generation = generation_create(
	        config, number, rig->generation, fault, sizeof(fault));
	if (!generation)
		fail_msg("%s", fault);
	return generation;
}

static void commit(struct rig *rig, uint64_t number, bool admin)
{
	struct generation *generation = make_generation(rig, number, admin);
	struct generation *old = rig->generation;
	char fault[STATUS_LISTENERS_FAULT_MAX];

	if (!status_child_stage(rig->status, generation->config, 0, fault))
		fail_msg("%s", fault);
	status_child_commit(rig->status, generation);
	rig->generation = generation;
	if (old)
		generation_destroy(old);
	run(rig, 20);
}

static int open_rig(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	strcpy(rig->directory, "/tmp/sealane-status-XXXXXX");
	if (!mkdtemp(rig->directory))
		return -1;
	snprintf(rig->path, sizeof(rig->path), "%s/status.sock", rig->directory);
	rig->wanted = (struct config_admin_listener){
	        .text = "unix", .origin = {"a.ini", 1}, .unix_path = rig->path, .mode = 0660};
	rig->loop = loop_create();
	rig->scoreboard = scoreboard_create();
	rig->ticket_key = ticket_key_create();
	rig->status = status_child_create(&(struct status_child_settings){
	        .loop = rig->loop,
	        .scoreboard = rig->scoreboard,
	        .ticket_key = rig->ticket_key,
	        .log_floor = LOG_CRIT,
	});
	log_set_sinks(NULL, 0);
	*state = rig;
	return 0;
}

static int close_rig(void **state)
{
	struct rig *rig = *state;

	status_child_destroy(rig->status);
	loop_timer_stop(&rig->limit);
	generation_destroy(rig->generation);
	scoreboard_destroy(rig->scoreboard);
	ticket_key_destroy(rig->ticket_key);
	loop_destroy(rig->loop);
	int status = rmdir(rig->directory); /* the socket has gone */
	free(rig);
	return status;
}

static int connect_to(const struct rig *rig)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, rig->path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static char *ask(const struct rig *rig, const char *path)
{
	int fd = connect_to(rig);
	struct timeval limit = {.tv_sec = 10};
	char bytes[4096], request[128], *text;
	size_t length;
	ssize_t got;
	FILE *file = open_memstream(&text, &length);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n\r\n", path);
	send(fd, request, strlen(request), MSG_NOSIGNAL);
	do {
		got = recv(fd, bytes, sizeof(bytes), 0);
		if (got > 0)
			fwrite(bytes, 1, (size_t)got, file);
	} while (got > 0 || (got < 0 && errno == EINTR)); /* a child of ours has ended */
	close(fd);
	fclose(file);
	return text;
}

static void expect(const struct rig *rig, const char *path, const char *wanted)
{
	char *answer = ask(rig, path);

	if (!strstr(answer, wanted))
		fail_msg("%s is not in %s", wanted, answer);
	free(answer);
}

/* The pid of our only child. */
static pid_t status_pid(void)
{
	char path[64];
	int pid = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	if (fscanf(file, "%d", &pid) != 1)
		pid = 0;
	fclose(file);
	return pid;
}

static unsigned long field_of(pid_t pid, const char *name, int base)
{
	char path[64], line[256];
	unsigned long value = 99;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0)
			value = strtoul(line + strlen(name), NULL, base);
	fclose(file);
	return value;
}

static bool exists(pid_t pid)
{
	return kill(pid, 0) == 0;
}

/* It has ended and was reaped; how long that takes is the machine's affair. */
static bool is_gone(struct rig *rig, pid_t pid)
{
	for (int i = 0; i < 500 && exists(pid); i++)
		run(rig, 20);
	return !exists(pid);
}

static void it_answers_and_has_no_rights(void **state)
{
	struct rig *rig = *state;

	commit(rig, 1, true);
	expect(rig, "/metrics", "sealane_configuration_generation 1\n");
	pid_t pid = status_pid();
	assert_int_equal(field_of(pid, "NoNewPrivs:", 10), 1);
	assert_int_equal(field_of(pid, "CapEff:", 16), 0);
	assert_int_equal(field_of(pid, "CapPrm:", 16), 0);
	if (getuid() == 0) {
		assert_int_equal(field_of(pid, "Uid:", 10), 65534);
		assert_int_equal(field_of(pid, "Gid:", 10), 65534);
	}
}

/* Above the standard ones. */
static size_t descriptors_of(pid_t pid)
{
	char path[64];
	size_t count = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	DIR *directory = opendir(path);
	if (!directory)
		skip(); /* it is not dumpable, and we are not root */
	for (struct dirent *entry; (entry = readdir(directory));)
		count += *entry->d_name != '.' && atoi(entry->d_name) > 2;
	closedir(directory);
	return count;
}

/* The listener, the control socket; for a moment the client that was answered. */
static void it_holds_no_foreign_descriptors(void **state)
{
	struct rig *rig = *state;

	commit(rig, 1, true);
	expect(rig, "/metrics", "200 OK");
	for (int i = 0; i < 100 && descriptors_of(status_pid()) > 2; i++)
		run(rig, 20);
	assert_int_equal(descriptors_of(status_pid()), 2);
}

static size_t mappings_of(pid_t pid, const char *name)
{
	char path[64], line[512];
	size_t count = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	FILE *file = fopen(path, "r");
	if (!file)
		skip(); /* it is not dumpable, and we are not root */
	while (fgets(line, sizeof(line), file))
		count += strstr(line, name) != NULL;
	fclose(file);
	return count;
}

static void it_has_forgotten_the_ticket_key(void **state)
{
	static const char name[] = "sealane-ticket-key";
	struct rig *rig = *state;

	commit(rig, 1, true);
	expect(rig, "/metrics", "200 OK");
	assert_int_equal(mappings_of(getpid(), name), 1);
	assert_int_equal(mappings_of(status_pid(), name), 0);
}

static void a_killed_one_is_replaced(void **state)
{
	struct rig *rig = *state;

	commit(rig, 1, true);
	pid_t first = status_pid();
	kill(first, SIGKILL);
	assert_true(is_gone(rig, first));
	run(rig, 20);
	pid_t second = status_pid();
	assert_true(second > 0 && second != first);
	expect(rig, "/status", "\"number\":1,");
	kill(second, SIGTERM); /* a service manager's for the whole group */
	run(rig, 100);
	assert_int_equal(status_pid(), second);
}

static void a_new_generation_brings_another(void **state)
{
	struct rig *rig = *state;

	commit(rig, 1, true);
	pid_t first = status_pid();
	commit(rig, 2, true);
	expect(rig, "/metrics", "sealane_configuration_generation 2\n");
	assert_true(is_gone(rig, first));
	pid_t second = status_pid();
	status_child_renew(rig->status);
	assert_true(is_gone(rig, second));
	expect(rig, "/metrics", "sealane_configuration_generation 2\n");
}

/* Whom the old process had accepted is answered by it, while the new one already serves. */
static void nobody_is_lost_to_a_reload(void **state)
{
	struct rig *rig = *state;
	char bytes[16] = "";

	commit(rig, 1, true);
	pid_t old = status_pid();
	int fd = connect_to(rig);
	send(fd, "GET /metrics HTTP/1.1\r\n", 23, MSG_NOSIGNAL);
	run(rig, 50);
	commit(rig, 2, true);
	expect(rig, "/metrics", "sealane_configuration_generation 2\n");
	send(fd, "\r\n", 2, MSG_NOSIGNAL);
	assert_true(recv(fd, bytes, 12, MSG_WAITALL) == 12);
	assert_string_equal(bytes, "HTTP/1.1 200");
	close(fd);
	assert_true(is_gone(rig, old));
}

static void without_listeners_there_is_none(void **state)
{
	struct rig *rig = *state;

	commit(rig, 1, false);
	assert_int_equal(status_pid(), 0);
	commit(rig, 2, true);
	pid_t pid = status_pid();
	assert_true(pid > 0);
	commit(rig, 3, false);
	assert_true(is_gone(rig, pid));
	assert_int_equal(connect_to(rig), -1);
}

static void it_ends_with_its_owner(void **state)
{
	struct rig *rig = *state;

	commit(rig, 1, true);
	pid_t pid = status_pid();
	status_child_destroy(rig->status);
	rig->status = NULL;
	assert_false(exists(pid));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
	const struct CMUnitTest tests[] = {
	        TEST(it_answers_and_has_no_rights),
	        TEST(it_holds_no_foreign_descriptors),
	        TEST(it_has_forgotten_the_ticket_key),
	        TEST(a_killed_one_is_replaced),
	        TEST(a_new_generation_brings_another),
	        TEST(nobody_is_lost_to_a_reload),
	        TEST(without_listeners_there_is_none),
	        TEST(it_ends_with_its_owner),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
