/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_rig.h - loads configurations from files in memory and shows what was said about them.
 *
 * Files stand in /c, the main file is /c/main.ini. In what is shown "/c/" is left out.
 */
#ifndef TESTS_SUPPORT_CONFIG_RIG_H
#define TESTS_SUPPORT_CONFIG_RIG_H

#include "master/config_load.h"
#include "master/config_source.h"
#include "shared/slice.h"

/* A [tcp] section with nothing wrong in it: three lines. */
#define RIG_TCP "[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = 127.0.0.1:2\n"

/* An [http] one: four lines, a location that proxies at the end. */
#define RIG_HTTP "[http h]\nlisten = 127.0.0.1:3\n[location h /]\nproxy_pass = http://127.0.0.1\n"

enum { RIG_SHOWN_MAX = 32 * 1024 };

struct config_rig {
	struct config_source *source;
	struct config_load_options options;
	struct config_messages messages;
	struct config *config; /* NULL: refused, or not loaded yet */
	char shown[RIG_SHOWN_MAX];
};

void config_rig_open(struct config_rig *rig);
void config_rig_close(struct config_rig *rig);
/* `name` without "/c/"; mode 0600, or the one given. */
void config_rig_give(struct config_rig *rig, const char *name, struct slice text);
void config_rig_give_mode(struct config_rig *rig, const char *name, mode_t mode, struct slice text);
/* Loads and returns the messages, one a line; "" where nothing was said. */
const char *config_rig_load(struct config_rig *rig);
/* The same in one go for a main file alone. */
const char *config_rig_load_text(struct config_rig *rig, const char *text);
/* What -T prints of the loaded configuration, origins without "/c/". */
const char *config_rig_dump(struct config_rig *rig);

struct config_rig_row {
	const char *text; /* of the main file */
	const char *wanted; /* the messages, one a line */
};
/* Fails the test with the first row that is told otherwise. */
void config_rig_check(const struct config_rig_row *rows, size_t count);

/* Group set-up: the checks of `user` are made as root only, so root becomes nobody (and back). */
int config_rig_drop_root(void **state);
int config_rig_regain_root(void **state);

#endif
