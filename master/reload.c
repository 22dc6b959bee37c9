/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reload.c - the steps of a reload, and who waits for it.
 *
 * The same steps serve names that did not resolve: every 10 s a child looks them up again for the
 * files as they were read last (an operator's half-done edit is not a reload), and when one
 * resolves, a new generation is made. Nobody waits for those; what goes wrong is logged.
 */
#include "master/reload.h"

#include "master/config_child.h"
#include "master/config_source.h"
#include "master/control_socket.h"
#include "master/generation.h"
#include "master/limits.h"
#include "master/listeners.h"
#include "master/loop.h"
#include "master/reload_clients.h"
#include "master/status_child.h"
#include "master/supervisor.h"
#include "shared/arena.h"
#include "shared/check.h"
#include "shared/config.h"
#include "shared/log.h"
#include "shared/scoreboard.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_NAMES_MS = 10 * 1000, FAULT_MAX = 1024 };

/* How long a verdict waits for old workers to stop accepting, and how often that is looked at. */
enum { SETTLE_MS = 1000, SETTLE_LOOK_MS = 2 };

enum reload_state { RELOAD_IDLE, RELOAD_READING, RELOAD_STARTING, RELOAD_SETTLING, RELOAD_STOPPED };
enum reload_cause { RELOAD_REQUESTED, RELOAD_NAMES };

struct reload {
	struct reload_settings settings;
	struct config_load_options load;
	enum reload_state state;
	enum reload_cause cause;
	struct reload_clients clients;
	bool again, again_warnings_are_errors;
	struct config_child *child;
	struct loop_timer names_timer;
	struct loop_timer settle_timer;
	uint64_t settle_until_ms;
	char *packed; /* of the serving configuration while some name does not resolve, else NULL */
	size_t packed_length;
	char *staged_packed; /* of the generation that starts */
	size_t staged_packed_length;
	struct config_messages notices; /* of it, to be told with the verdict */
};

static void begin(struct reload *reload);

static void forget(char **packed, size_t *length)
{
	if (*packed)
		explicit_bzero(*packed, *length);
	free(*packed);
	*packed = NULL;
	*length = 0;
}

struct reload *reload_create(const struct reload_settings *settings)
{
	struct reload *reload = calloc(1, sizeof(*reload));

	CHECK(reload);
	reload->settings = *settings;
	reload->load = settings->options->load;
	reload_clients_init(&reload->clients);
	config_messages_init(&reload->notices);
	return reload;
}

void reload_destroy(struct reload *reload)
{
	if (!reload)
		return;
	config_child_cancel(reload->child);
	loop_timer_stop(&reload->names_timer);
	loop_timer_stop(&reload->settle_timer);
	forget(&reload->packed, &reload->packed_length);
	forget(&reload->staged_packed, &reload->staged_packed_length);
	config_messages_clear(&reload->notices);
	free(reload);
}

static void on_names_time(struct loop_timer *timer)
{
	begin(LIST_OBJECT(timer, struct reload, names_timer));
}

/* Back to idle: answers all who waited, and goes on with what has come in meanwhile. */
static void finish(struct reload *reload, int exit_status)
{
	bool stopped = reload->state == RELOAD_STOPPED;

	reload_clients_done(&reload->clients, exit_status);
	forget(&reload->staged_packed, &reload->staged_packed_length);
	config_messages_clear(&reload->notices);
	if (stopped)
		return;
	reload->state = RELOAD_IDLE;
	if (reload->again)
		begin(reload);
	else if (reload->packed)
		loop_timer_start(
		        &reload->names_timer, reload->settings.loop, RETRY_NAMES_MS, on_names_time);
}

/* `reason` NULL: the messages say it. */
static void refuse(
        struct reload *reload, const struct config_messages *messages, const char *reason)
{
	static const char verdict[] = "reload refused, the old configuration serves on";

	if (messages)
		reload_clients_tell_messages(&reload->clients, messages);
	if (reason) {
		log_write(LOG_ERROR, "%s", reason);
		reload_clients_tell(&reload->clients, reason);
	}
	log_write(LOG_ERROR, "%s", verdict);
	reload_clients_tell(&reload->clients, verdict);
	scoreboard_count_master(reload->settings.scoreboard, MASTER_STAT_RELOADS_REFUSED);
	finish(reload, EXIT_RELOAD_REFUSED);
}

/* ---- staging ---- */

static bool differ(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) != 0 : a != b;
}

