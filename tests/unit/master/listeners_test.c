/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listeners_test.c - real sockets on the loopback: what is staged, committed, rolled back, retired.
 */
#include "master/listeners.h"

#include "shared/config.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { LISTENERS_MAX = 4, PATIENCE_MS = 0 };

/* A configuration with nothing but listeners; 127.0.0.1 and ports that are free now. */
struct plan {
	struct config config;
	struct config_listener items[LISTENERS_MAX];
};

static int free_socket(struct address *address_out)
{
	struct address address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(address_parse(SLICE("127.0.0.1:0"), 0, &address));
	assert_int_equal(bind(fd, &address.any, address.length), 0);
	assert_int_equal(getsockname(fd, &address.any, &address.length), 0);
	*address_out = address;
	return fd;
}

static struct address free_address(void)
{
	struct address address;

	close(free_socket(&address));
	return address;
}

static void add(struct plan *plan, struct address address)
{
	plan->items[plan->config.listener_count++] = (struct config_listener){
	        .address = address,
	        .text = "127.0.0.1:N",
	        .origin = {"site.ini", 12},
	        .backlog = 16,
	};
	plan->config.listeners = plan->items;
}

static struct plan plan_of(unsigned workers, struct address address)
{
	struct plan plan = {.config = {.main = {.workers = workers}}};

	add(&plan, address);
	return plan;
}

static void fix(struct plan *plan)
{
	plan->config.listeners = plan->items; /* after a copy */
}

static int connect_to(const struct address *address)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, &address->any, address->length) == 0)
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

static bool is_refused(const struct address *address)
{
	int fd = connect_to(address);

	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == ECONNREFUSED;
}

static void stage(struct listeners *listeners, struct plan *plan, bool commit)
{
	char fault[LISTENERS_FAULT_MAX] = "";

	fix(plan);
	if (!listeners_stage(listeners, &plan->config, PATIENCE_MS, fault))
		fail_msg("%s", fault);
	if (commit && !listeners_commit(listeners, &plan->config, fault))
		fail_msg("%s", fault);
}

static void one_socket_for_each_worker(void **state)
{
	struct listeners *listeners = listeners_create();
	struct plan plan = plan_of(3, free_address());

	(void)state;
	stage(listeners, &plan, false);
	struct worker_listener view = listeners_view(listeners, &plan.items[0]);
	assert_int_equal(view.fd_count, 3);
	assert_int_equal(listeners_socket_count(listeners), 3);
	listeners_destroy(listeners);
}

static void what_is_staged_is_refused_until_it_is_committed(void **state)
{
	struct listeners *listeners = listeners_create();
	struct plan plan = plan_of(2, free_address());

	(void)state;
	stage(listeners, &plan, false);
	assert_true(is_refused(&plan.items[0].address));
	stage(listeners, &plan, true);
	int fd = connect_to(&plan.items[0].address);
	assert_true(fd >= 0);
	close(fd);
	listeners_destroy(listeners);
	assert_true(is_refused(&plan.items[0].address));
}

static void sockets_are_kept_grow_and_never_shrink(void **state)
{
	struct listeners *listeners = listeners_create();
	struct plan plan = plan_of(2, free_address());

	(void)state;
	stage(listeners, &plan, true);
	int first = listeners_view(listeners, &plan.items[0]).fds[0];
	plan.config.main.workers = 4;
	stage(listeners, &plan, true);
	assert_int_equal(listeners_view(listeners, &plan.items[0]).fd_count, 4);
	assert_int_equal(listeners_view(listeners, &plan.items[0]).fds[0], first);
	plan.config.main.workers = 1;
	stage(listeners, &plan, true);
	listeners_retire(listeners, &plan.config);
	assert_int_equal(listeners_view(listeners, &plan.items[0]).fd_count, 4);
	listeners_destroy(listeners);
}

