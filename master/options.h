/* SPDX-License-Identifier: BSD-2-Clause */
/* options.h - the command line. */
#ifndef MASTER_OPTIONS_H
#define MASTER_OPTIONS_H

#include "master/config_load.h"

#include <stdbool.h>
#include <stddef.h>

enum exit_status {
	EXIT_DONE = 0,
	EXIT_RUN_TIME = 1,
	EXIT_USAGE = 2,
	EXIT_CONFIGURATION = 3,
	EXIT_RELOAD_REFUSED = 4,
	EXIT_NOT_RUNNING = 7,
};

enum action {
	ACTION_RUN,
	ACTION_TEST, /* -t */
	ACTION_DUMP, /* -T */
	ACTION_SIGNAL, /* -s WORD */
	ACTION_VERSION, /* -v */
	ACTION_BUILD_DETAILS, /* -V */
	ACTION_HELP, /* -h, --help */
	ACTION_MANUAL, /* --manual: sealane.ini(5) in mdoc, from the schema; for the build */
};

struct arena;

struct overlay {
	const char *path, *file; /* absolute; file "" removes */
};

struct options {
	enum action action;
	struct config_load_options load;
	const char *signal; /* reload quit stop reopen */
	bool quiet; /* -q */
	bool json; /* --format=json */
	const struct overlay *overlays;
	size_t overlay_count;
	struct arena *arena; /* of all its texts but those of argv */
};

/* Relative paths are made absolute. On false a message with what is wrong stands on stderr (exit
 * status EXIT_USAGE), and nothing is to be destroyed. */
bool options_parse(int argc, char **argv, struct options *options_out);
void options_destroy(struct options *options);
void options_print_help(void);

#endif
