/* SPDX-License-Identifier: BSD-2-Clause */
/* options.c - the command line, read strictly: what is unknown is an error that names what was
 * meant. */
#include "master/options.h"

#include "master/config_schema.h"
#include "shared/arena.h"
#include "shared/check.h"
#include "shared/slice.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ARENA_CHUNK = 4096 };

struct parser {
	int argc, at;
	char **argv;
	struct options *options;
	struct overlay *overlays;
};

static bool usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

static bool usage(const char *format, ...)
{
	va_list arguments;

	fputs("sealane: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputs("\n'sealane --help' lists the options\n", stderr);
	return false;
}

/* As the file system is now: the directory may change later (daemon). Without empty steps, "." and
 * a slash at the end, so that two ways of writing a path are equal. */
static const char *absolute(struct parser *parser, const char *path)
{
	char directory[PATH_MAX] = "";

	CHECK(path[0] == '/' || getcwd(directory, sizeof(directory)));
	char *text = arena_format(parser->options->arena, "%s/%s", directory, path), *end = text;
	for (const char *at = text; *at;) {
		size_t step = strcspn(at + 1, "/");
		if (step && !(step == 1 && at[1] == '.')) {
			memmove(end, at, step + 1);
			end += step + 1;
		}
		at += step + 1;
	}
	*end = '\0';
	return end == text ? "/" : text;
}

/* The word behind an option. */
static const char *argument(struct parser *parser)
{
	return parser->at + 1 < parser->argc ? parser->argv[++parser->at] : NULL;
}

static bool set_action(struct parser *parser, enum action action, const char *option)
{
	enum action before = parser->options->action;

	if (before != ACTION_RUN && before != action)
		return usage("'%s' and another action; one at a time", option);
	parser->options->action = action;
	return true;
}

static bool set_signal(struct parser *parser, const char *word)
{
	static const char *const words[] = {"reload", "quit", "stop", "reopen"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i], word) != 0)
			continue;
		parser->options->signal = words[i];
		return set_action(parser, ACTION_SIGNAL, "-s");
	}
	const char *near = config_suggest(word, words, sizeof(words) / sizeof(words[0]));
	return usage("-s: '%s' is none of reload, quit, stop, reopen%s%s%s", word,
	        near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static bool add_overlay(struct parser *parser, const char *word)
{
	const char *equals = strchr(word, '=');

	if (!equals || equals == word)
		return usage("--overlay: '%s' is not PATH=FILE", word);
	const char *path = arena_copy(
	        parser->options->arena, (struct slice){word, (size_t)(equals - word)});
	parser->overlays[parser->options->overlay_count++] = (struct overlay){
	        .path = absolute(parser, path),
	        .file = equals[1] ? absolute(parser, equals + 1) : "",
	};
	return true;
}

static bool set_format(struct parser *parser, const char *word)
{
	parser->options->json = strcmp(word, "json") == 0;
	if (parser->options->json || strcmp(word, "text") == 0)
		return true;
	return usage("--format: '%s' is neither text nor json", word);
}

/* Options with a word behind them. */
static bool parse_with_word(struct parser *parser, const char *option, const char *word)
{
	struct config_load_options *load = &parser->options->load;

	if (strcmp(option, "-c") == 0)
		load->main_file = absolute(parser, word);
	else if (strcmp(option, "-p") == 0)
		load->prefix = absolute(parser, word);
	else if (strcmp(option, "-s") == 0)
		return set_signal(parser, word);
	else if (strcmp(option, "--pid") == 0)
		load->pid_file = absolute(parser, word);
	else if (strcmp(option, "--overlay") == 0)
		return add_overlay(parser, word);
	else
		return set_format(parser, word);
	return true;
}

static bool takes_word(const char *option)
{
	static const char *const options[] = {"-c", "-p", "-s", "--pid", "--overlay", "--format"};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (strcmp(options[i], option) == 0)
			return true;
	return false;
}

static bool refuse(const char *option)
{
	static const char *const signals[] = {"reload", "quit", "stop", "reopen"};
	static const char *const long_options[] = {
	        "--pid", "--overlay", "--format", "--help", "--manual"};
	char name[32];

	if (option[0] != '-') {
		const char *near = config_suggest(option, signals, 4);
		return usage("'%s' is no option%s%s%s", option, near ? "; did you mean '-s " : "",
		        near ? near : "", near ? "'?" : "");
	}
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(option, "="), option);
	const char *near = strncmp(name, "--", 2) == 0 ? config_suggest(name, long_options, 5)
	                                               : NULL;
	return usage("unknown option '%s'%s%s%s", option, near ? "; did you mean '" : "",
	        near ? near : "", near ? "'?" : "");
}

