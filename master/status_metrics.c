/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status_metrics.c - family after family: its help, its type, all its samples.
 *
 * Families of counters come from the tables of stats_table.h, so that a new counter shows up here
 * by itself. All samples of a family stand together, as the format demands.
 */
#include "master/status_metrics.h"

#include "master/status_certificates.h"
#include "master/status_snapshot.h"
#include "shared/config.h"
#include "shared/tls_library.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

struct counter_row {
	const char *metric, *label, *value, *help;
};

#define COUNTER_ROW(name, metric, label, value, help) {metric, label, value, help},
static const struct counter_row worker_rows[] = {STATS_TABLE(COUNTER_ROW)};
static const struct counter_row master_rows[] = {MASTER_STATS_TABLE(COUNTER_ROW)};
static const struct counter_row upstream_rows[] = {UPSTREAM_STATS_TABLE(COUNTER_ROW)};
#undef COUNTER_ROW

static void write_family(FILE *file, const char *name, const char *type, const char *help)
{
	fprintf(file, "# HELP sealane_%s %s\n# TYPE sealane_%s %s\n", name, help, name, type);
}

static void write_counter_family(FILE *file, const char *metric, const char *help)
{
	fprintf(file, "# HELP sealane_%s_total %s\n# TYPE sealane_%s_total counter\n", metric, help,
	        metric);
}

/* NAME="TEXT", where the text may be anybody's. */
static void write_label(FILE *file, const char *name, const char *text)
{
	fprintf(file, "%s=\"", name);
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", file);
		else if (*text == '"' || *text == '\\')
			fprintf(file, "\\%c", *text);
		else
			putc(*text, file);
	}
	putc('"', file);
}

static void write_gauge(FILE *file, const char *name, const char *help, int64_t value)
{
	write_family(file, name, "gauge", help);
	fprintf(file, "sealane_%s %" PRId64 "\n", name, value);
}

/* Where the family of row `i` ends. */
static size_t family_end(const struct counter_row *rows, size_t count, size_t i)
{
	size_t end = i + 1;

	while (end < count && strcmp(rows[end].metric, rows[i].metric) == 0)
		end++;
	return end;
}

static void write_counters(
        FILE *file, const struct counter_row *rows, size_t count, const uint64_t *values)
{
	for (size_t i = 0; i < count; i++) {
		const struct counter_row *row = &rows[i];
		if (i == 0 || strcmp(rows[i - 1].metric, row->metric) != 0)
			write_counter_family(file, row->metric, row->help);
		fprintf(file, "sealane_%s_total", row->metric);
		if (*row->label)
			fprintf(file, "{%s=\"%s\"}", row->label, row->value);
		fprintf(file, " %" PRIu64 "\n", values[i]);
	}
}

static void write_by_reason(
        FILE *file, const char *metric, const char *help, const uint64_t values[CLOSE_REASON_COUNT])
{
	write_counter_family(file, metric, help);
	for (enum close_reason reason = 0; reason < CLOSE_REASON_COUNT; reason++)
		fprintf(file, "sealane_%s_total{reason=\"%s\"} %" PRIu64 "\n", metric,
		        close_reason_word(reason), values[reason]);
}

/* ---- distributions ---- */

static void write_histogram(
        FILE *file, const char *name, const uint64_t *buckets, uint64_t observed_us)
{
#define BOUND_TEXT(us, seconds) seconds,
	static const char *const bounds[] = {HISTOGRAM_BOUNDS(BOUND_TEXT) "+Inf"};
#undef BOUND_TEXT
	uint64_t count = 0;

	for (size_t i = 0; i < HISTOGRAM_BUCKET_COUNT; i++) {
		count += buckets[i];
		fprintf(file, "sealane_%s_bucket{le=\"%s\"} %" PRIu64 "\n", name, bounds[i], count);
	}
	fprintf(file, "sealane_%s_sum %" PRIu64 ".%06" PRIu64 "\n", name, observed_us / 1000000,
	        observed_us % 1000000);
	fprintf(file, "sealane_%s_count %" PRIu64 "\n", name, count);
}

