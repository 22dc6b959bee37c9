/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reload_test.c - whole reloads of real files, with workers whose life is a few lines: what is
 * undone when one comes to nothing, and what becomes of those that are asked for meanwhile.
 *
 * How a worker of the test behaves stands in its configuration's worker_connections.
 */
#include "master/reload.h"

#include "master/config_source.h"
#include "master/listeners.h"
#include "master/loop.h"
#include "master/status_child.h"
#include "master/supervisor.h"
#include "shared/arena.h"
#include "shared/config.h"
#include "shared/control_message.h"
#include "shared/scoreboard.h"
#include "shared/ticket_key.h"
#include "shared/worker_env.h"

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
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* FIRST_DIES: that of slot 0, and the others neither get ready nor listen. SLOW: accepts on for
 * DRAIN_MS. */
enum behaviour { OBEDIENT = 100, FIRST_DIES, NEVER_READY, SLOW };

enum { PATIENCE_MS = WORKER_START_LIMIT_MS / 2, LOOK_MS = 10, DRAIN_MS = 300 };

struct rig {
	char directory[64], file[96], log[96];
	struct address first, second; /* of 127.0.0.1, and free */
	struct options options;
	struct loop *loop;
	struct loop_timer limit;
	struct listeners *listeners;
	struct scoreboard *scoreboard;
	struct ticket_key *ticket_key;
	struct supervisor *supervisor;
	struct status_child *status;
	struct reload *reload;
	struct config_source *source;
};

static int run_worker(const struct worker_env *env)
{
	enum behaviour behaviour = (enum behaviour)env->config->main.worker_connections;
	struct scoreboard_row *row = scoreboard_row(env->scoreboard, env->scoreboard_row);
	struct control_message message = {.type = CONTROL_READY};
	int fd;

	if (behaviour == FIRST_DIES && env->slot == 0)
		_exit(3);
	if (behaviour == FIRST_DIES)
		for (;;) /* until it is killed */
			pause();
	atomic_store(&row->state, (uint32_t)WORKER_RUNNING);
	if (behaviour != NEVER_READY)
		control_message_send(env->control_fd, &message, -1);
	do
		poll(&(struct pollfd){.fd = env->control_fd, .events = POLLIN}, 1, -1);
	while (control_message_receive(env->control_fd, &message, &fd) == CONTROL_NOTHING);
	usleep(behaviour == SLOW ? DRAIN_MS * 1000 : 0);
	_exit(0);
}

/* ---- as the master does ---- */

static void on_ready(void *opaque, struct generation *generation)
{
	struct rig *rig = opaque;

	if (supervisor_serving(rig->supervisor)) {
		reload_generation_ready(rig->reload, generation);
		return;
	}
	supervisor_commit(rig->supervisor, generation);
	reload_first_is_serving(rig->reload, rig->source);
}

static void on_start_failed(void *opaque, struct generation *generation, const char *reason)
{
	reload_generation_failed(((struct rig *)opaque)->reload, generation, reason);
}

static void on_generation_gone(void *opaque)
{
	(void)opaque;
}

static void on_limit(struct loop_timer *timer)
{
	loop_stop(LIST_OBJECT(timer, struct rig, limit)->loop);
}

static void run(struct rig *rig, uint64_t limit_ms)
{
	loop_timer_start(&rig->limit, rig->loop, limit_ms, on_limit);
	loop_run(rig->loop);
	loop_timer_stop(&rig->limit);
}

static void start_first(struct rig *rig)
{
	struct config_messages messages;
	char fault[LISTENERS_FAULT_MAX];

	config_messages_init(&messages);
	rig->source = config_source_create();
	struct config *config = config_load(rig->source, &rig->options.load, &messages);
	if (!config)
		config_messages_print(&messages, stderr, false, false);
	assert_non_null(config);
	config_messages_clear(&messages);
	arena_seal(config->arena);
	struct generation *generation = generation_create(
	        config, supervisor_next_number(rig->supervisor), NULL, fault, sizeof(fault));
	assert_non_null(generation);
	assert_true(listeners_stage(rig->listeners, config, 0, fault));
	assert_true(listeners_commit(rig->listeners, config, fault));
	supervisor_start(rig->supervisor, generation);
	for (int i = 0; i < PATIENCE_MS / LOOK_MS && !supervisor_serving(rig->supervisor); i++)
		run(rig, LOOK_MS);
	assert_non_null(supervisor_serving(rig->supervisor));
}

