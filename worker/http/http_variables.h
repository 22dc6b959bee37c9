/* SPDX-License-Identifier: BSD-2-Clause */
/* http_variables.h - what the $variables of an exchange stand for. */
#ifndef WORKER_HTTP_HTTP_VARIABLES_H
#define WORKER_HTTP_HTTP_VARIABLES_H

#include "shared/config.h"
#include "worker/http/http_message.h"
#include "worker/session/session.h"

struct arena;

/* What they are taken from. */
struct http_facts {
	const struct session *session;
	const struct http_head *request; /* NULL: none was read */
	const struct config_http *server;
	const struct config_location *location;
	unsigned status; /* sent to the client; 0: none yet */
	unsigned upstream_status; /* 0: none */
};

/* Empty where it does not apply, and then not NULL. In the arena, the configuration or the request.
 * Control bytes never come out of it: what could hold some (certificate names, SNI) has them
 * escaped as \xHH, $uri as %HH. */
struct slice http_variable(const struct http_facts *facts, enum variable variable,
        struct slice name, struct arena *arena);
/* The variables' values and the literal texts as they are configured, which may hold newlines. */
struct slice http_template(
        const struct http_facts *facts, const struct template *template, struct arena *arena);

#endif
