/* SPDX-License-Identifier: BSD-2-Clause */
/* reset_queue_test.c - over real connections: no byte is lost to the reset, and it is one. */
#include "worker/io/reset_queue.h"

#include "tests/support/tcp_pair.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { GIVE_UP_MS = 5000, CONNECTIONS = 3, RECEIVE_BYTES = 8192 };

struct fixture {
	struct event_loop *loop;
	struct reset_queue *queue;
	struct event_timer stop_timer;
};

static void on_stop(struct event_timer *timer)
{
	event_loop_stop(timer->loop);
}

static int set_up(void **state)
{
	struct fixture *fixture = malloc(sizeof(*fixture));

	fixture->loop = event_loop_create();
	fixture->queue = reset_queue_create(fixture->loop);
	event_timer_init(&fixture->stop_timer, fixture->loop, on_stop);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	reset_queue_destroy(fixture->queue);
	event_loop_destroy(fixture->loop);
	free(fixture);
	return 0;
}

static void run_for(struct fixture *fixture, uint64_t ms)
{
	event_timer_set(&fixture->stop_timer, ms);
	event_loop_run(fixture->loop);
}

/* Until the kernel takes no more. */
static size_t fill_socket(int fd)
{
	static const char bytes[65536];
	size_t sum = 0;
	ssize_t put;

	while ((put = send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL)) > 0)
		sum += (size_t)put;
	return sum;
}

/* What can be read before the end; the end's errno, 0 for a FIN. */
static size_t drain_socket(int fd, int *error_out)
{
	char room[65536];
	size_t sum = 0;
	ssize_t got;

	while ((got = recv(fd, room, sizeof(room), MSG_DONTWAIT)) > 0)
		sum += (size_t)got;
	*error_out = got == 0 ? 0 : errno;
	return sum;
}

static void a_socket_with_nothing_queued_is_reset_at_once(void **state)
{
	struct fixture *fixture = *state;
	int ours, theirs, error;

	tcp_pair(&ours, &theirs, RECEIVE_BYTES);
	assert_int_equal(send(ours, "all", 3, 0), 3);
	run_for(fixture, 5); /* the loopback acknowledges */
	reset_queue_add(fixture->queue, ours);
	assert_int_equal(reset_queue_length(fixture->queue), 0);
	/* What was acknowledged but not read may be dropped by the reset: the kernel's choice. */
	drain_socket(theirs, &error);
	assert_int_equal(error, ECONNRESET);
	close(theirs);
}

static void what_is_queued_arrives_before_the_reset(void **state)
{
	struct fixture *fixture = *state;
	int ours, theirs, error = EAGAIN;
	size_t sent, got = 0;

	tcp_pair(&ours, &theirs, RECEIVE_BYTES);
	sent = fill_socket(ours);
	reset_queue_add(fixture->queue, ours);
	assert_int_equal(reset_queue_length(fixture->queue), 1);
	for (int i = 0; i < 2000 && error == EAGAIN; i++) {
		/* Read by a slow reader, the last piece before the reset comes. */
		got += drain_socket(theirs, &error);
		if (error == EAGAIN)
			run_for(fixture, 1);
	}
	assert_int_equal(error, ECONNRESET);
	assert_int_equal(got, sent);
	assert_int_equal(reset_queue_length(fixture->queue), 0);
	close(theirs);
}

static void a_reader_that_never_reads_is_given_up(void **state)
{
	struct fixture *fixture = *state;
	int ours, theirs, error;

	tcp_pair(&ours, &theirs, RECEIVE_BYTES);
	fill_socket(ours);
	reset_queue_add(fixture->queue, ours);
	run_for(fixture, GIVE_UP_MS - 1000);
	assert_int_equal(reset_queue_length(fixture->queue), 1);
	run_for(fixture, 1500);
	assert_int_equal(reset_queue_length(fixture->queue), 0);
	drain_socket(theirs, &error);
	assert_int_equal(error, ECONNRESET);
	close(theirs);
}

static void each_waits_for_itself(void **state)
{
	struct fixture *fixture = *state;
	int ours[CONNECTIONS], theirs[CONNECTIONS];

	for (size_t i = 0; i < CONNECTIONS; i++) {
		tcp_pair(&ours[i], &theirs[i], RECEIVE_BYTES);
		fill_socket(ours[i]);
		reset_queue_add(fixture->queue, ours[i]);
	}
	assert_int_equal(reset_queue_length(fixture->queue), CONNECTIONS);
	/* The middle one is read, the last one is reset by its reader. */
	close(theirs[2]);
	for (int i = 0; i < 2000 && reset_queue_length(fixture->queue) > 1; i++) {
		int error;
		drain_socket(theirs[1], &error);
		run_for(fixture, 1);
	}
	assert_int_equal(reset_queue_length(fixture->queue), 1);
	close(theirs[0]);
	close(theirs[1]);
}

static void what_still_waits_is_reset_with_the_queue(void **state)
{
	struct fixture *fixture = *state;
	struct reset_queue *queue = reset_queue_create(fixture->loop);
	int ours, theirs, error;

	tcp_pair(&ours, &theirs, RECEIVE_BYTES);
	fill_socket(ours);
	reset_queue_add(queue, ours);
	reset_queue_destroy(queue);
	reset_queue_destroy(NULL);
	drain_socket(theirs, &error);
	assert_int_equal(error, ECONNRESET);
	close(theirs);
}

static void a_socket_that_is_gone_already_is_closed(void **state)
{
	struct fixture *fixture = *state;
	int ours, theirs;

	tcp_pair(&ours, &theirs, RECEIVE_BYTES);
	fill_socket(ours);
	setsockopt(theirs, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
	close(theirs);
	reset_queue_add(fixture->queue, ours);
	run_for(fixture, 20);
	assert_int_equal(reset_queue_length(fixture->queue), 0);
	assert_int_equal(close(ours), -1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(a_socket_with_nothing_queued_is_reset_at_once),
	        CASE(what_is_queued_arrives_before_the_reset),
	        CASE(a_reader_that_never_reads_is_given_up),
	        CASE(each_waits_for_itself),
	        CASE(what_still_waits_is_reset_with_the_queue),
	        CASE(a_socket_that_is_gone_already_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
