/* SPDX-License-Identifier: BSD-2-Clause */
/* config.c - the end of a configuration. */
#include "shared/config.h"

#include "shared/arena.h"
#include "shared/tls_credentials.h"

#include <stdlib.h>

void config_destroy(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->tcp_count; i++) {
		tls_client_credentials_destroy(config->tcps[i].upstream_tls);
		tls_server_credentials_destroy(config->tcps[i].listener_tls);
	}
	arena_destroy(config->arena);
	free(config);
}
