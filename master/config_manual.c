/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_manual.c - sealane.ini(5), from the schema.
 *
 * What a key is called, takes, means and defaults to is the schema's; the words around the lists
 * stand here. Every key is listed once, under the first heading that claims it; a key that none
 * claims is a bug.
 */
#include "master/config_manual.h"

#include "master/config_schema.h"
#include "shared/check.h"

#include <stdbool.h>
#include <string.h>

static const char *const head[] = {
        ".Dd November 24, 2026",
        ".Dt SEALANE.INI 5",
        ".Os",
        ".Sh NAME",
        ".Nm sealane.ini",
        ".Nd configuration of the Sealane TLS gateway",
        ".Sh DESCRIPTION",
        "A configuration is one main file and the files that it includes.",
        "It is made of sections, and a section of keys with their values:",
        ".Bd -literal -offset indent",
        "[tcp shop]",
        "listen     = 127.0.0.1:12345",
        "proxy_pass = backend         ; the group below",
        "proxy_ssl  = on",
        "",
        "[upstream backend]",
        "server = backend1.example.com:12345",
        "server = backend2.example.com:12345 backup",
        ".Ed",
        ".Pp",
        "A",
        ".Ql \\&;",
        "or",
        ".Ql #",
        "at the start of a line, or after white space and outside quotes, begins",
        "a comment.",
        "Leading white space means nothing, and a line is never continued on the",
        "next one.",
        "Files are UTF-8 with LF or CRLF; a value has at most 64 KiB.",
        ".Pp",
        "A value is a list of words divided by white space.",
        "A word that holds white space,",
        ".Ql \\&; ,",
        ".Ql #",
        "or quotes is written in double quotes, in which",
        ".Ql \\e\\(dq ,",
        ".Ql \\e\\e ,",
        ".Ql \\en",
        "and",
        ".Ql \\et",
        "are a quote, a backslash, a new line and a tab.",
        "The words of a section title can be quoted too.",
        ".Pp",
        "A",
        ".Ar TIME",
        "is a number with a unit:",
        ".Ql 500ms ,",
        ".Ql 10s ,",
        ".Ql 5m ,",
        ".Ql 1h",
        "or",
        ".Ql 2d ;",
        "only",
        ".Ql 0",
        "needs none.",
        "A",
        ".Ar SIZE",
        "is a number of bytes, with",
        ".Ql k ,",
        ".Ql m",
        "or",
        ".Ql g",
        "for powers of 1024.",
        "Booleans are",
        ".Ql on",
        "and",
        ".Ql off ;",
        ".Ql yes ,",
        ".Ql no ,",
        ".Ql true ,",
        ".Ql false ,",
        ".Ql 1",
        "and",
        ".Ql 0",
        "are understood as well.",
        "A relative file name is relative to the directory of the main file, or",
        "to that of",
        ".Fl p .",
        ".Pp",
        "A key may be repeated only where it is said to be repeatable, and a",
        "section title may",
        "stand only once in all files.",
        "Whatever is unknown is an error.",
        "All errors are reported at once, each with its file and line.",
};

static const char *const inheritance[] = {
        ".Sh INHERITANCE",
        "A key that can stand in",
        ".Ic [tcp]",
        "is a default for every",
        ".Ic [tcp NAME] .",
        "A value of the inner section replaces the outer one; the values of a",
        "repeatable key are",
        "replaced as a whole.",
        ".Pp",
        "A key of",
        ".Sx TLS TOWARDS UPSTREAMS",
        "can stand in",
        ".Ic [tcp NAME] ,",
        "in the",
        ".Ic [upstream NAME]",
        "and in",
        ".Ic [tcp] ;",
        "the first of these, in that order, that sets it wins.",
        "At any of them",
        ".Ic proxy_tls",
        "stands for all keys of the",
        ".Ic [tls NAME]",
        "that it names, and a key written beside it wins.",
        "Two sets are decided as one by the innermost section that sets any of",
        "them: certificate,",
        "key and password file; and protocols, ciphers and priority.",
        ".Pp",
        "The value",
        ".Ql none",
        "takes an inherited certificate (with its key) or",
        ".Ic ssl_client_certificate",
        "back,",
        ".Ql system",
        "an inherited",
        ".Ic proxy_ssl_trusted_certificate ,",
        "and",
        ".Ql off",
        "an inherited",
        ".Ic access_log .",
};

