/* SPDX-License-Identifier: BSD-2-Clause */
/* status_json.c - one object: who runs, who serves, what is listened on, what was counted. */
#include "master/status_json.h"

#include "master/json.h"
#include "master/status_certificates.h"
#include "master/status_snapshot.h"
#include "shared/config.h"
#include "shared/tls_library.h"

#include <string.h>

enum { SECONDS_PER_DAY = 86400, KEY_MAX = 64 };

struct counter_row {
	const char *metric, *value;
};

#define COUNTER_ROW(name, metric, label, value, help) {metric, value},
static const struct counter_row worker_rows[] = {STATS_TABLE(COUNTER_ROW)};
static const struct counter_row master_rows[] = {MASTER_STATS_TABLE(COUNTER_ROW)};
static const struct counter_row upstream_rows[] = {UPSTREAM_STATS_TABLE(COUNTER_ROW)};
#undef COUNTER_ROW

/* "client_handshakes_full": 3, without `prefix`. */
static void write_counters(struct json *json, const char *prefix, const struct counter_row *rows,
        size_t count, const uint64_t *values)
{
	for (size_t i = 0; i < count; i++) {
		char key[KEY_MAX];
		snprintf(key, sizeof(key), "%s%s%s", rows[i].metric + strlen(prefix),
		        *rows[i].value ? "_" : "", rows[i].value);
		json_number(json, key, values[i]);
	}
}

static void write_reasons(
        struct json *json, const char *key, const uint64_t values[CLOSE_REASON_COUNT])
{
	json_begin(json, key, '{');
	for (enum close_reason reason = 0; reason < CLOSE_REASON_COUNT; reason++)
		json_number(json, close_reason_word(reason), values[reason]);
	json_end(json, '}');
}

static void write_workers(
        struct json *json, const struct status_snapshot *snapshot, uint64_t generation)
{
	json_begin(json, "workers", '[');
	for (size_t i = 0; i < snapshot->worker_count; i++) {
		const struct scoreboard_worker *facts = &snapshot->workers[i].facts;
		if (facts->generation != generation)
			continue;
		json_begin(json, NULL, '{');
		json_number(json, "slot", facts->slot);
		json_signed(json, "pid", facts->pid);
		json_string(json, "state", status_worker_state_name(snapshot->workers[i].state));
		json_number(json, "sessions", facts->sessions);
		json_end(json, '}');
	}
	json_end(json, ']');
}

static void write_generations(struct json *json, const struct status_snapshot *snapshot)
{
	json_begin(json, "generations", '[');
	for (size_t i = 0; i < snapshot->generation_count; i++) {
		const struct status_generation *generation = &snapshot->generations[i];
		json_begin(json, NULL, '{');
		json_number(json, "number", generation->number);
		json_string(json, "state", generation_state_name(generation->state));
		write_workers(json, snapshot, generation->number);
		json_end(json, '}');
	}
	json_end(json, ']');
}

static void write_listeners(struct json *json, const struct config *config)
{
	json_begin(json, "listeners", '[');
	for (size_t i = 0; i < config->listener_count; i++) {
		const struct config_listener *listener = &config->listeners[i];
		json_begin(json, NULL, '{');
		json_string(json, "listen", listener->text);
		json_string(json, "section", listener->section);
		json_string(json, "protocol", listener->tcp ? "tcp" : "http");
		json_bool(json, "ssl", listener->ssl);
		json_string(json, "file", listener->origin.file);
		json_number(json, "line", listener->origin.line);
		json_end(json, '}');
	}
	json_end(json, ']');
}

