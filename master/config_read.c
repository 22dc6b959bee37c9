/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_read.c - INI text to the tree of sections.
 *
 * inih parses, but by itself it cuts lines at 200 and titles at 50 bytes, takes an indented line
 * for a continuation and ':' for '=', and says nothing of empty or repeated sections. So it is fed
 * by a reader of ours that counts lines, strips, refuses what is malformed, and hands it a short
 * stand-in for each title and each value; its handler then finds the real ones in the reader.
 */
#include "master/config_read.h"

#include "master/config_nginx_words.h"
#include "master/config_title.h"
#include "master/config_utf8.h"
#include "master/config_words.h"
#include "shared/arena.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

enum {
	LINE_BYTES_MAX = 64 * 1024 + 1024,
	VALUE_BYTES_MAX = 64 * 1024,
	KEY_BYTES_MAX = 64,
	FAULT_MAX = 600
};

struct reader {
	struct config_tree *tree;
	struct config_messages *messages;
	struct slice left; /* not read yet */
	struct config_origin here;
	bool included;
	struct config_section
	        *section; /* NULL: none yet, or one that was refused: its keys are passed over */
	bool section_seen;
	struct slice value; /* of the line that inih is at */
};

/* ---- section titles ---- */

static const struct config_section *same_section(
        const struct config_tree *tree, const struct config_title *title)
{
	for (const struct config_section *section = tree->first; section; section = section->next)
		if (section->kind == title->kind && strcmp(section->name, title->name) == 0 &&
		        strcmp(section->path, title->path) == 0 && section->exact == title->exact)
			return section;
	return NULL;
}

static void add_section(struct reader *reader, const struct config_title *title, const char *text)
{
	struct config_tree *tree = reader->tree;
	const struct config_section *before = same_section(tree, title);

	if (before) {
		config_messages_add(reader->messages, CONFIG_ERROR, &reader->here,
		        "[%s] is here a second time; the first is at %s:%u", text,
		        before->origin.file, before->origin.line);
		return;
	}
	struct config_section *section = arena_alloc(tree->arena, sizeof(*section));
	section->kind = title->kind;
	section->name = title->name;
	section->path = title->path;
	section->exact = title->exact;
	section->title = text;
	section->origin = reader->here;
	if (tree->last)
		tree->last->next = section;
	else
		tree->first = section;
	tree->last = section;
	reader->section = section;
}

static bool has_only_comment(struct slice text)
{
	text = slice_trim(text);
	return text.length == 0 || text.data[0] == ';' || text.data[0] == '#';
}

static void read_title(struct reader *reader, struct slice line)
{
	struct config_word_result words;
	struct config_title title;
	char fault[FAULT_MAX];
	size_t end;

	reader->section = NULL;
	reader->section_seen = true;
	if (!config_words_title_end(line, &end)) {
		config_messages_add(reader->messages, CONFIG_ERROR, &reader->here,
		        "a section title without ']'");
		return;
	}
	struct slice inside = slice_trim((struct slice){line.data + 1, end - 1});
	if (!has_only_comment((struct slice){line.data + end + 1, line.length - end - 1})) {
		config_messages_add(reader->messages, CONFIG_ERROR, &reader->here,
		        "text behind the ']' of a section title; a key stands on a line of its "
		        "own");
		return;
	}
	if (!config_words_split(reader->tree->arena, inside, &words, fault, sizeof(fault))) {
		config_messages_add(
		        reader->messages, CONFIG_ERROR, &reader->here, "section title: %s", fault);
		return;
	}
	const char *text = arena_copy(reader->tree->arena, inside);
	if (words.count == 0)
		config_messages_add(
		        reader->messages, CONFIG_ERROR, &reader->here, "an empty section title");
	else if (!config_title_read(&(struct config_words){words.items, words.count}, text, &title,
	                 fault, sizeof(fault)))
		config_messages_add(reader->messages, CONFIG_ERROR, &reader->here, "%s", fault);
	else
		add_section(reader, &title, text);
}

/* ---- keys ---- */

