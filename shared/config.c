/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config.c - the end of a configuration.
 *
 * Credentials live outside the arena, since GnuTLS allocates them. Several [tcp NAME] may share one
 * set of them: each is freed by the last section that has it.
 */
#include "shared/config.h"

#include "shared/arena.h"
#include "shared/tls_credentials.h"

#include <stdlib.h>

static bool client_is_used_later(const struct config *config, size_t index)
{
	for (size_t i = index + 1; i < config->tcp_count; i++)
		if (config->tcps[i].upstream_tls == config->tcps[index].upstream_tls)
			return true;
	return false;
}

static bool server_is_used_later(const struct config *config, size_t index)
{
	for (size_t i = index + 1; i < config->tcp_count; i++)
		if (config->tcps[i].listener_tls == config->tcps[index].listener_tls)
			return true;
	return false;
}

void config_destroy(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->tcp_count; i++) {
		if (!client_is_used_later(config, i))
			tls_client_credentials_destroy(config->tcps[i].upstream_tls);
		if (!server_is_used_later(config, i))
			tls_server_credentials_destroy(config->tcps[i].listener_tls);
	}
	arena_destroy(config->arena);
	free(config);
}
