/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_fields.h - which fields of a received head go on to the other side.
 *
 * Not those of one hop alone (RFC 9110 7.6.1), those that the sender's Connection names, those that
 * we write afresh (Host, Content-Length, Expect), and of a request those that a header rule sets
 * and those with '_' in their name, which some servers take for '-'.
 */
#ifndef WORKER_HTTP_HTTP_FIELDS_H
#define WORKER_HTTP_HTTP_FIELDS_H

#include "shared/config.h"
#include "worker/http/http_message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Options of Connection beyond these are not looked at: the work for a head stays linear, and what
 * must not go on never depends on them. */
enum { HTTP_CONNECTION_OPTIONS_MAX = 64 };

/* Made once for a head, then asked for each of its fields. */
struct http_field_filter {
	uint64_t lengths; /* bit n: a name of n (mod 64) bytes may be one to leave out */
	enum http_kind kind;
	const struct config_header_rule *rules; /* of a request */
	size_t rule_count;
	struct slice options[HTTP_CONNECTION_OPTIONS_MAX];
	size_t option_count;
};

/* `rules` and the head stay in use. A response has no rules. */
void http_field_filter_init(struct http_field_filter *filter, const struct http_head *head,
        const struct config_header_rule *rules, size_t rule_count);
bool http_field_passes(const struct http_field_filter *filter, struct slice name);

/* As servers compare that turn names into variables: in any case, '_' is '-'. */
bool http_field_name_equal(struct slice a, struct slice b);
/* NULL: none sets it. */
const struct config_header_rule *http_header_rule(
        const struct config_header_rule *rules, size_t rule_count, struct slice name);

/* Whether an Upgrade field's protocols may be offered to the other side. HTTP/2 may not: what would
 * follow are requests, and they would pass by every location and rule. */
bool http_upgrade_passes(struct slice upgrade);

#endif
