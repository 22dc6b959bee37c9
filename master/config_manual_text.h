/* SPDX-License-Identifier: BSD-2-Clause */
/* config_manual_text.h - parts of sealane.ini(5) that no table yields; each ends with NULL. */
#ifndef MASTER_CONFIG_MANUAL_TEXT_H
#define MASTER_CONFIG_MANUAL_TEXT_H

#include "shared/variable_table.h"

extern const char *const config_manual_head[];
extern const char *const config_manual_inheritance[];
extern const char *const config_manual_locations[];
extern const char *const config_manual_variables[];
extern const char *const config_manual_ciphers[];
extern const char *const config_manual_tail[];

/* What it stands for; a sentence. */
const char *config_manual_variable(enum variable variable);

#endif
