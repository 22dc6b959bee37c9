/* SPDX-License-Identifier: BSD-2-Clause */
/* config_build_tcp.c - [tcp NAME] sections and their listeners. */
#include "master/config_build.h"

#include "shared/arena.h"

#include <string.h>

enum { FAULT_MAX = 256 };

static uint64_t number_of(const struct config_builder *builder,
        const struct config_section *section, enum config_key key)
{
	return config_number(config_effective(builder->config->tree, section, key), key);
}

static void build_access_logs(struct config_builder *builder, const struct config_section *section,
        struct config_tcp *tcp)
{
	const struct config_entry *entry = config_effective(
	        builder->config->tree, section, CONFIG_ACCESS_LOG_KEY);
	size_t count = 0;

	for (const struct config_entry *each = entry; each; each = each->next)
		count++;
	struct config_access_log *logs = arena_alloc_array(
	        builder->config->arena, count + 1, sizeof(*logs));
	tcp->access_logs = logs;
	for (; entry; entry = entry->next) {
		const char *word = entry->words.items[0];
		if (strcmp(word, "off") == 0) {
			if (count > 1)
				config_messages_add(builder->messages, CONFIG_ERROR, &entry->origin,
				        "access_log: 'off' beside another access_log; leave one "
				        "out");
			continue;
		}
		const char *path = strcmp(word, "stderr") == 0 ? word : config_path(builder, word);
		logs[tcp->access_log_count++].log_index = config_log_index(builder, path);
	}
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
	                              CONFIG_PROXY_SOCKET_KEEPALIVE_KEY),
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
	build_access_logs(builder, section, tcp);
}

static void refuse_zero_time(
        struct config_builder *builder, const struct config_section *section, enum config_key key)
{
	const struct config_entry *entry = config_effective(builder->config->tree, section, key);

	if (entry && config_number(entry, key) == 0)
		config_messages_add(builder->messages, CONFIG_ERROR, &entry->origin,
		        "%s: 0 would end every connection at once", config_schema_row(key)->key);
}

/* [::]:PORT with ipv6only=off beside *:PORT. */
static bool takes_ipv4_of(const struct config_listener *six, const struct config_listener *four)
{
	return six->address.any.sa_family == AF_INET6 && !six->ipv6only &&
	       IN6_IS_ADDR_UNSPECIFIED(&six->address.in6.sin6_addr) &&
	       four->address.any.sa_family == AF_INET &&
	       four->address.in.sin_addr.s_addr == htonl(INADDR_ANY) &&
	       address_port(&six->address) == address_port(&four->address);
}

static void check_against_others(
        struct config_builder *builder, const struct config_listener *listener)
{
	for (size_t i = 0; i < builder->config->listener_count; i++) {
		const struct config_listener *other = &builder->config->listeners[i];
		if (takes_ipv4_of(listener, other) || takes_ipv4_of(other, listener))
			config_messages_add(builder->messages, CONFIG_ERROR, &listener->origin,
			        "listen: '%s' and '%s' at %s:%u both take every IPv4 address, one "
			        "of them by 'ipv6only=off'",
			        listener->text, other->text, other->origin.file,
			        other->origin.line);
		if (!address_equal(&other->address, &listener->address))
			continue;
		config_messages_add(builder->messages, CONFIG_ERROR, &listener->origin,
		        "listen: '%s' is taken by [tcp %s] at %s:%u", listener->text,
		        other->tcp->name, other->origin.file, other->origin.line);
	}
}

/* Once the credentials of the section are made. */
static void give_tls(const struct config_builder *builder, const struct config_tcp *tcp,
        struct config_listener *listeners)
{
	for (size_t i = 0; i < builder->config->listener_count; i++)
		if (listeners[i].tcp == tcp && listeners[i].ssl)
			listeners[i].tls = tcp->listener_tls;
}

/* True when one of them has ssl. */
static bool build_listeners(struct config_builder *builder, const struct config_section *section,
        const struct config_tcp *tcp, struct config_listener *listeners)
{
	const struct config_entry *entry = section->entries[CONFIG_LISTEN_KEY];
	bool ssl = false;
	char fault[FAULT_MAX];

	if (!entry && !section->refused[CONFIG_LISTEN_KEY])
		config_messages_add(builder->messages, CONFIG_ERROR, &section->origin,
		        "[%s] listens nowhere; write 'listen = [ADDRESS:]PORT'", section->title);
	for (; entry; entry = entry->next) {
		struct config_listener *listener = &listeners[builder->config->listener_count];
		if (!config_read_listen(&entry->words, listener, fault, sizeof(fault)))
			continue;
		listener->text = entry->words.items[0];
		listener->origin = entry->origin;
		listener->section = section->title;
		listener->tcp = tcp;
		listener->ssl_handshake_timeout_ms = tcp->ssl_handshake_timeout_ms;
		listener->buffer_bytes_max = tcp->proxy_buffer_size;
		listener->shutdown_timeout_ms = tcp->shutdown_timeout_ms;
		ssl |= listener->ssl;
		check_against_others(builder, listener);
		builder->config->listener_count++;
	}
	return ssl;
}

static void build_tcp(struct config_builder *builder, const struct config_section *section,
        struct config_tcp *tcp, struct config_listener *listeners)
{
	const struct config_entry *pass = section->entries[CONFIG_PROXY_PASS_KEY];

	build_settings(builder, section, tcp);
	refuse_zero_time(builder, section, CONFIG_PROXY_TIMEOUT_KEY);
	refuse_zero_time(builder, section, CONFIG_PROXY_CONNECT_TIMEOUT_KEY);
	refuse_zero_time(builder, section, CONFIG_SSL_HANDSHAKE_TIMEOUT_KEY);
	if (pass)
		tcp->group = config_find_group(builder, pass->words.items[0]);
	else if (!section->refused[CONFIG_PROXY_PASS_KEY])
		config_messages_add(builder->messages, CONFIG_ERROR, &section->origin,
		        "[%s] goes nowhere; write 'proxy_pass = GROUP' or 'proxy_pass = HOST:PORT'",
		        section->title);
	bool ssl = build_listeners(builder, section, tcp, listeners);
	config_build_tcp_tls(builder, section, tcp, ssl);
	give_tls(builder, tcp, listeners);
}

void config_build_tcps(struct config_builder *builder)
{
	struct config *config = builder->config;
	size_t tcp_count = 0, listen_count = 0;

	for (const struct config_section *section = builder->config->tree->first; section;
	        section = section->next) {
		tcp_count += section->kind == CONFIG_TCP;
		for (const struct config_entry *entry = section->entries[CONFIG_LISTEN_KEY]; entry;
		        entry = entry->next)
			listen_count++;
	}
	struct config_tcp *tcps = arena_alloc_array(config->arena, tcp_count + 1, sizeof(*tcps));
	struct config_listener *listeners = arena_alloc_array(
	        config->arena, listen_count + 1, sizeof(*listeners));
	config->tcps = tcps;
	config->listeners = listeners;
	for (const struct config_section *section = builder->config->tree->first; section;
	        section = section->next)
		if (section->kind == CONFIG_TCP)
			build_tcp(builder, section, &tcps[config->tcp_count++], listeners);
	if (tcp_count == 0)
		config_messages_add(builder->messages, CONFIG_ERROR,
		        &(struct config_origin){builder->options->main_file, 0},
		        "there is no [tcp NAME] section, so nothing to do");
}
