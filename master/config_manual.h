/* SPDX-License-Identifier: BSD-2-Clause */
/* config_manual.h - sealane.ini(5), from the schema. */
#ifndef MASTER_CONFIG_MANUAL_H
#define MASTER_CONFIG_MANUAL_H

#include <stdio.h>

/* Prints the manual page in mdoc. */
void config_manual_print(FILE *file);

#endif
