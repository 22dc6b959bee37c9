/* SPDX-License-Identifier: BSD-2-Clause */
/* check.c - the end of a process that found a bug in itself. */
#include "shared/check.h"

#include "shared/log.h"

#include <stdlib.h>

void check_failed(const char *file, int line, const char *claim)
{
	log_write(
	        LOG_CRIT, "bug: %s:%d: '%s' does not hold; this process stops", file, line, claim);
	abort();
}
