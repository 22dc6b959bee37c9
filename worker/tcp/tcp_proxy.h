/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_proxy.h - the TCP protocol of a session: dial, then tunnel. */
#ifndef WORKER_TCP_TCP_PROXY_H
#define WORKER_TCP_TCP_PROXY_H

#include "worker/session/protocol.h"
#include "worker/session/tunnel.h"

/* What a [tcp NAME] section means for its sessions; lives as long as the configuration. */
struct tcp_proxy {
	struct protocol protocol; /* first: a session's protocol is its proxy */
	struct dial_settings dial;
	struct tunnel_settings tunnel;
};

void tcp_proxy_init(struct tcp_proxy *proxy, const struct config_tcp *tcp);

#endif
