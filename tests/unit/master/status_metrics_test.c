/* SPDX-License-Identifier: BSD-2-Clause */
/* status_metrics_test.c - what is counted is shown, and the text is well-formed throughout. */
#include "master/status_metrics.h"

#include "shared/upstream_state.h"
#include "tests/support/status_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *metrics_of(const struct status_rig *rig)
{
	struct status_snapshot snapshot;
	char *text;
	size_t length;
	FILE *file = open_memstream(&text, &length);

	status_snapshot_take(&snapshot, &rig->view);
	status_metrics_write(file, &snapshot);
	status_snapshot_drop(&snapshot);
	fclose(file);
	return text;
}

/* Whole lines, each of them. */
static void expect_lines(const char *text, const char *const *lines, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char line[512];
		snprintf(line, sizeof(line), "\n%s\n", lines[i]);
		if (!strstr(text, line))
			fail_msg("missing: %s", lines[i]);
	}
}

static void everything_counted_is_shown(void **state)
{
	static const char *const wanted[] = {
	        "sealane_start_time_seconds 1700000000", "sealane_healthy 1",
	        "sealane_configuration_generation 2", "sealane_connections_open 7",
	        "sealane_generations{state=\"starting\"} 0",
	        "sealane_generations{state=\"serving\"} 1",
	        "sealane_generations{state=\"draining\"} 1",
	        "sealane_workers{generation=\"1\",state=\"draining\"} 1",
	        "sealane_workers{generation=\"2\",state=\"running\"} 1",
	        "sealane_workers{generation=\"2\",state=\"hanging\"} 1",
	        "sealane_workers{generation=\"2\",state=\"draining\"} 0",
	        "sealane_reloads_total{outcome=\"done\"} 1",
	        "sealane_reloads_total{outcome=\"refused\"} 0",
	        "sealane_connections_accepted_total 12",
	        "sealane_client_handshakes_total{kind=\"full\"} 3",
	        "sealane_client_handshakes_total{kind=\"resumed\"} 4",
	        "sealane_http_responses_total{class=\"5xx\"} 2",
	        "sealane_connections_closed_total{reason=\"done\"} 1",
	        "sealane_upstream_failed_attempts_total{reason=\"upstream_verify\"} 1",
	        "sealane_http_request_duration_seconds_bucket{le=\"0.0005\"} 0",
	        "sealane_http_request_duration_seconds_bucket{le=\"0.001\"} 1",
	        "sealane_http_request_duration_seconds_bucket{le=\"60\"} 1",
	        "sealane_http_request_duration_seconds_bucket{le=\"+Inf\"} 2",
	        "sealane_http_request_duration_seconds_sum 100.001000",
	        "sealane_http_request_duration_seconds_count 2",
	        "sealane_tls_session_misses_total{side=\"upstream\"} 1",
	        "sealane_tls_session_misses_total{side=\"client\"} 0",
	        /* clang-format off */
	        "sealane_certificate_not_after_timestamp_seconds{side=\"upstream\",section=\"tcp redis\"} 946684800",
	        "sealane_certificate_not_after_timestamp_seconds{side=\"client\",section=\"http site\"} 4102444800",
	        "sealane_certificate_not_after_timestamp_seconds{side=\"upstream\",section=\"location site = /api\"} 946684800",
	        /* clang-format on */
	};
	struct status_rig rig;
	struct tls_session_key key = {{1}};
	struct tls_session_info info;
	static char buffer[TLS_SESSION_BYTES_MAX];

	(void)state;
	status_rig_open(&rig);
	struct scoreboard_row *row = status_rig_add_worker(&rig, 0, 2, WORKER_RUNNING);
	struct scoreboard_row *hanging = status_rig_add_worker(&rig, 1, 2, WORKER_RUNNING);
	struct scoreboard_row *old = status_rig_add_worker(&rig, 0, 1, WORKER_DRAINING);
	atomic_store(&hanging->stamp_ms, 1);
	atomic_store(&row->sessions, 3);
	atomic_store(&old->sessions, 4);
	scoreboard_count_master(rig.scoreboard, MASTER_STAT_RELOADS_DONE);
	scoreboard_count(row, STAT_ACCEPTED, 5);
	scoreboard_count(old, STAT_ACCEPTED, 7);
	scoreboard_count(row, STAT_CLIENT_HANDSHAKES_FULL, 3);
	scoreboard_count(row, STAT_CLIENT_HANDSHAKES_RESUMED, 4);
	scoreboard_count(row, stat_of_http_status(502), 2);
	scoreboard_count_close(row, CLOSE_DONE);
	scoreboard_count_failed_attempt(row, CLOSE_UPSTREAM_VERIFY);
	scoreboard_observe(row, HISTOGRAM_REQUEST_SECONDS, 1000);
	scoreboard_observe(row, HISTOGRAM_REQUEST_SECONDS, 100 * 1000 * 1000);
	tls_session_store_take(
	        rig.session_store, TLS_SESSION_CLIENT_SIDE, &key, 1, buffer, sizeof(buffer), &info);

	char *text = metrics_of(&rig);
	expect_lines(text, wanted, sizeof(wanted) / sizeof(wanted[0]));
	free(text);
	status_rig_close(&rig);
}

