/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config.c - the end of a configuration.
 *
 * Credentials live outside the arena, since GnuTLS allocates them. Several sections may share one
 * set of them, so it is the configuration's list that is freed.
 */
#include "shared/config.h"

#include "shared/arena.h"
#include "shared/tls_credentials.h"

#include <stdlib.h>

void config_destroy(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->client_tls_count; i++)
		tls_client_credentials_destroy(config->client_tls[i]);
	for (size_t i = 0; i < config->server_tls_count; i++)
		tls_server_credentials_destroy(config->server_tls[i]);
	arena_destroy(config->arena);
	free(config);
}