static bool parse_alone(struct parser *parser, const char *option)
{
	static const struct {
		const char *option;
		enum action action;
	} actions[] = {
	        {"-t", ACTION_TEST},
	        {"-T", ACTION_DUMP},
	        {"-v", ACTION_VERSION},
	        {"-V", ACTION_BUILD_DETAILS},
	        {"-h", ACTION_HELP},
	        {"--help", ACTION_HELP},
	        {"--manual", ACTION_MANUAL},
	};

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(actions[i].option, option) == 0)
			return set_action(parser, actions[i].action, option);
	if (strcmp(option, "-q") == 0)
		parser->options->quiet = true;
	else if (strcmp(option, "-W") == 0)
		parser->options->load.warnings_are_errors = true;
	else
		return refuse(option);
	return true;
}

static bool parse_one(struct parser *parser)
{
	char name[32];
	const char *option = parser->argv[parser->at], *equals = strchr(option, '=');

	/* --pid=FILE as well as --pid FILE */
	if (equals && strncmp(option, "--", 2) == 0 && (size_t)(equals - option) < sizeof(name)) {
		snprintf(name, sizeof(name), "%.*s", (int)(equals - option), option);
		if (takes_word(name))
			return parse_with_word(parser, name, equals + 1);
	}
	if (!takes_word(option))
		return parse_alone(parser, option);
	const char *word = argument(parser);
	return word ? parse_with_word(parser, option, word)
	            : usage("'%s' needs a word behind it", option);
}

static bool parse_all(struct parser *parser)
{
	const struct options *options = parser->options;

	for (; parser->at < parser->argc; parser->at++)
		if (!parse_one(parser))
			return false;
	if (options->overlay_count && options->action != ACTION_TEST &&
	        options->action != ACTION_DUMP)
		return usage("%s goes with -t or -T", "--overlay");
	return true;
}

bool options_parse(int argc, char **argv, struct options *options_out)
{
	struct parser parser = {.argc = argc, .argv = argv, .options = options_out, .at = 1};

	*options_out = (struct options){
	        .load = {.main_file = SEALANE_SYSCONFDIR "/sealane/sealane.ini"},
	        .arena = arena_create(ARENA_CHUNK),
	};
	CHECK(options_out->arena);
	parser.overlays = arena_alloc_array(
	        options_out->arena, (size_t)argc + 1, sizeof(*parser.overlays));
	options_out->overlays = parser.overlays;
	if (parse_all(&parser))
		return true;
	options_destroy(options_out);
	return false;
}

void options_destroy(struct options *options)
{
	arena_destroy(options->arena);
	*options = (struct options){.arena = NULL};
}

void options_print_help(void)
{
	puts("Sealane: a gateway that encrypts the traffic between clients and upstream servers.\n"
	     "\n"
	     "usage: sealane [-c FILE] [-p DIR] [-q]     run\n"
	     "       sealane -t | -T [-c FILE] ...       check the configuration; print what it "
	     "comes to\n"
	     "       sealane -s reload | quit | stop | reopen [-c FILE | --pid FILE]\n"
	     "\n"
	     "  -c FILE             the configuration (default " SEALANE_SYSCONFDIR
	     "/sealane/sealane.ini)\n"
	     "  -p DIR              where relative paths in it start (default: its directory)\n"
	     "  -t                  check it as a start would, and every file it names; then exit\n"
	     "  -T                  the same, and print every setting with the line it comes from\n"
	     "  --overlay PATH=FILE with -t, -T: as if FILE stood at PATH; 'PATH=': as if nothing "
	     "did\n"
	     "  -W                  warnings are errors\n"
	     "  -q                  print errors only\n"
	     "  --format=json       messages about the configuration as JSON, one object a line\n"
	     "  -s reload           read the configuration anew; prints what is wrong, status 4 if "
	     "refused\n"
	     "  -s quit             stop once every connection has ended\n"
	     "  -s stop             stop now\n"
	     "  -s reopen           open the log files anew\n"
	     "  --pid FILE          the pid file, in place of the configuration's\n"
	     "  -v, -V              the version; with build details and limits\n"
	     "  -h, --help          this\n"
	     "\n"
	     "exit status: 0 done, 1 failed, 2 usage, 3 configuration, 4 reload refused, 7 not "
	     "running");
}
