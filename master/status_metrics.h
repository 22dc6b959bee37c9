/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status_metrics.h - a snapshot as Prometheus reads it: text format 0.0.4.
 *
 * Names start with sealane_, have base units (seconds, bytes), and end in _total where they count.
 */
#ifndef MASTER_STATUS_METRICS_H
#define MASTER_STATUS_METRICS_H

#include <stdio.h>

struct status_snapshot;

#define STATUS_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

void status_metrics_write(FILE *file, const struct status_snapshot *snapshot);

#endif