static void write_histograms(FILE *file, const struct scoreboard_totals *totals)
{
#define HISTOGRAM_ROW(name, metric, help) {metric, help},
	static const struct {
		const char *metric, *help;
	} rows[] = {HISTOGRAM_TABLE(HISTOGRAM_ROW)};
#undef HISTOGRAM_ROW

	for (size_t i = 0; i < HISTOGRAM_COUNT; i++) {
		write_family(file, rows[i].metric, "histogram", rows[i].help);
		write_histogram(file, rows[i].metric, totals->buckets[i], totals->observed_us[i]);
	}
}

/* ---- the session store ---- */

static void write_sessions(FILE *file, const struct status_snapshot *snapshot)
{
	const struct tls_session_counts *upstream = &snapshot->upstream_sessions;
	const struct tls_session_counts *client = &snapshot->client_sessions;
	const struct {
		const char *metric, *help;
		uint64_t upstream, client;
	} rows[] = {
	        {"tls_session_hits", "Sessions found in the shared store.", upstream->hits,
	                client->hits},
	        {"tls_session_misses", "Look-ups that found no session.", upstream->misses,
	                client->misses},
	        {"tls_session_stores", "Sessions put into the shared store.", upstream->stored,
	                client->stored},
	        {"tls_session_evictions", "Sessions that made room for others.", upstream->evicted,
	                client->evicted},
	        {"tls_session_oversized", "Sessions too big to be stored.", upstream->too_big,
	                client->too_big},
	        {"tls_session_broken", "Stored sessions that failed their checksum.",
	                upstream->broken, client->broken},
	        {"tls_session_busy", "Operations given up because another process was at it.",
	                upstream->busy, client->busy},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_counter_family(file, rows[i].metric, rows[i].help);
		fprintf(file, "sealane_%s_total{side=\"upstream\"} %" PRIu64 "\n", rows[i].metric,
		        rows[i].upstream);
		fprintf(file, "sealane_%s_total{side=\"client\"} %" PRIu64 "\n", rows[i].metric,
		        rows[i].client);
	}
}

/* ---- processes ---- */

static void write_generations(FILE *file, const struct status_snapshot *snapshot)
{
	static const enum generation_state states[] = {
	        GENERATION_STARTING, GENERATION_SERVING, GENERATION_DRAINING};

	write_family(file, "generations", "gauge", "Configurations that have workers, by state.");
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		size_t count = 0;
		for (size_t j = 0; j < snapshot->generation_count; j++)
			count += snapshot->generations[j].state == states[i];
		fprintf(file, "sealane_generations{state=\"%s\"} %zu\n",
		        generation_state_name(states[i]), count);
	}
	write_family(file, "workers", "gauge", "Worker processes, by generation and state.");
	for (size_t i = 0; i < snapshot->generation_count; i++) {
		const struct status_generation *generation = &snapshot->generations[i];
		for (size_t state = 0; state < STATUS_WORKER_STATE_COUNT; state++)
			fprintf(file,
			        "sealane_workers{generation=\"%" PRIu64 "\",state=\"%s\"} %zu\n",
			        generation->number,
			        status_worker_state_name((enum status_worker_state)state),
			        generation->worker_counts[state]);
	}
}

static void write_process(FILE *file, const struct status_snapshot *snapshot)
{
	write_family(file, "build_info", "gauge", "Always 1; what runs, in its labels.");
	fputs("sealane_build_info{version=\"" SEALANE_VERSION "\",", file);
	write_label(file, "gnutls", tls_library_version());
	fputs("} 1\n", file);
	write_gauge(file, "start_time_seconds", "When the master started, as Unix time.",
	        snapshot->view->started_at);
	write_gauge(file, "healthy", "1 while some worker serves, as /healthz says.",
	        snapshot->healthy);
	write_gauge(file, "configuration_generation",
	        "Number of the configuration that serves; each reload that is done raises it.",
	        (int64_t)snapshot->view->generation);
	write_gauge(file, "connections_open", "Client connections that workers carry now.",
	        (int64_t)snapshot->totals.sessions);
}

