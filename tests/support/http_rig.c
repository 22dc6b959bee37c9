/* SPDX-License-Identifier: BSD-2-Clause */
/* http_rig.c - one exchange's facts, made by hand. */
#include "tests/support/http_rig.h"

#include "shared/arena.h"
#include "shared/check.h"

#include <string.h>

static const struct slice server_names[] = {{"www.example.com", 15}, {"example.com", 11}};

void http_rig_init(struct http_rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	rig->arena = arena_create(4096);

	CHECK(address_parse(SLICE("0.0.0.0:8080"), 0, &rig->listener.address));
	CHECK(address_parse(SLICE("192.0.2.7:50123"), 0, &rig->session.client_address));
	rig->server.server_names = server_names;
	rig->server.server_name_count = 2;
	rig->location.path = SLICE("/");
	rig->location.proxy_host = SLICE("backend.example.com");
	rig->location.header_rules = rig->rules;
	rig->session.listener = &rig->listener;
	rig->head = (struct http_head){
	        .kind = HTTP_REQUEST,
	        .minor = 1,
	        .fields = rig->fields,
	        .method = HTTP_METHOD_GET,
	        .method_name = SLICE("GET"),
	        .target = SLICE("/a%20b?c=d"),
	        .path = SLICE("/a b"),
	        .args = SLICE("c=d"),
	        .authority = SLICE("example.com:8080"),
	        .host = SLICE("example.com"),
	};
	rig->facts = (struct http_facts){
	        .session = &rig->session,
	        .request = &rig->head,
	        .server = &rig->server,
	        .location = &rig->location,
	};
}

void http_rig_destroy(struct http_rig *rig)
{
	arena_destroy(rig->arena);
}

static void join_connection(struct http_rig *rig, struct slice value)
{
	struct slice *all = &rig->head.connection;

	if (all->length == 0)
		*all = value;
	else
		*all = slice_of(arena_format(rig->arena, "%.*s, %.*s", (int)all->length, all->data,
		        (int)value.length, value.data));
}

void http_rig_fields(struct http_rig *rig, const char *lines)
{
	struct slice line, rest = slice_of(lines);

	while (rest.length) {
		CHECK(rig->head.field_count < HTTP_RIG_FIELDS_MAX);
		struct http_field *field = &rig->fields[rig->head.field_count++];
		slice_split(rest, '\n', &line, &rest);
		slice_split(line, ':', &field->name, &field->value);
		field->value = slice_trim(field->value);
		if (slice_equal_nocase(field->name, SLICE("connection")))
			join_connection(rig, field->value);
	}
}

void http_rig_rule(struct http_rig *rig, const char *name, const char *value)
{
	struct template_part *part = arena_alloc(rig->arena, sizeof(*part));

	if (!name)
		return;
	CHECK(rig->location.header_rule_count < HTTP_RIG_RULES_MAX);
	part->text = slice_of(value);
	rig->rules[rig->location.header_rule_count++] = (struct config_header_rule){
	        .name = slice_of(name), .value = {.parts = part, .count = part->text.length > 0}};
}
