/* SPDX-License-Identifier: BSD-2-Clause */
/* access_log_test.c - both lines, field by field, and lines that nobody took. */
#include "worker/session/access_log.h"

#include "shared/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct address client;

static int setup(void **state)
{
	(void)state;
	setenv("TZ", "CET-1", 1);
	return address_parse(SLICE("192.0.2.7:50123"), 0, &client) ? 0 : -1;
}

static struct access_log_record usual(void)
{
	return (struct access_log_record){
	        .time = {1795544401, 5000000},
	        .client = &client,
	        .server_name = "backend",
	        .status = 200,
	        .upstream_addresses = "10.0.0.1:443",
	        .bytes_received = 517,
	        .bytes_sent = UINT64_MAX,
	        .duration_ms = 61042,
	        .upstream_protocol = "TLSv1.3",
	        .upstream_cipher = "TLS_AES_128_GCM_SHA256",
	        .upstream_resumed = true,
	        .reason = CLOSE_DONE,
	};
}

static void check(const struct access_log_record *record, const char *wanted)
{
	char line[ACCESS_LOG_LINE_MAX];

	memset(line, 'x', sizeof(line));
	size_t length = access_log_format(record, ACCESS_LOG_UPSTREAM_TLS, line);
	assert_int_equal(length, strlen(line));
	assert_string_equal(line, wanted);
}

static void each_field_has_its_place(void **state)
{
	struct access_log_record record = usual();

	(void)state;
	check(&record,
	        "2026-11-24T19:20:01+01:00 192.0.2.7:50123 backend \"-\" 200 up=10.0.0.1:443 in=517"
	        " out=18446744073709551615 time=61.042 tls=TLSv1.3 cipher=TLS_AES_128_GCM_SHA256"
	        " session=r end=done\n");
	record.upstream_resumed = false;
	record.upstream_addresses = "10.0.0.1:443, 10.0.0.2:443";
	record.request = SLICE("GET / HTTP/1.1");
	record.bytes_sent = 0;
	record.duration_ms = 7;
	check(&record, "2026-11-24T19:20:01+01:00 192.0.2.7:50123 backend \"GET / HTTP/1.1\" 200"
	               " up=10.0.0.1:443, 10.0.0.2:443 in=517 out=0 time=0.007 tls=TLSv1.3"
	               " cipher=TLS_AES_128_GCM_SHA256 session=. end=done\n");
}

static void what_does_not_apply_is_a_dash(void **state)
{
	struct access_log_record record = {.client = &client, .reason = CLOSE_NO_UPSTREAM};

	(void)state;
	check(&record,
	        "1970-01-01T01:00:00+01:00 192.0.2.7:50123 - \"-\" - up=- in=0 out=0 time=0.000"
	        " tls=- cipher=- session=- end=no_upstream\n");
	record.upstream_addresses = "";
	record.server_name = "";
	record.upstream_resumed = true; /* means nothing without TLS */
	check(&record,
	        "1970-01-01T01:00:00+01:00 192.0.2.7:50123 - \"-\" - up=- in=0 out=0 time=0.000"
	        " tls=- cipher=- session=- end=no_upstream\n");
}

static void zones_west_of_greenwich_have_a_minus(void **state)
{
	struct access_log_record record = usual();
	char line[ACCESS_LOG_LINE_MAX];

	(void)state;
	setenv("TZ", "NST3:30", 1);
	tzset();
	access_log_format(&record, ACCESS_LOG_UPSTREAM_TLS, line);
	setenv("TZ", "CET-1", 1);
	tzset();
	assert_memory_equal(line, "2026-11-24T14:50:01-03:30 ", 26);
}

static void a_line_stays_one_line_of_bounded_length(void **state)
{
	struct access_log_record record = usual();
	char line[ACCESS_LOG_LINE_MAX], *text = malloc(100000);

	(void)state;
	assert_non_null(text);
	memset(text, '\n', 100000);
	text[99999] = '\0';
	record.request = (struct slice){text, 99999};
	size_t length = access_log_format(&record, ACCESS_LOG_UPSTREAM_TLS, line);
	assert_true(length < ACCESS_LOG_LINE_MAX);
	assert_ptr_equal(strchr(line, '\n'), line + length - 1);
	assert_non_null(strstr(line, "\\x0a...\" 200 up="));
	assert_non_null(strstr(line, " end=done\n"));

	memset(text, 'u', 99999);
	record.upstream_addresses = record.upstream_cipher = record.server_name = text;
	length = access_log_format(&record, ACCESS_LOG_UPSTREAM_TLS, line);
	assert_int_equal(length, ACCESS_LOG_LINE_MAX - 1);
	assert_ptr_equal(strchr(line, '\n'), line + length - 1);
	free(text);
}

