/* SPDX-License-Identifier: BSD-2-Clause */
/* dial_settings.h - how a section or location reaches its group. */
#ifndef WORKER_UPSTREAM_DIAL_SETTINGS_H
#define WORKER_UPSTREAM_DIAL_SETTINGS_H

#include "shared/close_reason.h"
#include "shared/config.h"
#include "worker/upstream/upstream_connection.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_client_credentials;

/* Lives as long as the configuration. */
struct dial_settings {
	const struct config_group *group;
	const struct tls_client_credentials *tls; /* NULL: plain */
	const char *tls_name; /* NULL: each endpoint's own */
	uint8_t identity[UPSTREAM_IDENTITY_BYTES]; /* by dial_settings_identify */
	uint32_t connect_timeout_ms;
	unsigned next_upstream; /* NEXT_UPSTREAM_... bits: failures after which another is tried */
	uint32_t tries_max; /* 0: no limit */
	uint32_t tries_timeout_ms; /* 0: no limit */
	size_t buffer_bytes_max;
	struct config_tcp_keepalive keepalive;
	bool pooled; /* kept-alive connections may be used */
	bool answer_confirms; /* success is an answer (dial_confirm), not a connection */
};

/* The settings' own part of a connection's identity: plain or TLS, the credentials' content, and
 * the name to verify where it is not the endpoint's. */
void dial_settings_identify(struct dial_settings *settings);
/* Which NEXT_UPSTREAM_... bit lets a failure go to the next server; 0: none does. */
unsigned dial_failure_kind(enum close_reason reason);

#endif
