/* SPDX-License-Identifier: BSD-2-Clause */
/* control_socket_test.c - both ends over a real socket: control_ask in a child, the master here. */
#include "master/control_socket.h"

#include "master/control_ask.h"
#include "master/loop.h"
#include "master/options.h"

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

struct rig {
	char directory[256], pid_file[300], socket[300];
	struct loop *loop;
	struct control_socket *control;
	struct control_order order; /* the last one */
	struct control_client *client; /* its */
	bool answers; /* at once, with status 4 */
	struct loop_timer limit;
	struct loop_child asker;
	int status; /* of the asker */
};

static void on_order(void *opaque, const struct control_order *order, struct control_client *client)
{
	struct rig *rig = opaque;

	rig->order = *order;
	rig->client = client;
	if (!rig->answers)
		return;
	control_client_tell(client, ANSWER_MESSAGE, "site.ini:3: fault");
	control_client_done(client, EXIT_RELOAD_REFUSED);
}

static void on_asker_end(struct loop_child *child, int status)
{
	struct rig *rig = LIST_OBJECT(child, struct rig, asker);

	rig->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	loop_stop(rig->loop);
}

static void on_limit(struct loop_timer *timer)
{
	loop_stop(LIST_OBJECT(timer, struct rig, limit)->loop);
}

static void open_rig(struct rig *rig, const char *middle)
{
	char fault[256];

	memset(rig, 0, sizeof(*rig));
	snprintf(rig->directory, sizeof(rig->directory), "/tmp/sealane-control-%s-XXXXXX", middle);
	assert_non_null(mkdtemp(rig->directory));
	snprintf(rig->pid_file, sizeof(rig->pid_file), "%s/a.pid", rig->directory);
	snprintf(rig->socket, sizeof(rig->socket), "%s/a.sock", rig->directory);
	rig->loop = loop_create();
	rig->control = control_socket_open(
	        rig->loop, rig->pid_file, on_order, rig, fault, sizeof(fault));
	assert_non_null(rig->control);
	rig->answers = true;
	rig->status = -1;
}

static void close_rig(struct rig *rig)
{
	control_socket_close(rig->control);
	loop_timer_stop(&rig->limit);
	loop_child_stop(&rig->asker);
	loop_destroy(rig->loop);
	assert_int_equal(rmdir(rig->directory), 0); /* the socket is gone */
}

/* `sealane -s` in a child, until it ends or `limit_ms` are over. */
static void ask(
        struct rig *rig, struct control_order order, uint64_t ask_limit_ms, uint64_t limit_ms)
{
	pid_t pid = loop_fork();

	if (pid == 0) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(99);
		_exit(control_ask(rig->pid_file, &order, ask_limit_ms));
	}
	loop_child_start(&rig->asker, rig->loop, pid, on_asker_end);
	loop_timer_start(&rig->limit, rig->loop, limit_ms, on_limit);
	loop_run(rig->loop);
}

static void an_order_is_heard_and_its_verdict_returned(void **state)
{
	struct rig rig;

	(void)state;
	open_rig(&rig, "a");
	ask(&rig, (struct control_order){REQUEST_RELOAD, true}, 5000, 5000);
	assert_int_equal(rig.order.request, REQUEST_RELOAD);
	assert_true(rig.order.warnings_are_errors);
	assert_int_equal(rig.status, EXIT_RELOAD_REFUSED);
	close_rig(&rig);
}

static void only_the_owner_may_ask(void **state)
{
	struct rig rig;
	struct stat status;

	(void)state;
	open_rig(&rig, "mode");
	assert_int_equal(stat(rig.socket, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	close_rig(&rig);
}

static void without_a_verdict_it_is_a_failure_after_the_limit(void **state)
{
	struct rig rig;

	(void)state;
	open_rig(&rig, "slow");
	rig.answers = false;
	ask(&rig, (struct control_order){REQUEST_RELOAD, false}, 100, 5000);
	assert_int_equal(rig.status, EXIT_RUN_TIME);
	close_rig(&rig);
}

static void a_client_that_left_is_in_no_list(void **state)
{
	struct rig rig;
	struct list waiting;

	(void)state;
	open_rig(&rig, "left");
	rig.answers = false;
	list_init(&waiting);
	ask(&rig, (struct control_order){REQUEST_QUIT, false}, 60000, 200);
	assert_non_null(rig.client);
	list_append(&waiting, control_client_link(rig.client));
	kill(rig.asker.pid, SIGKILL);
	loop_run(rig.loop); /* until its end is seen */
	loop_timer_start(&rig.limit, rig.loop, 50, on_limit);
	loop_run(rig.loop);
	assert_true(list_is_empty(&waiting));
	close_rig(&rig);
}

static void nobody_there_is_not_running(void **state)
{
	struct rig rig;
	char pid_file[320];

	(void)state;
	open_rig(&rig, "none");
	snprintf(pid_file, sizeof(pid_file), "%s/other.pid", rig.directory);
	snprintf(rig.pid_file, sizeof(rig.pid_file), "%.299s", pid_file);
	ask(&rig, (struct control_order){REQUEST_STOP, false}, 5000, 5000);
	assert_int_equal(rig.status, EXIT_NOT_RUNNING);
	close_rig(&rig);
}

static void a_long_path_will_do(void **state)
{
	struct rig rig;
	char middle[180];

	(void)state;
	memset(middle, 'x', sizeof(middle) - 1);
	middle[sizeof(middle) - 1] = '\0';
	open_rig(&rig, middle);
	ask(&rig, (struct control_order){REQUEST_REOPEN, false}, 5000, 5000);
	assert_int_equal(rig.status, EXIT_RELOAD_REFUSED);
	close_rig(&rig);
}

static void what_is_no_order_is_refused(void **state)
{
	static const char *const texts[] = {"", "reloa", "reload ", "reload -w", "reload -W x",
	        " reload", "reload\n", "upgrade"};
	struct control_order order;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (control_order_parse(slice_of(texts[i]), &order))
			fail_msg("'%s'", texts[i]);
	for (int i = 0; i < CONTROL_REQUEST_COUNT; i++) {
		const char *name = control_request_name((enum control_request)i);
		assert_true(control_order_parse(slice_of(name), &order));
		assert_int_equal(order.request, i);
		assert_false(order.warnings_are_errors);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_order_is_heard_and_its_verdict_returned),
	        cmocka_unit_test(only_the_owner_may_ask),
	        cmocka_unit_test(without_a_verdict_it_is_a_failure_after_the_limit),
	        cmocka_unit_test(a_client_that_left_is_in_no_list),
	        cmocka_unit_test(nobody_there_is_not_running),
	        cmocka_unit_test(a_long_path_will_do),
	        cmocka_unit_test(what_is_no_order_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
