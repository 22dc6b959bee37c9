/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_manual.c - sealane.ini(5), from the schema.
 *
 * What a key is called, takes, means and defaults to is the schema's; the words around the lists
 * stand here. Every key is listed once, under the first heading that claims it; a key that none
 * claims is a bug.
 */
#include "master/config_manual.h"

#include "master/config_manual_text.h"
#include "master/config_schema.h"
#include "master/config_template.h"
#include "shared/check.h"

#include <stdbool.h>
#include <string.h>

/* ---- which key stands under which heading ---- */

static bool is_main(enum config_key key)
{
	return config_schema_where(key) == IN_MAIN;
}

static bool is_upstream(enum config_key key)
{
	return config_schema_where(key) == IN_UPSTREAM;
}

static bool is_towards_clients(enum config_key key)
{
	return strncmp(config_key_name(key), "ssl_", 4) == 0;
}

static bool is_towards_upstreams(enum config_key key)
{
	return strncmp(config_key_name(key), "proxy_ssl", 9) == 0 || key == CONFIG_PROXY_TLS_KEY;
}

static bool is_tcp(enum config_key key)
{
	return (config_schema_where(key) & (IN_TCP_BOTH | IN_LOCATION_ALL)) != 0 &&
	       (config_schema_where(key) & IN_LOCATION_ALL) == 0;
}

static bool is_http(enum config_key key)
{
	return (config_schema_where(key) & IN_LOCATION_ALL) != 0 &&
	       (config_schema_where(key) & IN_TCP_BOTH) == 0;
}

static bool is_both(enum config_key key)
{
	return (config_schema_where(key) & IN_TCP_BOTH) != 0;
}

struct heading {
	const char *title;
	const char *intro[5];
	bool (*claims)(enum config_key key);
};

static const struct heading headings[] = {
        {"THE PROCESS",
                {"Keys of", ".Ic [main] :", "workers, user, logs, limits and shared memory."},
                is_main},
        {"GROUPS OF SERVERS",
                {"Keys of", ".Ic [upstream NAME] ;", "those of", ".Sx TLS TOWARDS UPSTREAMS",
                        "can stand here too."},
                is_upstream},
        {"TLS TOWARDS CLIENTS", {"For listeners with", ".Ql ssl ."}, is_towards_clients},
        {"TLS TOWARDS UPSTREAMS", {"A section", ".Ic [tls NAME]", "that nobody uses is a warning."},
                is_towards_upstreams},
        {"PROXIES", {"Where clients come in and where they go, over HTTP and over TCP."}, is_both},
        {"HTTP", {"What only HTTP has."}, is_http},
        {"TCP", {"What only TCP has."}, is_tcp},
};
enum { LINE_MAX_COLUMNS = 78 };
enum { HEADING_COUNT = sizeof(headings) / sizeof(headings[0]) };

/* The first that claims a key has it. */
static size_t heading_of(enum config_key key)
{
	static const size_t order[HEADING_COUNT] = {0, 1, 2, 3, 5, 6, 4};

	for (size_t i = 0; i < HEADING_COUNT; i++)
		if (headings[order[i]].claims(key))
			return order[i];
	CHECK(false);
	return 0;
}

/* The order in which they are printed. */
static const size_t heading_order[HEADING_COUNT] = {0, 4, 5, 6, 2, 1, 3};

/* ---- printing ---- */

static void print_lines(FILE *file, const char *const *lines)
{
	for (; *lines; lines++)
		fprintf(file, "%s\n", *lines);
}

/* One word; nothing in it is to be taken for roff. */
static void print_word(FILE *file, const char *word, size_t length, bool line_starts)
{
	if (line_starts && (*word == '.' || *word == '\''))
		fputs("\\&", file);
	for (size_t i = 0; i < length; i++) {
		if (word[i] == '\\')
			fputs("\\e", file);
		else
			putc(word[i], file);
	}
}

/* Text of the schema: a new line for each sentence, and before a line gets long. */
static void print_text(FILE *file, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t length = strcspn(text, " ");
		bool sentence_ends = text[length - 1] == '.';
		if (column && column + 1 + length > LINE_MAX_COLUMNS) {
			putc('\n', file);
			column = 0;
		} else if (column) {
			putc(' ', file);
			column++;
		}
		print_word(file, text, length, column == 0);
		column += length;
		text += length;
		text += strspn(text, " ");
		if (sentence_ends && *text) {
			putc('\n', file);
			column = 0;
		}
	}
	putc('\n', file);
}

/* Arguments of a macro: each word quoted, so that none is taken for a macro or a delimiter. */
static void print_words(FILE *file, const char *text)
{
	fputs(" \"", file);
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\e", file);
		else if (*text == '"')
			fputs("\\(dq", file);
		else
			putc(*text, file);
	}
	putc('"', file);
}

static void print_row(FILE *file, const struct config_schema_row *row)
{
	print_text(file, row->help);
	if (row->traits & CONFIG_REPEATABLE)
		fputs("Repeatable.\n", file);
	if (row->default_text) {
		fputs("Default:\n.Ql", file);
		print_words(file, row->default_text);
		fputs(" .\n", file);
	}
}

/* What other kinds of section take for the same key stands below. */
static void print_key(FILE *file, enum config_key key)
{
	const struct config_schema_row *row = config_schema_row(key);
	char sections[CONFIG_SECTIONS_TEXT_MAX];

	fprintf(file, ".It Ic %s No = Ar", row->key);
	print_words(file, row->value_help);
	putc('\n', file);
	print_row(file, row);
	if (row->where != IN_MAIN && row->where != IN_UPSTREAM) /* else the heading says it */
		fprintf(file, "In %s.\n", config_schema_sections(row->where, sections));
	while ((row = row->elsewhere)) {
		fprintf(file, ".Pp\nIn %s:\n.Ar", config_schema_sections(row->where, sections));
		print_words(file, row->value_help);
		fputs(" .\n", file);
		print_row(file, row);
	}
}

static void print_heading(FILE *file, size_t index)
{
	const struct heading *heading = &headings[index];

	fprintf(file, ".Sh %s\n", heading->title);
	for (size_t i = 0; i < 5 && heading->intro[i]; i++)
		fprintf(file, "%s\n", heading->intro[i]);
	fputs(".Bl -tag -width Ds\n", file);
	for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++)
		if (heading_of((enum config_key)key) == index)
			print_key(file, (enum config_key)key);
	fputs(".El\n", file);
}

static void print_variables(FILE *file)
{
	print_lines(file, config_manual_variables);
	fputs(".Bl -tag -width Ds\n", file);
	for (unsigned i = VARIABLE_NONE + 1; i < VARIABLE_COUNT; i++) {
		const char *help = config_manual_variable((enum variable)i);
		fprintf(file, ".It Va $%s\n", config_variable_name((enum variable)i));
		print_text(file, help);
	}
	fputs(".El\n", file);
}

void config_manual_print(FILE *file)
{
	print_lines(file, config_manual_head);
	print_lines(file, config_manual_inheritance);
	print_lines(file, config_manual_locations);
	for (size_t i = 0; i < HEADING_COUNT; i++)
		print_heading(file, heading_order[i]);
	print_variables(file);
	print_lines(file, config_manual_ciphers);
	print_lines(file, config_manual_tail);
}
