/* SPDX-License-Identifier: BSD-2-Clause */
/* config_build_tcp.c - [tcp NAME] sections. */
#include "master/config_build.h"

#include "shared/arena.h"

static uint64_t number_of(const struct config_builder *builder,
        const struct config_section *section, enum config_key key)
{
	return config_effective_number(builder->config->tree, section, key);
}

static void build_settings(struct config_builder *builder, const struct config_section *section,
        struct config_tcp *tcp)
{
	tcp->name = section->name;
	tcp->origin = section->origin;
	tcp->ssl_handshake_timeout_ms = (uint32_t)number_of(
	        builder, section, CONFIG_SSL_HANDSHAKE_TIMEOUT_KEY);
	tcp->proxy_connect_timeout_ms = (uint32_t)number_of(
	        builder, section, CONFIG_PROXY_CONNECT_TIMEOUT_KEY);
	tcp->proxy_timeout_ms = (uint32_t)number_of(builder, section, CONFIG_PROXY_TIMEOUT_KEY);
	tcp->proxy_buffer_size = (uint32_t)number_of(
	        builder, section, CONFIG_PROXY_BUFFER_SIZE_KEY);
	config_read_keepalive(config_text(config_effective(builder->config->tree, section,
	                                          CONFIG_PROXY_SOCKET_KEEPALIVE_KEY),
	                              CONFIG_PROXY_SOCKET_KEEPALIVE_KEY, CONFIG_TCP),
	        &tcp->proxy_socket_keepalive);
	tcp->proxy_next_upstream = number_of(builder, section, CONFIG_PROXY_NEXT_UPSTREAM_KEY) != 0;
	tcp->proxy_next_upstream_tries = (uint32_t)number_of(
	        builder, section, CONFIG_PROXY_NEXT_UPSTREAM_TRIES_KEY);
	tcp->proxy_next_upstream_timeout_ms = (uint32_t)number_of(
	        builder, section, CONFIG_PROXY_NEXT_UPSTREAM_TIMEOUT_KEY);
	tcp->proxy_half_close = number_of(builder, section, CONFIG_PROXY_HALF_CLOSE_KEY) != 0;
	tcp->truncation_resets = number_of(builder, section, CONFIG_PROXY_SSL_TRUNCATION_KEY) != 0;
	tcp->shutdown_timeout_ms = (uint32_t)number_of(
	        builder, section, CONFIG_SHUTDOWN_TIMEOUT_KEY);
	tcp->access_log_count = config_build_access_logs(builder, section, &tcp->access_logs);
}

static void build_tls(struct config_builder *builder, const struct config_section *section,
        struct config_tcp *tcp)
{
	const struct config_entry *proxy_ssl = config_effective(
	        builder->config->tree, section, CONFIG_PROXY_SSL_KEY);

	if (config_number(proxy_ssl, CONFIG_PROXY_SSL_KEY, CONFIG_TCP))
		tcp->upstream_tls = config_build_client_tls(
		        builder, section, tcp->group, &tcp->proxy_ssl_name);
	else if (!proxy_ssl)
		config_check_idle_client_tls(
		        builder, section, tcp->group, "'proxy_ssl = on' is missing");
	if (config_has_ssl_listen(builder, section))
		tcp->listener_tls = config_build_server_tls(builder, section);
	else
		config_check_idle_server_tls(builder, section);
}

static void build_tcp(struct config_builder *builder, const struct config_section *section,
        struct config_tcp *tcp)
{
	static const enum config_key times[] = {CONFIG_PROXY_TIMEOUT_KEY,
	        CONFIG_PROXY_CONNECT_TIMEOUT_KEY, CONFIG_SSL_HANDSHAKE_TIMEOUT_KEY};

	build_settings(builder, section, tcp);
	config_refuse_zero_times(builder, section, times, sizeof(times) / sizeof(times[0]));
	if (section->group)
		tcp->group = config_find_group(builder, section->group);
	else if (!section->refused[CONFIG_PROXY_PASS_KEY])
		config_messages_add(builder->messages, CONFIG_ERROR, &section->origin,
		        "[%s] goes nowhere; write 'proxy_pass = GROUP' or 'proxy_pass = HOST:PORT'",
		        section->title);
	build_tls(builder, section, tcp);
}

void config_build_tcps(struct config_builder *builder)
{
	struct config *config = builder->config;
	size_t count = 0;

	for (const struct config_section *section = config->tree->first; section;
	        section = section->next)
		count += section->kind == CONFIG_TCP;
	struct config_tcp *tcps = arena_alloc_array(config->arena, count + 1, sizeof(*tcps));
	config->tcps = tcps;
	for (const struct config_section *section = config->tree->first; section;
	        section = section->next)
		if (section->kind == CONFIG_TCP)
			build_tcp(builder, section, &tcps[config->tcp_count++]);
}
