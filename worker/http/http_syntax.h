/* SPDX-License-Identifier: BSD-2-Clause */
/* http_syntax.h - the small words of HTTP's grammar (RFC 9110 5.5, 5.6): tokens, field text, lists.
 */
#ifndef WORKER_HTTP_HTTP_SYNTAX_H
#define WORKER_HTTP_HTTP_SYNTAX_H

#include "shared/slice.h"

bool http_is_token_byte(char c);
/* Not empty, and all token bytes. */
bool http_is_token(struct slice text);
/* How many of the first bytes are token bytes. */
size_t http_token_length(struct slice text);

/* What a field's value or a reason phrase may hold: no control bytes but tabs. */
bool http_is_field_text(struct slice text);

/* Without the blanks and tabs at both ends. */
struct slice http_trim(struct slice text);

/* Takes the next element off a list with commas; empty ones are skipped. False at its end. */
bool http_list_next(struct slice *list, struct slice *element_out);
/* Whether a list with commas has this element, in any case. */
bool http_list_has(struct slice list, struct slice element);

#endif
