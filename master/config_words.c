/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_words.c - a line's words: blanks, quotes, escapes and comments.
 *
 * A ; or # begins a comment at the start of the text or after a blank. Inside or at the end of a
 * bare word it is an error, since it is nearly always nginx's closing semicolon or a comment that
 * would silently become a value.
 */
#include "master/config_words.h"

#include "shared/arena.h"

#include <stdio.h>

struct cursor {
	struct slice text;
	size_t at;
};

static bool at_end(const struct cursor *cursor)
{
	return cursor->at >= cursor->text.length;
}

static char current(const struct cursor *cursor)
{
	return cursor->text.data[cursor->at];
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

static bool is_comment(char c)
{
	return c == ';' || c == '#';
}

static char unescape(char escaped)
{
	if (escaped == 'n')
		return '\n';
	return escaped == 't' ? '\t' : escaped;
}

/* The cursor stands behind the opening quote. */
static bool read_quoted(
        struct cursor *cursor, char *word, size_t *length, char *fault, size_t fault_size)
{
	while (!at_end(cursor) && current(cursor) != '"') {
		char c = current(cursor);
		if (c == '\\' && cursor->at + 1 < cursor->text.length) {
			char next = cursor->text.data[cursor->at + 1];
			if (next == '"' || next == '\\' || next == 'n' || next == 't') {
				c = unescape(next);
				cursor->at++;
			}
		}
		word[(*length)++] = c;
		cursor->at++;
	}
	if (at_end(cursor)) {
		snprintf(fault, fault_size, "a quote is not closed");
		return false;
	}
	cursor->at++;
	if (!at_end(cursor) && !is_blank(current(cursor))) {
		snprintf(fault, fault_size,
		        "a closing quote is followed by '%c'; divide words by a blank",
		        current(cursor));
		return false;
	}
	return true;
}

static bool read_bare(
        struct cursor *cursor, char *word, size_t *length, char *fault, size_t fault_size)
{
	for (; !at_end(cursor) && !is_blank(current(cursor)); cursor->at++) {
		char c = current(cursor);
		if (c == '"') {
			snprintf(fault, fault_size,
			        "a quote inside a word; put the whole word in quotes and write "
			        "\\\" inside it");
			return false;
		}
		if (is_comment(c)) {
			snprintf(fault, fault_size,
			        "an unquoted '%c' in '%.*s'; quote it; nginx's closing ';' is not "
			        "wanted here",
			        c, (int)(*length > 60 ? 60 : *length), word);
			return false;
		}
		word[(*length)++] = c;
	}
	return true;
}

bool config_words_split(struct arena *arena, struct slice text,
        struct config_word_result *result_out, char *fault, size_t fault_size)
{
	struct cursor cursor = {text, 0};
	/* Every word takes two bytes of the text at least, but for the last. */
	const char **items = arena_alloc_array(arena, text.length / 2 + 2, sizeof(*items));

	/* Words and their terminators: each but the last has a blank or a quote behind it. */
	char *word = arena_alloc(arena, text.length + 2);

	*result_out = (struct config_word_result){.items = items};
	for (;;) {
		while (!at_end(&cursor) && is_blank(current(&cursor)))
			cursor.at++;
		if (at_end(&cursor) || is_comment(current(&cursor)))
			return true;
		size_t length = 0;
		bool quoted = current(&cursor) == '"';
		cursor.at += quoted;
		if (!(quoted ? read_quoted : read_bare)(&cursor, word, &length, fault, fault_size))
			return false;
		if (memchr(word, '\0', length)) {
			snprintf(fault, fault_size, "a NUL byte");
			return false;
		}
		items[result_out->count++] = word;
		word += length + 1;
		result_out->used = cursor.at;
	}
}

bool config_words_title_end(struct slice text, size_t *end_out)
{
	bool quoted = false, found = false;

	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i];
		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && c == ']') {
			*end_out = i;
			found = true;
		} else if (!quoted && is_comment(c) && i > 0 && is_blank(text.data[i - 1])) {
			break;
		}
	}
	return found;
}