/* ---- upstreams ---- */

static void write_endpoint_labels(FILE *file, const struct status_endpoint *endpoint)
{
	char address[ADDRESS_TEXT_MAX];

	write_label(file, "upstream", endpoint->group->name);
	putc(',', file);
	write_label(file, "server", endpoint->config->server);
	putc(',', file);
	write_label(file, "address",
	        address_format(&endpoint->config->address, address, sizeof(address)));
}

static void write_endpoint_counters(
        FILE *file, const struct status_endpoint *endpoint, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++) {
		const struct counter_row *row = &upstream_rows[i];
		fprintf(file, "sealane_%s_total{", row->metric);
		write_endpoint_labels(file, endpoint);
		if (*row->label)
			fprintf(file, ",%s=\"%s\"", row->label, row->value);
		fprintf(file, "} %" PRIu64 "\n", endpoint->counters[i]);
	}
}

static void write_endpoints(FILE *file, const struct status_snapshot *snapshot)
{
	size_t end;

	if (snapshot->endpoint_count == 0)
		return;
	write_family(file, "server_up", "gauge",
	        "1 while the server is given clients; 0 when it is out, down or unresolved.");
	for (size_t i = 0; i < snapshot->endpoint_count; i++) {
		const struct status_endpoint *endpoint = &snapshot->endpoints[i];
		fputs("sealane_server_up{", file);
		write_endpoint_labels(file, endpoint);
		fprintf(file, "} %d\n", endpoint->state == STATUS_ENDPOINT_UP);
	}
	for (size_t first = 0; first < UPSTREAM_STAT_COUNT; first = end) {
		end = family_end(upstream_rows, UPSTREAM_STAT_COUNT, first);
		write_counter_family(file, upstream_rows[first].metric, upstream_rows[first].help);
		for (size_t i = 0; i < snapshot->endpoint_count; i++)
			write_endpoint_counters(file, &snapshot->endpoints[i], first, end);
	}
}

/* ---- certificates ---- */

static void write_certificate_times(
        FILE *file, const struct status_snapshot *snapshot, const char *name, int64_t origin)
{
	const struct status_certificates *certificates = snapshot->view->certificates;

	for (size_t i = 0; i < certificates->count; i++) {
		const struct status_certificate *certificate = &certificates->items[i];
		fprintf(file, "sealane_%s{side=\"%s\",", name,
		        certificate->upstream ? "upstream" : "client");
		write_label(file, "section", certificate->section);
		fprintf(file, "} %" PRId64 "\n", certificate->not_after - origin);
	}
}

static void write_certificates(FILE *file, const struct status_snapshot *snapshot)
{
	if (snapshot->view->certificates->count == 0)
		return;
	write_family(file, "certificate_not_after_timestamp_seconds", "gauge",
	        "When the first certificate of the own chain expires, as Unix time.");
	write_certificate_times(file, snapshot, "certificate_not_after_timestamp_seconds", 0);
	write_family(file, "certificate_remaining_seconds", "gauge",
	        "Until then; 86400 is a day, negative is expired.");
	write_certificate_times(file, snapshot, "certificate_remaining_seconds", snapshot->now);
}

void status_metrics_write(FILE *file, const struct status_snapshot *snapshot)
{
	const struct scoreboard_totals *totals = &snapshot->totals;

	write_process(file, snapshot);
	write_generations(file, snapshot);
	write_counters(file, master_rows, MASTER_STAT_COUNT, totals->master);
	write_counters(file, worker_rows, STAT_COUNT, totals->counters);
	write_by_reason(file, "connections_closed", "Client connections that ended, by the reason.",
	        totals->closed);
	write_by_reason(file, "upstream_failed_attempts",
	        "Attempts to connect to an upstream that failed, by the reason.", totals->failed);
	write_histograms(file, totals);
	write_sessions(file, snapshot);
	write_endpoints(file, snapshot);
	write_certificates(file, snapshot);
}