static void refuse_key(struct reader *reader, const char *key)
{
	const char *hint = config_nginx_hint(key);
	const char *near = hint ? NULL : config_schema_suggest(key, reader->section->kind);
	const struct config_section *section = reader->section;
	char sections[CONFIG_SECTIONS_TEXT_MAX];
	enum config_key known;

	if (config_schema_find(key, &known))
		config_messages_add(reader->messages, CONFIG_ERROR, &reader->here,
		        "'%s' may not stand in [%s]; its place is in %s", key, section->title,
		        config_schema_sections(config_schema_where(known), sections));
	else if (near)
		config_messages_add(reader->messages, CONFIG_ERROR, &reader->here,
		        "unknown key '%s' in [%s]; did you mean '%s'?", key, section->title, near);
	else
		config_messages_add(reader->messages, CONFIG_ERROR, &reader->here,
		        "unknown key '%s' in [%s]%s%s", key, section->title, hint ? "; " : "",
		        hint ? hint : "");
}

static bool is_repeated(struct reader *reader, const struct config_schema_row *row,
        const struct config_entry *first)
{
	if (!first || row->traits & CONFIG_REPEATABLE)
		return false;
	config_messages_add(reader->messages, CONFIG_ERROR, &reader->here,
	        "'%s' is here a second time in [%s]; the first is at %s:%u", row->key,
	        reader->section->title, first->origin.file, first->origin.line);
	return true;
}

static void append_entry(
        struct config_section *section, enum config_key key, struct config_entry *entry)
{
	struct config_entry **at = &section->entries[key];

	while (*at)
		at = &(*at)->next;
	*at = entry;
}

static void add_entry(
        struct reader *reader, enum config_key key, const struct config_schema_row *row)
{
	struct config_word_result words;
	struct config_value value;
	char fault[FAULT_MAX];

	if (!config_words_split(reader->tree->arena, reader->value, &words, fault, sizeof(fault))) {
		config_messages_add(
		        reader->messages, CONFIG_ERROR, &reader->here, "%s: %s", row->key, fault);
		return;
	}
	if (words.count == 0) {
		config_messages_add(reader->messages, CONFIG_ERROR, &reader->here,
		        "%s: no value; write '%s = %s'", row->key, row->key, row->value_help);
		return;
	}
	struct config_entry *entry = arena_alloc(reader->tree->arena, sizeof(*entry));
	entry->words = (struct config_words){words.items, words.count};
	entry->text = arena_copy(
	        reader->tree->arena, (struct slice){reader->value.data, words.used});
	entry->origin = reader->here;
	if (!row->parse(&entry->words, &value, fault, sizeof(fault))) {
		config_messages_add(
		        reader->messages, CONFIG_ERROR, &reader->here, "%s: %s", row->key, fault);
		reader->section->refused[key] = true;
		return;
	}
	append_entry(reader->section, key, entry);
}

/* inih's handler: 1 is success. */
static int on_key(void *opaque, const char *title, const char *name, const char *value)
{
	struct reader *reader = opaque;
	enum config_key key;

	(void)title;
	(void)value;
	if (!reader->section) {
		if (!reader->section_seen)
			config_messages_add(reader->messages, CONFIG_ERROR, &reader->here,
			        "'%s' stands before the first section; most keys of the process "
			        "belong into [main]",
			        name);
		reader->section_seen = true;
		return 1;
	}
	const struct config_schema_row *row = config_schema_find(name, &key)
	                                              ? config_schema_row_in(
	                                                        key, reader->section->kind)
	                                              : NULL;
	if (!row) {
		refuse_key(reader, name);
		return 1;
	}
	if (key == CONFIG_INCLUDE_KEY && reader->included) {
		config_messages_add(reader->messages, CONFIG_ERROR, &reader->here,
		        "include: only the main file includes");
		return 1;
	}
	if (!is_repeated(reader, row, reader->section->entries[key]))
		add_entry(reader, key, row);
	return 1;
}

/* ---- lines ---- */

static bool is_key(struct slice key)
{
	if (key.length == 0 || key.length > KEY_BYTES_MAX)
		return false;
	for (size_t i = 0; i < key.length; i++) {
		char c = key.data[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		            c == '_' || c == '-'))
			return false;
	}
	return true;
}

