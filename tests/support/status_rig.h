/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status_rig.h - a small made-up installation for the tests of the status listener: two groups,
 * three workers of two generations, some counts, two certificates.
 */
#ifndef TESTS_SUPPORT_STATUS_RIG_H
#define TESTS_SUPPORT_STATUS_RIG_H

#include "master/status_certificates.h"
#include "master/status_snapshot.h"
#include "shared/config.h"
#include "shared/tls_credentials.h"

struct status_rig {
	struct config_endpoint endpoints[5];
	struct config_group groups[2];
	struct config_listener listeners[2];
	struct config_tcp tcps[2];
	struct config_location locations[2];
	struct config_http http;
	struct tls_server_credentials server;
	struct tls_client_credentials client;
	struct config config;
	struct scoreboard *scoreboard;
	struct upstream_state *upstream_state;
	struct tls_session_store *session_store;
	struct status_certificates certificates;
	struct status_view view;
};

void status_rig_open(struct status_rig *rig);
void status_rig_close(struct status_rig *rig);

/* Lets a worker appear in the scoreboard; returns its row. */
struct scoreboard_row *status_rig_add_worker(
        struct status_rig *rig, unsigned slot, uint64_t generation, enum worker_state state);

#endif
