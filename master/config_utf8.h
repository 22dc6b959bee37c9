/* SPDX-License-Identifier: BSD-2-Clause */
/* config_utf8.h - whether bytes are UTF-8, for the reader and for messages as JSON. */
#ifndef MASTER_CONFIG_UTF8_H
#define MASTER_CONFIG_UTF8_H

#include "shared/slice.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character that `text` starts with: 1 to 4; 0 where it starts with none: a stray
 * byte, an overlong form, a surrogate, a cut character, or nothing at all. */
size_t config_utf8_character(struct slice text);

bool config_is_utf8(struct slice text);

#endif
