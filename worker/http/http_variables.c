/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_variables.c - what the $variables of an exchange stand for.
 *
 * Values go into heads and logs. Whatever a value was made from, it leaves through `harmless`, so
 * that none can end a line: not a certificate's name, and not a path that had %0D%0A in it.
 */
#include "worker/http/http_variables.h"

#include "shared/arena.h"
#include "shared/check.h"
#include "worker/io/text_writer.h"
#include "worker/tls/tls_server.h"
#include "worker/upstream/dial_attempts.h"

#include <unistd.h>

static const char hex_digits[] = "0123456789ABCDEF";

static bool is_control(char c)
{
	return ((unsigned char)c < ' ' && c != '\t') || c == '\x7f';
}

/* The value itself, or a copy whose control bytes are "`prefix`HH". */
static struct slice harmless(struct slice value, struct slice prefix, struct arena *arena)
{
	size_t controls = 0;

	for (size_t i = 0; i < value.length; i++)
		controls += is_control(value.data[i]);
	if (controls == 0)
		return value;

	size_t size = value.length + controls * (prefix.length + 1);
	struct text_writer writer = {.out = arena_alloc(arena, size), .size = size};
	for (size_t i = 0; i < value.length; i++) {
		unsigned char c = (unsigned char)value.data[i];
		if (!is_control((char)c)) {
			text_put_char(&writer, (char)c);
			continue;
		}
		text_put(&writer, prefix);
		text_put_char(&writer, hex_digits[c >> 4]);
		text_put_char(&writer, hex_digits[c & 15]);
	}
	return (struct slice){writer.out, size};
}

static struct slice copied(struct slice text, struct arena *arena)
{
	return (struct slice){arena_copy(arena, text), text.length};
}

static struct slice number(uint64_t value, struct arena *arena)
{
	char digits[TEXT_UINT_MAX];

	return value ? copied(text_of_uint(value, digits), arena) : SLICE("");
}

static struct slice client_ip(const struct http_facts *facts, struct arena *arena)
{
	char *text = arena_alloc(arena, ADDRESS_TEXT_MAX);

	return slice_of(address_format_ip(&facts->session->client_address, text, ADDRESS_TEXT_MAX));
}

static struct slice server_name(const struct http_facts *facts)
{
	return facts->server && facts->server->server_name_count ? facts->server->server_names[0]
	                                                         : SLICE("");
}

static bool is_named(const struct http_field *field, struct slice name)
{
	return field->name.length == name.length && field->value.length &&
	       slice_equal_nocase(field->name, name);
}

/* All fields of that name in one, then `last`; empty ones say nothing. */
static struct slice joined(const struct http_head *request, struct slice name,
        struct slice separator, struct slice last, struct arena *arena)
{
	struct slice only = last;
	size_t count = last.length > 0, size = last.length;

	for (size_t i = 0; i < request->field_count; i++) {
		const struct http_field *field = &request->fields[i];
		if (!is_named(field, name))
			continue;
		only = field->value;
		size += separator.length + field->value.length;
		count++;
	}
	if (count < 2)
		return only;

	struct text_writer writer = {.out = arena_alloc(arena, size), .size = size};
	for (size_t i = 0; i < request->field_count; i++) {
		const struct http_field *field = &request->fields[i];
		if (!is_named(field, name))
			continue;
		if (writer.used)
			text_put(&writer, separator);
		text_put(&writer, field->value);
	}
	if (last.length) {
		text_put(&writer, separator);
		text_put(&writer, last);
	}
	return (struct slice){writer.out, writer.used};
}

static struct slice request_field(
        const struct http_head *request, struct slice name, struct arena *arena)
{
	/* The one field whose list is not made with commas (RFC 6265). */
	bool is_cookie = slice_equal_nocase(name, SLICE("cookie"));

	return joined(request, name, is_cookie ? SLICE("; ") : SLICE(", "), SLICE(""), arena);
}

static struct slice upstream_addresses(const struct http_facts *facts, struct arena *arena)
{
	char text[DIAL_ATTEMPTS_TEXT_MAX];

	return copied(dial_attempts_format(&facts->session->dial, text), arena);
}

/* What the client's TLS session holds beyond session->facts; without TLS all are empty. */
static struct slice client_tls(const struct session *session, enum variable variable)
{
	struct tls_server_facts facts;

