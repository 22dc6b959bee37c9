/* SPDX-License-Identifier: BSD-2-Clause */
/* config_template.c - splits a text at its variables. */
#include "master/config_template.h"

#include "master/config_parse.h"
#include "shared/arena.h"
#include "shared/check.h"

#include <ctype.h>
#include <string.h>

static const struct {
	const char *name;
	bool is_prefix;
} variables[VARIABLE_COUNT] = {
#define VARIABLE_ROW(number, word, prefix) [number] = {word, prefix},
        VARIABLE_TABLE(VARIABLE_ROW)
#undef VARIABLE_ROW
};

/* As it stands in the text: of a prefix variable `text` is the rest of the name. */
struct scan {
	const char *at; /* what is left */
	struct template_part part;
};

static bool is_name_byte(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Names are found in any case, as in nginx. */
static bool find_variable(struct slice name, struct template_part *part_out)
{
	for (unsigned i = VARIABLE_NONE + 1; i < VARIABLE_COUNT; i++) {
		struct slice known = slice_of(variables[i].name);
		struct slice rest = {name.data + known.length, name.length - known.length};
		if (name.length < known.length + variables[i].is_prefix)
			continue;
		if (!slice_equal_nocase((struct slice){name.data, known.length}, known) ||
		        (rest.length && !variables[i].is_prefix))
			continue;
		part_out->variable = (enum variable)i;
		part_out->text = rest;
		return true;
	}
	return false;
}

static bool refuse_name(struct slice name, char *fault, size_t size)
{
	const char *known[VARIABLE_COUNT];
	size_t known_count = 0;
	char word[64];

	for (unsigned i = VARIABLE_NONE + 1; i < VARIABLE_COUNT; i++)
		if (!variables[i].is_prefix)
			known[known_count++] = variables[i].name;
	size_t length = name.length < sizeof(word) ? name.length : sizeof(word) - 1;
	memcpy(word, name.data, length);
	word[length] = '\0';
	const char *near = config_suggest(word, known, known_count);
	return config_parse_fail(fault, size, "unknown variable '$%s'%s%s%s", word,
	        near ? "; did you mean '$" : "", near ? near : "", near ? "'?" : "");
}

/* Behind a '$'. */
static bool scan_variable(struct scan *scan, char *fault, size_t size)
{
	bool in_braces = *scan->at == '{';
	const char *start = scan->at + in_braces, *end = start;

	while (is_name_byte(*end))
		end++;
	struct slice name = {start, (size_t)(end - start)};
	if (in_braces && (name.length == 0 || *end != '}'))
		return config_parse_fail(fault, size, "a '${' without a name and a '}' behind it");
	if (name.length == 0)
		return config_parse_fail(fault, size,
		        "a '$' without a name; it always begins a variable, like $host");
	scan->at = end + in_braces;
	return find_variable(name, &scan->part) || refuse_name(name, fault, size);
}

/* Takes the next part; there is one. */
static bool scan_part(struct scan *scan, char *fault, size_t size)
{
	size_t length = strcspn(scan->at, "$");

	if (length == 0) {
		scan->at++;
		return scan_variable(scan, fault, size);
	}
	scan->part = (struct template_part){VARIABLE_NONE, {scan->at, length}};
	scan->at += length;
	return true;
}

bool config_template_check(const char *text, char *fault, size_t fault_size)
{
	struct scan scan = {.at = text};

	while (*scan.at)
		if (!scan_part(&scan, fault, fault_size))
			return false;
	return true;
}

/* "X_Request_Id" of $http_X_Request_Id is the header "x-request-id". */
static struct slice header_name(struct arena *arena, struct slice text)
{
	char *name = arena_copy(arena, text);

	for (size_t i = 0; i < text.length; i++)
		name[i] = name[i] == '_' ? '-' : (char)tolower((unsigned char)name[i]);
	return (struct slice){name, text.length};
}

struct template config_template_compile(struct arena *arena, const char *text)
{
	struct scan scan = {.at = text};
	size_t capacity = 0, count = 0;
	char fault[200];

	for (; *scan.at; capacity++)
		CHECK(scan_part(&scan, fault, sizeof(fault)));
	struct template_part *parts = arena_alloc_array(arena, capacity + 1, sizeof(*parts));
	for (scan.at = text; *scan.at; count++) {
		CHECK(scan_part(&scan, fault, sizeof(fault)));
		parts[count] = scan.part;
		if (variables[scan.part.variable].is_prefix)
			parts[count].text = header_name(arena, scan.part.text);
	}
	return (struct template){parts, count};
}

const char *config_variable_name(enum variable variable)
{
	CHECK(variable > VARIABLE_NONE && variable < VARIABLE_COUNT);
	return variables[variable].is_prefix ? "http_NAME" : variables[variable].name;
}