/* 64 connections wait in the queues while a larger number of sockets is staged and given up. */
static void rolling_back_loses_no_connection(void **state)
{
	struct listeners *listeners = listeners_create();
	struct plan plan = plan_of(2, free_address());
	int clients[64], accepted = 0;

	(void)state;
	plan.items[0].backlog = 128;
	stage(listeners, &plan, true);
	plan.config.main.workers = 8;
	stage(listeners, &plan, false);
	for (size_t i = 0; i < 64; i++)
		assert_true((clients[i] = connect_to(&plan.items[0].address)) >= 0);
	listeners_roll_back(listeners);

	struct worker_listener view = listeners_view(listeners, &plan.items[0]);
	assert_int_equal(view.fd_count, 2);
	for (size_t i = 0; i < view.fd_count; i++) {
		int fd;
		while ((fd = accept(view.fds[i], NULL, NULL)) >= 0) {
			accepted++;
			close(fd);
		}
	}
	assert_int_equal(accepted, 64);
	for (size_t i = 0; i < 64; i++)
		close(clients[i]);
	listeners_destroy(listeners);
}

static void a_port_that_nobody_listens_on_is_told_apart(void **state)
{
	struct listeners *listeners = listeners_create();
	struct plan plan = plan_of(1, free_address());
	struct address taken;
	int foreign = free_socket(&taken);
	char fault[LISTENERS_FAULT_MAX];

	(void)state;
	add(&plan, taken);
	fix(&plan);
	assert_false(listeners_stage(listeners, &plan.config, PATIENCE_MS, fault));
	assert_non_null(strstr(fault, "in use, though nobody listens"));
	close(foreign);
	listeners_destroy(listeners);
}

static void a_fault_undoes_what_was_staged_before_it(void **state)
{
	struct listeners *listeners = listeners_create();
	struct plan plan = plan_of(2, free_address());
	struct address taken;
	int foreign = free_socket(&taken);
	char fault[LISTENERS_FAULT_MAX];

	(void)state;
	assert_int_equal(listen(foreign, 1), 0);
	add(&plan, taken);
	fix(&plan);
	assert_false(listeners_stage(listeners, &plan.config, PATIENCE_MS, fault));
	assert_non_null(strstr(fault, "listen 127.0.0.1:N (site.ini:12): "));
	assert_non_null(strstr(fault, "in use by another process"));
	assert_int_equal(listeners_socket_count(listeners), 0);
	close(foreign);
	stage(listeners, &plan, true);
	listeners_destroy(listeners);
}

