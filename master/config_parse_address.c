/* SPDX-License-Identifier: BSD-2-Clause */
/* config_parse_address.c - values that name servers: server, proxy_pass of [tcp], proxy_ssl_name.
 */
#include "master/config_parse.h"

#include <stdio.h>
#include <string.h>

enum { WEIGHT_MAX = 65536, HOST_BYTES_MAX = 253 };

bool config_is_host(struct slice host)
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

bool config_read_port(struct slice text, uint16_t *port_out)
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
		       config_read_port((struct slice){rest.data + 1, rest.length - 1}, port_out);
	}
	bool has_port = slice_split(text, ':', host_out, &rest);
	return config_is_host(*host_out) && (!has_port || config_read_port(rest, port_out));
}

static bool starts(const char *word, const char *prefix)
{
	return strncmp(word, prefix, strlen(prefix)) == 0;
}

bool config_read_count(const char *word, uint64_t least, uint64_t most, uint32_t *number_out)
{
	uint64_t number;

	if (!slice_to_uint64(slice_of(word), most, &number) || number < least)
		return false;
	*number_out = (uint32_t)number;
	return true;
}

bool config_refuse_parameter(const char *what, const char *word, const char *const *known,
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
		if (!config_read_count(word + strlen("weight="), 1, WEIGHT_MAX, &server->weight))
			takes = "a number from 1 to 65536";
	} else if (starts(word, "max_fails=")) {
		if (!config_read_count(word + strlen("max_fails="), 0, 1000000, &server->max_fails))
			takes = "a number from 0 to 1000000";
	} else if (starts(word, "fail_timeout=")) {
		uint64_t ms;
		if (!config_read_time(word + strlen("fail_timeout="), &ms, fault, size))
			return false;
		server->fail_timeout_ms = (uint32_t)ms;
	} else if (starts(word, "name=")) {
		struct slice name = slice_of(word + strlen("name="));
		server->tls_name = name.data;
		if (!config_is_host(name) && !address_parse_ip(name, &literal))
			takes = "a host name or an IP address";
	} else if (strcmp(word, "backup") == 0) {
		server->backup = true;
	} else if (strcmp(word, "down") == 0) {
		server->down = true;
	} else {
		return config_refuse_parameter(
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
	if (config_is_host(name) || address_parse_ip(name, &literal))
		return true;
	return config_parse_fail(fault, fault_size,
	        strchr(words->items[0], '$')
	                ? "'%s': variables are not known here; write the name out, or set 'name=' "
	                  "of each server"
	                : "'%s' is no host name and no IP address",
	        words->items[0]);
}
