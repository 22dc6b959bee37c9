/* SPDX-License-Identifier: BSD-2-Clause */
/* status_server_test.c - the real server in a child, and clients of every kind. */
#include "master/status_server.h"

#include "master/loop.h"
#include "shared/fd.h"
#include "tests/support/status_rig.h"

#include <poll.h>
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct rig {
	struct status_rig status;
	struct sockaddr_un address;
	socklen_t address_length;
	int listener, control; /* our end of it */
	pid_t server;
};

_Noreturn static void serve(const struct rig *rig, int control)
{
	struct status_server_settings settings = {
	        .listeners = &rig->listener,
	        .listener_count = 1,
	        .control_fd = control,
	        .view = &rig->status.view,
	};

	close(rig->control);
	signal(SIGPIPE, SIG_IGN);
	status_server_run(&settings);
	_exit(0);
}

static int start(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	int fds[2];

	status_rig_open(&rig->status);
	rig->status.view.master_pid = getpid();
	rig->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	rig->address.sun_family = AF_UNIX;
	rig->address_length = sizeof(sa_family_t); /* an abstract name of the kernel's choice */
	if (bind(rig->listener, (struct sockaddr *)&rig->address, rig->address_length) != 0)
		return -1;
	rig->address_length = sizeof(rig->address);
	getsockname(rig->listener, (struct sockaddr *)&rig->address, &rig->address_length);
	if (listen(rig->listener, 256) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
		return -1;
	rig->control = fds[0];
	rig->server = fork();
	if (rig->server == 0)
		serve(rig, fds[1]);
	close(fds[1]);
	*state = rig;
	return 0;
}

static int wait_for_end(struct rig *rig)
{
	int status = -1;

	waitpid(rig->server, &status, 0);
	rig->server = 0;
	return status;
}

static int stop(void **state)
{
	struct rig *rig = *state;
	int status = 0;

	fd_close(&rig->control);
	if (rig->server)
		status = wait_for_end(rig);
	close(rig->listener);
	status_rig_close(&rig->status);
	free(rig);
	return status;
}

static int connect_to(const struct rig *rig)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(
	        connect(fd, (const struct sockaddr *)&rig->address, rig->address_length), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* All that comes until the end, at most 10 s. The descriptor is closed. */
static char *hear(int fd)
{
	char *text;
	size_t length;
	FILE *file = open_memstream(&text, &length);
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	char bytes[4096];
	ssize_t got;

	do {
		assert_int_equal(poll(&polled, 1, 10 * 1000), 1);
		got = recv(fd, bytes, sizeof(bytes), 0);
		if (got > 0)
			fwrite(bytes, 1, (size_t)got, file);
	} while (got > 0);
	assert_int_equal(got, 0); /* no reset, which could overtake the answer */
	close(fd);
	fclose(file);
	return text;
}

static char *ask(const struct rig *rig, const char *request)
{
	int fd = connect_to(rig);

	say(fd, request);
	return hear(fd);
}

static void expect_status(const struct rig *rig, const char *request, const char *status)
{
	char *answer = ask(rig, request);
	size_t length = strlen(status);

	if (strncmp(answer, "HTTP/1.1 ", 9) != 0 || strncmp(answer + 9, status, length) != 0)
		fail_msg("%s\nanswered: %s", request, answer);
	assert_non_null(strstr(answer, "\r\nConnection: close\r\n"));
	assert_int_equal(strstr(answer, "\r\nAllow: GET, HEAD\r\n") != NULL,
	        *status == '4' && status[2] == '5');
	free(answer);
}

static void pages_are_found_and_others_are_not(void **state)
{
	static const struct {
		const char *request, *status;
	} cases[] = {
	        {"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "200 OK\r\n"},
	        {"GET /status HTTP/1.0\r\n\r\n", "200 OK\r\n"},
	        {"GET /healthz HTTP/1.0\r\n\r\n", "503 Service Unavailable\r\n"},
	        {"GET /healthz/ HTTP/1.0\r\n\r\n", "404 Not Found\r\n"},
	        {"GET / HTTP/1.0\r\n\r\n", "404 Not Found\r\n"},
	        {"POST /metrics HTTP/1.0\r\n\r\n", "405 Method Not Allowed\r\n"},
	        {"\x16\x03\x01", "400 Bad Request\r\n"},
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_status(rig, cases[i].request, cases[i].status);
}

static void health_follows_the_workers(void **state)
{
	struct rig *rig = *state;
	struct scoreboard_row *row = status_rig_add_worker(&rig->status, 0, 2, WORKER_RUNNING);

	expect_status(rig, "GET /healthz HTTP/1.1\r\n\r\n", "200 OK\r\n");
	atomic_store(&row->stamp_ms, loop_clock_ms() - 10000); /* it hangs */
	expect_status(rig, "GET /healthz HTTP/1.1\r\n\r\n", "503 ");
	atomic_store(&row->stamp_ms, loop_clock_ms());
	atomic_store(&row->state, (uint32_t)WORKER_DRAINING);
	expect_status(rig, "GET /healthz HTTP/1.1\r\n\r\n", "503 ");
}

static void head_has_the_length_and_no_body(void **state)
{
	struct rig *rig = *state;
	char *get = ask(rig, "GET /status HTTP/1.1\r\n\r\n");
	char *head = ask(rig, "HEAD /status HTTP/1.1\r\n\r\n");
	const char *end = strstr(get, "\r\n\r\n");
	size_t told = 0;

	assert_non_null(end);
	const char *field = strstr(get, "\r\nContent-Length: ");
	assert_non_null(field);
	assert_int_equal(sscanf(field, "\r\nContent-Length: %zu", &told), 1);
	assert_int_equal(told, strlen(end + 4));
	assert_memory_equal(head + strlen(head) - 4, "\r\n\r\n", 4);
	assert_null(strstr(head, "{"));
	free(get);
	free(head);
}

static void a_request_may_come_byte_by_byte(void **state)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
	struct rig *rig = *state;
	int fd = connect_to(rig);

	for (size_t i = 0; i + 1 < sizeof(request); i++) {
		char byte[2] = {request[i], '\0'};
		say(fd, byte);
		usleep(500);
	}
	char *answer = hear(fd);
	assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
	free(answer);
}

static void an_endless_head_is_refused_and_the_refusal_arrives(void **state)
{
	struct rig *rig = *state;
	static char head[64 * 1024];
	int fd = connect_to(rig);

	memset(head, 'a', sizeof(head) - 1);
	memcpy(head, "GET / HTTP/1.1\r\nX: ", 19);
	say(fd, head);
	char *answer = hear(fd);
	assert_memory_equal(answer, "HTTP/1.1 431 ", 13);
	free(answer);
}

/* More of them than there is room for, and all stay: a new client is answered at once. */
static void silent_clients_block_nobody(void **state)
{
	enum { SILENT = 3 * STATUS_CLIENTS_MAX };
	struct rig *rig = *state;
	int fds[SILENT];
	uint64_t started_ms = loop_clock_ms();

	for (size_t i = 0; i < SILENT; i++) {
		fds[i] = connect_to(rig);
		say(fds[i], i % 2 ? "GET /met" : "GET /metrics HTTP/1.1\r\nX: ");
	}
	expect_status(rig, "GET /metrics HTTP/1.1\r\n\r\n", "200 OK\r\n");
	assert_true(loop_clock_ms() - started_ms < 2000);
	for (size_t i = 0; i < SILENT; i++)
		close(fds[i]);
}

static void a_slow_client_has_its_time_and_no_more(void **state)
{
	struct rig *rig = *state;
	int fd = connect_to(rig);
	uint64_t started_ms = loop_clock_ms();

	say(fd, "GET /metrics");
	free(hear(fd));
	uint64_t took_ms = loop_clock_ms() - started_ms;
	assert_true(took_ms >= STATUS_CLIENT_LIMIT_MS - 100);
	assert_true(took_ms < STATUS_CLIENT_LIMIT_MS + 2000);
}

/* Who was accepted before a reload replaced the process is still answered. */
static void a_retired_server_answers_whom_it_has_and_ends(void **state)
{
	struct rig *rig = *state;
	int fd = connect_to(rig);

	say(fd, "GET /metrics HTTP/1.1\r\n");
	/* Who came later is answered: the first has been accepted, however slow the machine is. */
	expect_status(rig, "GET /metrics HTTP/1.1\r\n\r\n", "200 OK\r\n");
	fd_close(&rig->control);
	usleep(50 * 1000);
	assert_int_equal(waitpid(rig->server, NULL, WNOHANG), 0);
	say(fd, "\r\n");
	char *answer = hear(fd);
	assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
	free(answer);
	assert_int_equal(wait_for_end(rig), 0);
}

static void a_server_without_clients_ends_at_once(void **state)
{
	struct rig *rig = *state;

	fd_close(&rig->control);
	assert_int_equal(wait_for_end(rig), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(pages_are_found_and_others_are_not, start, stop),
	        cmocka_unit_test_setup_teardown(health_follows_the_workers, start, stop),
	        cmocka_unit_test_setup_teardown(head_has_the_length_and_no_body, start, stop),
	        cmocka_unit_test_setup_teardown(a_request_may_come_byte_by_byte, start, stop),
	        cmocka_unit_test_setup_teardown(
	                an_endless_head_is_refused_and_the_refusal_arrives, start, stop),
	        cmocka_unit_test_setup_teardown(silent_clients_block_nobody, start, stop),
	        cmocka_unit_test_setup_teardown(
	                a_slow_client_has_its_time_and_no_more, start, stop),
	        cmocka_unit_test_setup_teardown(
	                a_retired_server_answers_whom_it_has_and_ends, start, stop),
	        cmocka_unit_test_setup_teardown(a_server_without_clients_ends_at_once, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