/* What can't change while the master lives; NULL when nothing of it did. */
static const char *needs_restart(const struct config_main *old, const struct config_main *new)
{
	if (old->daemon != new->daemon)
		return "a changed 'daemon' needs a restart";
	if (differ(old->pid_file, new->pid_file))
		return "a changed 'pid_file' needs a restart";
	return NULL;
}

static void roll_back_sockets(struct reload *reload)
{
	listeners_roll_back(reload->settings.listeners);
	status_child_roll_back(reload->settings.status);
}

/* On false nothing is staged. */
static bool stage_sockets(struct reload *reload, const struct config *config, char fault[FAULT_MAX])
{
	_Static_assert((int)LISTENERS_FAULT_MAX <= (int)FAULT_MAX, "they write into it");
	_Static_assert((int)STATUS_LISTENERS_FAULT_MAX <= (int)FAULT_MAX, "they write into it");

	if (listeners_stage(reload->settings.listeners, config, 0, fault) &&
	        status_child_stage(reload->settings.status, config, 0, fault))
		return true;
	roll_back_sockets(reload);
	return false;
}

/* Takes `config`. NULL with a reason in `fault`, and nothing staged. */
static struct generation *stage(struct reload *reload, struct config *config, char fault[FAULT_MAX])
{
	const struct generation *serving = supervisor_serving(reload->settings.supervisor);
	const char *restart = needs_restart(&serving->config->main, &config->main);

	if (restart)
		snprintf(fault, FAULT_MAX, "%s: %s", config->main_file, restart);
	if (restart || !stage_sockets(reload, config, fault)) {
		config_destroy(config);
		return NULL;
	}
	struct generation *generation = generation_create(config,
	        supervisor_next_number(reload->settings.supervisor), serving, fault, FAULT_MAX);
	if (!generation)
		roll_back_sockets(reload);
	return generation;
}

static void undo(struct reload *reload, struct generation *generation)
{
	supervisor_abandon(reload->settings.supervisor, generation);
	roll_back_sockets(reload);
}

static void start_workers(struct reload *reload, struct generation *generation)
{
	char text[128];

	limits_warn(generation->config, listeners_socket_count(reload->settings.listeners));
	snprintf(text, sizeof(text),
	        "the configuration is good; waiting until %u workers are ready",
	        generation->config->main.workers);
	reload_clients_progress(&reload->clients, text);
	reload->state = RELOAD_STARTING;
	supervisor_start(reload->settings.supervisor, generation);
}

/* The child's answers, loaded again without a call that could block. */
static void apply(struct reload *reload, struct slice packed)
{
	char fault[FAULT_MAX];
	struct config_source *source = config_source_unpack(packed);

	CHECK(source);
	struct config *config = config_load(source, &reload->load, &reload->notices);
	config_source_destroy(source);
	if (!config) {
		refuse(reload, &reload->notices, NULL);
		return;
	}
	if (config->names_unresolved) {
		reload->staged_packed = malloc(packed.length);
		CHECK(reload->staged_packed);
		memcpy(reload->staged_packed, packed.data, packed.length);
		reload->staged_packed_length = packed.length;
	}
	arena_seal(config->arena);
	struct generation *generation = stage(reload, config, fault);
	if (generation)
		start_workers(reload, generation);
	else
		refuse(reload, &reload->notices, fault);
}

/* ---- the steps ---- */

static void on_read(void *opaque, const struct config_report *report, const char *failure)
{
	struct reload *reload = opaque;

	reload->child = NULL;
	if (failure) {
		refuse(reload, NULL, failure);
		return;
	}
	switch (report->outcome) {
	case CONFIG_LOADED:
		apply(reload, report->packed);
		return;
	case CONFIG_REFUSED:
		refuse(reload, &report->messages, NULL);
		return;
	case CONFIG_SAME_NAMES:
		finish(reload, EXIT_DONE);
		return;
	}
}

static void begin(struct reload *reload)
{
	struct config_job job = {
	        .options = &reload->load,
	        .current = supervisor_serving(reload->settings.supervisor)->config,
	};

	if (reload->state != RELOAD_IDLE)
		return;
	loop_timer_stop(&reload->names_timer);
	reload->cause = reload->again ? RELOAD_REQUESTED : RELOAD_NAMES;
	reload->load.warnings_are_errors = reload->again && reload->again_warnings_are_errors;
	reload->again = reload->again_warnings_are_errors = false;
	if (reload->cause == RELOAD_NAMES) {
		job.remembered = (struct slice){reload->packed, reload->packed_length};
	} else {
		log_write(LOG_NOTICE, "reload: reading %s", reload->load.main_file);
	}
	reload_clients_take_next(&reload->clients);
	reload_clients_progress(&reload->clients, "reading the configuration");
	reload->state = RELOAD_READING;
	reload->child = config_child_start(
	        reload->settings.loop, &job, CONFIG_CHILD_LIMIT_MS, on_read, reload);
	if (!reload->child)
		refuse(reload, NULL, strerror(errno));
}

