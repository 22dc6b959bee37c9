/* SPDX-License-Identifier: BSD-2-Clause */
/* config_schema.c - keys found by name and by kind of section, and names near to a wrong one. */
#include "master/config_schema.h"

#include "shared/check.h"

#include <stdio.h>
#include <string.h>

static const struct config_kind_words kinds[CONFIG_KIND_COUNT] = {
        [CONFIG_MAIN] = {"main", ""},
        [CONFIG_HTTP_DEFAULTS] = {"http", ""},
        [CONFIG_HTTP] = {"http", " NAME"},
        [CONFIG_LOCATION] = {"location", " NAME PATH"},
        [CONFIG_TCP_DEFAULTS] = {"tcp", ""},
        [CONFIG_TCP] = {"tcp", " NAME"},
        [CONFIG_UPSTREAM] = {"upstream", " NAME"},
        [CONFIG_TLS] = {"tls", " NAME"},
        [CONFIG_ADMIN] = {"admin", ""},
};

const struct config_kind_words *config_kind_words(enum config_kind kind)
{
	CHECK(kind < CONFIG_KIND_COUNT);
	return &kinds[kind];
}

const struct config_schema_row *config_schema_row_in(enum config_key key, enum config_kind kind)
{
	const struct config_schema_row *row = config_schema_row(key);

	while (row && !(row->where & 1U << kind))
		row = row->elsewhere;
	return row;
}

unsigned config_schema_where(enum config_key key)
{
	unsigned where = 0;

	for (const struct config_schema_row *row = config_schema_row(key); row;
	        row = row->elsewhere)
		where |= row->where;
	return where;
}

const char *config_schema_sections(unsigned where, char text[CONFIG_SECTIONS_TEXT_MAX])
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < CONFIG_KIND_COUNT; i++)
		if (where & 1U << i)
			used += (size_t)snprintf(text + used, CONFIG_SECTIONS_TEXT_MAX - used,
			        "%s[%s%s]", used ? ", " : "", kinds[i].word, kinds[i].names);
	CHECK(used < CONFIG_SECTIONS_TEXT_MAX);
	return text;
}

const char *config_key_name(enum config_key key)
{
	return config_schema_row(key)->key;
}

bool config_schema_find(const char *name, enum config_key *key_out)
{
	for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++) {
		if (strcmp(config_key_name((enum config_key)i), name) == 0) {
			*key_out = (enum config_key)i;
			return true;
		}
	}
	return false;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

enum { WORD_MAX = 48 };

/* Insertions, deletions, replacements and swaps of neighbours that make one word of the other. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t rows_of[3][WORD_MAX + 1];
	size_t *before = rows_of[0], *previous = rows_of[1], *present = rows_of[2];
	size_t a_length = strlen(a), b_length = strlen(b);

	if (a_length > WORD_MAX || b_length > WORD_MAX)
		return WORD_MAX;
	memset(rows_of, 0, sizeof(rows_of));
	for (size_t j = 0; j <= b_length; j++)
		previous[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		present[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t replace = previous[j - 1] + (a[i - 1] != b[j - 1]);
			present[j] = least(replace, least(previous[j], present[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				present[j] = least(present[j], before[j - 2] + 1);
		}
		size_t *oldest = before;
		before = previous;
		previous = present;
		present = oldest;
	}
	return previous[b_length];
}

/* A name is near when little of it is wrong: of a short one a single letter. */
static bool is_nearer(const char *word, const char *candidate, size_t *best)
{
	size_t distance = edit_distance(word, candidate);

	if (distance > 1 + strlen(word) / 6 || distance >= *best)
		return false;
	*best = distance;
	return true;
}

const char *config_schema_suggest(const char *name, enum config_kind kind)
{
	const char *nearest = NULL;
	size_t best = WORD_MAX;

	for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++) {
		enum config_key key = (enum config_key)i;
		if (config_schema_row_in(key, kind) && is_nearer(name, config_key_name(key), &best))
			nearest = config_key_name(key);
	}
	return nearest;
}

const char *config_suggest(const char *word, const char *const *words, size_t count)
{
	const char *nearest = NULL;
	size_t best = WORD_MAX;

	for (size_t i = 0; i < count; i++)
		if (is_nearer(word, words[i], &best))
			nearest = words[i];
	return nearest;
}
