/* SPDX-License-Identifier: BSD-2-Clause */
/* config_build_admin.c - [admin]: where metrics and status are served. */
#include "master/config_build.h"

#include "shared/arena.h"

#include <string.h>
#include <sys/un.h>

enum { FAULT_MAX = 256, LOOPBACK_NET = 127 };

static bool is_loopback(const struct address *address)
{
	if (address->any.sa_family == AF_INET)
		return ntohl(address->in.sin_addr.s_addr) >> 24 == LOOPBACK_NET;
	return IN6_IS_ADDR_LOOPBACK(&address->in6.sin6_addr);
}

static void refuse_taken(struct config_builder *builder,
        const struct config_admin_listener *listener, const struct config_origin *other)
{
	config_messages_add(builder->messages, CONFIG_ERROR, &listener->origin,
	        "listen: '%s' is taken by the listen at %s:%u", listener->text, other->file,
	        other->line);
}

static bool same_place(const struct config_admin_listener *a, const struct config_admin_listener *b)
{
	if (a->unix_path && b->unix_path)
		return strcmp(a->unix_path, b->unix_path) == 0;
	return !a->unix_path && !b->unix_path && address_equal(&a->address, &b->address);
}

static void check(struct config_builder *builder, const struct config_admin_listener *listener)
{
	const struct config *config = builder->config;

	for (size_t i = 0; i < config->admin_listener_count; i++)
		if (same_place(&config->admin_listeners[i], listener))
			refuse_taken(builder, listener, &config->admin_listeners[i].origin);
	if (listener->unix_path) {
		if (strlen(listener->unix_path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
			config_messages_add(builder->messages, CONFIG_ERROR, &listener->origin,
			        "listen: the path '%s' is too long for a socket",
			        listener->unix_path);
		return;
	}
	for (size_t i = 0; i < config->listener_count; i++)
		if (address_equal(&config->listeners[i].address, &listener->address))
			refuse_taken(builder, listener, &config->listeners[i].origin);
	if (!is_loopback(&listener->address))
		config_messages_add(builder->messages, CONFIG_WARNING, &listener->origin,
		        "listen: '%s' is no loopback address: everybody who reaches it may read "
		        "what is served there",
		        listener->text);
}

void config_build_admin(struct config_builder *builder)
{
	struct config *config = builder->config;
	const struct config_section *section = config_tree_find(config->tree, CONFIG_ADMIN, "");
	const struct config_entry *entry = section ? section->entries[CONFIG_LISTEN_KEY] : NULL;
	struct config_admin_listener *listeners = arena_alloc_array(
	        config->arena, config_entry_count(entry) + 1, sizeof(*listeners));
	char fault[FAULT_MAX];

	config->admin_listeners = listeners;
	if (section && !entry && !section->refused[CONFIG_LISTEN_KEY])
		config_messages_add(builder->messages, CONFIG_ERROR, &section->origin,
		        "[admin] listens nowhere; write 'listen = 127.0.0.1:PORT' or 'listen = "
		        "unix:PATH'");
	for (; entry; entry = entry->next) {
		struct config_admin_listener *listener = &listeners[config->admin_listener_count];
		if (!config_read_listen_admin(&entry->words, listener, fault, sizeof(fault)))
			continue; /* was reported when it was read */
		listener->origin = entry->origin;
		if (listener->unix_path)
			listener->unix_path = config_path(builder, listener->unix_path);
		check(builder, listener);
		config->admin_listener_count++;
	}
}
