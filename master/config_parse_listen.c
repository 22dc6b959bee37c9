/* SPDX-License-Identifier: BSD-2-Clause */
/* config_parse_listen.c - listen: of [tcp NAME], of [http NAME] and of [admin]. */
#include "master/config_parse.h"

#include <stdio.h>
#include <string.h>

enum { BACKLOG_DEFAULT = 4096, BACKLOG_MAX = 65535, ADMIN_MODE_DEFAULT = 0660 };

static bool starts(const char *word, const char *prefix)
{
	return strncmp(word, prefix, strlen(prefix)) == 0;
}

/* PORT, *:PORT, ADDRESS:PORT, [IPv6]:PORT. */
static bool read_listen_address(const char *word, struct address *address_out)
{
	struct slice text = slice_of(word);
	uint16_t port;

	if (slice_starts_with(text, SLICE("*:")))
		text = (struct slice){text.data + 2, text.length - 2};
	if (config_read_port(text, &port)) {
		*address_out = (struct address){
		        .in = {.sin_family = AF_INET}, .length = sizeof(struct sockaddr_in)};
		address_set_port(address_out, port);
		return true;
	}
	return address_parse(text, 0, address_out) && address_port(address_out) != 0;
}

static bool read_switch(const char *text, bool *value_out)
{
	*value_out = strcmp(text, "on") == 0;
	return *value_out || strcmp(text, "off") == 0;
}

/* Options of both kinds. */
static bool read_listen_option(
        const char *word, bool http, struct config_listener *listener, char *fault, size_t size)
{
	static const char *const known[] = {"ssl", "backlog=", "ipv6only=", "deferred",
	        "so_keepalive=", "freebind", "default_server"};
	const char *takes = NULL; /* what it takes, when that is not there */

	if (strcmp(word, "ssl") == 0) {
		listener->ssl = true;
	} else if (strcmp(word, "deferred") == 0) {
		listener->deferred = true;
	} else if (strcmp(word, "freebind") == 0) {
		listener->freebind = true;
	} else if (starts(word, "backlog=")) {
		uint32_t backlog = 0;
		if (!config_read_count(word + strlen("backlog="), 1, BACKLOG_MAX, &backlog))
			takes = "a number from 1 to 65535";
		listener->backlog = (int)backlog;
	} else if (starts(word, "ipv6only=")) {
		if (listener->address.any.sa_family != AF_INET6)
			takes = "an [IPv6]:PORT before it";
		else if (!read_switch(word + strlen("ipv6only="), &listener->ipv6only))
			takes = "on or off";
	} else if (starts(word, "so_keepalive=")) {
		if (!config_read_keepalive(word + strlen("so_keepalive="), &listener->so_keepalive))
			takes = "on, off or IDLE:INTERVAL:COUNT";
	} else {
		return config_refuse_parameter("option", word, known,
		        sizeof(known) / sizeof(known[0]) - !http, fault, size);
	}
	if (takes)
		snprintf(fault, size, "the option '%s' takes %s", word, takes);
	return !takes;
}

bool config_read_listen(const struct config_words *words, bool http,
        struct config_listen *listen_out, char *fault, size_t fault_size)
{
	struct config_listener *listener = &listen_out->listener;

	*listen_out = (struct config_listen){
	        .listener = {.backlog = BACKLOG_DEFAULT, .ipv6only = true}};
	if (starts(words->items[0], "unix:"))
		return config_parse_fail(fault, fault_size,
		        "'%s': unix sockets are not supported; name [ADDRESS:]PORT",
		        words->items[0]);
	if (!read_listen_address(words->items[0], &listener->address))
		return config_parse_fail(fault, fault_size,
		        "'%s' is no PORT, ADDRESS:PORT or [IPv6]:PORT (a name is not looked up "
		        "here)",
		        words->items[0]);
	for (size_t i = 1; i < words->count; i++) {
		if (http && strcmp(words->items[i], "default_server") == 0)
			listen_out->default_server = true;
		else if (!read_listen_option(words->items[i], http, listener, fault, fault_size))
			return false;
	}
	/* Clients of HTTP and of TLS speak first; a plain one may wait for the server to. */
	listener->deferred |= listener->ssl || http;
	return true;
}

bool config_parse_listen_tcp(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	struct config_listen listen;

	value_out->number = 0;
	return config_read_listen(words, false, &listen, fault, fault_size);
}

bool config_parse_listen_http(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	struct config_listen listen;

	value_out->number = 0;
	return config_read_listen(words, true, &listen, fault, fault_size);
}

/* ---- [admin] ---- */

static bool read_mode(const char *word, unsigned *mode_out)
{
	size_t digits = strspn(word, "01234567");

	*mode_out = 0;
	for (size_t i = 0; i < digits && i < 5; i++)
		*mode_out = *mode_out * 8 + (unsigned)(word[i] - '0');
	return digits >= 3 && digits <= 4 && word[digits] == '\0' && *mode_out <= 0777;
}

static bool read_admin_unix(const struct config_words *words,
        struct config_admin_listener *listener, char *fault, size_t size)
{
	listener->unix_path = words->items[0] + strlen("unix:");
	listener->mode = ADMIN_MODE_DEFAULT;
	if (listener->unix_path[0] == '\0')
		return config_parse_fail(fault, size, "there is no path behind 'unix:'");
	for (size_t i = 1; i < words->count; i++) {
		const char *word = words->items[i];
		if (!starts(word, "mode="))
			return config_parse_fail(
			        fault, size, "unknown option '%s'; there is mode=0660", word);
		if (!read_mode(word + strlen("mode="), &listener->mode))
			return config_parse_fail(
			        fault, size, "the option '%s' takes an octal mode like 0660", word);
	}
	return true;
}

bool config_read_listen_admin(const struct config_words *words,
        struct config_admin_listener *listener_out, char *fault, size_t fault_size)
{
	*listener_out = (struct config_admin_listener){.text = words->items[0]};
	if (starts(words->items[0], "unix:"))
		return read_admin_unix(words, listener_out, fault, fault_size);
	if (!read_listen_address(words->items[0], &listener_out->address))
		return config_parse_fail(fault, fault_size,
		        "'%s' is no ADDRESS:PORT, [IPv6]:PORT or unix:PATH", words->items[0]);
	if (words->count > 1)
		return config_parse_fail(fault, fault_size,
		        "an address takes no options here; '%s' is too much", words->items[1]);
	return true;
}

bool config_parse_listen_admin(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	struct config_admin_listener listener;

	value_out->number = 0;
	return config_read_listen_admin(words, &listener, fault, fault_size);
}