static void check_combined(const struct access_log_record *record, const char *wanted)
{
	char line[ACCESS_LOG_LINE_MAX];

	memset(line, 'x', sizeof(line));
	size_t length = access_log_format(record, ACCESS_LOG_COMBINED, line);
	assert_int_equal(length, strlen(line));
	assert_string_equal(line, wanted);
}

static void combined_is_as_nginx_writes_it(void **state)
{
	struct access_log_record record = usual();

	(void)state;
	record.request = SLICE("GET /a?b HTTP/1.1");
	record.body_bytes_sent = 612;
	record.referer = SLICE("https://example.com/");
	record.user_agent = SLICE("curl/8.5 (it's)");
	check_combined(&record,
	        "192.0.2.7 - - [24/Nov/2026:19:20:01 +0100] \"GET /a?b HTTP/1.1\" 200 "
	        "612 \"https://example.com/\" \"curl/8.5 (it's)\"\n");
	record.request = SLICE("G\"\\\x16\x7f\xc3\xa9 \t");
	record.referer = record.user_agent = SLICE("");
	record.body_bytes_sent = UINT64_MAX;
	record.status = 0;
	check_combined(&record,
	        "192.0.2.7 - - [24/Nov/2026:19:20:01 +0100] \"G\\x22\\x5C\\x16\\x7F\\xC3\\xA9 "
	        "\\x09\" 000 18446744073709551615 \"-\" \"-\"\n");
}

static void combined_stays_one_line_of_bounded_length(void **state)
{
	struct access_log_record record = usual();
	char line[ACCESS_LOG_LINE_MAX], text[9000];

	(void)state;
	for (int c = 'a'; c >= '\n'; c -= 'a' - '\n') {
		memset(text, c, sizeof(text));
		record.request = record.referer = record.user_agent = (struct slice){
		        text, sizeof(text)};
		size_t length = access_log_format(&record, ACCESS_LOG_COMBINED, line);
		assert_true(length < ACCESS_LOG_LINE_MAX);
		assert_int_equal(length, strlen(line));
		assert_ptr_equal(strchr(line, '\n'), line + length - 1);
		const char *cut = strstr(line, "...\" 200 0 \"");
		assert_non_null(cut);
		assert_true(cut + 3 - strchr(line, '"') - 1 <= 2048);
		assert_non_null(strstr(line, "...\"\n"));
	}
}

static void the_clock_keeps_a_second_for_each_format(void **state)
{
	struct access_log_clock clock = {0};
	struct access_log_record record = usual();
	char line[ACCESS_LOG_LINE_MAX];

	(void)state;
	record.clock = &clock;
	for (int i = 0; i < 3; i++) {
		if (i == 2)
			record.time.tv_sec++;
		access_log_format(&record, ACCESS_LOG_UPSTREAM_TLS, line);
		assert_memory_equal(line,
		        i < 2 ? "2026-11-24T19:20:01+01:00 " : "2026-11-24T19:20:02+01:00 ", 26);
		access_log_format(&record, ACCESS_LOG_COMBINED, line);
		assert_non_null(strstr(line,
		        i < 2 ? "[24/Nov/2026:19:20:01 +0100]" : "[24/Nov/2026:19:20:02 +0100]"));
	}
	memcpy(clock.of[ACCESS_LOG_COMBINED].text, "kept", 5);
	access_log_format(&record, ACCESS_LOG_COMBINED, line);
	assert_non_null(strstr(line, "[kept]"));
	record.time = (struct timespec){0, 0};
	clock = (struct access_log_clock){0};
	access_log_format(&record, ACCESS_LOG_COMBINED, line);
	assert_non_null(strstr(line, "[01/Jan/1970:01:00:00 +0100]"));
}

