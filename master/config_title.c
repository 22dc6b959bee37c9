/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_title.c - section titles.
 *
 * The words of a title decide with their number: [http] holds defaults, [http NAME] is a server. A
 * location's path is compared with paths whose escapes and dots are resolved, so one that can never
 * match is refused.
 */
#include "master/config_title.h"

#include "master/config_parse.h"

#include <ctype.h>
#include <string.h>

static bool find_kind(const char *word, bool has_name, enum config_kind *kind_out)
{
	for (unsigned i = 0; i < CONFIG_KIND_COUNT; i++) {
		const struct config_kind_words *kind = config_kind_words((enum config_kind)i);
		if (strcmp(kind->word, word) == 0 && (kind->names[0] != '\0') == has_name) {
			*kind_out = (enum config_kind)i;
			return true;
		}
	}
	return false;
}

static bool refuse_unknown(const char *word, const char *text, char *fault, size_t size)
{
	const char *known[CONFIG_KIND_COUNT];

	for (unsigned i = 0; i < CONFIG_KIND_COUNT; i++)
		known[i] = config_kind_words((enum config_kind)i)->word;
	const char *near = config_suggest(word, known, CONFIG_KIND_COUNT);
	if (near)
		return config_parse_fail(
		        fault, size, "unknown section [%s]; did you mean '%s'?", text, near);
	return config_parse_fail(fault, size,
	        "unknown section [%s]; there are [main], [http], [http NAME], [location NAME "
	        "PATH], [tcp], [tcp NAME], [upstream NAME], [tls NAME] and [admin]",
	        text);
}

/* ---- [location NAME PATH] ---- */

static bool has_dots(const char *path)
{
	for (const char *at = path; (at = strstr(at, "/.")); at++) {
		const char *end = at + 2 + (at[2] == '.');
		if (*end == '/' || *end == '\0')
			return true;
	}
	return false;
}

static bool is_escape(const char *at)
{
	return at[0] == '%' && isxdigit((unsigned char)at[1]) && isxdigit((unsigned char)at[2]);
}

static bool check_path(const char *path, const char *text, char *fault, size_t size)
{
	if (path[0] != '/')
		return config_parse_fail(
		        fault, size, "[%s]: the path '%s' has to start with '/'", text, path);
	for (const char *at = path; *at; at++) {
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return config_parse_fail(
			        fault, size, "[%s]: a control byte in the path", text);
		if (*at == '?')
			return config_parse_fail(fault, size,
			        "[%s]: a location is chosen by the path alone; leave out the '?' "
			        "and what follows",
			        text);
		if (is_escape(at))
			return config_parse_fail(fault, size,
			        "[%s]: paths are compared when '%.3s' and its like are decoded; "
			        "write the character itself",
			        text, at);
	}
	if (strstr(path, "//") || has_dots(path))
		return config_parse_fail(fault, size,
		        "[%s] would never match: paths are compared when '//', '/./' and '/../' "
		        "are resolved",
		        text);
	return true;
}

/* PATH, = PATH or =PATH. */
static bool read_location(const struct config_words *words, const char *text,
        struct config_title *title, char *fault, size_t size)
{
	const char *path = words->count > 2 ? words->items[2] : "";

	if (words->count < 3)
		return config_parse_fail(fault, size,
		        "[%s] needs the name of an [http NAME] and a path: [location NAME PATH]",
		        text);
	if (path[0] == '~')
		return config_parse_fail(fault, size,
		        "[%s]: locations by regular expression are not there yet; write the path "
		        "of a prefix, or '= PATH' for that path alone",
		        text);
	if (path[0] == '^')
		return config_parse_fail(fault, size,
		        "[%s]: '^~' has no meaning without regular expressions, which are not "
		        "there "
		        "yet; leave it out",
		        text);
	title->exact = path[0] == '=';
	bool is_apart = strcmp(path, "=") == 0;
	if (words->count != (is_apart ? 4U : 3U))
		return config_parse_fail(fault, size,
		        is_apart && words->count < 4
		                ? "[%s]: there is no path behind the '='"
		                : "[%s] has words behind its path; a path with blanks is written "
		                  "in quotes",
		        text);
	title->name = words->items[1];
	title->path = is_apart ? words->items[3] : path + title->exact;
	return check_path(title->path, text, fault, size);
}

/* ---- all kinds ---- */

bool config_title_read(const struct config_words *words, const char *text,
        struct config_title *title_out, char *fault, size_t fault_size)
{
	bool has_name = words->count > 1;
	const char *word = words->items[0];
	enum config_kind other;

	*title_out = (struct config_title){.name = "", .path = ""};
	if (!find_kind(word, has_name, &title_out->kind)) {
		if (!find_kind(word, !has_name, &other))
			return refuse_unknown(word, text, fault, fault_size);
		if (has_name)
			return config_parse_fail(
			        fault, fault_size, "[%s] takes no name: write [%s]", text, word);
		return config_parse_fail(fault, fault_size, "[%s] needs a name: [%s%s]", text, word,
		        config_kind_words(other)->names);
	}
	if (title_out->kind == CONFIG_LOCATION)
		return read_location(words, text, title_out, fault, fault_size);
	if (words->count > 2)
		return config_parse_fail(fault, fault_size,
		        "[%s] has more than one name; a name with blanks is written in quotes",
		        text);
	if (has_name)
		title_out->name = words->items[1];
	return true;
}