void reload_request(struct reload *reload, bool warnings_are_errors, struct control_client *client)
{
	if (reload->state == RELOAD_STOPPED) {
		log_write(LOG_NOTICE, "reload: not now, this sealane is stopping");
		if (client) {
			control_client_tell(client, ANSWER_MESSAGE, "this sealane is stopping");
			control_client_done(client, EXIT_RELOAD_REFUSED);
		}
		return;
	}
	reload->again = true;
	reload->again_warnings_are_errors |= warnings_are_errors;
	if (client)
		reload_clients_add(&reload->clients, client);
	if (supervisor_serving(reload->settings.supervisor))
		begin(reload);
}

void reload_stop(struct reload *reload)
{
	static const char reason[] = "reload abandoned: this sealane is stopping";
	bool was_reading = reload->state == RELOAD_READING;
	bool was_starting = reload->state == RELOAD_STARTING;

	reload->state = RELOAD_STOPPED;
	loop_timer_stop(&reload->names_timer);
	loop_timer_stop(&reload->settle_timer);
	config_child_cancel(reload->child);
	reload->child = NULL;
	reload_clients_take_next(&reload->clients);
	if (was_reading || was_starting)
		log_write(LOG_NOTICE, "%s", reason);
	reload_clients_tell(&reload->clients, reason);
	finish(reload, EXIT_RELOAD_REFUSED);
	if (was_starting) /* its workers drain with all others */
		roll_back_sockets(reload);
}

static void keep_packed(struct reload *reload, char *packed, size_t length)
{
	forget(&reload->packed, &reload->packed_length);
	reload->packed = packed;
	reload->packed_length = length;
}

void reload_first_is_serving(struct reload *reload, const struct config_source *source)
{
	size_t length;

	if (reload->state == RELOAD_STOPPED)
		return;
	if (supervisor_serving(reload->settings.supervisor)->config->names_unresolved) {
		char *packed = config_source_pack(source, &length);
		keep_packed(reload, packed, length);
	}
	finish(reload, EXIT_DONE);
}

/* Who hears that the reload is done may count on the new settings: a verdict waits until no old
 * worker accepts any more (one that hangs is not waited for). */
static void settle(struct loop_timer *timer)
{
	struct reload *reload = LIST_OBJECT(timer, struct reload, settle_timer);

	if (supervisor_old_ones_accept(reload->settings.supervisor) &&
	        loop_clock_ms() < reload->settle_until_ms)
		loop_timer_start(timer, reload->settings.loop, SETTLE_LOOK_MS, settle);
	else
		finish(reload, EXIT_DONE);
}

void reload_generation_ready(struct reload *reload, struct generation *generation)
{
	char fault[LISTENERS_FAULT_MAX], text[160];

	CHECK(reload->state == RELOAD_STARTING);
	if (!listeners_commit(reload->settings.listeners, generation->config, fault)) {
		undo(reload, generation);
		refuse(reload, &reload->notices, fault);
		return;
	}
	/* The old workers still accept: they empty the queues of what is no longer listened on. */
	listeners_retire(reload->settings.listeners, generation->config);
	supervisor_commit(reload->settings.supervisor, generation);
	status_child_commit(reload->settings.status, generation);
	scoreboard_count_master(reload->settings.scoreboard, MASTER_STAT_RELOADS_DONE);
	keep_packed(reload, reload->staged_packed, reload->staged_packed_length);
	reload->staged_packed = NULL;
	reload->staged_packed_length = 0;
	snprintf(text, sizeof(text), "generation %" PRIu64 " serves with %u workers%s",
	        generation->number, generation->config->main.workers,
	        reload->cause == RELOAD_NAMES ? ", since a name resolves now" : "");
	reload_clients_tell_messages(&reload->clients, &reload->notices);
	log_write(LOG_NOTICE, "%s", text);
	reload->state = RELOAD_SETTLING;
	reload->settle_until_ms = loop_clock_ms() + SETTLE_MS;
	settle(&reload->settle_timer);
}

void reload_generation_failed(
        struct reload *reload, struct generation *generation, const char *reason)
{
	char text[FAULT_MAX];

	CHECK(reload->state == RELOAD_STARTING);
	snprintf(text, sizeof(text), "the new workers did not start: %s", reason);
	undo(reload, generation);
	refuse(reload, &reload->notices, text);
}
