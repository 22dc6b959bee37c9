/* SPDX-License-Identifier: BSD-2-Clause */
/* upstream_state_test.c - records of their own, shared, and taken along by what has not changed. */
#include "shared/upstream_state.h"

#include "shared/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void records_are_zero_apart_and_shared(void **state)
{
	struct upstream_state *upstreams = upstream_state_create(3, 2);
	int status;

	(void)state;
	assert_non_null(upstreams);
	pid_t child = fork();
	if (child == 0) {
		for (size_t i = 0; i < 3; i++) {
			struct upstream_endpoint_state *endpoint = upstream_state_endpoint(
			        upstreams, i);
			if (endpoint->failures || endpoint->outage)
				_exit(1);
			endpoint->failures = 10 + i;
			endpoint->outage = 20 + i;
		}
		for (size_t i = 0; i < 2; i++) {
			struct upstream_group_state *group = upstream_state_group(upstreams, i);
			if (group->tickets[0] || group->tickets[1])
				_exit(1);
			group->tickets[0] = 30 + i;
			group->tickets[1] = 40 + i;
		}
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(upstream_state_endpoint(upstreams, i)->failures, 10 + i);
		assert_int_equal(upstream_state_endpoint(upstreams, i)->outage, 20 + i);
	}
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(upstream_state_group(upstreams, i)->tickets[0], 30 + i);
		assert_int_equal(upstream_state_group(upstreams, i)->tickets[1], 40 + i);
	}
	upstream_state_destroy(upstreams);
}

static void nothing_to_keep_is_fine(void **state)
{
	(void)state;
	struct upstream_state *upstreams = upstream_state_create(0, 0);
	assert_non_null(upstreams);
	upstream_state_destroy(upstreams);
	upstream_state_destroy(NULL);
	assert_null(upstream_state_create(SIZE_MAX / 2, 1));
}

static struct config_endpoint endpoint(const char *server, const char *address, uint32_t index)
{
	struct config_endpoint endpoint = {
	        .server = server, .weight = 1, .state_index = index, .max_fails = 1};

	if (address)
		assert_true(address_parse(slice_of(address), 0, &endpoint.address));
	return endpoint;
}

static struct config config_of(const struct config_group *groups, size_t count)
{
	struct config config = {.groups = groups, .group_count = count};

	for (size_t i = 0; i < count; i++)
		config.endpoint_count += groups[i].endpoint_count;
	return config;
}

static struct config_group group_of(const struct config_endpoint *endpoints, size_t count)
{
	return (struct config_group){.name = "a", .endpoints = endpoints, .endpoint_count = count};
}

static uint64_t requests(const struct upstream_state *state, size_t index)
{
	return upstream_state_counted(state, index, UPSTREAM_STAT_REQUESTS);
}

static void count_requests(const struct upstream_state *state, size_t index, uint64_t amount)
{
	upstream_state_count(state, index, UPSTREAM_STAT_REQUESTS, amount);
}

/* Both go on counting during a reload, each for itself and in the same place. */
static void generations_count_together(void **state)
{
	(void)state;
	const struct config_endpoint old_endpoints[] = {
	        endpoint("one:1", "10.0.0.1:1", 0),
	        endpoint("two:1", "10.0.0.2:1", 1),
	        endpoint("two:1", "10.0.0.2:1", 2),
	};
	const struct config_endpoint new_endpoints[] = {
	        endpoint("three:1", "10.0.0.3:1", 0),
	        endpoint("two:1", "10.0.0.2:1", 1),
	        endpoint("two:1", "10.0.0.2:1", 2),
	        endpoint("one:1", "10.0.0.1:1", 3),
	        endpoint("one:1", "10.0.0.1:1", 4),
	};
	const struct config_group old_group = group_of(old_endpoints, 3);
	const struct config_group new_group = group_of(new_endpoints, 5);
	const struct config old_config = config_of(&old_group, 1);
	const struct config new_config = config_of(&new_group, 1);
	struct upstream_state *old = upstream_state_create(3, 1);
	struct upstream_state *new = upstream_state_create(5, 1);

	for (size_t i = 0; i < 3; i++)
		count_requests(old, i, 10 + i);
	upstream_state_carry_over(old, &old_config, new, &new_config);
	count_requests(old, 0, 100);
	count_requests(new, 3, 1000);
	upstream_state_count(new, 3, UPSTREAM_STAT_REUSED, 7);
	assert_int_equal(requests(new, 0), 0);
	assert_int_equal(requests(new, 1), 11);
	assert_int_equal(requests(new, 2), 12);
	assert_int_equal(requests(new, 3), 1110);
	assert_int_equal(requests(new, 4), 0); /* a second one like it, which is new */
	assert_int_equal(requests(old, 0), 1110);
	upstream_state_destroy(old);
	assert_int_equal(upstream_state_counted(new, 3, UPSTREAM_STAT_REUSED), 7);
	upstream_state_destroy(new);
}