static void write_endpoint(struct json *json, const struct status_endpoint *endpoint)
{
	char address[ADDRESS_TEXT_MAX];

	json_begin(json, NULL, '{');
	json_string(json, "server", endpoint->config->server);
	json_string(json, "address",
	        address_format(&endpoint->config->address, address, sizeof(address)));
	json_string(json, "state", status_endpoint_state_name(endpoint->state));
	json_bool(json, "backup", endpoint->config->backup);
	json_number(json, "weight", endpoint->config->weight);
	write_counters(json, "server_", upstream_rows, UPSTREAM_STAT_COUNT, endpoint->counters);
	json_end(json, '}');
}

static void write_upstreams(struct json *json, const struct status_snapshot *snapshot)
{
	const struct config *config = snapshot->view->config;
	size_t next = 0;

	json_begin(json, "upstreams", '[');
	for (size_t i = 0; i < config->group_count; i++) {
		json_begin(json, NULL, '{');
		json_string(json, "name", config->groups[i].name);
		json_begin(json, "servers", '[');
		while (next < snapshot->endpoint_count &&
		        snapshot->endpoints[next].group == &config->groups[i])
			write_endpoint(json, &snapshot->endpoints[next++]);
		json_end(json, ']');
		json_end(json, '}');
	}
	json_end(json, ']');
}

static void write_certificates(struct json *json, const struct status_snapshot *snapshot)
{
	const struct status_certificates *certificates = snapshot->view->certificates;

	json_begin(json, "certificates", '[');
	for (size_t i = 0; i < certificates->count; i++) {
		const struct status_certificate *certificate = &certificates->items[i];
		int64_t left_s = certificate->not_after - snapshot->now;
		json_begin(json, NULL, '{');
		json_string(json, "section", certificate->section);
		json_string(json, "side", certificate->upstream ? "upstream" : "client");
		json_signed(json, "not_after", certificate->not_after);
		json_signed(json, "days_left", left_s / SECONDS_PER_DAY);
		json_end(json, '}');
	}
	json_end(json, ']');
}

static void write_sessions(
        struct json *json, const char *key, const struct tls_session_counts *counts)
{
	json_begin(json, key, '{');
	json_number(json, "hits", counts->hits);
	json_number(json, "misses", counts->misses);
	json_number(json, "stored", counts->stored);
	json_number(json, "evicted", counts->evicted);
	json_number(json, "too_big", counts->too_big);
	json_number(json, "broken", counts->broken);
	json_number(json, "busy", counts->busy);
	json_end(json, '}');
}

static void write_counts(struct json *json, const struct status_snapshot *snapshot)
{
	const struct scoreboard_totals *totals = &snapshot->totals;

	json_begin(json, "counters", '{');
	json_number(json, "connections_open", totals->sessions);
	write_counters(json, "", master_rows, MASTER_STAT_COUNT, totals->master);
	write_counters(json, "", worker_rows, STAT_COUNT, totals->counters);
	json_end(json, '}');
	write_reasons(json, "connections_closed", totals->closed);
	write_reasons(json, "upstream_failed_attempts", totals->failed);
	json_begin(json, "tls_sessions", '{');
	write_sessions(json, "upstream", &snapshot->upstream_sessions);
	write_sessions(json, "client", &snapshot->client_sessions);
	json_end(json, '}');
}

void status_json_write(FILE *file, const struct status_snapshot *snapshot)
{
	const struct status_view *view = snapshot->view;
	struct json json = {.file = file};

	json_begin(&json, NULL, '{');
	json_string(&json, "version", SEALANE_VERSION);
	json_string(&json, "gnutls", tls_library_version());
	json_signed(&json, "pid", view->master_pid);
	json_signed(&json, "started_at", view->started_at);
	json_signed(&json, "uptime_seconds", snapshot->now - view->started_at);
	json_string(&json, "configuration", view->config->main_file);
	json_bool(&json, "healthy", snapshot->healthy);
	write_generations(&json, snapshot);
	write_listeners(&json, view->config);
	write_upstreams(&json, snapshot);
	write_certificates(&json, snapshot);
	write_counts(&json, snapshot);
	json_end(&json, '}');
	putc('\n', file);
}