static void refuse_line(struct reader *reader, struct slice line)
{
	struct slice key, rest;
	size_t word = 0;

	while (word < line.length && word < KEY_BYTES_MAX && !strchr(" \t=:;{", line.data[word]))
		word++;
	if (line.length &&
	        (line.data[0] == '{' || line.data[0] == '}' || line.data[line.length - 1] == '{')) {
		config_messages_add(reader->messages, CONFIG_ERROR, &reader->here,
		        "braces are nginx's; a section starts with a title like [tcp NAME] and "
		        "ends at the next one");
	} else if (slice_split(line, '=', &key, &rest)) {
		key = slice_trim(key);
		config_messages_add(reader->messages, CONFIG_ERROR, &reader->here,
		        "'%.*s' is no key: letters, digits and '_' before the '='",
		        (int)(key.length < KEY_BYTES_MAX ? key.length : KEY_BYTES_MAX), key.data);
	} else {
		config_messages_add(reader->messages, CONFIG_ERROR, &reader->here,
		        "a line without '='; write '%.*s = ...'", (int)word, line.data);
	}
}

/* What inih is to see of a line; false: nothing. */
static bool stand_in(struct reader *reader, struct slice line, char *room, size_t size)
{
	struct slice key, value;

	line = slice_trim(line);
	if (line.length == 0 || line.data[0] == ';' || line.data[0] == '#')
		return false;
	if (line.length > LINE_BYTES_MAX) {
		config_messages_add(reader->messages, CONFIG_ERROR, &reader->here,
		        "a line of more than 64 KiB");
		return false;
	}
	if (memchr(line.data, '\0', line.length) || !config_is_utf8(line)) {
		config_messages_add(reader->messages, CONFIG_ERROR, &reader->here,
		        memchr(line.data, '\0', line.length) ? "a NUL byte"
		                                             : "the line is not UTF-8");
		return false;
	}
	if (line.data[0] == '[') {
		read_title(reader, line);
		snprintf(room, size, "[s]\n");
		return true;
	}
	bool has_value = slice_split(line, '=', &key, &value);
	key = slice_trim(key);
	if (!has_value || !is_key(key)) {
		refuse_line(reader, line);
		return false;
	}
	if (value.length > VALUE_BYTES_MAX) {
		config_messages_add(reader->messages, CONFIG_ERROR, &reader->here,
		        "%.*s: a value of more than 64 KiB", (int)key.length, key.data);
		return false;
	}
	reader->value = slice_trim(value);
	snprintf(room, size, "%.*s=v\n", (int)key.length, key.data);
	return true;
}

/* inih's reader: fgets. */
static char *next_line(char *room, int size, void *opaque)
{
	struct reader *reader = opaque;

	while (reader->left.length) {
		struct slice line;
		slice_split(reader->left, '\n', &line, &reader->left);
		reader->here.line++;
		if (stand_in(reader, line, room, (size_t)size))
			return room;
	}
	return NULL;
}

void config_read_file(struct config_tree *tree, struct config_source *source, const char *path,
        bool included, struct config_messages *messages)
{
	const struct config_file *file = config_source_read(source, path);
	struct reader reader = {
	        .tree = tree,
	        .messages = messages,
	        .left = file->text,
	        .here = {.file = arena_copy(tree->arena, slice_of(path))},
	        .included = included,
	};

	if (file->error) {
		config_messages_add(messages, CONFIG_ERROR, &reader.here, "cannot be read: %s",
		        strerror(file->error));
		return;
	}
	if (slice_starts_with(reader.left, SLICE("\xef\xbb\xbf")))
		reader.left = (struct slice){reader.left.data + 3, reader.left.length - 3};
	if (ini_parse_stream(next_line, &reader, on_key, &reader) < 0)
		config_messages_add(
		        messages, CONFIG_ERROR, &reader.here, "cannot be parsed: out of memory");
}

struct config_section *config_tree_find(
        const struct config_tree *tree, enum config_kind kind, const char *name)
{
	for (struct config_section *section = tree->first; section; section = section->next)
		if (section->kind == kind && strcmp(section->name, name) == 0)
			return section;
	return NULL;
}

bool config_tree_refused(const struct config_tree *tree, enum config_key key)
{
	for (const struct config_section *section = tree->first; section; section = section->next)
		if (section->refused[key])
			return true;
	return false;
}