	if (!session->facts.client_tls.protocol ||
	        !tls_server_facts(session->client.transport, &facts))
		return SLICE("");
	if (variable == VARIABLE_SSL_SERVER_NAME)
		return slice_of(facts.server_name);
	if (variable == VARIABLE_SSL_CLIENT_VERIFY)
		return slice_of(facts.verify);
	if (variable == VARIABLE_SSL_CLIENT_S_DN)
		return slice_of(facts.subject);
	if (variable == VARIABLE_SSL_CLIENT_I_DN)
		return slice_of(facts.issuer);
	return slice_of(facts.serial);
}

static struct slice evaluate(const struct http_facts *facts, enum variable variable,
        struct slice name, struct arena *arena)
{
	static const struct http_head unread;
	const struct http_head *request = facts->request ? facts->request : &unread;
	const struct session *session = facts->session;
	const struct tls_facts *tls = &session->facts.client_tls;

	switch (variable) {
	case VARIABLE_HOST:
		return request->host.length ? request->host : server_name(facts);
	case VARIABLE_PROXY_HOST:
		return facts->location ? facts->location->proxy_host : SLICE("");
	case VARIABLE_REMOTE_ADDR:
		return client_ip(facts, arena);
	case VARIABLE_REMOTE_PORT:
		return number(address_port(&session->client_address), arena);
	case VARIABLE_SCHEME:
		return tls->protocol ? SLICE("https") : SLICE("http");
	case VARIABLE_REQUEST_URI:
		return request->target;
	case VARIABLE_REQUEST_METHOD:
		return request->method_name;
	case VARIABLE_URI:
		return harmless(request->path, SLICE("%"), arena);
	case VARIABLE_ARGS:
		return request->args;
	case VARIABLE_SERVER_NAME:
		return server_name(facts);
	case VARIABLE_SERVER_PORT:
		return number(address_port(&session->listener->address), arena);
	case VARIABLE_PID:
		return number((uint64_t)getpid(), arena);
	case VARIABLE_HTTP:
		return request_field(request, name, arena);
	case VARIABLE_PROXY_ADD_X_FORWARDED_FOR:
		return joined(request, SLICE("x-forwarded-for"), SLICE(", "),
		        client_ip(facts, arena), arena);
	case VARIABLE_SSL_PROTOCOL:
		return slice_of(tls->protocol);
	case VARIABLE_SSL_CIPHER:
		return slice_of(tls->protocol ? tls->cipher : NULL);
	case VARIABLE_SSL_SESSION_REUSED:
		return !tls->protocol ? SLICE("") : tls->resumed ? SLICE("r") : SLICE(".");
	case VARIABLE_SSL_SERVER_NAME:
	case VARIABLE_SSL_CLIENT_VERIFY:
	case VARIABLE_SSL_CLIENT_S_DN:
	case VARIABLE_SSL_CLIENT_I_DN:
	case VARIABLE_SSL_CLIENT_SERIAL:
		return client_tls(session, variable);
	case VARIABLE_UPSTREAM_ADDR:
		return upstream_addresses(facts, arena);
	case VARIABLE_UPSTREAM_STATUS:
		return number(facts->upstream_status, arena);
	case VARIABLE_STATUS:
		return number(facts->status, arena);
	case VARIABLE_NONE:
	case VARIABLE_COUNT:
		break;
	}
	CHECK(false); /* no value of the table */
	return SLICE("");
}

struct slice http_variable(const struct http_facts *facts, enum variable variable,
        struct slice name, struct arena *arena)
{
	struct slice value = evaluate(facts, variable, name, arena);

	return value.length ? harmless(value, SLICE("\\x"), arena) : SLICE("");
}

static struct slice part_value(
        const struct http_facts *facts, const struct template_part *part, struct arena *arena)
{
	return part->variable == VARIABLE_NONE
	               ? part->text
	               : http_variable(facts, part->variable, part->text, arena);
}

struct slice http_template(
        const struct http_facts *facts, const struct template *template, struct arena *arena)
{
	size_t length = 0;

	if (template->count == 0)
		return SLICE("");
	if (template->count == 1)
		return part_value(facts, &template->parts[0], arena);

	struct slice *values = arena_alloc_array(arena, template->count, sizeof(*values));
	for (size_t i = 0; i < template->count; i++) {
		values[i] = part_value(facts, &template->parts[i], arena);
		length += values[i].length;
	}
	struct text_writer writer = {.out = arena_alloc(arena, length), .size = length};
	for (size_t i = 0; i < template->count; i++)
		text_put(&writer, values[i]);
	return (struct slice){writer.out, length};
}
