/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balancer_test.c - who is chosen: shares over a cycle, alone and among processes, and who stands
 * in.
 */
#include "worker/upstream/balancer.h"

#include "shared/config.h"
#include "shared/upstream_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SERVERS_MAX = 1200, NOW = 1000000, FAIL_TIMEOUT_MS = 10000 };

/* One group of servers a, b, c, ... as a word says: "5", "1 backup", "1 down", "1 unresolved". */
struct rig {
	struct config_endpoint endpoints[SERVERS_MAX];
	struct config_group group;
	struct config config;
	struct upstream_state *state;
	struct balancer *balancer;
};

static void open_rig(struct rig *rig, const char *const *servers, size_t count)
{
	memset(rig, 0, sizeof(*rig));
	for (uint32_t i = 0; i < count; i++) {
		struct config_endpoint *endpoint = &rig->endpoints[i];
		*endpoint = (struct config_endpoint){
		        .server = "server",
		        .host = "server",
		        .weight = (uint32_t)atoi(servers[i]),
		        .max_fails = 1,
		        .fail_timeout_ms = FAIL_TIMEOUT_MS,
		        .backup = strstr(servers[i], "backup"),
		        .down = strstr(servers[i], "down"),
		        .state_index = i,
		};
		if (strstr(servers[i], "uncounted"))
			endpoint->max_fails = 0;
		if (!strstr(servers[i], "unresolved"))
			assert_true(address_parse(SLICE("127.0.0.1:9000"), 0, &endpoint->address));
	}
	rig->group = (struct config_group){
	        .name = "group", .endpoints = rig->endpoints, .endpoint_count = count};
	rig->config = (struct config){
	        .groups = &rig->group, .group_count = 1, .endpoint_count = count};
	rig->state = upstream_state_create(count, 1);
	assert_non_null(rig->state);
	rig->balancer = balancer_create(&rig->config, rig->state);
	assert_non_null(rig->balancer);
}

static void close_rig(struct rig *rig)
{
	balancer_destroy(rig->balancer);
	upstream_state_destroy(rig->state);
}

#define OPEN(rig, ...)                                                        \
	do {                                                                  \
		static const char *const servers[] = {__VA_ARGS__};           \
		open_rig(rig, servers, sizeof(servers) / sizeof(servers[0])); \
	} while (0)

static size_t choose_at(struct rig *rig, struct balancer_tries *tries, uint64_t now_ms)
{
	const struct config_endpoint *endpoint = balancer_choose(
	        rig->balancer, &rig->group, tries, now_ms);

	return endpoint ? (size_t)(endpoint - rig->endpoints) : SIZE_MAX;
}

/* The choices of `count` clients of one try each, as letters. */
static const char *first_choices(struct rig *rig, size_t count, uint64_t now_ms, char *text)
{
	for (size_t i = 0; i < count; i++) {
		struct balancer_tries tries = {0};
		size_t place = choose_at(rig, &tries, now_ms);
		text[i] = place == SIZE_MAX ? '-' : (char)('a' + place);
	}
	text[count] = '\0';
	return text;
}

/* All tries of one client. */
static const char *all_tries(struct rig *rig, uint64_t now_ms, char *text)
{
	struct balancer_tries tries = {0};
	size_t count = 0, place;

	while ((place = choose_at(rig, &tries, now_ms)) != SIZE_MAX) {
		assert_true(count < 60);
		text[count++] = (char)('a' + place);
	}
	text[count] = '\0';
	return text;
}

static bool fail_server(struct rig *rig, size_t place, uint64_t now_ms)
{
	return balancer_report_failure(rig->balancer, &rig->group, &rig->endpoints[place], now_ms);
}

static bool succeed(struct rig *rig, size_t place)
{
	return balancer_report_success(rig->balancer, &rig->group, &rig->endpoints[place], NOW);
}

