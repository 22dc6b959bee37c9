/* SPDX-License-Identifier: BSD-2-Clause */
/* options_test.c - the command line, and what is said of a wrong one. */
#include "master/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <unistd.h>

#include <cmocka.h>

enum { ARGUMENTS_MAX = 16, OUTPUT_MAX = 1024 };

struct run {
	struct options options;
	bool fine;
	char output[OUTPUT_MAX]; /* on stderr */
};

/* `line` is split at blanks; stderr is caught. */
static void parse(struct run *run, const char *line)
{
	static char text[512]; /* options point into argv */
	char *argv[ARGUMENTS_MAX] = {text};
	int argc = 0, fds[2], kept = dup(STDERR_FILENO);
	char *rest = text, *word;

	snprintf(text, sizeof(text), "sealane %s", line);
	while ((word = strsep(&rest, " ")))
		if (*word)
			argv[argc++] = word;
	assert_int_equal(pipe(fds), 0);
	assert_true(dup2(fds[1], STDERR_FILENO) >= 0);
	run->fine = options_parse(argc, argv, &run->options);
	fflush(stderr);
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(fds[1]);
	ssize_t got = read(fds[0], run->output, sizeof(run->output) - 1);
	run->output[got > 0 ? got : 0] = '\0';
	close(fds[0]);
}

static void actions_are_chosen(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		enum action action;
	} rows[] = {
	        {"", ACTION_RUN},
	        {"-q", ACTION_RUN},
	        {"-t", ACTION_TEST},
	        {"-t -q -W", ACTION_TEST},
	        {"-t -t", ACTION_TEST},
	        {"-T", ACTION_DUMP},
	        {"-s reload", ACTION_SIGNAL},
	        {"-v", ACTION_VERSION},
	        {"-V", ACTION_BUILD_DETAILS},
	        {"-h", ACTION_HELP},
	        {"--help", ACTION_HELP},
	        {"--manual", ACTION_MANUAL},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct run run;
		parse(&run, rows[i].line);
		assert_true(run.fine);
		assert_int_equal(run.options.action, rows[i].action);
		assert_string_equal(run.output, "");
		options_destroy(&run.options);
	}
}

static void settings_arrive(void **state)
{
	(void)state;
	struct run run;

	parse(&run, "-t -q -W -c /e/a.ini -p /pre --pid=/run/p --format=json --overlay /a=/b "
	            "--overlay=/c/=");
	assert_true(run.fine);
	assert_true(run.options.quiet && run.options.json);
	assert_true(run.options.load.warnings_are_errors);
	assert_string_equal(run.options.load.main_file, "/e/a.ini");
	assert_string_equal(run.options.load.prefix, "/pre");
	assert_string_equal(run.options.load.pid_file, "/run/p");
	assert_int_equal(run.options.overlay_count, 2);
	assert_string_equal(run.options.overlays[0].path, "/a");
	assert_string_equal(run.options.overlays[0].file, "/b");
	assert_string_equal(run.options.overlays[1].path, "/c");
	assert_string_equal(run.options.overlays[1].file, "");
	options_destroy(&run.options);

	parse(&run, "-s quit --pid /p");
	assert_true(run.fine);
	assert_string_equal(run.options.signal, "quit");
	assert_string_equal(run.options.load.main_file, SEALANE_SYSCONFDIR "/sealane/sealane.ini");
	assert_null(run.options.load.prefix);
	assert_false(run.options.quiet || run.options.json);
	options_destroy(&run.options);
}

static void paths_are_written_in_one_way(void **state)
{
	(void)state;
	static const struct {
		const char *path, *wanted;
	} rows[] = {
	        {"/a/b", "/a/b"},
	        {"/a//b/", "/a/b"},
	        {"/./a/./b/.", "/a/b"},
	        {"//", "/"},
	        {"/", "/"},
	        {"/a/../b", "/a/../b"}, /* a link may stand there */
	        {"/.a/b.", "/.a/b."},
	        {"x.ini", "/x.ini"},
	        {"./d/x.ini", "/d/x.ini"},
	        {"../x.ini", "/../x.ini"},
	};
	int here = open(".", O_RDONLY | O_DIRECTORY);

	assert_int_equal(chdir("/"), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct run run;
		char line[100];
		snprintf(line, sizeof(line), "-c %s", rows[i].path);
		parse(&run, line);
		assert_string_equal(run.options.load.main_file, rows[i].wanted);
		options_destroy(&run.options);
	}
	assert_int_equal(chdir("/tmp"), 0);
	struct run run;
	parse(&run, "-c x.ini");
	assert_string_equal(run.options.load.main_file, "/tmp/x.ini");
	options_destroy(&run.options);
	assert_int_equal(fchdir(here), 0);
	close(here);
}

static void mistakes_are_told(void **state)
{
	(void)state;
	static const struct {
		const char *line, *wanted;
	} rows[] = {
	        {"-x", "unknown option '-x'"},
	        {"-tq", "unknown option '-tq'"},
	        {"--hlep", "unknown option '--hlep'; did you mean '--help'?"},
	        {"--overlays=/a=/b",
	                "unknown option '--overlays=/a=/b'; did you mean '--overlay'?"},
	        {"--quiet", "unknown option '--quiet'"},
	        {"reload", "'reload' is no option; did you mean '-s reload'?"},
	        {"relaod", "'relaod' is no option; did you mean '-s reload'?"},
	        {"check", "'check' is no option"},
	        {"status", "'status' is no option"},
	        {"-s", "'-s' needs a word behind it"},
	        {"-c", "'-c' needs a word behind it"},
	        {"-s relod", "-s: 'relod' is none of reload, quit, stop, reopen; did you mean "
	                     "'reload'?"},
	        {"-s upgrade", "-s: 'upgrade' is none of reload, quit, stop, reopen"},
	        {"-t -T", "'-T' and another action; one at a time"},
	        {"-t -s quit", "'-s' and another action; one at a time"},
	        {"-t --overlay /a", "--overlay: '/a' is not PATH=FILE"},
	        {"-t --overlay =/a", "--overlay: '=/a' is not PATH=FILE"},
	        {"--overlay /a=/b", "--overlay goes with -t or -T"},
	        {"-s reload --overlay /a=/b", "--overlay goes with -t or -T"},
	        {"--format=xml", "--format: 'xml' is neither text nor json"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct run run;
		char wanted[OUTPUT_MAX];
		parse(&run, rows[i].line);
		assert_false(run.fine);
		snprintf(wanted, sizeof(wanted),
		        "sealane: %s\n'sealane --help' lists the options\n", rows[i].wanted);
		assert_string_equal(run.output, wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(actions_are_chosen),
	        cmocka_unit_test(settings_arrive),
	        cmocka_unit_test(paths_are_written_in_one_way),
	        cmocka_unit_test(mistakes_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
