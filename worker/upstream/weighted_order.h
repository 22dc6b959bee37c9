/* SPDX-License-Identifier: BSD-2-Clause */
/* weighted_order.h - smooth weighted round robin, laid out as a table of turns. */
#ifndef WORKER_UPSTREAM_WEIGHTED_ORDER_H
#define WORKER_UPSTREAM_WEIGHTED_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WEIGHTED_ORDER_MAX = 65536 }; /* turns, unless there are more members */

struct weighted_order {
	uint32_t *turns; /* places in the list of weights */
	size_t length;
};

/* In `length` turns each of the `count` members (at least 1) has as many as its weight (at least 1)
 * says, spread as evenly as can be. Weights are divided by what they have in common, and scaled
 * down where the table would be longer than WEIGHTED_ORDER_MAX. False without memory. */
bool weighted_order_open(struct weighted_order *order, const uint32_t *weights, size_t count);
void weighted_order_close(struct weighted_order *order);

#endif
