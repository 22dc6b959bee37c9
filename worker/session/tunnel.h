/* SPDX-License-Identifier: BSD-2-Clause */
/* tunnel.h - bytes both ways between the two streams of a session, until both sides have ended. */
#ifndef WORKER_SESSION_TUNNEL_H
#define WORKER_SESSION_TUNNEL_H

#include "worker/session/session.h"

/* How a tunnel treats ends; lives as long as the configuration. */
struct tunnel_settings {
	bool half_close; /* an end in one direction is passed on and the other goes on */
	bool truncation_resets; /* TLS without close_notify: the other side sees a cut, not an end
	                         */
	uint32_t idle_timeout_ms;
};

/* Both streams are ready, or have ended since. Takes over their events. */
void tunnel_start(struct session *session, const struct tunnel_settings *settings);

#endif
