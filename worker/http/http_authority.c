/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_authority.c - the one place that says what a host in a request may look like.
 *
 * The host chooses the server and goes on to the upstream, where it may end up in links and cache
 * keys: what is not plainly a host is refused, and what is goes on in lower case.
 */
#include "worker/http/http_authority.h"

#include "shared/arena.h"

#include <arpa/inet.h>

enum { IPV6_TEXT_MAX = 45 };

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* unreserved and sub-delims of RFC 3986. */
static const bool name_bytes[256] = {
        ['0' ... '9'] = true,
        ['A' ... 'Z'] = true,
        ['a' ... 'z'] = true,
        ['-'] = true,
        ['.'] = true,
        ['_'] = true,
        ['~'] = true,
        ['!'] = true,
        ['$'] = true,
        ['&'] = true,
        ['\''] = true,
        ['('] = true,
        [')'] = true,
        ['*'] = true,
        ['+'] = true,
        [','] = true,
        [';'] = true,
        ['='] = true,
};

static bool is_reg_name(struct slice host)
{
	if (host.length == 0 || host.data[0] == '.')
		return false;
	for (size_t i = 0; i < host.length; i++) {
		char c = host.data[i];
		if (c == '.' && host.data[i - 1] == '.')
			return false;
		if (c == '%') {
			if (host.length - i < 3 || !is_hex(host.data[i + 1]) ||
			        !is_hex(host.data[i + 2]))
				return false;
			i += 2;
		} else if (!name_bytes[(unsigned char)c]) {
			return false;
		}
	}
	return true;
}

static bool is_bracketed_ipv6(struct slice host)
{
	char text[IPV6_TEXT_MAX + 1];
	struct in6_addr address;

	if (host.length < 2 || host.length - 2 > IPV6_TEXT_MAX)
		return false;
	memcpy(text, host.data + 1, host.length - 2);
	text[host.length - 2] = '\0';
	return strlen(text) == host.length - 2 && inet_pton(AF_INET6, text, &address) == 1;
}

static bool is_port(struct slice port)
{
	uint64_t value;

	return port.length <= 5 && slice_to_uint64(port, 65535, &value);
}

bool http_authority_read(struct slice text, struct http_authority *authority_out)
{
	bool bracketed = text.length > 0 && text.data[0] == '[';
	const char *end = bracketed ? memchr(text.data, ']', text.length) : NULL;
	struct slice host, port = {NULL, 0};

	if (bracketed && !end)
		return false;
	if (bracketed) {
		host = (struct slice){text.data, (size_t)(end + 1 - text.data)};
		struct slice rest = {end + 1, text.length - host.length};
		if (rest.length > 0 && rest.data[0] != ':')
			return false;
		if (rest.length > 0)
			port = (struct slice){rest.data + 1, rest.length - 1};
	} else {
		slice_split(text, ':', &host, &port);
	}
	if (!(bracketed ? is_bracketed_ipv6(host) : is_reg_name(host)))
		return false;
	/* "host:" has a port that is left out (RFC 3986 3.2.3). */
	if (port.length > 0 && !is_port(port))
		return false;
	*authority_out = (struct http_authority){host, port};
	return true;
}

bool http_authority_equal(
        const struct http_authority *a, const struct http_authority *b, struct slice port_default)
{
	struct slice port_a = a->port.length ? a->port : port_default;
	struct slice port_b = b->port.length ? b->port : port_default;

	return slice_equal_nocase(a->host, b->host) && slice_equal(port_a, port_b);
}

void http_authority_write(const struct http_authority *authority, struct arena *arena,
        struct slice *text_out, struct slice *host_out)
{
	size_t length = authority->host.length;
	char *text = arena_alloc(arena, length + 1 + authority->port.length);

	for (size_t i = 0; i < length; i++) {
		char c = authority->host.data[i];
		text[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	*host_out = (struct slice){text, text[length - 1] == '.' ? length - 1 : length};
	if (authority->port.length > 0) {
		text[length++] = ':';
		memcpy(text + length, authority->port.data, authority->port.length);
		length += authority->port.length;
	}
	*text_out = (struct slice){text, length};
}