/* ---- the rig ---- */

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

/* Nobody holds it, listening or not. */
static bool is_free(const struct address *address)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	bool bound = bind(fd, &address->any, address->length) == 0;
	close(fd);
	return bound;
}

/* [main] with `keys`, and a listener on the first address, on the second too when `both`. */
static void write_file(const struct rig *rig, enum behaviour behaviour, bool both, const char *keys,
        const char *sections)
{
	char listen[ADDRESS_TEXT_MAX];
	FILE *file = fopen(rig->file, "w");

	assert_non_null(file);
	fprintf(file, "[main]\nworkers = %u\nworker_connections = %d\nerror_log = %s info\n%s%s",
	        behaviour == FIRST_DIES ? 3 : 1, (int)behaviour, rig->log,
	        geteuid() == 0 ? "user = nobody nogroup\n" : "", keys);
	fprintf(file, "[tcp a]\nproxy_pass = 127.0.0.1:1\nlisten = %s\n",
	        address_format(&rig->first, listen, sizeof(listen)));
	if (both)
		fprintf(file, "listen = %s\n",
		        address_format(&rig->second, listen, sizeof(listen)));
	fputs(sections, file);
	assert_int_equal(fclose(file), 0);
}

static void open_parts(struct rig *rig)
{
	rig->loop = loop_create();
	rig->listeners = listeners_create();
	rig->scoreboard = scoreboard_create();
	rig->ticket_key = ticket_key_create();
	rig->supervisor = supervisor_create(&(struct supervisor_settings){
	        .loop = rig->loop,
	        .listeners = rig->listeners,
	        .scoreboard = rig->scoreboard,
	        .ticket_key = rig->ticket_key,
	        .run = run_worker,
	        .opaque = rig,
	        .on_ready = on_ready,
	        .on_start_failed = on_start_failed,
	        .on_generation_gone = on_generation_gone,
	});
	rig->status = status_child_create(&(struct status_child_settings){
	        .loop = rig->loop, .scoreboard = rig->scoreboard, .ticket_key = rig->ticket_key});
	rig->reload = reload_create(&(struct reload_settings){
	        .loop = rig->loop,
	        .options = &rig->options,
	        .listeners = rig->listeners,
	        .supervisor = rig->supervisor,
	        .status = rig->status,
	        .scoreboard = rig->scoreboard,
	});
}

static int open_rig(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	*state = rig;
	strcpy(rig->directory, "/tmp/sealane-reload-XXXXXX");
	if (!mkdtemp(rig->directory))
		return -1;
	snprintf(rig->file, sizeof(rig->file), "%s/a.ini", rig->directory);
	snprintf(rig->log, sizeof(rig->log), "%s/e.log", rig->directory);
	close(free_socket(&rig->first));
	close(free_socket(&rig->second));
	rig->options.load.main_file = rig->file;
	open_parts(rig);
	write_file(rig, OBEDIENT, false, "", "");
	start_first(rig);
	return 0;
}

static int close_rig(void **state)
{
	struct rig *rig = *state;

	reload_stop(rig->reload);
	supervisor_quit_all(rig->supervisor);
	for (int i = 0; i < PATIENCE_MS / LOOK_MS && !supervisor_is_empty(rig->supervisor); i++)
		run(rig, LOOK_MS);
	reload_destroy(rig->reload);
	status_child_destroy(rig->status);
	supervisor_destroy(rig->supervisor);
	listeners_destroy(rig->listeners);
	ticket_key_destroy(rig->ticket_key);
	scoreboard_destroy(rig->scoreboard);
	config_source_destroy(rig->source);
	loop_destroy(rig->loop);
	unlink(rig->file);
	unlink(rig->log);
	int result = rmdir(rig->directory);
	free(rig);
	return result;
}

