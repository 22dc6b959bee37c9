/* SPDX-License-Identifier: BSD-2-Clause */
/* status_rig.c - see the header. */
#include "tests/support/status_rig.h"

#include "master/loop.h"
#include "shared/check.h"
#include "shared/upstream_state.h"

#include <string.h>

static struct config_endpoint endpoint(const char *server, const char *address, uint32_t index)
{
	struct config_endpoint endpoint = {.server = server, .weight = 1, .state_index = index};

	if (address)
		CHECK(address_parse(slice_of(address), 0, &endpoint.address));
	return endpoint;
}

static void fill_groups(struct status_rig *rig)
{
	rig->endpoints[0] = endpoint("one.example.com:443", "10.0.0.1:443", 0);
	rig->endpoints[1] = endpoint("two.example.com:443", "10.0.0.2:443", 1);
	rig->endpoints[2] = endpoint("two.example.com:443", "10.0.0.2:443", 2); /* twice */
	rig->endpoints[3] = endpoint("unknown.example.com:443", NULL, 3);
	rig->endpoints[4] = endpoint("[::1]:6379", "[::1]:6379", 4);
	rig->endpoints[4].down = true;
	rig->groups[0] = (struct config_group){
	        .name = "back\"end\\", .endpoints = rig->endpoints, .endpoint_count = 4};
	rig->groups[1] = (struct config_group){.name = "redis",
	        .endpoints = &rig->endpoints[4],
	        .endpoint_count = 1,
	        .state_index = 1};
}

static void fill_sections(struct status_rig *rig)
{
	rig->server.own_not_after = INT64_C(4102444800); /* 2100-01-01 */
	rig->client.own_not_after = INT64_C(946684800); /* 2000-01-01 */
	rig->tcps[0] = (struct config_tcp){.name = "redis", .upstream_tls = &rig->client};
	rig->tcps[1] = (struct config_tcp){.name = "plain"};
	rig->locations[0] = (struct config_location){
	        .path = SLICE("/api"), .exact = true, .upstream_tls = &rig->client};
	rig->locations[1] = (struct config_location){.path = SLICE("/")};
	rig->http = (struct config_http){.name = "site",
	        .locations = rig->locations,
	        .location_count = 2,
	        .listener_tls = &rig->server};
	rig->listeners[0] = (struct config_listener){.text = "127.0.0.1:6379",
	        .section = "tcp redis",
	        .tcp = &rig->tcps[0],
	        .origin = {"a.ini", 3}};
	rig->listeners[1] = (struct config_listener){
	        .text = "*:443", .section = "http site", .ssl = true, .origin = {"a.ini", 9}};
}

void status_rig_open(struct status_rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	fill_groups(rig);
	fill_sections(rig);
	rig->config = (struct config){
	        .main_file = "/etc/sealane/\xff\t.ini",
	        .main = {.workers = 2, .worker_hang_timeout_ms = 10000},
	        .groups = rig->groups,
	        .group_count = 2,
	        .endpoint_count = 5,
	        .listeners = rig->listeners,
	        .listener_count = 2,
	        .tcps = rig->tcps,
	        .tcp_count = 2,
	        .https = &rig->http,
	        .http_count = 1,
	};
	rig->scoreboard = scoreboard_create();
	rig->upstream_state = upstream_state_create(5, 2);
	rig->session_store = tls_session_store_create(TLS_SESSION_STORE_BYTES_MIN, "1");
	CHECK(rig->scoreboard && rig->upstream_state && rig->session_store);
	status_certificates_read(&rig->certificates, &rig->config);
	upstream_state_endpoint(rig->upstream_state, 1)->outage = 1;
	rig->view = (struct status_view){
	        .config = &rig->config,
	        .scoreboard = rig->scoreboard,
	        .upstream_state = rig->upstream_state,
	        .session_store = rig->session_store,
	        .certificates = &rig->certificates,
	        .generation = 2,
	        .master_pid = 4711,
	        .started_at = 1700000000,
	};
}

void status_rig_close(struct status_rig *rig)
{
	scoreboard_destroy(rig->scoreboard);
	upstream_state_destroy(rig->upstream_state);
	tls_session_store_destroy(rig->session_store);
	status_certificates_drop(&rig->certificates);
}

struct scoreboard_row *status_rig_add_worker(
        struct status_rig *rig, unsigned slot, uint64_t generation, enum worker_state state)
{
	size_t index = scoreboard_take_row(rig->scoreboard, slot, generation);
	struct scoreboard_row *row = scoreboard_row(rig->scoreboard, index);

	scoreboard_set_pid(rig->scoreboard, index, (pid_t)(100 + index));
	atomic_store(&row->state, (uint32_t)state);
	atomic_store(&row->stamp_ms, loop_clock_ms());
	return row;
}