static const char *const ciphers[] = {
        ".Sh CIPHER STRINGS",
        "Cipher strings are those of OpenSSL: keywords such as",
        ".Ql HIGH ,",
        ".Ql DEFAULT ,",
        ".Ql ECDHE",
        "or",
        ".Ql AESGCM ,",
        "single suites by their OpenSSL or IANA name,",
        ".Ql +",
        "for",
        ".Dq and ,",
        "the prefixes",
        ".Ql \\&! ,",
        ".Ql \\-",
        "and",
        ".Ql + ,",
        "and",
        ".Ql @STRENGTH",
        "and",
        ".Ql @SECLEVEL=N .",
        "They are translated to a priority of GnuTLS, which",
        ".Ql sealane \\-T",
        "prints.",
        "What GnuTLS cannot offer is dropped with a notice.",
        "Where it can express a list only as a superset, the extra suites are",
        "warned about by",
        "name, and a connection on which the other side picks one is closed.",
        ".Pp",
        "The security level (default 2) is also the floor for keys and",
        "signatures in certificate chains: at 2, RSA and DH keys of 2048 bits,",
        "EC keys of 224 bits, and no signature by SHA-1 or MD5 below the anchor;",
        "at 1, 1024 and 160 bits, with SHA-1.",
};

static const char *const tail[] = {
        ".Sh FILES",
        ".Bl -tag -width Ds",
        (".It Pa " SEALANE_SYSCONFDIR "/sealane/sealane.ini"),
        "The main file, unless",
        ".Fl c",
        "names another.",
        ".It Pa /run/sealane/sealane.pid",
        "The pid file of a master that was started as root.",
        ".El",
        ".Sh SEE ALSO",
        ".Xr ciphers 1 ,",
        ".Xr sealane 8",
};

/* ---- which key stands under which heading ---- */

static bool is_main(const struct config_schema_row *row)
{
	return row->where == IN_MAIN;
}

static bool is_upstream(const struct config_schema_row *row)
{
	return row->where == IN_UPSTREAM;
}

static bool is_towards_clients(const struct config_schema_row *row)
{
	return row->where == IN_TCP_BOTH && strncmp(row->key, "ssl_", 4) == 0;
}

static bool is_towards_upstreams(const struct config_schema_row *row)
{
	return (row->where & IN_UPSTREAM) != 0 || strcmp(row->key, "proxy_ssl") == 0;
}

static bool is_tcp(const struct config_schema_row *row)
{
	return (row->where & IN_TCP_BOTH) != 0;
}

struct heading {
	const char *title;
	const char *intro[5];
	bool (*claims)(const struct config_schema_row *row);
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
        {"TCP PROXIES",
                {"Where clients come in and where they go: keys of", ".Ic [tcp NAME] .",
                        ".Ic [tcp]", "holds defaults for every", ".Ic [tcp NAME] ."},
                is_tcp},
};
enum { LINE_MAX_COLUMNS = 78 };
enum { HEADING_COUNT = sizeof(headings) / sizeof(headings[0]) };

/* The order in which they are printed. */
static const size_t heading_order[HEADING_COUNT] = {0, 4, 2, 1, 3};

static size_t heading_of(const struct config_schema_row *row)
{
	size_t i = 0;

	while (i < HEADING_COUNT && !headings[i].claims(row))
		i++;
	CHECK(i < HEADING_COUNT);
	return i;
}

/* ---- printing ---- */

static void print_lines(FILE *file, const char *const *lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fprintf(file, "%s\n", lines[i]);
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

static void print_sections(FILE *file, unsigned where)
{
	bool first = true;

	for (unsigned i = 0; i < CONFIG_KIND_COUNT; i++) {
		enum config_kind kind = (enum config_kind)i;
		if (!(where & 1U << i))
			continue;
		fprintf(file, "%s[%s%s]", first ? "" : ", ", config_kind_name(kind),
		        config_kind_has_name(kind) ? " NAME" : "");
		first = false;
	}
}

static void print_key(FILE *file, const struct config_schema_row *row)
{
	fprintf(file, ".It Ic %s No = Ar", row->key);
	print_words(file, row->value_help);
	putc('\n', file);
	print_text(file, row->help);
	if (row->repeatable)
		fputs("Repeatable.\n", file);
	if (row->default_text) {
		fputs("Default:\n.Ql", file);
		print_words(file, row->default_text);
		fputs(" .\n", file);
	}
	if (row->where == IN_MAIN || row->where == IN_UPSTREAM)
		return; /* the heading says it */
	fputs("In ", file);
	print_sections(file, row->where);
	fputs(".\n", file);
}

static void print_heading(FILE *file, size_t index)
{
	const struct heading *heading = &headings[index];

	fprintf(file, ".Sh %s\n", heading->title);
	for (size_t i = 0; i < 5 && heading->intro[i]; i++)
		fprintf(file, "%s\n", heading->intro[i]);
	fputs(".Bl -tag -width Ds\n", file);
	for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++) {
		const struct config_schema_row *row = config_schema_row((enum config_key)key);
		if (heading_of(row) == index)
			print_key(file, row);
	}
	fputs(".El\n", file);
}

#define PRINT(file, lines) print_lines(file, lines, sizeof(lines) / sizeof((lines)[0]))

void config_manual_print(FILE *file)
{
	PRINT(file, head);
	PRINT(file, inheritance);
	for (size_t i = 0; i < HEADING_COUNT; i++)
		print_heading(file, heading_order[i]);
	PRINT(file, ciphers);
	PRINT(file, tail);
}
