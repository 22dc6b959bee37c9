/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake_session.h - a real session whose two streams speak with scripted peers.
 *
 * session_open opens it as it opens any; the protocol given to it then replaces the client's stream
 * by one over a peer, as a protocol may do inside READY. There is no dialer: fake_session_connect
 * is the moment at which a dial would have connected, and the session has the stream at once.
 */
#ifndef TESTS_SUPPORT_FAKE_SESSION_H
#define TESTS_SUPPORT_FAKE_SESSION_H

#include "shared/upstream_state.h"
#include "tests/support/fake_loop.h"
#include "tests/support/fake_transport.h"
#include "worker/session/tunnel.h"

struct fake_session {
	struct session_host host;
	struct scoreboard_row row;
	struct config_listener listener;
	struct config_tcp tcp;
	struct config_endpoint endpoint;
	struct config_group group;
	struct config config;
	struct upstream_state *upstream_state;
	struct dial_settings dial_settings;
	struct tunnel_settings settings;
	struct protocol protocol;
	struct session *session; /* its memory stays until the end, also after it has ended */
	struct fake_peer client, upstream;
	bool unconfirmed; /* READY is no success yet, as with TLS 1.3 */
	unsigned ended; /* how often the host was told */
};

/* Settings as by default: half-close, truncation resets, 60 s of idleness. Change them, and the
 * peers' scripts, before fake_session_open. */
void fake_session_init(struct fake_session *fake, uint64_t pool_limit);
void fake_session_open(struct fake_session *fake);
/* The upstream's handshake goes as scripted; when it is done the tunnel starts. */
void fake_session_connect(struct fake_session *fake);
/* Ends the session if it is open. Stops the process when anything is left over. */
void fake_session_destroy(struct fake_session *fake);

/* A turn of the loop; false when the stream does not watch for it, is closed, or is not there
 * (NULL). */
bool fake_session_fire(struct stream *stream, unsigned events);

/* It has ended, once, for this reason. */
bool fake_session_ended_as(const struct fake_session *fake, enum close_reason reason);

#endif
