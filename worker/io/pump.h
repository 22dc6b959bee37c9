/* SPDX-License-Identifier: BSD-2-Clause */
/* pump.h - moves bytes from one stream to another. */
#ifndef WORKER_IO_PUMP_H
#define WORKER_IO_PUMP_H

#include "worker/io/stream.h"

/* Moves at most `max` of the bytes that arrived at `from` to `to`, starts sending them, and lets
 * `from` read on. Returns how many; 0 when `to` still has output of before: call again on its
 * DRAINED. FAILED of `to` may be told before it returns, so look at both streams afterwards. */
size_t pump(struct stream *from, struct stream *to, size_t max);

#endif