static void each_log_gets_its_format(void **state)
{
	struct access_log_record record = usual();
	const struct config_access_log logs[] = {
	        {1, ACCESS_LOG_COMBINED}, {0, ACCESS_LOG_UPSTREAM_TLS}};
	struct log_file files[2] = {{.path = "a", .fd = -1}, {.path = "b", .fd = -1}};
	int pipes[2][2];
	char text[ACCESS_LOG_LINE_MAX];

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pipe2(pipes[i], O_NONBLOCK), 0);
		log_file_replace(&files[i], pipes[i][1]);
	}
	access_log_write_all(&record, logs, 2, files);
	ssize_t got = read(pipes[0][0], text, sizeof(text));
	assert_true(got > 26);
	assert_memory_equal(text, "2026-11-24T", 11);
	got = read(pipes[1][0], text, sizeof(text));
	assert_true(got > 26);
	assert_memory_equal(text, "192.0.2.7 - - [", 15);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(read(pipes[i][0], text, sizeof(text)), -1);
		log_file_close(&files[i]);
		close(pipes[i][0]);
	}
}

static void dropped_lines_are_told_in_the_error_log(void **state)
{
	int pipes[2], null = open("/dev/null", O_WRONLY), full = open("/dev/full", O_WRONLY);
	struct log_file errors = {.path = "pipe", .fd = -1}, file = {.path = "a.log", .fd = -1};
	char text[512];

	(void)state;
	assert_int_equal(pipe2(pipes, O_NONBLOCK), 0);
	log_file_replace(&errors, pipes[1]);
	log_set_sinks(&(struct log_sink){&errors, LOG_WARN}, 1);
	log_file_replace(&file, full);
	access_log_write(&file, "one\n", 4);
	access_log_write(&file, "two\n", 4);
	assert_int_equal(file.lines_dropped, 2);
	ssize_t got = read(pipes[0], text, sizeof(text) - 1);
	assert_true(got > 0);
	text[got] = '\0';
	assert_non_null(strstr(text, "[error]"));
	assert_non_null(
	        strstr(text, "access log a.log: No space left on device; its lines are dropped"));
	assert_int_equal(read(pipes[0], text, sizeof(text)), -1); /* told once */
	log_file_replace(&file, null);
	access_log_write(&file, "three\n", 6);
	assert_int_equal(file.lines_dropped, 0);
	got = read(pipes[0], text, sizeof(text) - 1);
	assert_true(got > 0);
	text[got] = '\0';
	assert_non_null(strstr(text, "access log a.log: 2 lines were dropped"));
	access_log_write(&file, "four\n", 5);
	assert_int_equal(read(pipes[0], text, sizeof(text)), -1);
	log_set_sinks(NULL, 0);
	log_file_close(&errors);
	log_file_close(&file);
	close(pipes[0]);
}

static void dropped_lines_are_told_at_the_end_too(void **state)
{
	int pipes[2];
	struct log_file errors = {.path = "pipe", .fd = -1};
	struct log_file files[] = {{.path = "a.log", .fd = -1}, {.path = "b.log", .fd = -1}};
	char text[512];

	(void)state;
	assert_int_equal(pipe2(pipes, O_NONBLOCK), 0);
	log_file_replace(&errors, pipes[1]);
	log_set_sinks(&(struct log_sink){&errors, LOG_WARN}, 1);
	files[1].lines_dropped = 7;
	access_log_tell_dropped(files, 2);
	ssize_t got = read(pipes[0], text, sizeof(text) - 1);
	assert_true(got > 0);
	text[got] = '\0';
	assert_non_null(strstr(text, "access log b.log: 7 lines were dropped"));
	assert_null(strstr(text, "a.log"));
	access_log_tell_dropped(files, 2);
	assert_int_equal(read(pipes[0], text, sizeof(text)), -1);
	log_set_sinks(NULL, 0);
	log_file_close(&errors);
	close(pipes[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_field_has_its_place),
	        cmocka_unit_test(what_does_not_apply_is_a_dash),
	        cmocka_unit_test(zones_west_of_greenwich_have_a_minus),
	        cmocka_unit_test(a_line_stays_one_line_of_bounded_length),
	        cmocka_unit_test(combined_is_as_nginx_writes_it),
	        cmocka_unit_test(combined_stays_one_line_of_bounded_length),
	        cmocka_unit_test(the_clock_keeps_a_second_for_each_format),
	        cmocka_unit_test(each_log_gets_its_format),
	        cmocka_unit_test(dropped_lines_are_told_in_the_error_log),
	        cmocka_unit_test(dropped_lines_are_told_at_the_end_too),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
