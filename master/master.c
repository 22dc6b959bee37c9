/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * master.c - start, signals, stop.
 *
 * The order of a start: configuration, daemon, pid file's lock asked, log files, shared memory,
 * probe binds and listening sockets, pid file and control socket, the status listener's sockets,
 * workers, all of them ready, the status process. What fails is said on stderr too, and everything
 * before it is undone. A stop goes backwards: the listening sockets first, so that no connection is
 * queued that nobody would take.
 */
#include "master/master.h"

#include "master/config_source.h"
#include "master/control_socket.h"
#include "master/daemon.h"
#include "master/generation.h"
#include "master/limits.h"
#include "master/listeners.h"
#include "master/loop.h"
#include "master/options.h"
#include "master/pidfile.h"
#include "master/reload.h"
#include "master/status_child.h"
#include "master/supervisor.h"
#include "shared/arena.h"
#include "shared/check.h"
#include "shared/config.h"
#include "shared/log.h"
#include "shared/process_title.h"
#include "shared/scoreboard.h"
#include "shared/ticket_key.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TICK_MS = 1000, BIND_PATIENCE_MS = 2000, FAULT_MAX = 1024, SIGNAL_COUNT = 7 };

enum stop { STOP_NOT, STOP_GRACEFUL, STOP_FAST };

struct master {
	const struct options *options;
	struct loop *loop;
	struct loop_signal signals[SIGNAL_COUNT];
	struct loop_timer tick;
	struct daemon daemon;
	struct pidfile pidfile;
	struct control_socket *control;
	struct listeners *listeners;
	struct scoreboard *scoreboard;
	struct ticket_key *ticket_key;
	struct supervisor *supervisor;
	struct status_child *status;
	struct reload *reload;
	/* Of the first configuration, until it serves: */
	struct config_source *source;
	struct config_messages messages;
	struct log_file start_log; /* stderr, while the start lasts and no error log goes there */
	enum stop stop;
	int exit_status;
};

static enum log_level log_floor(const struct master *master)
{
	return master->options->quiet ? LOG_ERROR : LOG_DEBUG;
}

/* ---- stop ---- */

static void end_if_empty(struct master *master)
{
	if (master->stop != STOP_NOT && supervisor_is_empty(master->supervisor))
		loop_stop(master->loop);
}

static void stop(struct master *master, enum stop how)
{
	if (how <= master->stop)
		return;
	if (master->stop == STOP_NOT) {
		master->stop = how;
		reload_stop(master->reload);
		listeners_close(master->listeners);
	}
	master->stop = how;
	if (how == STOP_FAST) {
		log_write(LOG_NOTICE, "stopping at once");
		supervisor_quit_all(master->supervisor);
	} else {
		log_write(LOG_NOTICE, "stopping when the last connection has ended");
		supervisor_drain_all(master->supervisor);
	}
	end_if_empty(master);
}

/* ---- what the supervisor tells ---- */

static void fail_start(struct master *master, const char *reason)
{
	log_write(LOG_CRIT, "%s", reason);
	master->exit_status = EXIT_RUN_TIME;
}

static void first_is_ready(struct master *master, struct generation *generation)
{
	supervisor_commit(master->supervisor, generation);
	status_child_commit(master->status, generation);
	log_file_close(&master->start_log);
	log_write(LOG_NOTICE, "sealane %s serves %s with %u workers", SEALANE_VERSION,
	        generation->config->main_file, generation->config->main.workers);
	daemon_report(&master->daemon, EXIT_DONE);
	reload_first_is_serving(master->reload, master->source);
	config_source_destroy(master->source);
	master->source = NULL;
}

static void on_ready(void *opaque, struct generation *generation)
{
	struct master *master = opaque;

	if (supervisor_serving(master->supervisor))
		reload_generation_ready(master->reload, generation);
	else
		first_is_ready(master, generation);
}

static void on_start_failed(void *opaque, struct generation *generation, const char *reason)
{
	struct master *master = opaque;

	if (supervisor_serving(master->supervisor)) {
		reload_generation_failed(master->reload, generation, reason);
		return;
	}
	fail_start(master, reason);
	stop(master, STOP_FAST);
}

static void on_generation_gone(void *opaque)
{
	malloc_trim(0); /* a configuration's memory, given back */
	end_if_empty(opaque);
}

