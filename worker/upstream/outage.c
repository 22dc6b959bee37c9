/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outage.c - two words of shared memory, each changed by compare-and-swap.
 *
 * failures: the low 20 bits count, the rest is the millisecond of the first one counted. A failure
 * later than fail_timeout after that starts a new count.
 * outage: until when, shifted by one; the low bit says that somebody probes.
 */
#include "worker/upstream/outage.h"

enum { COUNT_BITS = 20 };
static const uint64_t count_mask = (1u << COUNT_BITS) - 1;

static uint64_t out_until(uint64_t word)
{
	return word >> 1;
}

static bool is_probed(uint64_t word)
{
	return word & 1;
}

static uint64_t outage_word(uint64_t until_ms, bool probed)
{
	return until_ms << 1 | probed;
}

static uint64_t load(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static bool replace(_Atomic uint64_t *word, uint64_t old, uint64_t new)
{
	return atomic_compare_exchange_strong_explicit(
	        word, &old, new, memory_order_relaxed, memory_order_relaxed);
}

bool outage_allows(const struct upstream_endpoint_state *state, uint64_t now_ms)
{
	uint64_t word = load(&state->outage);

	return word == 0 || now_ms >= out_until(word);
}

bool outage_enter(struct upstream_endpoint_state *state, uint64_t now_ms, uint32_t fail_timeout_ms)
{
	uint64_t word = load(&state->outage);

	if (word == 0)
		return true;
	return now_ms >= out_until(word) &&
	       replace(&state->outage, word, outage_word(now_ms + fail_timeout_ms, true));
}

void outage_enter_anyway(struct upstream_endpoint_state *state)
{
	uint64_t word = load(&state->outage);

	/* Lost to somebody who probes, or who brought it back: fine either way. */
	if (word != 0)
		replace(&state->outage, word, outage_word(out_until(word), true));
}

/* Failures within the present window, this one included. */
static uint64_t count(_Atomic uint64_t *failures, uint32_t window_ms, uint64_t now_ms)
{
	uint64_t old = load(failures);
	uint64_t new;

	do {
		uint64_t since = old >> COUNT_BITS;
		uint64_t counted = old & count_mask;
		if (counted == 0 || now_ms > since + window_ms)
			new = now_ms << COUNT_BITS | 1;
		else
			new = counted == count_mask ? old : old + 1;
	} while (!atomic_compare_exchange_weak_explicit(
	        failures, &old, new, memory_order_relaxed, memory_order_relaxed));
	return new &count_mask;
}

bool outage_count_failure(struct upstream_endpoint_state *state, uint32_t max_fails,
        uint32_t fail_timeout_ms, uint64_t now_ms)
{
	uint64_t word = load(&state->outage);
	uint64_t out = outage_word(now_ms + fail_timeout_ms, false);
	uint64_t limit = max_fails < count_mask ? max_fails : count_mask;

	if (word != 0) {
		replace(&state->outage, word, out);
		return false;
	}
	if (count(&state->failures, fail_timeout_ms, now_ms) < limit)
		return false;
	if (!replace(&state->outage, 0, out))
		return false;
	atomic_store_explicit(&state->failures, 0, memory_order_relaxed);
	return true;
}

bool outage_count_success(struct upstream_endpoint_state *state)
{
	uint64_t word = load(&state->outage);

	return is_probed(word) && replace(&state->outage, word, 0);
}
