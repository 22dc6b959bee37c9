/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_proxy.c - the TCP protocol of a session: dial, then tunnel.
 *
 * The upstream is dialled after the client's handshake, so that a client that cannot shake hands
 * costs the upstream nothing.
 */
#include "worker/tcp/tcp_proxy.h"

#include "shared/check.h"

static const struct tcp_proxy *proxy_of(const struct session *session)
{
	return (const struct tcp_proxy *)(const void *)session->protocol;
}

static void on_dialled(struct dial *dial, bool connected, enum close_reason reason)
{
	struct session *session = LIST_OBJECT(dial, struct session, dial);
	const struct tcp_proxy *proxy = proxy_of(session);

	if (!connected) {
		session_close(session, reason);
		return;
	}
	session_take_upstream(session);
	tunnel_start(session, &proxy->tunnel);
}

static void start(struct session *session)
{
	const struct tcp_proxy *proxy = proxy_of(session);

	session->dial_settings = &proxy->dial;
	dial_start(&session->dial, &proxy->dial, session->number, false, on_dialled);
}

static void stop(struct session *session, enum close_reason reason)
{
	(void)reason;
	dial_cancel(&session->dial);
}

void tcp_proxy_init(struct tcp_proxy *proxy, const struct config_tcp *tcp)
{
	*proxy = (struct tcp_proxy){
	        .protocol = {.name = "tcp", .start = start, .stop = stop},
	        .dial =
	                {
	                        .group = tcp->group,
	                        .tls = tcp->upstream_tls,
	                        .tls_name = tcp->proxy_ssl_name,
	                        .connect_timeout_ms = tcp->proxy_connect_timeout_ms,
	                        .next_upstream = tcp->proxy_next_upstream
	                                                 ? NEXT_UPSTREAM_ERROR |
	                                                           NEXT_UPSTREAM_TIMEOUT
	                                                 : 0,
	                        .tries_max = tcp->proxy_next_upstream_tries,
	                        .tries_timeout_ms = tcp->proxy_next_upstream_timeout_ms,
	                        .buffer_bytes_max = tcp->proxy_buffer_size,
	                        .keepalive = tcp->proxy_socket_keepalive,
	                },
	        .tunnel =
	                {
	                        .half_close = tcp->proxy_half_close,
	                        .truncation_resets = tcp->truncation_resets,
	                        .idle_timeout_ms = tcp->proxy_timeout_ms,
	                },
	};
	dial_settings_identify(&proxy->dial);
}
