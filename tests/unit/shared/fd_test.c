/* SPDX-License-Identifier: BSD-2-Clause */
/* fd_test.c - descriptors closed, flagged and passed on. */
#include "shared/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void flags_are_set_beside_others(void **state)
{
	int fd = open("/dev/null", O_WRONLY | O_APPEND);

	(void)state;
	assert_true(fd_set_nonblocking(fd));
	assert_int_equal(fcntl(fd, F_GETFL) & (O_NONBLOCK | O_APPEND), O_NONBLOCK | O_APPEND);
	assert_true(fd_set_cloexec(fd));
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	fd_close(&fd);
	assert_int_equal(fd, -1);
	fd_close(&fd);
	assert_false(fd_set_nonblocking(-1));
	assert_false(fd_set_cloexec(-1));
}

/* In a child, where nothing else needs a descriptor. */
static int child_closes_all_but(const int *kept, size_t count)
{
	for (int fd = 3; fd < 40; fd++)
		dup2(STDERR_FILENO, fd);
	fd_close_all_but(kept, count);
	for (int fd = 0; fd < 40; fd++) {
		bool wanted = fd < 3;
		for (size_t i = 0; i < count; i++)
			wanted = wanted || kept[i] == fd;
		if (is_open(fd) != wanted)
			return fd + 1;
	}
	return 0;
}

static void all_but_the_kept_are_closed(void **state)
{
	static const struct {
		int kept[6];
		size_t count;
	} cases[] = {
	        {{0}, 0},
	        {{3}, 1},
	        {{39}, 1},
	        {{20, 5, 6, 7, 39, 3}, 6},
	        {{7, 7, -1, 1}, 4},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int status;
		pid_t pid = fork();
		if (pid == 0)
			_exit(child_closes_all_but(cases[i].kept, cases[i].count));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

static void a_message_carries_a_descriptor(void **state)
{
	int pair[2], pipes[2], received;
	char bytes[8];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(pipe(pipes), 0);
	assert_true(fd_send_message(pair[0], "log", 3, pipes[1]));
	assert_true(fd_send_message(pair[0], "none", 4, -1));
	fd_close(&pipes[1]);

	assert_int_equal(fd_receive_message(pair[1], bytes, sizeof(bytes), &received), 3);
	assert_memory_equal(bytes, "log", 3);
	assert_int_equal(fcntl(received, F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(received, "x", 1), 1);
	assert_int_equal(read(pipes[0], bytes, 1), 1);
	fd_close(&received);

	assert_int_equal(fd_receive_message(pair[1], bytes, sizeof(bytes), &received), 4);
	assert_int_equal(received, -1);
	assert_int_equal(fd_receive_message(pair[1], bytes, sizeof(bytes), &received), -1);
	assert_int_equal(errno, EAGAIN);
	fd_close(&pair[0]);
	assert_int_equal(fd_receive_message(pair[1], bytes, sizeof(bytes), &received), 0);
	assert_false(fd_send_message(pair[1], "log", 3, -1));
	fd_close(&pair[1]);
	fd_close(&pipes[0]);
}

static void a_long_message_is_refused_and_its_descriptor_closed(void **state)
{
	int pair[2], received, next_free, next;
	char bytes[4];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_true(fd_send_message(pair[0], "12345", 5, pair[0]));
	next = next_free = dup(0);
	fd_close(&next);
	assert_int_equal(fd_receive_message(pair[1], bytes, sizeof(bytes), &received), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(received, -1);
	next = dup(0);
	assert_int_equal(next, next_free);
	fd_close(&next);
	fd_close(&pair[0]);
	fd_close(&pair[1]);
}

static void a_second_descriptor_is_closed(void **state)
{
	int pair[2], received, sent[2], before, after;
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(sent))];
	} rights = {.header = {.cmsg_len = CMSG_LEN(sizeof(sent)),
	                    .cmsg_level = SOL_SOCKET,
	                    .cmsg_type = SCM_RIGHTS}};
	char bytes[4] = "two";
	struct iovec part = {bytes, sizeof(bytes)};
	struct msghdr packet = {.msg_iov = &part,
	        .msg_iovlen = 1,
	        .msg_control = &rights,
	        .msg_controllen = sizeof(rights)};

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	sent[0] = sent[1] = pair[0];
	memcpy(CMSG_DATA(&rights.header), sent, sizeof(sent));
	assert_int_equal(sendmsg(pair[0], &packet, 0), sizeof(bytes));
	before = dup(0);
	fd_close(&before);
	before = dup(0);
	assert_int_equal(fd_receive_message(pair[1], bytes, sizeof(bytes), &received), 4);
	assert_true(received >= 0);
	after = dup(0);
	assert_int_equal(after, received + 1);
	fd_close(&after);
	fd_close(&received);
	fd_close(&before);
	fd_close(&pair[0]);
	fd_close(&pair[1]);
}

static void a_full_queue_does_not_block(void **state)
{
	int pair[2];
	unsigned taken = 0;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	while (fd_send_message(pair[0], "12345678", 8, -1))
		assert_true(++taken < 1000000);
	assert_true(taken > 0);
	fd_close(&pair[0]);
	fd_close(&pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(flags_are_set_beside_others),
	        cmocka_unit_test(all_but_the_kept_are_closed),
	        cmocka_unit_test(a_message_carries_a_descriptor),
	        cmocka_unit_test(a_long_message_is_refused_and_its_descriptor_closed),
	        cmocka_unit_test(a_second_descriptor_is_closed),
	        cmocka_unit_test(a_full_queue_does_not_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
