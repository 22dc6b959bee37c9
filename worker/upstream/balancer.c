/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balancer.c - tickets, turns, and who is passed over.
 *
 * Servers and backups are two tiers with a table and a ticket number each. Whether anybody in a
 * tier can be chosen is asked before tickets are drawn, so that a group that is wholly out costs
 * one look at each server and no tickets. Other workers draw at the same time, so that a whole
 * cycle of tickets may miss the one server that is left: then it is taken by its place.
 */
#include "worker/upstream/balancer.h"

#include "shared/check.h"
#include "shared/log.h"
#include "shared/upstream_state.h"
#include "worker/upstream/outage.h"
#include "worker/upstream/weighted_order.h"

#include <inttypes.h>
#include <stdlib.h>

enum { BALANCER_MAGIC = 0x42414c41 };
enum tier { TIER_SERVERS, TIER_BACKUPS, TIER_COUNT };
enum admission { ONLY_IN_SERVICE, ALSO_OUT };
static const size_t none = SIZE_MAX;

struct balancer_group {
	struct weighted_order orders[TIER_COUNT]; /* of places in group->endpoints */
};

struct balancer {
	unsigned magic;
	struct upstream_state *state;
	struct balancer_group *groups; /* by state_index */
	size_t group_count;
};

/* One choice under way. */
struct choice {
	struct balancer *balancer;
	const struct config_group *group;
	struct balancer_tries *tries;
	uint64_t now_ms;
};

static bool is_of_tier(const struct config_endpoint *endpoint, enum tier tier)
{
	return !endpoint->down && endpoint->address.length != 0 &&
	       endpoint->backup == (tier == TIER_BACKUPS);
}

static bool open_order(
        struct weighted_order *order, const struct config_group *group, enum tier tier)
{
	size_t count = 0;
	bool opened = true;

	uint32_t *weights = calloc(group->endpoint_count, sizeof(*weights));
	uint32_t *places = calloc(group->endpoint_count, sizeof(*places));
	if (weights && places) {
		for (size_t i = 0; i < group->endpoint_count; i++) {
			if (!is_of_tier(&group->endpoints[i], tier))
				continue;
			weights[count] = group->endpoints[i].weight;
			places[count++] = (uint32_t)i;
		}
		opened = count == 0 || weighted_order_open(order, weights, count);
		for (size_t i = 0; i < order->length; i++)
			order->turns[i] = places[order->turns[i]];
	}
	opened = opened && weights && places;
	free(weights);
	free(places);
	return opened;
}

struct balancer *balancer_create(const struct config *config, struct upstream_state *state)
{
	bool opened = true;

	struct balancer *balancer = calloc(1, sizeof(*balancer));
	if (!balancer)
		return NULL;
	balancer->magic = BALANCER_MAGIC;
	balancer->state = state;
	balancer->groups = calloc(config->group_count + 1, sizeof(*balancer->groups));
	balancer->group_count = balancer->groups ? config->group_count : 0;
	for (size_t i = 0; i < balancer->group_count; i++) {
		const struct config_group *group = &config->groups[i];
		CHECK(group->state_index < balancer->group_count);
		struct weighted_order *orders = balancer->groups[group->state_index].orders;
		opened = opened && open_order(&orders[TIER_SERVERS], group, TIER_SERVERS) &&
		         open_order(&orders[TIER_BACKUPS], group, TIER_BACKUPS);
	}
	if (balancer->groups && opened)
		return balancer;
	balancer_destroy(balancer);
	return NULL;
}

void balancer_destroy(struct balancer *balancer)
{
	if (!balancer)
		return;
	CHECK_OBJ(balancer, BALANCER_MAGIC);
	for (size_t i = 0; i < balancer->group_count; i++) {
		weighted_order_close(&balancer->groups[i].orders[TIER_SERVERS]);
		weighted_order_close(&balancer->groups[i].orders[TIER_BACKUPS]);
	}
	balancer->magic = 0;
	free(balancer->groups);
	free(balancer);
}

static bool is_tried(const struct balancer_tries *tries, size_t place)
{
	size_t bit = place % BALANCER_TRIES_BITS;

	return tries->tried[bit / 64] >> (bit % 64) & 1;
}

static void mark_tried(struct balancer_tries *tries, size_t place)
{
	size_t bit = place % BALANCER_TRIES_BITS;

	tries->tried[bit / 64] |= (uint64_t)1 << (bit % 64);
}

static bool goes_out(const struct config_group *group, const struct config_endpoint *endpoint)
{
	return endpoint->max_fails > 0 && group->endpoint_count > 1;
}

static struct upstream_endpoint_state *state_of(
        const struct balancer *balancer, const struct config_endpoint *endpoint)
{
	return upstream_state_endpoint(balancer->state, endpoint->state_index);
}

