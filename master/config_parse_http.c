/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_parse_http.c - values of HTTP: names, proxy_pass, return, headers.
 *
 * What ends up in a head that we write is looked at byte by byte here, once, so that no worker has
 * to: a line end in a configured value would be a header of somebody else's.
 */
#include "master/config_parse.h"

#include "master/config_template.h"

#include <stdlib.h>
#include <string.h>

static bool has_control_byte(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

/* ---- server_name ---- */

static bool check_server_name(const char *word, char *fault, size_t size)
{
	struct slice host;
	uint16_t port;

	if (word[0] == '\0')
		return true;
	if (word[0] == '~')
		return config_parse_fail(fault, size,
		        "'%s': names by regular expression are not there yet; write each name out",
		        word);
	if (word[0] == '.' || strchr(word, '*'))
		return config_parse_fail(fault, size,
		        "'%s': names with wildcards are not there yet; write each name out", word);
	if (!config_read_host_port(slice_of(word), &host, &port))
		return config_parse_fail(fault, size, "'%s' is no host name", word);
	if (port)
		return config_parse_fail(
		        fault, size, "'%s': a name has no port; listen has it", word);
	if (slice_ends_with(slice_of(word), SLICE(".")))
		return config_parse_fail(fault, size,
		        "'%s': leave out the final dot, as requests are found so", word);
	return true;
}

bool config_parse_server_name(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	value_out->number = 0;
	for (size_t i = 0; i < words->count; i++)
		if (!check_server_name(words->items[i], fault, fault_size))
			return false;
	return true;
}

/* ---- proxy_pass ---- */

static bool check_uri(struct slice uri, char *fault, size_t size)
{
	for (size_t i = 0; i < uri.length; i++) {
		char c = uri.data[i];
		if (c == '?' || c == '#')
			return config_parse_fail(fault, size,
			        "the URI '%.*s' may hold a path only, without '%c'",
			        (int)uri.length, uri.data, c);
		if (c <= 0x20 || c >= 0x7f)
			return config_parse_fail(fault, size,
			        "a blank or a byte in the URI that has to be written as %%XX");
	}
	return true;
}

bool config_read_proxy_pass(
        const char *word, struct config_target *target_out, char *fault, size_t fault_size)
{
	struct slice text = slice_of(word);
	size_t scheme = strlen("http://");

	*target_out = (struct config_target){.https = slice_starts_with(text, SLICE("https://"))};
	scheme += target_out->https;
	if (!target_out->https && strstr(word, "://") && !slice_starts_with(text, SLICE("http://")))
		return config_parse_fail(fault, fault_size,
		        "'%s': the scheme is not known; there are http and https", word);
	if (!target_out->https && !slice_starts_with(text, SLICE("http://")))
		return config_parse_fail(fault, fault_size,
		        "'%s' has no scheme; write http://%s, or https://%s for TLS", word, word,
		        word);
	if (strchr(word, '$'))
		return config_parse_fail(fault, fault_size,
		        "'%s': variables are not known here; name an [upstream] or HOST[:PORT]",
		        word);
	text = (struct slice){text.data + scheme, text.length - scheme};
	if (slice_starts_with(text, SLICE("unix:")))
		return config_parse_fail(fault, fault_size,
		        "'%s': unix sockets are not supported; name an [upstream] or HOST[:PORT]",
		        word);
	const char *end = memchr(text.data, '/', text.length);
	size_t length = end ? (size_t)(end - text.data) : text.length;
	target_out->authority = (struct slice){text.data, length};
	target_out->uri = (struct slice){text.data + length, text.length - length};
	if (!config_read_host_port(target_out->authority, &target_out->host, &target_out->port))
		return config_parse_fail(fault, fault_size,
		        "'%.*s' is neither the name of an [upstream] nor HOST[:PORT]", (int)length,
		        text.data);
	return check_uri(target_out->uri, fault, fault_size);
}

bool config_parse_proxy_pass(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	struct config_target target;

	return config_parse_word(words, value_out, fault, fault_size) &&
	       config_read_proxy_pass(words->items[0], &target, fault, fault_size);
}

/* ---- return ---- */

bool config_is_redirect(unsigned status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* What is wrong with answering so, or NULL. */
static const char *fault_of_status(unsigned status)
{
	switch (status) {
	case 206:
	case 304:
		return "answers a request for a range or a changed page, which 'return' does not "
		       "look at";
	case 444:
	case 494:
	case 495:
	case 496:
	case 497:
	case 499:
		return "is a number of nginx's own, which is never sent";
	default:
		return NULL;
	}
}

static bool check_location_url(const char *url, char *fault, size_t size)
{
	if (url[0] == '\0')
		return config_parse_fail(fault, size, "an empty URL");
	for (const char *at = url; *at; at++)
		if ((unsigned char)*at <= 0x20 || *at == 0x7f)
			return config_parse_fail(fault, size,
			        "a blank or a control byte in the URL; write it as %%XX");
	return true;
}

bool config_parse_return(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	const char *code = words->items[0], *text = words->count > 1 ? words->items[1] : NULL;
	uint32_t status;

	if (words->count > 2)
		return config_parse_fail(fault, fault_size,
		        "takes a status and a text, not %zu words; quote a text with blanks",
		        words->count);
	if (strstr(code, "://") || code[0] == '/')
		return config_parse_fail(
		        fault, fault_size, "a status is missing; write '302 %s'", code);
	if (strlen(code) != 3 || !config_read_count(code, 200, 599, &status))
		return config_parse_fail(
		        fault, fault_size, "'%s' is no status from 200 to 599", code);
	value_out->number = status;
	const char *wrong = fault_of_status(status);
	if (wrong)
		return config_parse_fail(fault, fault_size, "%s %s", code, wrong);
	if (config_is_redirect(status) && !text)
		return config_parse_fail(
		        fault, fault_size, "%s needs the URL to go to: '%s URL'", code, code);
	if ((status == 204 || status == 205) && text)
		return config_parse_fail(
		        fault, fault_size, "an answer %s has no body; leave the text out", code);
	if (config_is_redirect(status) && !check_location_url(text, fault, fault_size))
		return false;
	return !text || config_template_check(text, fault, fault_size);
}

/* ---- proxy_set_header ---- */

/* Headers that say how this one connection frames and keeps its messages. */
static const struct {
	const char *name, *instead;
} own_headers[] = {
        {"Connection", "connections are kept by 'keepalive' of the [upstream]"},
        {"Keep-Alive", "connections are kept by 'keepalive' of the [upstream]"},
        {"Proxy-Connection", "connections are kept by 'keepalive' of the [upstream]"},
        {"Upgrade", "upgrades, as to WebSocket, are passed on without configuration"},
        {"Content-Length", "bodies are framed as they come; client_max_body_size limits them"},
        {"Transfer-Encoding", "bodies are framed as they come; client_max_body_size limits them"},
        {"Trailer", "trailers are passed on with the body as they come"},
        {"TE", "trailers are passed on with the body as they come"},
        {"Expect", "bodies are passed on as they come; client_body_timeout bounds the wait"},
};

static bool is_token(const char *text)
{
	size_t length = strlen(text);

	return length > 0 && length == strspn(text, "!#$%&'*+-.^_`|~0123456789"
	                                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                                            "abcdefghijklmnopqrstuvwxyz");
}

bool config_parse_set_header(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	const char *name = words->items[0];

	value_out->number = 0;
	if (words->count == 1 && strcmp(name, "none") == 0)
		return true;
	if (!is_token(name))
		return config_parse_fail(fault, fault_size,
		        "the name of a header is made of letters, digits and !#$%%&'*+-.^_`|~");
	for (size_t i = 0; i < sizeof(own_headers) / sizeof(own_headers[0]); i++)
		if (slice_equal_nocase(slice_of(name), slice_of(own_headers[i].name)))
			return config_parse_fail(fault, fault_size, "'%s' is the proxy's own: %s",
			        own_headers[i].name, own_headers[i].instead);
	if (words->count != 2)
		return config_parse_fail(fault, fault_size,
		        words->count == 1
		                ? "takes NAME VALUE; an empty value is written \"\""
		                : "takes NAME VALUE; a value with blanks is written in quotes");
	if (words->items[1][0] == '\0' && slice_equal_nocase(slice_of(name), SLICE("Host")))
		return config_parse_fail(
		        fault, fault_size, "a request without Host is none; give it a value");
	if (has_control_byte(words->items[1]))
		return config_parse_fail(
		        fault, fault_size, "a control byte in the value of '%s'", name);
	return config_template_check(words->items[1], fault, fault_size);
}

/* ---- proxy_next_upstream ---- */

static bool read_condition(const char *word, uint64_t *bits, char *fault, size_t size)
{
	static const char *const known[] = {"error", "timeout", "off"};
	static const char *const later[] = {"invalid_header", "http_500", "http_502", "http_503",
	        "http_504", "http_403", "http_404", "http_429", "non_idempotent"};

	if (strcmp(word, "error") == 0)
		*bits |= NEXT_UPSTREAM_ERROR;
	else if (strcmp(word, "timeout") == 0)
		*bits |= NEXT_UPSTREAM_TIMEOUT;
	else {
		for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
			if (strcmp(word, later[i]) == 0)
				return config_parse_fail(fault, size,
				        "'%s' is not there yet; there are error, timeout and off",
				        word);
		const char *near = config_suggest(word, known, sizeof(known) / sizeof(known[0]));
		return config_parse_fail(fault, size, "'%s' is unknown; %s%s%s", word,
		        near ? "did you mean '" : "there are error, timeout and off",
		        near ? near : "", near ? "'?" : "");
	}
	return true;
}

bool config_parse_next_upstream(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	value_out->number = 0;
	for (size_t i = 0; i < words->count; i++) {
		if (strcmp(words->items[i], "off") == 0 && words->count > 1)
			return config_parse_fail(fault, fault_size, "'off' stands alone");
		if (strcmp(words->items[i], "off") != 0 &&
		        !read_condition(words->items[i], &value_out->number, fault, fault_size))
			return false;
	}
	return true;
}
