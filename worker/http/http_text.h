/* SPDX-License-Identifier: BSD-2-Clause */
/* http_text.h - bytes that come piece by piece, in one piece in an arena. */
#ifndef WORKER_HTTP_HTTP_TEXT_H
#define WORKER_HTTP_HTTP_TEXT_H

#include "shared/slice.h"

struct arena;

/* Zeroed: empty. What it has outgrown stays in the arena, together less than what it holds now. */
struct http_text {
	char *data;
	size_t length, capacity;
};

/* `last`: no more will come, so that nothing is set aside for it. */
void http_text_add(struct http_text *text, struct arena *arena, struct slice bytes, bool last);

struct slice http_text_slice(const struct http_text *text);

#endif
