/* SPDX-License-Identifier: BSD-2-Clause */
/* dial_attempts.h - the servers that a dial has tried, as text: $upstream_addr. */
#ifndef WORKER_UPSTREAM_DIAL_ATTEMPTS_H
#define WORKER_UPSTREAM_DIAL_ATTEMPTS_H

#include "shared/slice.h"
#include "worker/upstream/dialer.h"

#include <stddef.h>

enum { DIAL_ATTEMPTS_TEXT_MAX = (DIAL_ATTEMPTS_SHOWN + 1) * ADDRESS_TEXT_MAX };

/* "10.0.0.1:443, 10.0.0.2:443", with ", +N" for those beyond the first few; empty: none. In
 * `buffer`, which is DIAL_ATTEMPTS_TEXT_MAX bytes, terminated. */
struct slice dial_attempts_format(const struct dial *dial, char *buffer);

#endif
