/* SPDX-License-Identifier: BSD-2-Clause */
/* config_lookup.h - looks host names up, many at a time and never longer than allowed. */
#ifndef MASTER_CONFIG_LOOKUP_H
#define MASTER_CONFIG_LOOKUP_H

#include "shared/address.h"

#include <stddef.h>

struct config_lookup {
	char error[128]; /* empty when there are addresses */
	struct address *addresses; /* malloc'ed, the caller frees; ports are 0 */
	size_t count;
};

/* Fills `lookups_out[i]` for each host within about `timeout_ms` in all. IP literals answer
 * themselves. */
void config_lookup_all(
        const char *const *hosts, size_t count, int timeout_ms, struct config_lookup *lookups_out);

#endif
