/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_layout.h - a head's bytes to its lines.
 *
 * A head is accepted only if it looks as if we had written it: single blanks in the first line,
 * each line ended by CR LF, a token and a colon before each value, no control byte anywhere. That
 * refuses at once the folded lines, bare LFs and stray blanks that readers take differently.
 */
#ifndef WORKER_HTTP_HTTP_LAYOUT_H
#define WORKER_HTTP_HTTP_LAYOUT_H

#include "worker/http/http_message.h"

/* `text` is the whole head with its empty line; fields[i] begins at field_starts[i]. Fills the
 * first line's parts (target as received) and the field_count fields of `head`, as slices of
 * `text`. NULL, or what is wrong. */
const char *http_layout_read(struct http_head *head, struct slice text, const size_t *field_starts);

/* The first line without its end, of a head that may not have come whole; and of it the method. */
void http_layout_first_line(struct http_head *head, struct slice text);

#endif
