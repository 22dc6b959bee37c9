/* SPDX-License-Identifier: BSD-2-Clause */
/* weighted_order_test.c - the orders nginx gives, shares that are exact, and weights of any size.
 */
#include "worker/upstream/weighted_order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void orders_are_those_of_smooth_round_robin(void **state)
{
	static const struct {
		const char *order;
		size_t count;
		uint32_t weights[4];
	} rows[] = {
	        {"a", 1, {1}},
	        {"a", 1, {4000000000u}},
	        {"abc", 3, {1, 1, 1}},
	        {"aabacaa", 3, {5, 1, 1}},
	        {"aba", 2, {2, 1}},
	        {"aba", 2, {200, 100}},
	        {"bab", 2, {50, 100}},
	        {"abca", 3, {20, 10, 10}},
	        {"abcadbca", 4, {3, 2, 2, 1}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct weighted_order order;
		char text[64] = "";
		assert_true(weighted_order_open(&order, rows[i].weights, rows[i].count));
		assert_true(order.length < sizeof(text));
		for (size_t turn = 0; turn < order.length; turn++)
			text[turn] = (char)('a' + order.turns[turn]);
		assert_string_equal(text, rows[i].order);
		weighted_order_close(&order);
	}
}

static uint32_t *counts_of(const struct weighted_order *order, size_t count)
{
	uint32_t *counts = calloc(count, sizeof(*counts));

	assert_non_null(counts);
	for (size_t turn = 0; turn < order->length; turn++) {
		assert_true(order->turns[turn] < count);
		counts[order->turns[turn]]++;
	}
	return counts;
}

static void each_has_its_share_of_a_cycle(void **state)
{
	(void)state;
	srand(2);
	for (int round = 0; round < 200; round++) {
		uint32_t weights[20];
		size_t count = 1 + (size_t)rand() % 20;
		struct weighted_order order;
		for (size_t i = 0; i < count; i++)
			weights[i] = 1 + (uint32_t)rand() % 30;
		assert_true(weighted_order_open(&order, weights, count));
		uint32_t *counts = counts_of(&order, count);
		for (size_t i = 0; i < count; i++)
			assert_int_equal(counts[i] * weights[0], counts[0] * weights[i]);
		free(counts);
		weighted_order_close(&order);
	}
}

/* Wherever one looks at a run of turns: nobody is two turns away from its share of it. */
static void shares_hold_in_any_part_of_a_cycle(void **state)
{
	static const uint32_t weights[] = {7, 5, 3, 1};
	struct weighted_order order;

	(void)state;
	assert_true(weighted_order_open(&order, weights, 4));
	assert_int_equal(order.length, 16);
	for (size_t from = 0; from < 16; from++) {
		int counts[4] = {0};
		for (int length = 1; length <= 16; length++) {
			counts[order.turns[(from + (size_t)length - 1) % 16]]++;
			for (int i = 0; i < 4; i++) {
				int off = counts[i] * 16 - (int)weights[i] * length;
				assert_true(abs(off) < 2 * 16);
			}
		}
	}
	weighted_order_close(&order);
}

static void big_weights_are_scaled_and_nobody_is_lost(void **state)
{
	static const struct {
		size_t count;
		uint32_t weights[4];
	} rows[] = {
	        {2, {1, 4294967295u}},
	        {3, {4294967295u, 4294967294u, 1}},
	        {4, {1000003, 500009, 250007, 1}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct weighted_order order;
		double sum = 0;
		assert_true(weighted_order_open(&order, rows[i].weights, rows[i].count));
		assert_true(order.length <= WEIGHTED_ORDER_MAX);
		uint32_t *counts = counts_of(&order, rows[i].count);
		for (size_t j = 0; j < rows[i].count; j++)
			sum += rows[i].weights[j];
		for (size_t j = 0; j < rows[i].count; j++) {
			double wanted = rows[i].weights[j] / sum, is = counts[j];
			is /= (double)order.length;
			assert_true(counts[j] >= 1);
			assert_true(is < wanted + 0.0001 && is > wanted - 0.0001);
		}
		free(counts);
		weighted_order_close(&order);
	}
}

static void a_thousand_equal_members_take_turns(void **state)
{
	enum { COUNT = 1000 };
	uint32_t weights[COUNT];
	struct weighted_order order;

	(void)state;
	for (size_t i = 0; i < COUNT; i++)
		weights[i] = 77;
	assert_true(weighted_order_open(&order, weights, COUNT));
	assert_int_equal(order.length, COUNT);
	for (size_t i = 0; i < COUNT; i++)
		assert_int_equal(order.turns[i], i);
	weighted_order_close(&order);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(orders_are_those_of_smooth_round_robin),
	        cmocka_unit_test(each_has_its_share_of_a_cycle),
	        cmocka_unit_test(shares_hold_in_any_part_of_a_cycle),
	        cmocka_unit_test(big_weights_are_scaled_and_nobody_is_lost),
	        cmocka_unit_test(a_thousand_equal_members_take_turns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
