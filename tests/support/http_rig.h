/* SPDX-License-Identifier: BSD-2-Clause */
/* http_rig.h - one exchange's facts, made by hand: a head without a parser, a session that is
 * closed. */
#ifndef TESTS_SUPPORT_HTTP_RIG_H
#define TESTS_SUPPORT_HTTP_RIG_H

#include "worker/http/http_variables.h"

enum { HTTP_RIG_FIELDS_MAX = 64, HTTP_RIG_RULES_MAX = 16 };

struct http_rig {
	struct arena *arena;
	struct config_listener listener;
	struct config_http server;
	struct config_location location;
	struct config_header_rule rules[HTTP_RIG_RULES_MAX];
	struct session session;
	struct http_head head;
	struct http_field fields[HTTP_RIG_FIELDS_MAX];
	struct http_facts facts;
};

/* "GET /a%20b?c=d HTTP/1.1" for www.example.com from 192.0.2.7:50123 to port 8080. */
void http_rig_init(struct http_rig *rig);
void http_rig_destroy(struct http_rig *rig);

/* "Name: value" each, separated by '\n'. Connection fields are joined in head.connection, as the
 * parser does. Stays in use. */
void http_rig_fields(struct http_rig *rig, const char *lines);
/* A header rule with a literal value; NULL: none. */
void http_rig_rule(struct http_rig *rig, const char *name, const char *value);

#endif
