/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dial_rig.h - a dial to real sockets on the loopback, with a clock moved by hand.
 *
 * A server listens and never says anything, or its port is bound and refuses.
 */
#ifndef TESTS_SUPPORT_DIAL_RIG_H
#define TESTS_SUPPORT_DIAL_RIG_H

#include "shared/upstream_state.h"
#include "tests/support/fake_loop.h"
#include "worker/upstream/dialer.h"

enum {
	DIAL_RIG_SERVERS_MAX = 1000,
	DIAL_RIG_BYTES = 1 << 20,
	DIAL_RIG_CONNECT_MS = 5000,
	DIAL_RIG_SESSION = 7
};

struct dial_rig {
	struct io_context io;
	struct dialer dialer;
	struct scoreboard_row row;
	struct dial dial;
	struct upstream_connection *connection; /* taken when it connected */
	struct dial_settings settings;
	struct config_endpoint endpoints[DIAL_RIG_SERVERS_MAX];
	struct config_group group;
	struct config config;
	struct upstream_state *state;
	int sockets[DIAL_RIG_SERVERS_MAX];
	bool sure;
	size_t server_count;
	bool takes_none; /* leaves the connection to the dial */
	unsigned calls; /* of the dial's function */
	bool connected;
	enum close_reason reason;
};

/* For cmocka. Tearing down stops the process when anything is left over. */
int dial_rig_set_up(void **state);
int dial_rig_tear_down(void **state);

void dial_rig_add_server(struct dial_rig *rig, bool listens);
/* The same refusing port again and again, so that a thousand servers need one socket. */
void dial_rig_add_refusing_servers(struct dial_rig *rig, size_t count);

/* Makes the group of these servers, and starts the dial. */
void dial_rig_start(struct dial_rig *rig);
/* Starts the next one, of the same or other settings. */
void dial_rig_start_again(struct dial_rig *rig, const struct dial_settings *settings);
/* Until the dial has ended, whatever the kernel says of each attempt. */
void dial_rig_run(struct dial_rig *rig);
/* What was taken goes to the idle pool. */
void dial_rig_give(struct dial_rig *rig);

uint64_t dial_rig_counted(const struct dial_rig *rig, enum stat_counter counter);
bool dial_rig_is_out(const struct dial_rig *rig, size_t server);

#endif