static bool is_candidate(
        const struct choice *choice, size_t place, enum tier tier, enum admission admission)
{
	const struct config_endpoint *endpoint = &choice->group->endpoints[place];

	if (!is_of_tier(endpoint, tier) || is_tried(choice->tries, place))
		return false;
	return admission == ALSO_OUT || !goes_out(choice->group, endpoint) ||
	       outage_allows(state_of(choice->balancer, endpoint), choice->now_ms);
}

/* Takes a candidate; false when another worker has taken the only right to it. */
static bool take(struct choice *choice, size_t place, enum tier tier, enum admission admission)
{
	const struct config_endpoint *endpoint = &choice->group->endpoints[place];

	if (!is_candidate(choice, place, tier, admission))
		return false;
	if (goes_out(choice->group, endpoint)) {
		struct upstream_endpoint_state *state = state_of(choice->balancer, endpoint);
		if (admission == ALSO_OUT)
			outage_enter_anyway(state);
		else if (!outage_enter(state, choice->now_ms, endpoint->fail_timeout_ms))
			return false;
	}
	mark_tried(choice->tries, place);
	return true;
}

static bool has_candidate(const struct choice *choice, enum tier tier, enum admission admission)
{
	for (size_t i = 0; i < choice->group->endpoint_count; i++) {
		if (is_candidate(choice, i, tier, admission))
			return true;
	}
	return false;
}

/* The place of the server taken, or `none`. */
static size_t draw(struct choice *choice, enum tier tier, enum admission admission)
{
	uint32_t index = choice->group->state_index;
	const struct weighted_order *order = &choice->balancer->groups[index].orders[tier];
	_Atomic uint64_t *tickets =
	        &upstream_state_group(choice->balancer->state, index)->tickets[tier];

	if (!has_candidate(choice, tier, admission))
		return none;
	for (size_t i = 0; i < order->length; i++) {
		uint64_t ticket = atomic_fetch_add_explicit(tickets, 1, memory_order_relaxed);
		size_t place = order->turns[ticket % order->length];
		if (take(choice, place, tier, admission))
			return place;
	}
	for (size_t i = 0; i < choice->group->endpoint_count; i++) {
		if (take(choice, i, tier, admission))
			return i;
	}
	return none;
}

const struct config_endpoint *balancer_choose(struct balancer *balancer,
        const struct config_group *group, struct balancer_tries *tries, uint64_t now_ms)
{
	static const struct {
		enum tier tier;
		enum admission admission;
	} steps[] = {
	        {TIER_SERVERS, ONLY_IN_SERVICE},
	        {TIER_BACKUPS, ONLY_IN_SERVICE},
	        {TIER_SERVERS, ALSO_OUT},
	        {TIER_BACKUPS, ALSO_OUT},
	};
	struct choice choice = {balancer, group, tries, now_ms};

	CHECK_OBJ(balancer, BALANCER_MAGIC);
	CHECK(group->state_index < balancer->group_count);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		size_t place = draw(&choice, steps[i].tier, steps[i].admission);
		if (place != none)
			return &group->endpoints[place];
	}
	return NULL;
}

static void log_outage(const struct config_group *group, const struct config_endpoint *endpoint)
{
	char address[ADDRESS_TEXT_MAX];
	uint32_t ms = endpoint->fail_timeout_ms;

	address_format(&endpoint->address, address, sizeof(address));
	log_write(LOG_WARN,
	        "server %s (%s) of group %s is out for %" PRIu32 "%s after %" PRIu32 " failure%s",
	        endpoint->server, address, group->name, ms % 1000 ? ms : ms / 1000,
	        ms % 1000 ? "ms" : "s", endpoint->max_fails, endpoint->max_fails == 1 ? "" : "s");
}

bool balancer_report_failure(struct balancer *balancer, const struct config_group *group,
        const struct config_endpoint *endpoint, uint64_t now_ms)
{
	CHECK_OBJ(balancer, BALANCER_MAGIC);
	if (!goes_out(group, endpoint))
		return false;
	if (!outage_count_failure(state_of(balancer, endpoint), endpoint->max_fails,
	            endpoint->fail_timeout_ms, now_ms))
		return false;
	log_outage(group, endpoint);
	return true;
}

bool balancer_report_success(struct balancer *balancer, const struct config_group *group,
        const struct config_endpoint *endpoint, uint64_t now_ms)
{
	char address[ADDRESS_TEXT_MAX];

	(void)now_ms;
	CHECK_OBJ(balancer, BALANCER_MAGIC);
	if (!goes_out(group, endpoint) || !outage_count_success(state_of(balancer, endpoint)))
		return false;
	log_write(LOG_NOTICE, "server %s (%s) of group %s is back", endpoint->server,
	        address_format(&endpoint->address, address, sizeof(address)), group->name);
	return true;
}
