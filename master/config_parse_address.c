/* SPDX-License-Identifier: BSD-2-Clause */
/* config_parse_address.c - values that name places: listen, server, proxy_pass. */
#include "master/config_parse.h"

#include <stdio.h>
#include <string.h>

enum { BACKLOG_DEFAULT = 4096, BACKLOG_MAX = 65535, WEIGHT_MAX = 65536, HOST_BYTES_MAX = 253 };

static bool is_host(struct slice host)
{
	if (host.length == 0 || host.length > HOST_BYTES_MAX)
		return false;
	for (size_t i = 0; i < host.length; i++) {
		char c = host.data[i];
		bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		            (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
		if (!fine)
			return false;
	}
	return host.data[0] != '.' && host.data[0] != '-';
}

static bool read_port(struct slice text, uint16_t *port_out)
{
	uint64_t port;

	if (!slice_to_uint64(text, UINT16_MAX, &port) || port == 0)
		return false;
	*port_out = (uint16_t)port;
	return true;
}

bool config_read_host_port(struct slice text, struct slice *host_out, uint16_t *port_out)
{
	struct slice rest;
	struct address literal;

	*port_out = 0;
	if (slice_starts_with(text, SLICE("["))) {
		struct slice inside = {text.data + 1, text.length - 1};
		if (!slice_split(inside, ']', host_out, &rest) ||
		        !address_parse_ip(*host_out, &literal))
			return false;
		if (rest.length == 0)
			return true;
		return rest.data[0] == ':' &&
		       read_port((struct slice){rest.data + 1, rest.length - 1}, port_out);
	}
	bool has_port = slice_split(text, ':', host_out, &rest);
	return is_host(*host_out) && (!has_port || read_port(rest, port_out));
}

static struct slice after(const char *word, size_t prefix)
{
	return slice_of(word + prefix);
}

static bool read_count(const char *word, size_t prefix, uint64_t least, uint32_t *number_out)
{
	uint64_t number;

	if (!slice_to_uint64(after(word, prefix), 1000000, &number) || number < least)
		return false;
	*number_out = (uint32_t)number;
	return true;
}

static bool starts(const char *word, const char *prefix)
{
	return strncmp(word, prefix, strlen(prefix)) == 0;
}

/* false, with `known` words to choose from. */
static bool refuse_parameter(const char *what, const char *word, const char *const *known,
        size_t count, char *fault, size_t size)
{
	char start[64];

	snprintf(start, sizeof(start), "%.*s",
	        (int)(strcspn(word, "=") + (strchr(word, '=') ? 1 : 0)), word);
	const char *near = config_suggest(start, known, count);
	snprintf(fault, size, "unknown %s '%s'%s%s%s", what, word, near ? "; did you mean '" : "",
	        near ? near : "", near ? "'?" : "");
	return false;
}

static bool read_server_parameter(
        const char *word, struct config_server *server, char *fault, size_t size)
{
	static const char *const known[] = {
	        "weight=", "max_fails=", "fail_timeout=", "name=", "backup", "down"};
	struct address literal;
	const char *takes = NULL; /* what it takes, when that is not there */

	if (starts(word, "weight=")) {
		if (!read_count(word, strlen("weight="), 1, &server->weight) ||
		        server->weight > WEIGHT_MAX)
			takes = "a number from 1 to 65536";
	} else if (starts(word, "max_fails=")) {
		if (!read_count(word, strlen("max_fails="), 0, &server->max_fails))
			takes = "a number from 0 to 1000000";
	} else if (starts(word, "fail_timeout=")) {
		uint64_t ms;
		if (!config_read_time(word + strlen("fail_timeout="), &ms, fault, size))
			return false;
		server->fail_timeout_ms = (uint32_t)ms;
	} else if (starts(word, "name=")) {
		struct slice name = after(word, strlen("name="));
		server->tls_name = name.data;
		if (!is_host(name) && !address_parse_ip(name, &literal))
			takes = "a host name or an IP address";
	} else if (strcmp(word, "backup") == 0) {
		server->backup = true;
	} else if (strcmp(word, "down") == 0) {
		server->down = true;
	} else {
		return refuse_parameter(
		        "parameter", word, known, sizeof(known) / sizeof(known[0]), fault, size);
	}
	if (takes)
		snprintf(fault, size, "the parameter '%s' takes %s", word, takes);
	return !takes;
}

bool config_read_server(const struct config_words *words, struct config_server *server_out,
        char *fault, size_t fault_size)
{
	*server_out = (struct config_server){.weight = 1, .max_fails = 1, .fail_timeout_ms = 10000};
	if (starts(words->items[0], "unix:")) {
		snprintf(fault, fault_size, "'%s': unix sockets are not supported; name HOST:PORT",
		        words->items[0]);
		return false;
	}
	if (!config_read_host_port(
	            slice_of(words->items[0]), &server_out->host, &server_out->port)) {
		snprintf(fault, fault_size, "'%s' is no HOST:PORT or [IPv6]:PORT", words->items[0]);
		return false;
	}
	for (size_t i = 1; i < words->count; i++)
		if (!read_server_parameter(words->items[i], server_out, fault, fault_size))
			return false;
	return true;
}

bool config_parse_server(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	struct config_server server;

	value_out->number = 0;
	return config_read_server(words, &server, fault, fault_size);
}

/* PORT, *:PORT, ADDRESS:PORT, [IPv6]:PORT. */
static bool read_listen_address(const char *word, struct address *address_out)
{
	struct slice text = slice_of(word);
	uint16_t port;

	if (slice_starts_with(text, SLICE("*:")))
		text = (struct slice){text.data + 2, text.length - 2};
	if (read_port(text, &port)) {
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

static bool read_listen_option(
        const char *word, struct config_listener *listener, char *fault, size_t size)
{
	static const char *const known[] = {
	        "ssl", "backlog=", "ipv6only=", "deferred", "so_keepalive=", "freebind"};
	const char *takes = NULL; /* what it takes, when that is not there */

	if (strcmp(word, "ssl") == 0) {
		listener->ssl = true;
	} else if (strcmp(word, "deferred") == 0) {
		listener->deferred = true;
	} else if (strcmp(word, "freebind") == 0) {
		listener->freebind = true;
	} else if (starts(word, "backlog=")) {
		uint32_t backlog = 0;
		if (!read_count(word, strlen("backlog="), 1, &backlog) || backlog > BACKLOG_MAX)
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
		return refuse_parameter(
		        "option", word, known, sizeof(known) / sizeof(known[0]), fault, size);
	}
	if (takes)
		snprintf(fault, size, "the option '%s' takes %s", word, takes);
	return !takes;
}

bool config_read_listen(const struct config_words *words, struct config_listener *listener_out,
        char *fault, size_t fault_size)
{
	*listener_out = (struct config_listener){.backlog = BACKLOG_DEFAULT, .ipv6only = true};
	if (starts(words->items[0], "unix:")) {
		snprintf(fault, fault_size,
		        "'%s': unix sockets are not supported; name [ADDRESS:]PORT",
		        words->items[0]);
		return false;
	}
	if (!read_listen_address(words->items[0], &listener_out->address)) {
		snprintf(fault, fault_size,
		        "'%s' is no PORT, ADDRESS:PORT or [IPv6]:PORT (a name is not looked up "
		        "here)",
		        words->items[0]);
		return false;
	}
	for (size_t i = 1; i < words->count; i++)
		if (!read_listen_option(words->items[i], listener_out, fault, fault_size))
			return false;
	/* A TLS client speaks first; a plain one may wait for the server to. */
	listener_out->deferred |= listener_out->ssl;
	return true;
}

bool config_parse_listen(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	struct config_listener listener;

	value_out->number = 0;
	return config_read_listen(words, &listener, fault, fault_size);
}

bool config_parse_target(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	if (!config_parse_word(words, value_out, fault, fault_size))
		return false;
	if (strstr(words->items[0], "://")) {
		snprintf(fault, fault_size,
		        "'%s': [tcp] takes a group or HOST:PORT without a scheme; 'proxy_ssl = on' "
		        "asks for TLS",
		        words->items[0]);
		return false;
	}
	if (starts(words->items[0], "unix:")) {
		snprintf(fault, fault_size,
		        "'%s': unix sockets are not supported; name a group or HOST:PORT",
		        words->items[0]);
		return false;
	}
	return true;
}

bool config_parse_tls_name(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	struct address literal;

	if (!config_parse_word(words, value_out, fault, fault_size))
		return false;
	struct slice name = slice_of(words->items[0]);
	if (is_host(name) || address_parse_ip(name, &literal))
		return true;
	return config_parse_fail(fault, fault_size,
	        strchr(words->items[0], '$')
	                ? "'%s': variables are not known here; write the name out, or set 'name=' "
	                  "of each server"
	                : "'%s' is no host name and no IP address",
	        words->items[0]);
}
