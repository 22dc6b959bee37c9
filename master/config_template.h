/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_template.h - texts with variables: $name, ${name}.
 *
 * Compiled while a configuration is read; the workers only fill in. A '$' always begins a variable:
 * as in nginx there is no way to write a plain one.
 */
#ifndef MASTER_CONFIG_TEMPLATE_H
#define MASTER_CONFIG_TEMPLATE_H

#include "shared/template.h"

#include <stdbool.h>
#include <stddef.h>

struct arena;

/* false, with a sentence part in `fault`, for a '$' without a name and for unknown variables. */
bool config_template_check(const char *text, char *fault, size_t fault_size);
/* Of a text that was checked. Literal parts point into it; the rest is in the arena. */
struct template config_template_compile(struct arena *arena, const char *text);

/* The name as it is written in texts, for the manual; of a prefix variable "http_NAME". */
const char *config_variable_name(enum variable variable);

#endif