/* Servers that come and go use up the rows; then a new segment starts, with what was counted. */
static void counts_outlive_any_number_of_reloads(void **state)
{
	(void)state;
	enum { SERVERS = 1000, RELOADS = 20 };
	static char names[2][SERVERS][32];
	static struct config_endpoint endpoints[2][SERVERS + 1];
	struct upstream_state *states[2] = {NULL, NULL};
	struct config_group groups[2];
	struct config configs[2];

	for (uint32_t round = 0; round < RELOADS; round++) {
		uint32_t now = round % 2, before = !now;
		endpoints[now][0] = endpoint("stays:1", "10.0.0.1:1", 0);
		for (uint32_t i = 0; i < SERVERS; i++) {
			snprintf(names[now][i], sizeof(names[now][i]), "%u-%u:1", round, i);
			endpoints[now][i + 1] = endpoint(names[now][i], "10.0.0.2:1", i + 1);
		}
		groups[now] = group_of(endpoints[now], SERVERS + 1);
		configs[now] = config_of(&groups[now], 1);
		states[now] = upstream_state_create(SERVERS + 1, 1);
		if (states[before])
			upstream_state_carry_over(
			        states[before], &configs[before], states[now], &configs[now]);
		assert_int_equal(requests(states[now], 0), round);
		for (uint32_t i = 1; i <= SERVERS; i++)
			assert_int_equal(requests(states[now], i), 0);
		for (uint32_t i = 0; i <= SERVERS; i++)
			count_requests(states[now], i, 1);
		upstream_state_destroy(states[before]);
		states[before] = NULL;
	}
	upstream_state_destroy(states[(RELOADS - 1) % 2]);
}

static void unchanged_servers_take_their_state_along(void **state)
{
	(void)state;
	const struct config_endpoint old_a[] = {
	        endpoint("one:1", "10.0.0.1:1", 0),
	        endpoint("two:1", "10.0.0.2:1", 1),
	        endpoint("two:1", "10.0.0.3:1", 2),
	        endpoint("three:1", NULL, 3),
	};
	const struct config_endpoint old_b[] = {endpoint("one:1", "10.0.0.1:1", 4)};
	const struct config_group old_groups[] = {
	        {.name = "a", .endpoints = old_a, .endpoint_count = 4, .state_index = 0},
	        {.name = "b", .endpoints = old_b, .endpoint_count = 1, .state_index = 1},
	};
	const struct config old_config = {
	        .groups = old_groups, .group_count = 2, .endpoint_count = 5};

	static const struct {
		const char *what, *server, *address;
		uint64_t wanted; /* of its outage; the old ones have 100 + index */
	} rows[] = {
	        {"one address of two, elsewhere in the list", "two:1", "10.0.0.3:1", 102},
	        {"another address", "one:1", "10.0.0.9:1", 0},
	        {"another port", "two:1", "10.0.0.2:2", 0},
	        {"another text", "zwei:1", "10.0.0.2:1", 0},
	        {"does not resolve now either", "three:1", NULL, 103},
	        {"does not resolve any more", "one:1", NULL, 0},
	        {"resolves now", "three:1", "10.0.0.4:1", 0},
	        {"unchanged", "one:1", "10.0.0.1:1", 100},
	};
	enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
	struct config_endpoint new_a[ROWS];
	const struct config_endpoint new_c[] = {endpoint("one:1", "10.0.0.1:1", ROWS)};
	for (uint32_t i = 0; i < ROWS; i++)
		new_a[i] = endpoint(rows[i].server, rows[i].address, i);
	const struct config_group new_groups[] = {
	        {.name = "c", .endpoints = new_c, .endpoint_count = 1, .state_index = 0},
	        {.name = "a", .endpoints = new_a, .endpoint_count = ROWS, .state_index = 1},
	};
	const struct config new_config = {
	        .groups = new_groups, .group_count = 2, .endpoint_count = ROWS + 1};

	struct upstream_state *old = upstream_state_create(5, 2);
	struct upstream_state *new = upstream_state_create(ROWS + 1, 2);
	assert_true(old && new);
	for (size_t i = 0; i < 5; i++) {
		upstream_state_endpoint(old, i)->outage = 100 + i;
		upstream_state_endpoint(old, i)->failures = 200 + i;
	}
	upstream_state_group(old, 0)->tickets[0] = 7;
	upstream_state_group(old, 0)->tickets[1] = 8;
	upstream_state_group(old, 1)->tickets[0] = 9;
	upstream_state_carry_over(old, &old_config, new, &new_config);
	for (size_t i = 0; i < ROWS; i++) {
		struct upstream_endpoint_state *carried = upstream_state_endpoint(new, i);
		if (carried->outage != rows[i].wanted ||
		        carried->failures != (rows[i].wanted ? rows[i].wanted + 100 : 0))
			fail_msg("%s", rows[i].what);
	}
	assert_int_equal(upstream_state_endpoint(new, ROWS)->outage, 0);
	assert_int_equal(upstream_state_group(new, 0)->tickets[0], 0);
	assert_int_equal(upstream_state_group(new, 1)->tickets[0], 7);
	assert_int_equal(upstream_state_group(new, 1)->tickets[1], 8);
	upstream_state_destroy(old);
	upstream_state_destroy(new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(records_are_zero_apart_and_shared),
	        cmocka_unit_test(nothing_to_keep_is_fine),
	        cmocka_unit_test(unchanged_servers_take_their_state_along),
	        cmocka_unit_test(generations_count_together),
	        cmocka_unit_test(counts_outlive_any_number_of_reloads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