static void a_foreign_reuseport_listener_is_no_companion(void **state)
{
	struct listeners *listeners = listeners_create();
	struct address address = free_address();
	struct plan plan = plan_of(1, address);
	int foreign = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	char fault[LISTENERS_FAULT_MAX];

	(void)state;
	assert_int_equal(setsockopt(foreign, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
	assert_int_equal(bind(foreign, &address.any, address.length), 0);
	assert_int_equal(listen(foreign, 1), 0);
	fix(&plan);
	assert_false(listeners_stage(listeners, &plan.config, PATIENCE_MS, fault));
	close(foreign);
	listeners_destroy(listeners);
}

static void a_port_is_waited_for(void **state)
{
	struct listeners *listeners = listeners_create();
	struct address taken;
	int foreign = free_socket(&taken);
	struct plan plan = plan_of(1, taken);
	char fault[LISTENERS_FAULT_MAX];

	(void)state;
	assert_int_equal(listen(foreign, 1), 0);
	pid_t pid = fork();
	if (pid == 0) {
		poll(NULL, 0, 200);
		_exit(0); /* the last copy goes with it */
	}
	close(foreign);
	fix(&plan);
	assert_true(listeners_stage(listeners, &plan.config, 5000, fault));
	listeners_destroy(listeners);
}

static void an_address_inside_one_that_is_held_is_no_conflict(void **state)
{
	struct listeners *listeners = listeners_create();
	struct address narrow = free_address(), wide;
	struct plan plan = plan_of(1, narrow);

	(void)state;
	assert_true(address_parse(SLICE("0.0.0.0:1"), 0, &wide));
	address_set_port(&wide, address_port(&narrow));
	stage(listeners, &plan, true);
	add(&plan, wide);
	stage(listeners, &plan, true);
	assert_int_equal(listeners_socket_count(listeners), 2);
	listeners_destroy(listeners);
}

/* That sockets of ours stand on the port does not hide somebody else's. */
static void a_foreign_listener_beside_our_own_is_a_conflict(void **state)
{
	struct listeners *listeners = listeners_create();
	struct address ours = free_address(), foreign, wide;
	struct plan plan = plan_of(1, ours);
	char fault[LISTENERS_FAULT_MAX];
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	(void)state;
	assert_true(address_parse(SLICE("127.0.0.2:1"), 0, &foreign));
	assert_true(address_parse(SLICE("0.0.0.0:1"), 0, &wide));
	address_set_port(&foreign, address_port(&ours));
	address_set_port(&wide, address_port(&ours));
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, &foreign.any, foreign.length), 0);
	assert_int_equal(listen(fd, 1), 0);
	stage(listeners, &plan, true);
	add(&plan, wide);
	fix(&plan);
	assert_false(listeners_stage(listeners, &plan.config, PATIENCE_MS, fault));
	assert_non_null(strstr(fault, "in use by another process"));
	assert_int_equal(listeners_socket_count(listeners), 1);
	close(fd);
	stage(listeners, &plan, true);
	listeners_destroy(listeners);
}

static void what_is_no_longer_wanted_is_retired(void **state)
{
	struct listeners *listeners = listeners_create();
	struct plan plan = plan_of(1, free_address());
	struct address gone;

	(void)state;
	add(&plan, free_address());
	stage(listeners, &plan, true);
	gone = plan.items[1].address;
	int copy = dup(listeners_view(listeners, &plan.items[1]).fds[0]); /* a draining worker's */
	plan.config.listener_count = 1;
	stage(listeners, &plan, true);
	listeners_retire(listeners, &plan.config);
	assert_true(is_refused(&gone));
	assert_false(is_refused(&plan.items[0].address));
	close(copy);
	listeners_destroy(listeners);
}

static void an_address_the_host_lacks_is_said_with_advice(void **state)
{
	struct listeners *listeners = listeners_create();
	struct address absent;
	char fault[LISTENERS_FAULT_MAX];

	(void)state;
	assert_true(address_parse(SLICE("192.0.2.1:8080"), 0, &absent));
	struct plan plan = plan_of(1, absent);
	fix(&plan);
	assert_false(listeners_stage(listeners, &plan.config, PATIENCE_MS, fault));
	assert_non_null(strstr(fault, "freebind"));
	plan.items[0].freebind = true;
	stage(listeners, &plan, true);
	listeners_destroy(listeners);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(one_socket_for_each_worker),
	        cmocka_unit_test(what_is_staged_is_refused_until_it_is_committed),
	        cmocka_unit_test(sockets_are_kept_grow_and_never_shrink),
	        cmocka_unit_test(rolling_back_loses_no_connection),
	        cmocka_unit_test(a_port_that_nobody_listens_on_is_told_apart),
	        cmocka_unit_test(a_fault_undoes_what_was_staged_before_it),
	        cmocka_unit_test(a_foreign_reuseport_listener_is_no_companion),
	        cmocka_unit_test(a_port_is_waited_for),
	        cmocka_unit_test(an_address_inside_one_that_is_held_is_no_conflict),
	        cmocka_unit_test(a_foreign_listener_beside_our_own_is_a_conflict),
	        cmocka_unit_test(what_is_no_longer_wanted_is_retired),
	        cmocka_unit_test(an_address_the_host_lacks_is_said_with_advice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
