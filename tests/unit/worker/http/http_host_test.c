/* SPDX-License-Identifier: BSD-2-Clause */
/* http_host_test.c - plans made once, and arenas that come back empty. */
#include "worker/http/http_host.h"

#include "shared/arena.h"
#include "shared/tls_credentials.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { ENDPOINTS = 2, LOCATIONS = 2, ARENAS = 300 };

struct rig {
	struct config_endpoint endpoints[ENDPOINTS];
	struct config_group group;
	struct config_location locations[LOCATIONS], unmatched;
	struct config_http server;
	struct config config;
	struct http_host *host;
};

static int set_up(void **state)
{
	static struct rig rig;

	memset(&rig, 0, sizeof(rig));
	for (size_t i = 0; i < ENDPOINTS; i++)
		rig.endpoints[i] = (struct config_endpoint){.server = "test", .host = "test"};
	rig.group = (struct config_group){
	        .name = "test", .endpoints = rig.endpoints, .endpoint_count = ENDPOINTS};
	rig.locations[0] = (struct config_location){.path = SLICE("/a"), .return_status = 200};
	rig.locations[1] = (struct config_location){
	        .path = SLICE("/"),
	        .group = &rig.group,
	        .proxy_host = SLICE("upstream.test"),
	        .proxy_connect_timeout_ms = 1,
	        .proxy_read_timeout_ms = 2,
	        .next_upstream = NEXT_UPSTREAM_ERROR,
	        .next_upstream_tries = 3,
	        .next_upstream_timeout_ms = 4,
	};
	rig.server = (struct config_http){.name = "test",
	        .locations = rig.locations,
	        .location_count = LOCATIONS,
	        .unmatched = &rig.unmatched};
	rig.config = (struct config){
	        .https = &rig.server, .http_count = 1, .main.worker_shutdown_timeout_ms = 5};
	rig.host = http_host_create(&rig.config);
	*state = &rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	http_host_destroy(rig->host);
	return 0;
}

static void a_location_has_its_plan(void **state)
{
	struct rig *rig = *state;
	const struct http_location_plan *plan = http_host_plan(
	        rig->host, &rig->server, &rig->locations[1]);

	assert_ptr_equal(plan->dial.group, &rig->group);
	assert_int_equal(plan->dial.connect_timeout_ms, 1);
	assert_int_equal(plan->tunnel.idle_timeout_ms, 2);
	assert_int_equal(plan->dial.next_upstream, NEXT_UPSTREAM_ERROR);
	assert_int_equal(plan->dial.tries_max, 3);
	assert_int_equal(plan->dial.tries_timeout_ms, 4);
	assert_true(plan->dial.pooled && plan->dial.answer_confirms);
	assert_true(plan->tunnel.half_close && plan->tunnel.truncation_resets);
	for (size_t i = 0; i < ENDPOINTS; i++)
		assert_true(slice_equal(plan->hosts[i], SLICE("upstream.test")));
	assert_int_equal(http_host_shutdown_timeout_ms(rig->host), 5);
}

/* Of a host with these settings towards its servers, which have the ports 443 and 8443. */
static struct http_host *create_tls_host(struct rig *rig, struct tls_client_credentials *tls)
{
	tls->magic = TLS_CLIENT_CREDENTIALS_MAGIC;
	rig->locations[1].upstream_tls = tls;
	assert_true(address_parse(SLICE("10.0.0.1:443"), 0, &rig->endpoints[0].address));
	assert_true(address_parse(SLICE("10.0.0.1:8443"), 0, &rig->endpoints[1].address));
	http_host_destroy(rig->host);
	rig->host = http_host_create(&rig->config);
	return rig->host;
}

static bool hosts_are(const struct rig *rig, const char *first, const char *second)
{
	const struct http_location_plan *plan = http_host_plan(
	        rig->host, &rig->server, &rig->locations[1]);

	return slice_equal(plan->hosts[0], slice_of(first)) &&
	       slice_equal(plan->hosts[1], slice_of(second));
}

static void a_tls_server_is_called_by_the_name_that_is_verified(void **state)
{
	struct rig *rig = *state;
	struct tls_client_credentials tls = {.send_server_name = true};

	create_tls_host(rig, &tls);
	assert_true(hosts_are(rig, "test", "test:8443"));
	rig->locations[1].proxy_ssl_name = "name.test";
	create_tls_host(rig, &tls);
	assert_true(hosts_are(rig, "name.test", "name.test:8443"));
	rig->endpoints[1].tls_name = "own.test";
	create_tls_host(rig, &tls);
	assert_true(hosts_are(rig, "name.test", "own.test:8443"));
	tls.send_server_name = false;
	create_tls_host(rig, &tls);
	assert_true(hosts_are(rig, "upstream.test", "upstream.test"));
}

/* By which the pool tells whose connections are whose. */
static void different_settings_are_different_identities(void **state)
{
	enum { PLANS = 4 };
	struct rig *rig = *state;
	struct tls_client_credentials tls = {.send_server_name = true}, other = tls;
	uint8_t identities[PLANS][UPSTREAM_IDENTITY_BYTES];

	other.fingerprint[3] = 1;
	for (size_t i = 0; i < PLANS; i++) {
		rig->locations[1].proxy_ssl_name = i == 2 ? "name.test" : NULL;
		if (i > 0)
			create_tls_host(rig, i == 3 ? &other : &tls);
		memcpy(identities[i],
		        http_host_plan(rig->host, &rig->server, &rig->locations[1])->dial.identity,
		        UPSTREAM_IDENTITY_BYTES);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(
			        identities[i], identities[j], UPSTREAM_IDENTITY_BYTES);
	}
}

static void what_returns_needs_none(void **state)
{
	struct rig *rig = *state;

	assert_null(http_host_plan(rig->host, &rig->server, &rig->locations[0])->dial.group);
}

static void arenas_come_back_empty(void **state)
{
	struct rig *rig = *state;
	struct arena *arena = http_host_lend_arena(rig->host);

	void *first = arena_alloc(arena, 100);
	arena_alloc(arena, 100000);
	http_host_return_arena(rig->host, arena);
	assert_ptr_equal(http_host_lend_arena(rig->host), arena);
	assert_ptr_equal(arena_alloc(arena, 100), first);
	http_host_return_arena(rig->host, arena);
}

/* More than are kept: the rest is freed, and nothing is lost. */
static void any_number_of_arenas_may_be_lent(void **state)
{
	struct rig *rig = *state;
	struct arena *arenas[ARENAS];

	for (size_t i = 0; i < ARENAS; i++)
		arenas[i] = http_host_lend_arena(rig->host);
	for (size_t i = 0; i < ARENAS; i++)
		http_host_return_arena(rig->host, arenas[i]);
}

static void no_host_is_no_matter(void **state)
{
	(void)state;
	http_host_destroy(NULL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(a_location_has_its_plan),
	        CASE(a_tls_server_is_called_by_the_name_that_is_verified),
	        CASE(different_settings_are_different_identities),
	        CASE(what_returns_needs_none),
	        CASE(arenas_come_back_empty),
	        CASE(any_number_of_arenas_may_be_lent),
	        cmocka_unit_test(no_host_is_no_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
