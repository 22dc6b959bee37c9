/* SPDX-License-Identifier: BSD-2-Clause */
/* http_path.h - the path of a target, as locations are compared with it. */
#ifndef WORKER_HTTP_HTTP_PATH_H
#define WORKER_HTTP_HTTP_PATH_H

#include "shared/slice.h"

struct arena;

/* Percent-decoded, then dot segments resolved and slashes merged: escaped dots and slashes count
 * like plain ones, as in nginx. `raw` starts with '/'; the result does too, and lies in `raw` or in
 * the arena. NULL, or what is wrong: an escape that is none, %00, a climb above the root. */
const char *http_path_normalise(struct slice raw, struct arena *arena, struct slice *path_out);

#endif
