/* SPDX-License-Identifier: BSD-2-Clause */
/* config_dump.h - what a configuration comes to, for -T. */
#ifndef MASTER_CONFIG_DUMP_H
#define MASTER_CONFIG_DUMP_H

#include "shared/config.h"

#include <stdio.h>

/* Every section with all values, each with where it comes from behind it. What is printed can be
 * read as a configuration again, and means the same. No content of a key or password file is
 * printed. */
void config_dump(const struct config *config, FILE *file);

#endif