/* ---- what came of it ---- */

static uint64_t counted(const struct rig *rig, enum master_stat stat)
{
	struct scoreboard_totals totals;

	scoreboard_read_totals(rig->scoreboard, &totals);
	return totals.master[stat];
}

static uint64_t serving_number(const struct rig *rig)
{
	return supervisor_serving(rig->supervisor)->number;
}

/* Until so many have been judged, and the workers of those that came to nothing are gone. */
static void expect(struct rig *rig, uint64_t done, uint64_t refused)
{
	for (int i = 0; i < PATIENCE_MS / LOOK_MS; i++) {
		if (counted(rig, MASTER_STAT_RELOADS_DONE) +
		                        counted(rig, MASTER_STAT_RELOADS_REFUSED) >=
		                done + refused &&
		        supervisor_worker_count(rig->supervisor) == 1)
			break;
		run(rig, LOOK_MS);
	}
	assert_int_equal(counted(rig, MASTER_STAT_RELOADS_DONE), done);
	assert_int_equal(counted(rig, MASTER_STAT_RELOADS_REFUSED), refused);
	assert_int_equal(supervisor_worker_count(rig->supervisor), 1);
}

/* The first generation serves, and nothing is held of what the other would have listened on. */
static void expect_nothing_changed(struct rig *rig)
{
	expect(rig, 0, 1);
	assert_int_equal(serving_number(rig), 1);
	assert_true(is_free(&rig->second));
	assert_int_equal(listeners_socket_count(rig->listeners), 1);
}

static size_t lines_with(const struct rig *rig, const char *text)
{
	char line[1024];
	size_t count = 0;
	FILE *file = fopen(rig->log, "r");

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		count += strstr(line, text) != NULL;
	fclose(file);
	return count;
}

static bool log_has(const struct rig *rig, const char *text)
{
	return lines_with(rig, text) > 0;
}

/* ---- tests ---- */

static void a_good_one_serves(void **state)
{
	struct rig *rig = *state;

	write_file(rig, OBEDIENT, true, "", "");
	reload_request(rig->reload, false, NULL);
	expect(rig, 1, 0);
	assert_int_equal(serving_number(rig), 2);
	assert_false(is_free(&rig->second));
	write_file(rig, OBEDIENT, false, "", "");
	reload_request(rig->reload, false, NULL);
	expect(rig, 2, 0);
	assert_true(is_free(&rig->second));
}

static void workers_that_do_not_start_change_nothing(void **state)
{
	struct rig *rig = *state;

	write_file(rig, FIRST_DIES, true, "", "");
	reload_request(rig->reload, false, NULL);
	expect_nothing_changed(rig);
	assert_true(log_has(rig, "the new workers did not start"));
	write_file(rig, OBEDIENT, true, "", "");
	reload_request(rig->reload, false, NULL);
	expect(rig, 1, 1);
}

static void a_log_file_that_does_not_open_changes_nothing(void **state)
{
	struct rig *rig = *state;

	write_file(rig, OBEDIENT, true, "error_log = /nowhere/at/all.log\n", "");
	reload_request(rig->reload, false, NULL);
	expect_nothing_changed(rig);
	assert_true(log_has(rig, "/nowhere/at/all.log"));
}

static void a_status_listener_that_does_not_bind_changes_nothing(void **state)
{
	struct rig *rig = *state;
	char text[ADDRESS_TEXT_MAX], sections[128];
	struct address taken;
	int fd = free_socket(&taken);

	assert_int_equal(listen(fd, 1), 0);
	snprintf(sections, sizeof(sections), "[admin]\nlisten = %s\n",
	        address_format(&taken, text, sizeof(text)));
	write_file(rig, OBEDIENT, true, "", sections);
	reload_request(rig->reload, false, NULL);
	expect_nothing_changed(rig);
	assert_true(log_has(rig, "in use by another process"));
	close(fd);
}