static void servers_are_shown_once_with_their_state_and_sums(void **state)
{
#define ONE "{upstream=\"back\\\"end\\\\\",server=\"one.example.com:443\",address=\"10.0.0.1:443\""
#define TWO "{upstream=\"back\\\"end\\\\\",server=\"two.example.com:443\",address=\"10.0.0.2:443\""
	static const char *const wanted[] = {
	        "sealane_server_up" ONE "} 1",
	        "sealane_server_up" TWO "} 0",
	        "sealane_server_up{upstream=\"back\\\"end\\\\\",server=\"unknown.example.com:443\","
	        "address=\"-\"} 0",
	        "sealane_server_up{upstream=\"redis\",server=\"[::1]:6379\",address=\"[::1]:6379\"}"
	        " "
	        "0",
	        "sealane_server_attempts_total" ONE "} 5",
	        "sealane_server_attempts_total" TWO "} 30",
	        "sealane_server_bytes_total" ONE ",direction=\"in\"} 9",
	        "sealane_server_handshakes_total" ONE ",kind=\"resumed\"} 0",
	};
	struct status_rig rig;

	(void)state;
	status_rig_open(&rig);
	upstream_state_count(rig.upstream_state, 0, UPSTREAM_STAT_ATTEMPTS, 5);
	upstream_state_count(rig.upstream_state, 0, UPSTREAM_STAT_BYTES_IN, 9);
	upstream_state_count(rig.upstream_state, 1, UPSTREAM_STAT_ATTEMPTS, 10);
	upstream_state_count(rig.upstream_state, 2, UPSTREAM_STAT_ATTEMPTS, 20);
	char *text = metrics_of(&rig);
	expect_lines(text, wanted, sizeof(wanted) / sizeof(wanted[0]));
	free(text);
	status_rig_close(&rig);
}

struct format {
	char family[128], type[16];
	char families[128][128];
	size_t family_count;
	char series[1024][256];
	size_t series_count;
};

static void read_comment(struct format *format, const char *line)
{
	char name[128];

	if (sscanf(line, "# HELP %127s %*[^\n]", name) == 1) {
		for (size_t i = 0; i < format->family_count; i++)
			assert_string_not_equal(format->families[i], name);
		strcpy(format->families[format->family_count++], name);
		strcpy(format->family, name);
		*format->type = '\0';
		return;
	}
	assert_int_equal(sscanf(line, "# TYPE %127s %15s", name, format->type), 2);
	assert_string_equal(name, format->family);
}

static void read_sample(struct format *format, const char *line)
{
	const char *value = strrchr(line, ' ');
	size_t name_length = strcspn(line, "{ ");
	const char *suffix = line + strlen(format->family);

	assert_non_null(value);
	assert_memory_equal(line, format->family, strlen(format->family));
	if (strcmp(format->type, "histogram") != 0)
		assert_int_equal(name_length, strlen(format->family));
	else
		assert_true(strncmp(suffix, "_bucket{", 8) == 0 ||
		            strncmp(suffix, "_sum ", 5) == 0 || strncmp(suffix, "_count ", 7) == 0);
	bool counts = strcmp(format->type, "counter") == 0;
	assert_int_equal(
	        counts, name_length > 6 && memcmp(line + name_length - 6, "_total", 6) == 0);
	assert_int_equal(strspn(value + 1, "-0123456789."), strlen(value + 1));

	char *series = format->series[format->series_count];
	snprintf(series, sizeof(format->series[0]), "%.*s", (int)(value - line), line);
	for (size_t i = 0; i < format->series_count; i++)
		assert_string_not_equal(format->series[i], series);
	format->series_count++;
}

/* Each family stands together under its HELP and TYPE, no series comes twice. */
static void the_format_is_kept(void **state)
{
	struct status_rig rig;
	static struct format format;

	(void)state;
	status_rig_open(&rig);
	status_rig_add_worker(&rig, 0, 2, WORKER_RUNNING);
	status_rig_add_worker(&rig, 0, 1, WORKER_DRAINING);
	char *text = metrics_of(&rig);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (*line == '#')
			read_comment(&format, line);
		else
			read_sample(&format, line);
	}
	assert_true(format.family_count > 30);
	free(text);
	status_rig_close(&rig);
}

static void without_a_worker_nothing_is_healthy(void **state)
{
	static const char *const wanted[] = {
	        "sealane_healthy 0",
	        "sealane_generations{state=\"serving\"} 1",
	        "sealane_generations{state=\"starting\"} 1",
	        "sealane_workers{generation=\"2\",state=\"draining\"} 1",
	        "sealane_workers{generation=\"3\",state=\"starting\"} 1",
	};
	struct status_rig rig;

	(void)state;
	status_rig_open(&rig);
	status_rig_add_worker(&rig, 0, 3, WORKER_STARTING);
	status_rig_add_worker(&rig, 0, 2, WORKER_DRAINING);
	char *text = metrics_of(&rig);
	expect_lines(text, wanted, sizeof(wanted) / sizeof(wanted[0]));
	free(text);
	status_rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(everything_counted_is_shown),
	        cmocka_unit_test(servers_are_shown_once_with_their_state_and_sums),
	        cmocka_unit_test(the_format_is_kept),
	        cmocka_unit_test(without_a_worker_nothing_is_healthy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
