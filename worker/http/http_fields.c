/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_fields.c - which fields of a received head go on to the other side.
 *
 * Nearly every field does, so a name is first looked up by its length: most are through after one
 * test of a bit.
 */
#include "worker/http/http_fields.h"

#define LENGTH_BIT(length) (UINT64_C(1) << ((length) % 64))

/* Written afresh, or of one hop alone. The first two have no meaning in a response. */
static const struct slice own_names[] = {
        {"host", 4},
        {"expect", 6},
        {"te", 2},
        {"trailer", 7},
        {"upgrade", 7},
        {"connection", 10},
        {"keep-alive", 10},
        {"content-length", 14},
        {"proxy-connection", 16},
        {"transfer-encoding", 17},
        {"proxy-authenticate", 18},
        {"proxy-authorization", 19},
};

enum { OWN_NAMES = sizeof(own_names) / sizeof(own_names[0]), OWN_TO_REQUESTS = 2 };

static char folded(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c == '_' ? '-' : c;
}

bool http_field_name_equal(struct slice a, struct slice b)
{
	if (a.length != b.length)
		return false;
	for (size_t i = 0; i < a.length; i++)
		if (folded(a.data[i]) != folded(b.data[i]))
			return false;
	return true;
}

const struct config_header_rule *http_header_rule(
        const struct config_header_rule *rules, size_t rule_count, struct slice name)
{
	for (size_t i = 0; i < rule_count; i++)
		if (rules[i].name.length == name.length &&
		        http_field_name_equal(rules[i].name, name))
			return &rules[i];
	return NULL;
}

static size_t first_own(enum http_kind kind)
{
	return kind == HTTP_REQUEST ? 0 : OWN_TO_REQUESTS;
}

static void note_options(struct http_field_filter *filter, struct slice connection)
{
	struct slice option, rest = connection;

	while (rest.length && filter->option_count < HTTP_CONNECTION_OPTIONS_MAX) {
		slice_split(rest, ',', &option, &rest);
		option = slice_trim(option);
		if (option.length == 0)
			continue;
		filter->options[filter->option_count++] = option;
		filter->lengths |= LENGTH_BIT(option.length);
	}
}

void http_field_filter_init(struct http_field_filter *filter, const struct http_head *head,
        const struct config_header_rule *rules, size_t rule_count)
{
	filter->kind = head->kind;
	filter->rules = rules;
	filter->rule_count = rule_count;
	filter->option_count = 0;
	filter->lengths = 0;
	for (size_t i = first_own(head->kind); i < OWN_NAMES; i++)
		filter->lengths |= LENGTH_BIT(own_names[i].length);
	for (size_t i = 0; i < rule_count; i++)
		filter->lengths |= LENGTH_BIT(rules[i].name.length);
	note_options(filter, head->connection);
}

static bool is_listed(const struct slice *names, size_t count, struct slice name)
{
	for (size_t i = 0; i < count; i++)
		if (names[i].length == name.length && slice_equal_nocase(names[i], name))
			return true;
	return false;
}

bool http_field_passes(const struct http_field_filter *filter, struct slice name)
{
	size_t first = first_own(filter->kind);

	if (filter->kind == HTTP_REQUEST && memchr(name.data, '_', name.length))
		return false;
	if (!(filter->lengths & LENGTH_BIT(name.length)))
		return true;
	return !is_listed(own_names + first, OWN_NAMES - first, name) &&
	       !is_listed(filter->options, filter->option_count, name) &&
	       !http_header_rule(filter->rules, filter->rule_count, name);
}

bool http_upgrade_passes(struct slice upgrade)
{
	struct slice protocol, rest = upgrade;

	while (rest.length) {
		slice_split(rest, ',', &protocol, &rest);
		if (slice_equal_nocase(slice_trim(protocol), SLICE("h2c")))
			return false;
	}
	return upgrade.length > 0;
}