static void what_needs_a_restart_is_refused(void **state)
{
	static const char *const keys[] = {"daemon = on\n", "pid_file = /run/other.pid\n"};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		write_file(rig, OBEDIENT, true, keys[i], "");
		reload_request(rig->reload, false, NULL);
		expect(rig, 0, i + 1);
		assert_true(is_free(&rig->second));
	}
	assert_true(log_has(rig, "a changed 'daemon' needs a restart"));
	assert_true(log_has(rig, "a changed 'pid_file' needs a restart"));
}

/* Three that come while one is read are one, which is as strict as the strictest; the next is not.
 */
static void those_that_wait_are_folded(void **state)
{
	struct rig *rig = *state;

	write_file(rig, OBEDIENT, false, "", "[tls unused]\nproxy_ssl_verify = on\n");
	reload_request(rig->reload, false, NULL);
	reload_request(rig->reload, false, NULL);
	reload_request(rig->reload, true, NULL);
	reload_request(rig->reload, false, NULL);
	expect(rig, 1, 1);
	assert_int_equal(serving_number(rig), 2);
	reload_request(rig->reload, false, NULL);
	expect(rig, 2, 1);
}

/* The verdict, and with it the next reload, waits for old workers that accept. */
static void one_is_over_when_no_old_worker_accepts(void **state)
{
	struct rig *rig = *state;

	write_file(rig, SLOW, false, "", "");
	reload_request(rig->reload, false, NULL);
	expect(rig, 1, 0);
	write_file(rig, OBEDIENT, false, "", "");
	reload_request(rig->reload, false, NULL);
	for (int i = 0; i < PATIENCE_MS && counted(rig, MASTER_STAT_RELOADS_DONE) < 2; i++)
		run(rig, 1);
	reload_request(rig->reload, false, NULL);
	assert_int_equal(lines_with(rig, "reload: reading"), 2);
	expect(rig, 3, 0);
	assert_int_equal(lines_with(rig, "reload: reading"), 3);
}

static void a_stop_ends_one_that_is_read(void **state)
{
	struct rig *rig = *state;

	write_file(rig, OBEDIENT, true, "", "");
	reload_request(rig->reload, false, NULL);
	reload_stop(rig->reload);
	reload_request(rig->reload, false, NULL);
	run(rig, 300);
	expect(rig, 0, 0);
	assert_int_equal(serving_number(rig), 1);
	assert_true(log_has(rig, "reload abandoned: this sealane is stopping"));
	assert_true(is_free(&rig->second));
}

static void a_stop_undoes_one_whose_workers_start(void **state)
{
	struct rig *rig = *state;

	write_file(rig, NEVER_READY, true, "", "");
	reload_request(rig->reload, false, NULL);
	for (int i = 0; i < PATIENCE_MS / LOOK_MS && supervisor_worker_count(rig->supervisor) < 2;
	        i++)
		run(rig, LOOK_MS);
	assert_int_equal(supervisor_worker_count(rig->supervisor), 2);
	assert_int_equal(listeners_socket_count(rig->listeners), 2);
	reload_stop(rig->reload);
	assert_int_equal(listeners_socket_count(rig->listeners), 1);
	assert_true(log_has(rig, "reload abandoned: this sealane is stopping"));
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, open_rig, close_rig)
	const struct CMUnitTest tests[] = {
	        WITH_RIG(a_good_one_serves),
	        WITH_RIG(workers_that_do_not_start_change_nothing),
	        WITH_RIG(a_log_file_that_does_not_open_changes_nothing),
	        WITH_RIG(a_status_listener_that_does_not_bind_changes_nothing),
	        WITH_RIG(what_needs_a_restart_is_refused),
	        WITH_RIG(those_that_wait_are_folded),
	        WITH_RIG(one_is_over_when_no_old_worker_accepts),
	        WITH_RIG(a_stop_ends_one_that_is_read),
	        WITH_RIG(a_stop_undoes_one_whose_workers_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