static void weights_share_each_cycle(void **state)
{
	struct rig rig;
	char text[64];

	(void)state;
	OPEN(&rig, "5", "1", "1");
	assert_string_equal(first_choices(&rig, 14, NOW, text), "aabacaaaabacaa");
	close_rig(&rig);
	OPEN(&rig, "1 down", "1", "1 unresolved", "1", "1 backup");
	assert_string_equal(first_choices(&rig, 5, NOW, text), "bdbdb");
	close_rig(&rig);
	OPEN(&rig, "7");
	assert_string_equal(first_choices(&rig, 3, NOW, text), "aaa");
	close_rig(&rig);
	OPEN(&rig, "1 down", "1 unresolved");
	assert_string_equal(first_choices(&rig, 3, NOW, text), "---");
	close_rig(&rig);
}

/* Random weights, the choices of four processes at once: after whole cycles the counts are exact.
 */
static void workers_share_each_cycle(void **state)
{
	enum { WORKERS = 4, CYCLES = 50, COUNT = 6 };
	_Atomic uint32_t *counts = mmap(
	        NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct rig rig;

	(void)state;
	assert_ptr_not_equal(counts, MAP_FAILED);
	OPEN(&rig, "5", "1", "9", "2", "4", "3 down");
	for (int worker = 0; worker < WORKERS; worker++) {
		if (fork() != 0)
			continue;
		for (int i = 0; i < CYCLES * 21; i++) {
			struct balancer_tries tries = {0};
			counts[choose_at(&rig, &tries, NOW)]++;
		}
		_exit(0);
	}
	int status;
	while (wait(&status) > 0)
		assert_int_equal(status, 0);
	static const uint32_t weights[COUNT] = {5, 1, 9, 2, 4, 0};
	for (size_t i = 0; i < COUNT; i++)
		assert_int_equal(counts[i], weights[i] * CYCLES * WORKERS);
	munmap((void *)(uintptr_t)counts, 4096);
	close_rig(&rig);
}

static void those_left_keep_their_proportions(void **state)
{
	struct rig rig;
	size_t counts[4] = {0};

	(void)state;
	OPEN(&rig, "10", "3", "2", "1");
	assert_true(fail_server(&rig, 0, NOW));
	for (int i = 0; i < 6 * 100; i++) {
		struct balancer_tries tries = {0};
		counts[choose_at(&rig, &tries, NOW)]++;
	}
	assert_int_equal(counts[0], 0);
	assert_int_equal(counts[1], 300);
	assert_int_equal(counts[2], 200);
	assert_int_equal(counts[3], 100);
	close_rig(&rig);
}

static void each_server_is_tried_once(void **state)
{
	struct rig rig;
	char text[64];

	(void)state;
	OPEN(&rig, "1", "1", "1", "1 backup", "1 down");
	assert_string_equal(all_tries(&rig, NOW, text), "abcd");
	assert_string_equal(all_tries(&rig, NOW, text), "abcd");
	first_choices(&rig, 1, NOW, text);
	assert_string_equal(all_tries(&rig, NOW, text), "bcad");
	assert_true(fail_server(&rig, 1, NOW));
	assert_string_equal(all_tries(&rig, NOW, text) + 2, "db"); /* out: last of all */
	close_rig(&rig);
}

static void backups_serve_when_all_others_are_out(void **state)
{
	struct rig rig;
	char text[64];

	(void)state;
	OPEN(&rig, "1", "1", "2 backup", "1 backup");
	assert_true(fail_server(&rig, 0, NOW));
	assert_string_equal(first_choices(&rig, 3, NOW, text), "bbb");
	assert_true(fail_server(&rig, 1, NOW));
	assert_string_equal(first_choices(&rig, 6, NOW, text), "cdccdc");
	assert_true(fail_server(&rig, 2, NOW));
	assert_string_equal(first_choices(&rig, 3, NOW, text), "ddd");
	assert_true(fail_server(&rig, 3, NOW));
	/* All out: all are tried all the same, servers first. */
	assert_string_equal(first_choices(&rig, 4, NOW, text), "abab");
	assert_string_equal(all_tries(&rig, NOW, text), "abcd");
	assert_true(succeed(&rig, 1));
	assert_string_equal(first_choices(&rig, 3, NOW, text), "bbb");
	close_rig(&rig);
}

static void a_server_comes_back_by_a_probe(void **state)
{
	struct rig rig;
	char text[64];

	(void)state;
	OPEN(&rig, "1", "1");
	assert_true(fail_server(&rig, 0, NOW));
	assert_false(fail_server(&rig, 0, NOW));
	assert_string_equal(first_choices(&rig, 3, NOW + 9999, text), "bbb");
	const char *probed = first_choices(&rig, 4, NOW + 10000, text);
	assert_true(strchr(probed, 'a') && strchr(probed, 'a') == strrchr(probed, 'a'));
	assert_true(succeed(&rig, 0));
	assert_false(succeed(&rig, 0));
	assert_string_equal(first_choices(&rig, 2, NOW + 10000, text) + 2, "");
	assert_true(strchr(text, 'a') && strchr(text, 'b'));
	close_rig(&rig);
}

static void some_servers_never_go_out(void **state)
{
	struct rig rig;
	char text[64];

	(void)state;
	OPEN(&rig, "1");
	for (int i = 0; i < 5; i++)
		assert_false(fail_server(&rig, 0, NOW));
	assert_string_equal(first_choices(&rig, 2, NOW, text), "aa");
	close_rig(&rig);
	OPEN(&rig, "1 uncounted", "1");
	for (int i = 0; i < 5; i++)
		assert_false(fail_server(&rig, 0, NOW));
	assert_string_equal(first_choices(&rig, 4, NOW, text), "abab");
	/* Not even when a configuration of before has left a mark. */
	upstream_state_endpoint(rig.state, 0)->outage = UINT64_MAX;
	assert_string_equal(first_choices(&rig, 4, NOW, text), "abab");
	close_rig(&rig);
}

static void an_outage_is_seen_by_all_workers(void **state)
{
	struct rig rig;
	int status;
	char text[64];

	(void)state;
	OPEN(&rig, "1", "1");
	if (fork() == 0)
		_exit(fail_server(&rig, 1, NOW) ? 0 : 1);
	assert_true(wait(&status) > 0);
	assert_int_equal(status, 0);
	assert_string_equal(first_choices(&rig, 3, NOW, text), "aaa");
	close_rig(&rig);
}

/* More servers than a client can keep apart: it still ends, and tries no server twice. */
static void a_thousand_dead_servers_come_to_an_end(void **state)
{
	static struct rig rig;
	static const char *servers[SERVERS_MAX];
	static bool tried[SERVERS_MAX];
	struct balancer_tries tries = {0};
	size_t place, count = 0;

	(void)state;
	for (size_t i = 0; i < SERVERS_MAX; i++)
		servers[i] = "1 uncounted";
	open_rig(&rig, servers, SERVERS_MAX);
	while ((place = choose_at(&rig, &tries, NOW)) != SIZE_MAX) {
		assert_false(tried[place]);
		tried[place] = true;
		count++;
	}
	assert_int_equal(count, BALANCER_TRIES_BITS);
	close_rig(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(weights_share_each_cycle),
	        cmocka_unit_test(workers_share_each_cycle),
	        cmocka_unit_test(those_left_keep_their_proportions),
	        cmocka_unit_test(each_server_is_tried_once),
	        cmocka_unit_test(backups_serve_when_all_others_are_out),
	        cmocka_unit_test(a_server_comes_back_by_a_probe),
	        cmocka_unit_test(some_servers_never_go_out),
	        cmocka_unit_test(an_outage_is_seen_by_all_workers),
	        cmocka_unit_test(a_thousand_dead_servers_come_to_an_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
