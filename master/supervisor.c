/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * supervisor.c - generations and what happens to them; the single worker is worker_process.c.
 *
 * A generation is freed in one place, free_if_gone, which every path that may have taken away its
 * last worker ends with; nobody touches a generation after it.
 */
#include "master/supervisor.h"

#include "master/loop.h"
#include "master/worker_process.h"
#include "shared/check.h"
#include "shared/config.h"
#include "shared/control_message.h"
#include "worker/worker.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { QUIT_LIMIT_MS = 5000 };

struct supervisor {
	struct supervisor_settings settings;
	struct worker_context context;
	struct list generations;
	struct generation *serving;
	uint64_t last_number;
	struct loop_timer quit_limit;
};

#define EACH_GENERATION(link, supervisor) LIST_EACH(link, &(supervisor)->generations)
#define GENERATION_OF(link) LIST_OBJECT(link, struct generation, link)

static void on_worker_ready(void *opaque, struct worker_process *worker)
{
	struct supervisor *supervisor = opaque;
	struct generation *generation = worker_process_generation(worker);

	generation->ready_count++;
	if (generation->state == GENERATION_STARTING &&
	        generation->ready_count == generation->config->main.workers)
		supervisor->settings.on_ready(supervisor->settings.opaque, generation);
}

static void free_if_gone(struct supervisor *supervisor, struct generation *generation)
{
	if (generation->state != GENERATION_DRAINING || !list_is_empty(&generation->workers))
		return;
	log_write(LOG_INFO, "generation %" PRIu64 " is gone", generation->number);
	if (supervisor->serving == generation) {
		/* The last lines of a stop still go into its log files: see supervisor_destroy. */
		supervisor->settings.on_generation_gone(supervisor->settings.opaque);
		return;
	}
	if (!supervisor->serving)
		log_set_sinks(NULL, 0); /* it was the first, and its files are all there is */
	generation_destroy(generation);
	supervisor->settings.on_generation_gone(supervisor->settings.opaque);
}

static void on_worker_end(
        void *opaque, struct generation *generation, unsigned slot, const char *how)
{
	struct supervisor *supervisor = opaque;

	switch (generation->state) {
	case GENERATION_STARTING:
		supervisor->settings.on_start_failed(supervisor->settings.opaque, generation, how);
		return;
	case GENERATION_SERVING:
		worker_process_replace(&supervisor->context, generation, slot, how);
		return;
	case GENERATION_DRAINING:
		free_if_gone(supervisor, generation);
		return;
	}
}

struct supervisor *supervisor_create(const struct supervisor_settings *settings)
{
	struct supervisor *supervisor = calloc(1, sizeof(*supervisor));

	CHECK(supervisor);
	supervisor->settings = *settings;
	list_init(&supervisor->generations);
	supervisor->context = (struct worker_context){
	        .loop = settings->loop,
	        .listeners = settings->listeners,
	        .scoreboard = settings->scoreboard,
	        .ticket_key = settings->ticket_key,
	        .log_floor = settings->log_floor,
	        .run = settings->run ? settings->run : worker_main,
	        .opaque = supervisor,
	        .on_ready = on_worker_ready,
	        .on_end = on_worker_end,
	};
	return supervisor;
}

void supervisor_destroy(struct supervisor *supervisor)
{
	if (!supervisor)
		return;
	loop_timer_stop(&supervisor->quit_limit);
	log_set_sinks(NULL, 0);
	EACH_GENERATION(link, supervisor)
	generation_destroy(GENERATION_OF(link));
	free(supervisor);
}

void supervisor_start(struct supervisor *supervisor, struct generation *generation)
{
	unsigned count = generation->config->main.workers;

	generation->state = GENERATION_STARTING;
	list_append(&supervisor->generations, &generation->link);
	for (unsigned slot = 0; slot < count; slot++)
		worker_process_start(&supervisor->context, generation, slot, 0);
}

