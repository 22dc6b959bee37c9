/* SPDX-License-Identifier: BSD-2-Clause */
/* status_json.h - a snapshot as JSON, for people and scripts: GET /status. */
#ifndef MASTER_STATUS_JSON_H
#define MASTER_STATUS_JSON_H

#include <stdio.h>

struct status_snapshot;

#define STATUS_JSON_TYPE "application/json"

/* Fields may be added; those that are there keep their meaning. Times are Unix seconds. */
void status_json_write(FILE *file, const struct status_snapshot *snapshot);

#endif
