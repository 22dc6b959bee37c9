/* SPDX-License-Identifier: BSD-2-Clause */
/* config_words.h - a line's words: blanks, quotes, escapes and comments. */
#ifndef MASTER_CONFIG_WORDS_H
#define MASTER_CONFIG_WORDS_H

#include "shared/slice.h"

#include <stdbool.h>
#include <stddef.h>

struct arena;

struct config_word_result {
	const char *const *items;
	size_t count;
	size_t used; /* bytes of the text before its comment, without trailing blanks */
};

/* false, with what is wrong in `fault`, for an open quote, a quote inside a bare word, or an
 * unquoted ; or #. */
bool config_words_split(struct arena *arena, struct slice text,
        struct config_word_result *result_out, char *fault, size_t fault_size);

/* Where the title of a section ends: the index of the last ']' outside quotes and comments; false
 * without one. */
bool config_words_title_end(struct slice text, size_t *end_out);

#endif
