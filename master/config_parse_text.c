/* SPDX-License-Identifier: BSD-2-Clause */
/* config_parse_text.c - values of words: files, logs, protocols, keepalive. */
#include "master/config_parse.h"

#include "shared/tls_ciphers.h"

#include <stdio.h>
#include <string.h>

bool config_parse_word(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	value_out->number = 0;
	return config_parse_one_word(words, fault, fault_size);
}

bool config_parse_words(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	value_out->number = words->count;
	if (words->count <= 2)
		return true;
	return config_parse_fail(
	        fault, fault_size, "takes one or two words, not %zu", words->count);
}

bool config_parse_file_or_none(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	value_out->number = 0;
	if (!config_parse_one_word(words, fault, fault_size))
		return false;
	if (words->items[0][0] == '\0')
		return config_parse_fail(fault, fault_size, "an empty file name");
	return true;
}

bool config_parse_file(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	if (!config_parse_file_or_none(words, value_out, fault, fault_size))
		return false;
	if (strcmp(words->items[0], "none") == 0)
		return config_parse_fail(fault, fault_size,
		        "'none' takes back only proxy_ssl_certificate and ssl_client_certificate; "
		        "a file of that name is './none'");
	return true;
}

bool config_parse_protocols(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	static const char *const names[] = {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};
	unsigned protocols = 0;

	for (size_t i = 0; i < words->count; i++) {
		unsigned protocol = tls_protocol_from_name(slice_of(words->items[i]));
		const char *near = config_suggest(words->items[i], names, 4);
		if (!protocol)
			return config_parse_fail(fault, fault_size, "unknown protocol '%s'; %s%s%s",
			        words->items[i],
			        near ? "did you mean '" : "there are TLSv1 TLSv1.1 TLSv1.2 TLSv1.3",
			        near ? near : "", near ? "'?" : "");
		protocols |= protocol;
	}
	if ((protocols & (TLS_PROTOCOL_1_0 | TLS_PROTOCOL_1_1)) &&
	        !(protocols & TLS_PROTOCOL_1_2) && (protocols & TLS_PROTOCOL_1_3))
		return config_parse_fail(fault, fault_size,
		        "TLSv1.2 is left out between others, and GnuTLS would drop TLSv1.3 then; "
		        "put it in");
	value_out->number = protocols;
	return true;
}

bool config_read_keepalive(const char *word, struct config_tcp_keepalive *keepalive_out)
{
	unsigned *parts[] = {
	        &keepalive_out->idle_s, &keepalive_out->interval_s, &keepalive_out->count};
	struct slice left = slice_of(word), part;
	bool on, more = true;

	*keepalive_out = (struct config_tcp_keepalive){.on = true};
	if (config_read_bool(word, &on)) {
		keepalive_out->on = on;
		return true;
	}
	for (size_t i = 0; i < 3; i++) {
		uint64_t number = 0;
		char time[16], fault[1];
		if (!more)
			return false;
		more = slice_split(left, ':', &part, &left);
		if (part.length >= sizeof(time))
			return false;
		if (part.length == 0)
			continue;
		snprintf(time, sizeof(time), "%.*s", (int)part.length, part.data);
		if (!slice_to_uint64(part, 32767, &number)) {
			if (i == 2 || !config_read_time(time, &number, fault, sizeof(fault)) ||
			        number % 1000)
				return false;
			number /= 1000;
		}
		if (number == 0 || number > 32767 || (i == 2 && number > 127))
			return false;
		*parts[i] = (unsigned)number;
	}
	return !more;
}

bool config_parse_keepalive(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	struct config_tcp_keepalive keepalive;

	value_out->number = 0;
	if (!config_parse_one_word(words, fault, fault_size))
		return false;
	if (config_read_keepalive(words->items[0], &keepalive))
		return true;
	return config_parse_fail(fault, fault_size,
	        "'%s' is neither on, off, nor IDLE:INTERVAL:COUNT like 60s:10s:6", words->items[0]);
}

bool config_parse_error_log(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	static const char *const levels[] = {"debug", "info", "notice", "warn", "error", "crit"};
	enum log_level level = LOG_ERROR;

	if (words->count > 2)
		return config_parse_fail(
		        fault, fault_size, "takes a file and a level, not %zu words", words->count);
	if (slice_starts_with(slice_of(words->items[0]), SLICE("syslog:")))
		return config_parse_fail(fault, fault_size,
		        "'%s': there is no syslog here; write to stderr under a service manager",
		        words->items[0]);
	if (words->count == 2 && !log_level_from_name(slice_of(words->items[1]), &level)) {
		const char *near = config_suggest(words->items[1], levels, 6);
		return config_parse_fail(fault, fault_size, "unknown level '%s'; %s%s%s",
		        words->items[1],
		        near ? "did you mean '" : "there are debug info notice warn error crit",
		        near ? near : "", near ? "'?" : "");
	}
	value_out->number = level;
	return true;
}

static bool parse_access_log(const struct config_words *words, const char *format,
        const char *known, struct config_value *value_out, char *fault, size_t size)
{
	if (words->count > 2)
		return config_parse_fail(
		        fault, size, "takes a file and a format, not %zu words", words->count);
	if (slice_starts_with(slice_of(words->items[0]), SLICE("syslog:")))
		return config_parse_fail(
		        fault, size, "'%s': there is no syslog here; name a file", words->items[0]);
	if (words->count == 2 && strcmp(words->items[0], "off") == 0)
		return config_parse_fail(fault, size, "'off' takes no format");
	if (words->items[0][0] == '\0')
		return config_parse_fail(fault, size, "an empty file name");
	format = words->count == 2 ? words->items[1] : format;
	if (strcmp(format, "upstream_tls") == 0)
		value_out->number = ACCESS_LOG_UPSTREAM_TLS;
	else if (strcmp(format, "combined") == 0)
		value_out->number = ACCESS_LOG_COMBINED;
	else
		return config_parse_fail(fault, size, "unknown format '%s'; %s", format, known);
	return true;
}

bool config_parse_access_log_http(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	return parse_access_log(words, "combined", "there are combined and upstream_tls", value_out,
	        fault, fault_size);
}

bool config_parse_access_log_tcp(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	if (!parse_access_log(
	            words, "upstream_tls", "there is upstream_tls", value_out, fault, fault_size))
		return false;
	if (value_out->number == ACCESS_LOG_UPSTREAM_TLS)
		return true;
	return config_parse_fail(fault, fault_size,
	        "'%s' is a format for requests of HTTP; [tcp] has upstream_tls", words->items[1]);
}

bool config_parse_user(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	value_out->number = 0;
	if (words->count > 2)
		return config_parse_fail(
		        fault, fault_size, "takes a user and a group, not %zu words", words->count);
	return true;
}

bool config_parse_alpn(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	value_out->number = words->count;
	if (words->count > 8)
		return config_parse_fail(
		        fault, fault_size, "takes 8 protocols at most, not %zu", words->count);
	for (size_t i = 0; i < words->count; i++) {
		size_t length = strlen(words->items[i]);
		if (length == 0 || length > 32)
			return config_parse_fail(fault, fault_size,
			        "'%.40s' is no protocol name of 1 to 32 bytes", words->items[i]);
	}
	return true;
}

bool config_parse_source_address(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	struct address address;

	value_out->number = 0;
	if (!config_parse_one_word(words, fault, fault_size))
		return false;
	if (address_parse_ip(slice_of(words->items[0]), &address))
		return true;
	return config_parse_fail(
	        fault, fault_size, "'%s' is no IP address (without port)", words->items[0]);
}
