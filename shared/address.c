/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address.c - socket addresses as text and back.
 *
 * The unused bytes of an address are always zero. Names are never looked up here: that may take
 * seconds and is done in the master's children.
 */
#include "shared/address.h"

#include "shared/check.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>

/* inet_pton wants a terminated string. */
static bool copy_text(struct slice text, char *buffer, size_t size)
{
	if (text.length == 0 || text.length >= size || memchr(text.data, '\0', text.length))
		return false;
	memcpy(buffer, text.data, text.length);
	buffer[text.length] = '\0';
	return true;
}

static bool parse_ipv4(struct slice text, struct address *address_out)
{
	char buffer[INET_ADDRSTRLEN];
	struct address address = {.in = {.sin_family = AF_INET}};

	if (!copy_text(text, buffer, sizeof(buffer)) ||
	        inet_pton(AF_INET, buffer, &address.in.sin_addr) != 1)
		return false;
	address.length = sizeof(address.in);
	*address_out = address;
	return true;
}

/* A scope is an interface's name or number. */
static bool parse_scope(struct slice text, uint32_t *scope_out)
{
	char name[IF_NAMESIZE];
	uint64_t number;

	if (slice_to_uint64(text, UINT32_MAX, &number)) {
		*scope_out = (uint32_t)number;
		return true;
	}
	if (!copy_text(text, name, sizeof(name)))
		return false;
	*scope_out = if_nametoindex(name);
	return *scope_out != 0;
}

static bool parse_ipv6(struct slice text, struct address *address_out)
{
	char buffer[INET6_ADDRSTRLEN];
	struct address address = {.in6 = {.sin6_family = AF_INET6}};
	struct slice ip, scope;

	if (slice_split(text, '%', &ip, &scope) && !parse_scope(scope, &address.in6.sin6_scope_id))
		return false;
	if (!copy_text(ip, buffer, sizeof(buffer)) ||
	        inet_pton(AF_INET6, buffer, &address.in6.sin6_addr) != 1)
		return false;
	address.length = sizeof(address.in6);
	*address_out = address;
	return true;
}

bool address_parse_ip(struct slice text, struct address *address_out)
{
	return parse_ipv4(text, address_out) || parse_ipv6(text, address_out);
}

/* ":80", or nothing where there is a default. */
static bool parse_port(struct slice text, uint16_t default_port, uint16_t *port_out)
{
	uint64_t port = default_port;

	if (text.length == 0) {
		*port_out = default_port;
		return default_port != 0;
	}
	if (text.data[0] != ':' ||
	        !slice_to_uint64((struct slice){text.data + 1, text.length - 1}, UINT16_MAX, &port))
		return false;
	*port_out = (uint16_t)port;
	return true;
}

bool address_parse(struct slice text, uint16_t default_port, struct address *address_out)
{
	struct slice ip, rest;
	uint16_t port;
	bool bracketed = slice_starts_with(text, SLICE("["));

	if (bracketed) {
		text = (struct slice){text.data + 1, text.length - 1};
		if (!slice_split(text, ']', &ip, &rest))
			return false;
	} else {
		slice_split(text, ':', &ip, &rest);
		rest = (struct slice){text.data + ip.length, text.length - ip.length};
	}
	if (!parse_port(rest, default_port, &port))
		return false;
	if (!(bracketed ? parse_ipv6(ip, address_out) : parse_ipv4(ip, address_out)))
		return false;
	address_set_port(address_out, port);
	return true;
}

bool address_from_sockaddr(
        const struct sockaddr *any, socklen_t length, struct address *address_out)
{
	struct address address = {.length = length};

	if (length < sizeof(any->sa_family))
		return false;
	if (!(any->sa_family == AF_INET && length == sizeof(address.in)) &&
	        !(any->sa_family == AF_INET6 && length == sizeof(address.in6)))
		return false;
	memcpy(&address.any, any, length);
	*address_out = address;
	return true;
}

/* inet_ntop goes through printf; this is done for every request. */
static void format_ipv4(const struct in_addr *ip, char *to)
{
	const unsigned char *bytes = (const unsigned char *)&ip->s_addr;

	for (size_t i = 0; i < 4; i++) {
		unsigned byte = bytes[i];
		if (byte >= 100)
			*to++ = (char)('0' + byte / 100);
		if (byte >= 10)
			*to++ = (char)('0' + byte / 10 % 10);
		*to++ = (char)('0' + byte % 10);
		*to++ = i < 3 ? '.' : '\0';
	}
}

const char *address_format_ip(const struct address *address, char *buffer, size_t buffer_size)
{
	char ip[INET6_ADDRSTRLEN] = "-";

	CHECK(buffer_size >= ADDRESS_TEXT_MAX);
	if (address->length == 0) {
		snprintf(buffer, buffer_size, "-");
	} else if (address->any.sa_family == AF_INET) {
		format_ipv4(&address->in.sin_addr, buffer);
	} else {
		inet_ntop(AF_INET6, &address->in6.sin6_addr, ip, sizeof(ip));
		if (address->in6.sin6_scope_id)
			snprintf(buffer, buffer_size, "%s%%%u", ip, address->in6.sin6_scope_id);
		else
			snprintf(buffer, buffer_size, "%s", ip);
	}
	return buffer;
}

const char *address_format(const struct address *address, char *buffer, size_t buffer_size)
{
	char ip[ADDRESS_TEXT_MAX];

	CHECK(buffer_size >= ADDRESS_TEXT_MAX);
	address_format_ip(address, ip, sizeof(ip));
	if (address->length == 0)
		snprintf(buffer, buffer_size, "-");
	else
		snprintf(buffer, buffer_size,
		        address->any.sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u", ip,
		        address_port(address));
	return buffer;
}

bool address_equal(const struct address *a, const struct address *b)
{
	if (a->length != b->length)
		return false;
	if (a->length == 0)
		return true;
	if (a->any.sa_family != b->any.sa_family || address_port(a) != address_port(b))
		return false;
	if (a->any.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(a->in6.sin6_addr)) == 0 &&
	       a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}

uint16_t address_port(const struct address *address)
{
	if (address->length == 0)
		return 0;
	return ntohs(
	        address->any.sa_family == AF_INET6 ? address->in6.sin6_port : address->in.sin_port);
}

void address_set_port(struct address *address, uint16_t port)
{
	CHECK(address->length);
	if (address->any.sa_family == AF_INET6)
		address->in6.sin6_port = htons(port);
	else
		address->in.sin_port = htons(port);
}
