/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_client_hello.c - reads a ClientHello up to its extensions, and three of those.
 *
 * Strict where GnuTLS could read something else than we do: lengths have to fit exactly, none of
 * the three extensions comes twice, there is one host name. The name is made of letters, digits,
 * '-', '_' and '.': GnuTLS refuses any other, and no log has to escape it.
 */
#include "worker/tls/tls_client_hello.h"

#include <string.h>

enum {
	RANDOM_BYTES = 32,
	SESSION_ID_MAX = 32,
	EXTENSION_SERVER_NAME = 0,
	EXTENSION_SESSION_TICKET = 35,
	EXTENSION_SUPPORTED_VERSIONS = 43,
	NAME_TYPE_HOST = 0,
	TLS_1_3 = 0x0304,
};

/* ---- reading from the front of a slice ---- */

static bool take(struct slice *rest, size_t count, struct slice *taken_out)
{
	if (rest->length < count)
		return false;
	*taken_out = (struct slice){rest->data, count};
	rest->data += count;
	rest->length -= count;
	return true;
}

/* Big endian, of one or two bytes. */
static bool take_number(struct slice *rest, size_t bytes, size_t *number_out)
{
	struct slice taken;

	if (!take(rest, bytes, &taken))
		return false;
	*number_out = 0;
	for (size_t i = 0; i < bytes; i++)
		*number_out = *number_out << 8 | (unsigned char)taken.data[i];
	return true;
}

/* What follows its own length of one or two bytes. */
static bool take_vector(struct slice *rest, size_t length_bytes, struct slice *vector_out)
{
	size_t length;

	return take_number(rest, length_bytes, &length) && take(rest, length, vector_out);
}

/* ---- the extensions ---- */

static bool is_host_name(struct slice name)
{
	static const char allowed[] =
	        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	if (name.length == 0 || name.length > TLS_SERVER_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.length; i++)
		if (!memchr(allowed, name.data[i], sizeof(allowed) - 1))
			return false;
	return true;
}

/* RFC 6066 3: a list of names, at most one of each type. */
static bool read_server_name(struct slice extension, struct slice *name_out)
{
	struct slice list, name;
	size_t type;
	bool found = false;

	if (!take_vector(&extension, 2, &list) || extension.length || list.length == 0)
		return false;
	while (list.length) {
		if (!take_number(&list, 1, &type) || !take_vector(&list, 2, &name) ||
		        name.length == 0)
			return false;
		if (type != NAME_TYPE_HOST)
			continue;
		if (found || !is_host_name(name))
			return false;
		found = true;
		*name_out = name;
	}
	return true;
}

static bool read_versions(struct slice extension, bool *tls13_out)
{
	struct slice list;
	size_t version;

	if (!take_vector(&extension, 1, &list) || extension.length || list.length == 0)
		return false;
	while (list.length) {
		if (!take_number(&list, 2, &version))
			return false;
		if (version == TLS_1_3)
			*tls13_out = true;
	}
	return true;
}

enum { SEEN_SERVER_NAME = 1, SEEN_TICKET = 2, SEEN_VERSIONS = 4 };

/* False when it came before: which one counts would be anybody's guess. */
static bool is_first(unsigned *seen, unsigned bit)
{
	bool first = !(*seen & bit);

	*seen |= bit;
	return first;
}

static bool read_extension(
        size_t type, struct slice body, unsigned *seen, struct tls_client_hello *hello)
{
	switch (type) {
	case EXTENSION_SERVER_NAME:
		return is_first(seen, SEEN_SERVER_NAME) &&
		       read_server_name(body, &hello->server_name);
	case EXTENSION_SESSION_TICKET:
		hello->offers_ticket = body.length > 0;
		return is_first(seen, SEEN_TICKET);
	case EXTENSION_SUPPORTED_VERSIONS:
		return is_first(seen, SEEN_VERSIONS) && read_versions(body, &hello->offers_tls13);
	default:
		return true;
	}
}

static bool read_extensions(struct slice rest, struct tls_client_hello *hello)
{
	struct slice list, body;
	size_t type;
	unsigned seen = 0;

	if (rest.length == 0) /* a client older than extensions */
		return true;
	if (!take_vector(&rest, 2, &list) || rest.length)
		return false;
	while (list.length)
		if (!take_number(&list, 2, &type) || !take_vector(&list, 2, &body) ||
		        !read_extension(type, body, &seen, hello))
			return false;
	return true;
}

bool tls_client_hello_parse(struct slice message, struct tls_client_hello *hello_out)
{
	struct slice version, random, session_id, suites, compressions;

	memset(hello_out, 0, sizeof(*hello_out));
	if (!take(&message, 2, &version) || !take(&message, RANDOM_BYTES, &random) ||
	        !take_vector(&message, 1, &session_id) || session_id.length > SESSION_ID_MAX ||
	        !take_vector(&message, 2, &suites) || !take_vector(&message, 1, &compressions))
		return false;
	return read_extensions(message, hello_out);
}