/* ---- orders: signals and the control socket ---- */

/* Who rotates has to know that lines go on into the file that was moved away. `client`: or NULL. */
static void reopen_logs(struct master *master, struct control_client *client)
{
	bool all = supervisor_reopen_logs(master->supervisor);

	status_child_renew(master->status);
	if (all)
		log_write(LOG_NOTICE, "log files were opened again");
	else if (client)
		control_client_tell(client, ANSWER_MESSAGE,
		        "reopen: a log file cannot be opened; the error log says which and why");
	if (client)
		control_client_done(client, all ? EXIT_DONE : EXIT_RUN_TIME);
}

static void on_signal(struct loop_signal *signal)
{
	struct master *master = signal->opaque;

	switch (signal->number) {
	case SIGTERM:
	case SIGINT:
		stop(master, STOP_FAST);
		return;
	case SIGQUIT:
		stop(master, STOP_GRACEFUL);
		return;
	case SIGHUP:
		reload_request(master->reload, false, NULL);
		return;
	case SIGUSR1:
		reopen_logs(master, NULL);
		return;
	default:
		log_write(LOG_NOTICE, "SIG%s means nothing to this version",
		        sigabbrev_np(signal->number));
	}
}

static void on_order(void *opaque, const struct control_order *order, struct control_client *client)
{
	struct master *master = opaque;

	switch (order->request) {
	case REQUEST_RELOAD:
		reload_request(master->reload, order->warnings_are_errors, client);
		return;
	case REQUEST_QUIT:
	case REQUEST_STOP:
		control_client_done(client, EXIT_DONE);
		stop(master, order->request == REQUEST_QUIT ? STOP_GRACEFUL : STOP_FAST);
		return;
	case REQUEST_REOPEN:
		reopen_logs(master, client);
		return;
	}
}

static void start_signals(struct master *master)
{
	static const int numbers[SIGNAL_COUNT] = {
	        SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH};

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		loop_signal_start(&master->signals[i], master->loop, numbers[i], on_signal, master);
}

static void on_tick(struct loop_timer *timer)
{
	struct master *master = LIST_OBJECT(timer, struct master, tick);

	loop_timer_start(timer, master->loop, TICK_MS, on_tick);
	log_tick();
	supervisor_tick(master->supervisor);
}

/* ---- start ---- */

static struct config *load(struct master *master)
{
	const struct options *options = master->options;
	struct config_messages *messages = &master->messages;

	config_messages_init(messages);
	master->source = config_source_create();
	struct config *config = config_load(master->source, &options->load, messages);
	config_messages_print(messages, stderr, options->json, options->quiet);
	if (config)
		arena_seal(config->arena);
	return config;
}

/* Asked before the ports are, whose failure would be the less telling one. */
static bool nobody_else_runs(struct master *master, const struct config *config)
{
	pid_t holder = config->main.pid_file ? pidfile_holder(config->main.pid_file) : 0;
	char text[64];

	if (holder == 0)
		return true;
	snprintf(text, sizeof(text), "already running, pid %d", (int)holder);
	fail_start(master, text);
	return false;
}

/* What stderr has been told, for the log of who looks there later. */
static void log_messages(struct master *master, const struct generation *generation)
{
	char line[LOG_LINE_MAX];

	log_files_use(&generation->log_files, generation->config, log_floor(master), NULL);
	for (size_t i = 0; i < master->messages.count; i++) {
		const struct config_message *message = &master->messages.items[i];
		log_write(config_message_level(message), "%s",
		        config_message_format(message, line, sizeof(line)));
	}
}

static void use_logs(struct master *master, const struct generation *generation)
{
	if (!log_files_have_stderr(generation->config))
		log_messages(master, generation);
	config_messages_clear(&master->messages);
	bool extra = !log_files_have_stderr(generation->config) &&
	             log_file_open(&master->start_log, "stderr", (gid_t)-1) == 0;

	log_files_use(&generation->log_files, generation->config, log_floor(master),
	        extra ? &master->start_log : NULL);
}

static bool open_shared(struct master *master)
{
	master->loop = loop_create();
	master->listeners = listeners_create();
	master->scoreboard = scoreboard_create();
	master->ticket_key = ticket_key_create();
	if (master->loop && master->scoreboard && master->ticket_key)
		return true;
	fail_start(master, strerror(errno));
	return false;
}

