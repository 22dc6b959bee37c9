/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status_child.c - fork, privileges, replacement.
 *
 * The process notices by the end of its control socket that it is to go; the master does not wait
 * for it, since it may still answer somebody. What it inherits by the fork and has no need of goes
 * at once: descriptors, root, the ticket key, private keys. It keeps the configuration, and the
 * segments of which it tells; of those, the session store is as secret as it is in a worker.
 */
#include "master/status_child.h"

#include "master/generation.h"
#include "master/loop.h"
#include "master/privileges.h"
#include "master/respawn_limit.h"
#include "master/status_certificates.h"
#include "master/status_server.h"
#include "master/status_snapshot.h"
#include "shared/check.h"
#include "shared/config.h"
#include "shared/fd.h"
#include "shared/process_title.h"
#include "shared/ticket_key.h"
#include "shared/tls_credentials.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_PRIVILEGES = 77 };

struct status_child {
	struct status_child_settings settings;
	struct status_listeners *listeners;
	const struct generation *generation; /* NULL before the first commit */
	int64_t started_at;
	struct loop_child process;
	int control_fd; /* -1: none runs */
	struct loop_timer respawn;
	struct respawn_limit respawn_limit;
};

/* ---- in the child ---- */

static void close_foreign_descriptors(const struct status_child *status, int control_fd)
{
	const struct log_files *logs = &status->generation->log_files;
	size_t listener_count, used = 0;
	const int *listeners = status_listeners_fds(status->listeners, &listener_count);
	int *kept = calloc(1 + listener_count + logs->count, sizeof(*kept));

	CHECK(kept);
	kept[used++] = control_fd;
	for (size_t i = 0; i < listener_count; i++)
		kept[used++] = listeners[i];
	for (size_t i = 0; i < logs->count; i++)
		kept[used++] = logs->items[i].fd;
	fd_close_all_but(kept, used);
	free(kept);
}

static void give_up_privileges(const struct config *config)
{
	char fault[256];

	if (privileges_drop(&config->main, fault, sizeof(fault)))
		return;
	log_write(LOG_CRIT, "the status process may not run with more rights than it needs: %s",
	        fault);
	_exit(EXIT_PRIVILEGES);
}

/* They are this process's own copies by now; nobody looks at them any more. */
static void forget_keys(const struct status_child *status, const struct config *config)
{
	ticket_key_destroy(status->settings.ticket_key);
	for (size_t i = 0; i < config->client_tls_count; i++)
		tls_client_credentials_destroy(config->client_tls[i]);
	for (size_t i = 0; i < config->server_tls_count; i++)
		tls_server_credentials_destroy(config->server_tls[i]);
}

_Noreturn static void be_status_process(const struct status_child *status, int control_fd)
{
	const struct generation *generation = status->generation;
	struct status_certificates certificates;
	struct status_view view = {
	        .config = generation->config,
	        .scoreboard = status->settings.scoreboard,
	        .upstream_state = generation->upstream_state,
	        .session_store = generation_session_store(generation),
	        .certificates = &certificates,
	        .generation = generation->number,
	        .master_pid = getppid(),
	        .started_at = status->started_at,
	};
	struct status_server_settings server = {.control_fd = control_fd, .view = &view};

	loop_leave_signals_to_master();
	signal(SIGTERM, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	process_title_set("status");
	log_files_use(&generation->log_files, view.config, status->settings.log_floor, NULL);
	log_after_fork();
	close_foreign_descriptors(status, control_fd);
	give_up_privileges(view.config);
	status_certificates_read(&certificates, view.config);
	forget_keys(status, view.config);
	server.listeners = status_listeners_fds(status->listeners, &server.listener_count);
	status_server_run(&server);
	status_certificates_drop(&certificates);
	exit(0);
}

/* ---- in the master ---- */

static void start_in(struct status_child *status, uint64_t delay_ms);

static void on_process_end(struct loop_child *process, int code)
{
	struct status_child *status = LIST_OBJECT(process, struct status_child, process);
	uint64_t delay_ms = respawn_limit_delay(&status->respawn_limit, loop_clock_ms());
	const char *when = delay_ms ? "in a second, since one dies after the other" : "at once";

	fd_close(&status->control_fd);
	if (WIFSIGNALED(code))
		log_write(LOG_ERROR,
		        "the status process was killed by signal %d (%s); it is replaced %s",
		        WTERMSIG(code), strsignal(WTERMSIG(code)), when);
	else
		log_write(LOG_ERROR, "the status process exited with status %d; it is replaced %s",
		        WEXITSTATUS(code), when);
	start_in(status, delay_ms);
}

static bool fork_now(struct status_child *status)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		return false;
	pid_t pid = loop_fork();
	if (pid == 0)
		be_status_process(status, fds[1]);
	int error = errno;
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		errno = error;
		return false;
	}
	status->control_fd = fds[0];
	loop_child_start(&status->process, status->settings.loop, pid, on_process_end);
	return true;
}

static void on_respawn(struct loop_timer *timer)
{
	struct status_child *status = LIST_OBJECT(timer, struct status_child, respawn);

	if (fork_now(status))
		return;
	log_write(LOG_ERROR, "the status process could not be forked: %s; tried again in a second",
	        strerror(errno));
	start_in(status, RESPAWN_PAUSE_MS);
}

static void start_in(struct status_child *status, uint64_t delay_ms)
{
	size_t listener_count;

	status_listeners_fds(status->listeners, &listener_count);
	if (listener_count > 0)
		loop_timer_start(&status->respawn, status->settings.loop, delay_ms, on_respawn);
}

/* It ends by itself, when whom it has taken on is answered. */
static void retire(struct status_child *status)
{
	loop_timer_stop(&status->respawn);
	loop_child_stop(&status->process);
	fd_close(&status->control_fd);
}

struct status_child *status_child_create(const struct status_child_settings *settings)
{
	struct status_child *status = calloc(1, sizeof(*status));

	CHECK(status);
	status->settings = *settings;
	status->listeners = status_listeners_create();
	status->started_at = time(NULL);
	status->control_fd = -1;
	return status;
}

void status_child_destroy(struct status_child *status)
{
	if (!status)
		return;
	pid_t pid = status->process.pid;
	retire(status);
	if (pid > 0) {
		kill(pid, SIGKILL); /* nothing of it is worth waiting for */
		waitpid(pid, NULL, 0);
	}
	status_listeners_destroy(status->listeners);
	free(status);
}

bool status_child_stage(struct status_child *status, const struct config *config,
        uint64_t patience_ms, char fault[STATUS_LISTENERS_FAULT_MAX])
{
	return status_listeners_stage(status->listeners, config, patience_ms, fault);
}

void status_child_roll_back(struct status_child *status)
{
	status_listeners_roll_back(status->listeners);
}

void status_child_commit(struct status_child *status, const struct generation *generation)
{
	retire(status);
	status->generation = generation;
	status_listeners_commit(status->listeners, generation->config);
	start_in(status, 0);
}

void status_child_renew(struct status_child *status)
{
	if (!status->generation)
		return;
	retire(status);
	start_in(status, 0);
}
