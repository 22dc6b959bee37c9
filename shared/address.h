/* SPDX-License-Identifier: BSD-2-Clause */
/* address.h - socket addresses: parse, format, compare. IPv4 and IPv6 with a port. */
#ifndef SHARED_ADDRESS_H
#define SHARED_ADDRESS_H

#include "shared/slice.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t length; /* 0: no address */
};

/* Room for "[IPv6%scope]:65535" and the terminator. */
enum { ADDRESS_TEXT_MAX = 80 };

/* A literal: "10.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80"; with `default_port` (not 0) also
 * without port. No names. Port 0 is a port here. On false *address_out is as it was. */
bool address_parse(struct slice text, uint16_t default_port, struct address *address_out);
/* As bytes of an IP literal without port and brackets ("10.0.0.1", "::1"). */
bool address_parse_ip(struct slice text, struct address *address_out);
/* What the kernel or a resolver gave. Length must fit IPv4 or IPv6. */
bool address_from_sockaddr(
        const struct sockaddr *any, socklen_t length, struct address *address_out);

/* "10.0.0.1:80", "[::1]:80", "-" for no address; returns `buffer`, at least ADDRESS_TEXT_MAX long.
 */
const char *address_format(const struct address *address, char *buffer, size_t buffer_size);
/* Without port and brackets. */
const char *address_format_ip(const struct address *address, char *buffer, size_t buffer_size);

bool address_equal(const struct address *a, const struct address *b); /* family, IP and port */
uint16_t address_port(const struct address *address);
void address_set_port(struct address *address, uint16_t port);

#endif