static void open_supervisor(struct master *master)
{
	master->supervisor = supervisor_create(&(struct supervisor_settings){
	        .loop = master->loop,
	        .listeners = master->listeners,
	        .scoreboard = master->scoreboard,
	        .ticket_key = master->ticket_key,
	        .log_floor = log_floor(master),
	        .opaque = master,
	        .on_ready = on_ready,
	        .on_start_failed = on_start_failed,
	        .on_generation_gone = on_generation_gone,
	});
	master->status = status_child_create(&(struct status_child_settings){
	        .loop = master->loop,
	        .scoreboard = master->scoreboard,
	        .ticket_key = master->ticket_key,
	        .log_floor = log_floor(master),
	});
	master->reload = reload_create(&(struct reload_settings){
	        .loop = master->loop,
	        .options = master->options,
	        .listeners = master->listeners,
	        .supervisor = master->supervisor,
	        .status = master->status,
	        .scoreboard = master->scoreboard,
	});
}

static bool take_pidfile(struct master *master, const struct config *config, char fault[FAULT_MAX])
{
	if (!config->main.pid_file)
		return true;
	/* The configuration goes with its generation; the path must not. */
	const char *kept = strdup(config->main.pid_file);
	CHECK(kept);
	if (pidfile_take(&master->pidfile, kept, fault, FAULT_MAX))
		master->control = control_socket_open(
		        master->loop, kept, on_order, master, fault, FAULT_MAX);
	return master->control != NULL;
}

static bool open_sockets(struct master *master, const struct config *config)
{
	char fault[FAULT_MAX];

	if (listeners_stage(master->listeners, config, BIND_PATIENCE_MS, fault) &&
	        listeners_commit(master->listeners, config, fault) &&
	        take_pidfile(master, config, fault) &&
	        status_child_stage(master->status, config, BIND_PATIENCE_MS, fault))
		return true;
	fail_start(master, fault);
	return false;
}

/* Owns `config`. */
static bool start(struct master *master, struct config *config)
{
	char fault[FAULT_MAX];

	if (!nobody_else_runs(master, config) || !open_shared(master)) {
		config_destroy(config);
		return false;
	}
	open_supervisor(master);
	struct generation *generation = generation_create(
	        config, supervisor_next_number(master->supervisor), NULL, fault, sizeof(fault));
	if (!generation) {
		fail_start(master, fault);
		return false;
	}
	use_logs(master, generation);
	if (!open_sockets(master, config)) {
		log_set_sinks(NULL, 0);
		generation_destroy(generation);
		return false;
	}
	start_signals(master);
	on_tick(&master->tick);
	limits_warn(config, listeners_socket_count(master->listeners));
	supervisor_start(master->supervisor, generation);
	return true;
}

static void close_all(struct master *master)
{
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		loop_signal_stop(&master->signals[i]);
	loop_timer_stop(&master->tick);
	control_socket_close(master->control);
	reload_destroy(master->reload);
	listeners_destroy(master->listeners);
	log_tick();
	status_child_destroy(master->status);
	supervisor_destroy(master->supervisor);
	log_file_close(&master->start_log);
	pidfile_drop(&master->pidfile);
	free((void *)(uintptr_t)master->pidfile.path);
	scoreboard_destroy(master->scoreboard);
	ticket_key_destroy(master->ticket_key);
	config_messages_clear(&master->messages);
	config_source_destroy(master->source);
	loop_destroy(master->loop);
}

int master_run(const struct options *options)
{
	struct master master = {
	        .options = options,
	        .daemon = {.fd = -1},
	        .pidfile = {.fd = -1},
	        .start_log = {.fd = -1},
	        .exit_status = EXIT_DONE,
	};
	struct config *config = load(&master);

	if (!config) {
		config_messages_clear(&master.messages);
		config_source_destroy(master.source);
		return EXIT_CONFIGURATION;
	}
	process_title_set("master");
	if (config->main.daemon && daemon_enter(&master.daemon) != 0)
		fail_start(&master, strerror(errno));
	else if (start(&master, config))
		loop_run(master.loop);
	if (master.stop != STOP_NOT && master.exit_status == EXIT_DONE)
		log_write(LOG_NOTICE, "stopped");
	close_all(&master);
	daemon_report(&master.daemon, master.exit_status);
	return master.exit_status;
}
