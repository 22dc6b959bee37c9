/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_write.c - heads to bytes, always afresh from their parts.
 *
 * What frames a message (Content-Length, Transfer-Encoding, Connection, Upgrade) is written here
 * from the form alone; the sender's own such fields never pass. One pass, no printf: this runs
 * twice for every exchange.
 */
#include "worker/http/http_write.h"

#include "worker/http/http_fields.h"
#include "worker/http/http_reply.h"
#include "worker/io/text_writer.h"

static void put_field(struct text_writer *writer, struct slice name, struct slice value)
{
	char *to = text_take(writer, name.length + value.length + 4);

	if (!to)
		return;
	memcpy(to, name.data, name.length);
	to += name.length;
	*to++ = ':';
	*to++ = ' ';
	if (value.length)
		memcpy(to, value.data, value.length);
	to += value.length;
	*to++ = '\r';
	*to = '\n';
}

/* Of the configuration's making: a control byte in it ends no line. */
static void put_checked_field(struct text_writer *writer, struct slice name, struct slice value)
{
	size_t start = writer->used;

	put_field(writer, name, value);
	if (writer->used > writer->size)
		return;
	char *written = writer->out + start + name.length + 2;
	for (size_t i = 0; i < value.length; i++)
		if ((unsigned char)written[i] < ' ' || written[i] == '\x7f')
			written[i] = ' ';
}

static void put_length(struct text_writer *writer, uint64_t length)
{
	char digits[TEXT_UINT_MAX];

	put_field(writer, SLICE("Content-Length"), text_of_uint(length, digits));
}

static void put_passing_fields(struct text_writer *writer, const struct http_head *head,
        const struct http_field_filter *filter)
{
	for (size_t i = 0; i < head->field_count; i++)
		if (http_field_passes(filter, head->fields[i].name))
			put_field(writer, head->fields[i].name, head->fields[i].value);
}

/* A request without Host is none: a rule that leaves it empty does not hold. */
static struct slice host_value(
        const struct http_facts *facts, const struct http_request_form *form, struct arena *arena)
{
	const struct config_location *location = facts->location;
	const struct config_header_rule *rule = http_header_rule(
	        location->header_rules, location->header_rule_count, SLICE("Host"));
	struct slice value = rule ? http_template(facts, &rule->value, arena) : SLICE("");

	return value.length ? value : form->default_host;
}

static void put_rules(
        struct text_writer *writer, const struct http_facts *facts, struct arena *arena)
{
	const struct config_location *location = facts->location;

	for (size_t i = 0; i < location->header_rule_count; i++) {
		const struct config_header_rule *rule = &location->header_rules[i];
		if (http_field_name_equal(rule->name, SLICE("Host")))
			continue;
		struct slice value = http_template(facts, &rule->value, arena);
		if (value.length)
			put_checked_field(writer, rule->name, value);
	}
}

static void put_request_framing(struct text_writer *writer, const struct http_request_form *form,
        const struct http_head *request)
{
	switch (form->framing) {
	case HTTP_BODY_SIZED:
		put_length(writer, form->content_length);
		break;
	case HTTP_BODY_CHUNKED:
		text_put(writer, SLICE("Transfer-Encoding: chunked\r\n"));
		break;
	case HTTP_NO_BODY:
	case HTTP_BODY_UNTIL_CLOSE: /* no request's */
		/* Servers ask with 411 for the length of an empty POST. */
		if (request->has_content_length || request->method == HTTP_METHOD_POST ||
		        request->method == HTTP_METHOD_PUT)
			text_put(writer, SLICE("Content-Length: 0\r\n"));
		break;
	}
}

static void put_upgrade(struct text_writer *writer, struct slice protocols)
{
	text_put(writer, SLICE("Connection: Upgrade\r\n"));
	put_field(writer, SLICE("Upgrade"), protocols);
}

size_t http_write_request(const struct http_facts *facts, const struct http_request_form *form,
        struct arena *arena, char *out, size_t size)
{
	const struct http_head *request = facts->request;
	const struct config_location *location = facts->location;
	struct text_writer writer = {.out = out, .size = size};
	struct http_field_filter filter;

	http_field_filter_init(
	        &filter, request, location->header_rules, location->header_rule_count);
	text_put(&writer, request->method_name);
	text_put_char(&writer, ' ');
	text_put(&writer, form->target);
	text_put(&writer, SLICE(" HTTP/1.1\r\n"));
	put_checked_field(&writer, SLICE("Host"), host_value(facts, form, arena));
	put_passing_fields(&writer, request, &filter);
	if (form->expect_continue &&
	        !http_header_rule(filter.rules, filter.rule_count, SLICE("Expect")))
		text_put(&writer, SLICE("Expect: 100-continue\r\n"));
	put_rules(&writer, facts, arena);
	put_request_framing(&writer, form, request);
	if (form->upgrade)
		put_upgrade(&writer, request->upgrade);
	else if (!form->keep_alive)
		text_put(&writer, SLICE("Connection: close\r\n"));
	text_put(&writer, SLICE("\r\n"));
	return writer.used;
}

static void put_response_framing(struct text_writer *writer, const struct http_response_form *form)
{
	switch (form->framing) {
	case HTTP_BODY_CHUNKED:
		text_put(writer, SLICE("Transfer-Encoding: chunked\r\n"));
		break;
	case HTTP_BODY_SIZED:
		put_length(writer, form->content_length);
		break;
	case HTTP_NO_BODY:
		if (form->has_content_length)
			put_length(writer, form->content_length);
		break;
	case HTTP_BODY_UNTIL_CLOSE:
		break;
	}
}

static void put_status_line(struct text_writer *writer, const struct http_head *response)
{
	text_put(writer, SLICE("HTTP/1.1 "));
	text_put_uint(writer, response->status);
	text_put_char(writer, ' ');
	for (size_t i = 0; i < response->reason.length; i++) {
		char c = response->reason.data[i];
		text_put_char(writer, (unsigned char)c < ' ' || c == '\x7f' ? ' ' : c);
	}
	text_put(writer, SLICE("\r\n"));
}

size_t http_write_response(const struct http_head *response, const struct http_response_form *form,
        char *out, size_t size)
{
	struct text_writer writer = {.out = out, .size = size};
	struct http_field_filter filter;

	http_field_filter_init(&filter, response, NULL, 0);
	put_status_line(&writer, response);
	put_passing_fields(&writer, response, &filter);
	if (form->upgrade) {
		put_upgrade(&writer, response->upgrade);
	} else if (response->status >= 200) {
		put_response_framing(&writer, form);
		text_put(&writer, http_connection_field(form->keep_alive, form->client_minor));
	}
	text_put(&writer, SLICE("\r\n"));
	return writer.used;
}
