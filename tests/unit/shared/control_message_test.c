/* SPDX-License-Identifier: BSD-2-Clause */
/* control_message_test.c - what one side says the other hears, and its end is heard too. */
#include "shared/control_message.h"

#include "shared/fd.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void open_pair(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static void messages_arrive_in_order_one_by_one(void **state)
{
	struct control_message message;
	int pair[2], fd;

	(void)state;
	open_pair(pair);
	assert_int_equal(control_message_receive(pair[1], &message, &fd), CONTROL_NOTHING);
	assert_true(control_message_send(pair[0], &(struct control_message){CONTROL_DRAIN, 0}, -1));
	assert_true(
	        control_message_send(pair[0], &(struct control_message){CONTROL_REOPEN_LOG, 3}, 0));
	assert_int_equal(control_message_receive(pair[1], &message, &fd), CONTROL_GOT);
	assert_int_equal(message.type, CONTROL_DRAIN);
	assert_int_equal(fd, -1);
	assert_int_equal(control_message_receive(pair[1], &message, &fd), CONTROL_GOT);
	assert_int_equal(message.type, CONTROL_REOPEN_LOG);
	assert_int_equal(message.log_index, 3);
	assert_true(fd > 2);
	fd_close(&fd);
	assert_int_equal(control_message_receive(pair[1], &message, &fd), CONTROL_NOTHING);
	fd_close(&pair[0]);
	assert_int_equal(control_message_receive(pair[1], &message, &fd), CONTROL_END);
	assert_false(
	        control_message_send(pair[1], &(struct control_message){CONTROL_READY, 0}, -1));
	fd_close(&pair[1]);
}

static void a_malformed_message_is_an_end_and_its_descriptor_is_closed(void **state)
{
	static const char bytes[2 * sizeof(struct control_message)] = "";
	static const size_t lengths[] = {1, sizeof(struct control_message) - 1,
	        sizeof(struct control_message) + 1, sizeof(bytes)};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct control_message message;
		int pair[2], fd;
		open_pair(pair);
		assert_true(fd_send_message(pair[0], bytes, lengths[i], 0));
		int free_before = dup(0);
		close(free_before);
		assert_int_equal(control_message_receive(pair[1], &message, &fd), CONTROL_END);
		assert_int_equal(fd, -1);
		int free_after = dup(0);
		assert_int_equal(free_after, free_before);
		close(free_after);
		fd_close(&pair[0]);
		fd_close(&pair[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(messages_arrive_in_order_one_by_one),
	        cmocka_unit_test(a_malformed_message_is_an_end_and_its_descriptor_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
