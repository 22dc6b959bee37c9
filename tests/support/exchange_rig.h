/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exchange_rig.h - a real session of the HTTP protocol between a scripted client and scripted
 * upstreams, with a clock moved by hand.
 *
 * Upstream connections are known by their numbers, in the order in which they came to be. One comes
 * to be idle in the pool (exchange_rig_prime), or when a dial that the exchange has begun connects
 * (exchange_rig_connect). A server's port is bound and refuses; where a test wants it to connect,
 * socket and transport are replaced before the refusal is seen. The first server is the primary
 * one, the others are its backups, so that their order is sure.
 *
 * Locations: "/" is proxied, "/fine" returns 200 "fine", "/moved" redirects.
 */
#ifndef TESTS_SUPPORT_EXCHANGE_RIG_H
#define TESTS_SUPPORT_EXCHANGE_RIG_H

#include "shared/upstream_state.h"
#include "tests/support/fake_loop.h"
#include "tests/support/fake_transport.h"
#include "worker/http/http_exchange.h"

enum {
	EXCHANGE_RIG_UPSTREAMS_MAX = 24,
	EXCHANGE_RIG_SERVERS_MAX = 3,
	/* All different, so that a test sees which one it was. */
	EXCHANGE_RIG_HEADER_MS = 11000,
	EXCHANGE_RIG_BODY_MS = 13000,
	EXCHANGE_RIG_SEND_MS = 17000,
	EXCHANGE_RIG_KEEPALIVE_MS = 19000,
	EXCHANGE_RIG_CONNECT_MS = 7000,
	EXCHANGE_RIG_PROXY_SEND_MS = 23000,
	EXCHANGE_RIG_PROXY_READ_MS = 29000,
};

struct exchange_rig {
	struct session_host host;
	struct scoreboard_row row;
	struct config config;
	struct config_listener listener;
	struct config_http server;
	struct config_http_names names;
	struct config_location locations[3], unmatched;
	struct config_location *proxied; /* of these */
	struct config_group group;
	struct config_endpoint endpoints[EXCHANGE_RIG_SERVERS_MAX];
	struct config_access_log access_log;
	struct template_part texts[2];
	struct log_file log_file; /* in memory */
	struct upstream_state *state;
	int sockets[EXCHANGE_RIG_SERVERS_MAX];
	struct fake_peer client, upstreams[EXCHANGE_RIG_UPSTREAMS_MAX];
	struct stream *streams[EXCHANGE_RIG_UPSTREAMS_MAX]; /* while the peer is not closed */
	size_t upstream_count;
	struct session *session; /* its memory stays until the end */
	unsigned ended;
};

/* Change settings and scripts before exchange_rig_open; one server, unless
 * group.endpoint_count says more. */
void exchange_rig_init(struct exchange_rig *rig);
void exchange_rig_open(struct exchange_rig *rig);
/* The same for a client that spoke clear text to TLS. */
void exchange_rig_open_clear_text(struct exchange_rig *rig);
/* Ends the session if it is open. Stops the process when anything is left over. */
void exchange_rig_destroy(struct exchange_rig *rig);
/* For cmocka: initialised, not opened. */
int exchange_rig_set_up(void **state);
int exchange_rig_tear_down(void **state);

/* An idle connection to the first server; returns its number. */
size_t exchange_rig_prime(struct exchange_rig *rig);
/* A dial is under way. */
bool exchange_rig_is_dialling(const struct exchange_rig *rig);
/* It connects; returns the connection's number. Its script may be written before, in
 * upstreams[upstream_count]. */
size_t exchange_rig_connect(struct exchange_rig *rig);
/* It is refused. */
void exchange_rig_refuse(struct exchange_rig *rig);

/* The text is there to be read, in a turn of its own; false when nobody reads. */
bool exchange_rig_client_says(struct exchange_rig *rig, const char *text);
bool exchange_rig_client_ends(struct exchange_rig *rig, const char *text);
bool exchange_rig_client_resets(struct exchange_rig *rig);
bool exchange_rig_client_writable(struct exchange_rig *rig);
bool exchange_rig_upstream_says(struct exchange_rig *rig, size_t number, const char *text);
bool exchange_rig_upstream_ends(
        struct exchange_rig *rig, size_t number, const char *text, enum io_result end);
bool exchange_rig_upstream_writable(struct exchange_rig *rig, size_t number);
/* A turn with these events, as far as they are watched for. */
bool exchange_rig_fire(struct exchange_rig *rig, struct stream *stream, unsigned events);
struct stream *exchange_rig_stream(struct exchange_rig *rig, size_t number); /* NULL: closed */

void exchange_rig_pass(struct exchange_rig *rig, uint64_t ms);

/* What was received holds `text`, or begins with it; what was received since is forgotten by
 * exchange_rig_forget. */
bool exchange_rig_holds(const struct fake_peer *peer, const char *text);
bool exchange_rig_begins(const struct fake_peer *peer, const char *text);
bool exchange_rig_finishes(const struct fake_peer *peer, const char *text);
size_t exchange_rig_times(const struct fake_peer *peer, const char *text);
void exchange_rig_forget(struct fake_peer *peer);

/* It has ended, once, for this reason. */
bool exchange_rig_ended_as(const struct exchange_rig *rig, enum close_reason reason);
/* The access log holds `text`; so often. */
bool exchange_rig_logged(const struct exchange_rig *rig, const char *text);
size_t exchange_rig_logged_times(const struct exchange_rig *rig, const char *text);
size_t exchange_rig_lines(const struct exchange_rig *rig);

#endif
