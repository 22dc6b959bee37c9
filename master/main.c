/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c - the command line's actions; each ends the process with its exit status. */
#include "master/config_dump.h"
#include "master/config_load.h"
#include "master/config_manual.h"
#include "master/config_source.h"
#include "master/control_ask.h"
#include "master/master.h"
#include "master/options.h"
#include "shared/config.h"
#include "shared/process_title.h"
#include "shared/tls_library.h"
#include "shared/tls_session_store.h"

#include <ev.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct config_source *open_source(const struct options *options)
{
	struct config_source *source = config_source_create();

	for (size_t i = 0; i < options->overlay_count; i++)
		config_source_overlay(source, options->overlays[i].path, options->overlays[i].file);
	return source;
}

/* -t and -T: everything that a start does short of writing, binding and forking. */
static int test(const struct options *options)
{
	struct config_source *source = open_source(options);
	struct config_messages messages;

	config_messages_init(&messages);
	struct config *config = config_load(source, &options->load, &messages);
	config_messages_print(&messages, stderr, options->json, options->quiet);
	if (config && options->action == ACTION_DUMP)
		config_dump(config, stdout);
	else if (!options->quiet && !options->json)
		fprintf(stderr, "%s: the configuration %s\n", options->load.main_file,
		        config ? "is good" : "is refused");
	int status = config ? EXIT_DONE : EXIT_CONFIGURATION;
	config_destroy(config);
	config_messages_clear(&messages);
	config_source_destroy(source);
	return status;
}

/* Who is meant: false after a message. A configuration that cannot be read names nobody; the
 * default pid file in its place would be that of another master. */
static bool find_pid_file(const struct options *options, char *pid_file, size_t size, int *status)
{
	struct config_source *source = config_source_create();
	const char *main_file = options->load.main_file;
	int error = options->load.pid_file ? 0 : config_source_read(source, main_file)->error;
	bool found = !error && config_load_pid_file(source, &options->load, pid_file, size);

	config_source_destroy(source);
	if (error) {
		fprintf(stderr,
		        "sealane: -s %s: %s cannot be read: %s; -c FILE names another, --pid FILE "
		        "the pid file itself\n",
		        options->signal, main_file, strerror(error));
		*status = EXIT_CONFIGURATION;
	} else if (!found) {
		fprintf(stderr,
		        "sealane: -s %s: %s names no pid_file, beside which the running sealane "
		        "would listen; --pid FILE names one, or send a signal\n",
		        options->signal, main_file);
		*status = EXIT_USAGE;
	}
	return found;
}

static int tell_running(const struct options *options)
{
	char pid_file[PATH_MAX];
	struct control_order order;
	int status;

	if (!find_pid_file(options, pid_file, sizeof(pid_file), &status))
		return status;
	if (!control_order_parse(slice_of(options->signal), &order))
		return EXIT_USAGE;
	order.warnings_are_errors = options->load.warnings_are_errors;
	return control_ask(pid_file, &order, CONTROL_ASK_LIMIT_MS);
}

/* Clang's version names itself; GCC's is a number. */
static const char *compiler(void)
{
#ifdef __clang__
	return __VERSION__;
#else
	return "GCC " __VERSION__;
#endif
}

static int print_version(bool details)
{
	printf("sealane %s\n", SEALANE_VERSION);
	if (!details)
		return EXIT_DONE;
	printf("GnuTLS %s, libev %d.%d, compiled by %s\n", tls_library_version(),
	        ev_version_major(), ev_version_minor(), compiler());
	printf("default configuration: " SEALANE_SYSCONFDIR "/sealane/sealane.ini\n");
	printf("tls_session_cache_size = 16m holds about %zu sessions with upstreams\n",
	        tls_session_store_capacity(16 << 20));
	return EXIT_DONE;
}

static int act(const struct options *options)
{
	switch (options->action) {
	case ACTION_RUN:
		return master_run(options);
	case ACTION_TEST:
	case ACTION_DUMP:
		return test(options);
	case ACTION_SIGNAL:
		return tell_running(options);
	case ACTION_VERSION:
		return print_version(false);
	case ACTION_BUILD_DETAILS:
		return print_version(true);
	case ACTION_HELP:
		options_print_help();
		return EXIT_DONE;
	case ACTION_MANUAL:
		config_manual_print(stdout);
		return EXIT_DONE;
	}
	return EXIT_USAGE;
}

/* A log file or a client must never get the number of a closed stdin, stdout or stderr. */
static void open_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

int main(int argc, char **argv)
{
	struct options options;

	open_standard_descriptors();
	if (!options_parse(argc, process_title_init(argc, argv), &options))
		return EXIT_USAGE;
	int status = act(&options);
	options_destroy(&options);
	return status;
}
