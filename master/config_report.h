/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_report.h - what a child that read a configuration tells its master, as bytes.
 */
#ifndef MASTER_CONFIG_REPORT_H
#define MASTER_CONFIG_REPORT_H

#include "master/config_load.h"
#include "shared/slice.h"

#include <stdbool.h>
#include <stddef.h>

enum config_outcome {
	CONFIG_LOADED = 1, /* `packed` holds the source to load it from */
	CONFIG_REFUSED, /* `messages` say why */
	CONFIG_SAME_NAMES, /* names were looked up again, and none that failed resolves now */
};

struct config_report {
	enum config_outcome outcome;
	struct config_messages messages;
	struct slice packed; /* inside of what was decoded */
};

/* malloc'ed, the caller wipes and frees: it may hold keys. */
void *config_report_encode(const struct config_report *report, size_t *length_out);
/* false, with nothing to clear, when the bytes are cut or no report. */
bool config_report_decode(struct slice bytes, struct config_report *report_out);

#endif