/* Oldest first, so that who has drained longest is cut first. */
static void keep_to_max_generations(struct supervisor *supervisor)
{
	unsigned limit = supervisor->serving->config->main.max_generations, draining = 0;

	EACH_GENERATION(link, supervisor)
	draining += GENERATION_OF(link)->state == GENERATION_DRAINING;
	EACH_GENERATION(link, supervisor)
	{
		struct generation *generation = GENERATION_OF(link);
		if (draining <= limit)
			return;
		if (generation->state != GENERATION_DRAINING)
			continue;
		log_write(LOG_WARN,
		        "max_generations = %u is exceeded: what generation %" PRIu64
		        " still carries is cut",
		        limit, generation->number);
		worker_process_tell_all(generation, CONTROL_CUT);
		draining--;
	}
}

static void drain(struct supervisor *supervisor, struct generation *generation)
{
	generation->state = GENERATION_DRAINING;
	worker_process_cancel_replacements(generation);
	worker_process_tell_all(generation, CONTROL_DRAIN);
	free_if_gone(supervisor, generation);
}

void supervisor_commit(struct supervisor *supervisor, struct generation *generation)
{
	struct generation *old = supervisor->serving;

	CHECK(generation->state == GENERATION_STARTING);
	generation->state = GENERATION_SERVING;
	supervisor->serving = generation;
	if (old)
		log_files_take_over_counts(&generation->log_files, &old->log_files);
	log_files_use(
	        &generation->log_files, generation->config, supervisor->settings.log_floor, NULL);
	if (old) {
		drain(supervisor, old);
		keep_to_max_generations(supervisor);
	}
}

void supervisor_abandon(struct supervisor *supervisor, struct generation *generation)
{
	CHECK(generation->state == GENERATION_STARTING);
	worker_process_kill_unready(generation);
	drain(supervisor, generation);
}

struct generation *supervisor_serving(const struct supervisor *supervisor)
{
	return supervisor->serving;
}

uint64_t supervisor_next_number(struct supervisor *supervisor)
{
	return ++supervisor->last_number;
}

bool supervisor_old_ones_accept(const struct supervisor *supervisor)
{
	EACH_GENERATION(link, supervisor)
	{
		const struct generation *generation = GENERATION_OF(link);
		if (generation->state == GENERATION_DRAINING &&
		        worker_process_some_accept(generation))
			return true;
	}
	return false;
}

bool supervisor_is_empty(const struct supervisor *supervisor)
{
	return supervisor_worker_count(supervisor) == 0;
}

size_t supervisor_worker_count(const struct supervisor *supervisor)
{
	size_t count = 0;

	EACH_GENERATION(link, supervisor)
	LIST_EACH(worker, &GENERATION_OF(link)->workers)
	count++;
	return count;
}

void supervisor_drain_all(struct supervisor *supervisor)
{
	EACH_GENERATION(link, supervisor)
	if (GENERATION_OF(link)->state != GENERATION_DRAINING)
		drain(supervisor, GENERATION_OF(link));
}

static void on_quit_limit(struct loop_timer *timer)
{
	struct supervisor *supervisor = LIST_OBJECT(timer, struct supervisor, quit_limit);

	EACH_GENERATION(link, supervisor)
	worker_process_signal_all(GENERATION_OF(link), SIGKILL);
}

void supervisor_quit_all(struct supervisor *supervisor)
{
	loop_timer_start(
	        &supervisor->quit_limit, supervisor->settings.loop, QUIT_LIMIT_MS, on_quit_limit);
	EACH_GENERATION(link, supervisor)
	{
		struct generation *generation = GENERATION_OF(link);
		worker_process_tell_all(generation, CONTROL_QUIT);
		if (generation->state != GENERATION_DRAINING)
			drain(supervisor, generation);
	}
}

static void pass_log(void *opaque, size_t index, int fd)
{
	worker_process_pass_log(opaque, (uint32_t)index, fd);
}

bool supervisor_reopen_logs(struct supervisor *supervisor)
{
	bool all = true;

	EACH_GENERATION(link, supervisor)
	{
		struct generation *generation = GENERATION_OF(link);
		all &= log_files_reopen(
		        &generation->log_files, generation->config, pass_log, generation);
	}
	return all;
}

void supervisor_tick(struct supervisor *supervisor)
{
	EACH_GENERATION(link, supervisor)
	worker_process_check_all(&supervisor->context, GENERATION_OF(link));
}
