/* SPDX-License-Identifier: BSD-2-Clause */
/* outage_test.c - small stories of one server: failures, outages, probes, and the way back. */
#include "worker/upstream/outage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { FAIL_TIMEOUT_MS = 10000, STEPS_MAX = 14, EPOCH_MS = 123456789 };

enum action {
	END,
	FAILS, /* wanted: took it out */
	SUCCEEDS, /* wanted: brought it back */
	ALLOWS,
	ENTERS,
	ENTERS_ANYWAY,
};

struct step {
	uint64_t at_ms;
	enum action action;
	bool wanted;
};

static const struct story {
	const char *name;
	uint32_t max_fails;
	struct step steps[STEPS_MAX];
} stories[] = {
        {"in service", 1, {{0, ALLOWS, true}, {0, ENTERS, true}, {0, SUCCEEDS, false}}},
        {"one failure is enough", 1,
                {{0, FAILS, true}, {0, ALLOWS, false}, {9999, ALLOWS, false}, {9999, ENTERS, false},
                        {10000, ALLOWS, true}}},
        {"three within the time", 3,
                {{0, FAILS, false}, {4000, FAILS, false}, {4000, ALLOWS, true},
                        {10000, FAILS, true}, {10000, ALLOWS, false}, {19999, ALLOWS, false},
                        {20000, ALLOWS, true}}},
        {"the third comes too late", 3,
                {{0, FAILS, false}, {4000, FAILS, false}, {10001, FAILS, false},
                        {10001, ALLOWS, true}, {12000, FAILS, false}, {13000, FAILS, true}}},
        {"successes between do not hide failures", 2,
                {{0, FAILS, false}, {1000, SUCCEEDS, false}, {2000, FAILS, true}}},
        {"one probe at a time", 1,
                {{0, FAILS, true}, {10000, ENTERS, true}, {10000, ENTERS, false},
                        {19999, ENTERS, false}, {20000, ENTERS, true}, {20000, ALLOWS, false}}},
        {"a probe that succeeds", 1,
                {{0, FAILS, true}, {10000, ENTERS, true}, {10100, SUCCEEDS, true},
                        {10100, ALLOWS, true}, {10100, ENTERS, true}, {10200, SUCCEEDS, false}}},
        {"a probe that fails", 3,
                {{0, FAILS, false}, {0, FAILS, false}, {0, FAILS, true}, {10000, ENTERS, true},
                        {11000, FAILS, false}, {20999, ALLOWS, false}, {21000, ENTERS, true},
                        {21000, SUCCEEDS, true}, {21000, FAILS, false}, {21000, FAILS, false},
                        {21000, FAILS, true}}},
        {"a late success of before the outage", 1,
                {{0, FAILS, true}, {100, SUCCEEDS, false}, {100, ALLOWS, false}}},
        {"a late failure of before the outage", 1,
                {{0, FAILS, true}, {100, FAILS, false}, {10000, ALLOWS, false},
                        {10100, ALLOWS, true}}},
        {"all are out: it is tried all the same", 1,
                {{0, FAILS, true}, {100, ENTERS_ANYWAY, true}, {100, ALLOWS, false},
                        {200, SUCCEEDS, true}, {200, ALLOWS, true}}},
        {"all are out and it fails again", 1,
                {{0, FAILS, true}, {5000, ENTERS_ANYWAY, true}, {5000, FAILS, false},
                        {14999, ALLOWS, false}, {15000, ALLOWS, true}}},
        {"after an outage it starts afresh", 2,
                {{0, FAILS, false}, {100, FAILS, true}, {200, ENTERS_ANYWAY, true},
                        {300, SUCCEEDS, true}, {400, FAILS, false}, {500, FAILS, true}}},
        {"tried all the same, it was in service", 1,
                {{0, ENTERS_ANYWAY, true}, {0, SUCCEEDS, false}, {0, ALLOWS, true}}},
        {"more failures than can be counted", UINT32_MAX,
                {{0, FAILS, false}, {0, FAILS, false}, {0, ALLOWS, true}}},
};

static bool act(
        struct upstream_endpoint_state *state, const struct story *story, const struct step *step)
{
	uint64_t now_ms = EPOCH_MS + step->at_ms;

	switch (step->action) {
	case FAILS:
		return outage_count_failure(state, story->max_fails, FAIL_TIMEOUT_MS, now_ms);
	case SUCCEEDS:
		return outage_count_success(state);
	case ALLOWS:
		return outage_allows(state, now_ms);
	case ENTERS:
		return outage_enter(state, now_ms, FAIL_TIMEOUT_MS);
	case ENTERS_ANYWAY:
		outage_enter_anyway(state);
		return true;
	case END:
		break;
	}
	return false;
}

static void stories_end_as_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
		struct upstream_endpoint_state endpoint = {0};
		const struct story *story = &stories[i];
		for (size_t j = 0; j < STEPS_MAX && story->steps[j].action != END; j++)
			if (act(&endpoint, story, &story->steps[j]) != story->steps[j].wanted)
				fail_msg("%s: step %zu", story->name, j);
	}
}

static void a_very_high_limit_is_reached_in_the_end(void **state)
{
	struct upstream_endpoint_state endpoint = {0};
	uint64_t failures = 1;

	(void)state;
	while (!outage_count_failure(&endpoint, UINT32_MAX, FAIL_TIMEOUT_MS, EPOCH_MS))
		failures++;
	assert_int_equal(failures, (1 << 20) - 1);
}

static void without_a_time_out_nobody_stays_out(void **state)
{
	struct upstream_endpoint_state endpoint = {0};

	(void)state;
	assert_true(outage_count_failure(&endpoint, 1, 0, EPOCH_MS));
	assert_true(outage_allows(&endpoint, EPOCH_MS));
	assert_true(outage_enter(&endpoint, EPOCH_MS, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(stories_end_as_told),
	        cmocka_unit_test(a_very_high_limit_is_reached_in_the_end),
	        cmocka_unit_test(without_a_time_out_nobody_stays_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
