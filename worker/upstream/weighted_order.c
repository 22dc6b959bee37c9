/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * weighted_order.c - the order that nginx's smooth weighted round robin gives, for a whole cycle.
 *
 * At each turn every member's credit grows by its weight; the one with the most (the first of
 * equals) has the turn and pays the sum of all weights. 5:1:1 gives a a b a c a a. A table, since
 * credits would be state that all workers write at each connection; a place in a table is one
 * atomic number.
 */
#include "worker/upstream/weighted_order.h"

#include "shared/check.h"

#include <stdlib.h>

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

static uint64_t sum_of(const uint64_t *weights, size_t count)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += weights[i];
	return sum;
}

static void reduce(uint64_t *weights, size_t count)
{
	uint64_t divisor = 0;

	for (size_t i = 0; i < count; i++)
		divisor = common_divisor(divisor, weights[i]);
	CHECK(divisor || !count);
	for (size_t i = 0; i < count; i++)
		weights[i] /= divisor;
}

/* Every member keeps a turn; what remains is shared by weight. */
static void scale(uint64_t *weights, size_t count)
{
	uint64_t sum = sum_of(weights, count);
	uint64_t room = count < WEIGHTED_ORDER_MAX ? WEIGHTED_ORDER_MAX - count : 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t share = weights[i] * room / sum;
		weights[i] = share ? share : 1;
	}
}

static void lay_out(
        uint32_t *turns, size_t length, const uint64_t *weights, int64_t *credits, size_t count)
{
	for (size_t turn = 0; turn < length; turn++) {
		size_t best = 0;
		for (size_t i = 0; i < count; i++) {
			credits[i] += (int64_t)weights[i];
			if (credits[i] > credits[best])
				best = i;
		}
		credits[best] -= (int64_t)length;
		turns[turn] = (uint32_t)best;
	}
}

bool weighted_order_open(struct weighted_order *order, const uint32_t *weights, size_t count)
{
	uint64_t *reduced = calloc(count, sizeof(*reduced));
	int64_t *credits = calloc(count, sizeof(*credits));

	*order = (struct weighted_order){NULL, 0};
	if (reduced && credits) {
		for (size_t i = 0; i < count; i++)
			reduced[i] = weights[i];
		reduce(reduced, count);
		if (sum_of(reduced, count) > WEIGHTED_ORDER_MAX) {
			scale(reduced, count);
			reduce(reduced, count);
		}
		order->length = (size_t)sum_of(reduced, count);
		order->turns = calloc(order->length, sizeof(*order->turns));
		if (order->turns)
			lay_out(order->turns, order->length, reduced, credits, count);
	}
	free(credits);
	free(reduced);
	return order->turns != NULL;
}

void weighted_order_close(struct weighted_order *order)
{
	free(order->turns);
	*order = (struct weighted_order){NULL, 0};
}
