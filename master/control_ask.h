/* SPDX-License-Identifier: BSD-2-Clause */
/* control_ask.h - `sealane -s`: asks the running master and prints what it answers. */
#ifndef MASTER_CONTROL_ASK_H
#define MASTER_CONTROL_ASK_H

#include "master/control_request.h"

#include <stdint.h>

enum { CONTROL_ASK_LIMIT_MS = 120 * 1000 };

/* Blocks until the answer is complete; messages go to stderr. Returns the exit status of the
 * process: 7 when nobody answers at the socket beside `pid_file`, 1 after `limit_ms`. */
int control_ask(const char *pid_file, const struct control_order *order, uint64_t limit_ms);

#endif
