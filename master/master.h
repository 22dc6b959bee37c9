/* SPDX-License-Identifier: BSD-2-Clause */
/* master.h - the whole life of the master process. */
#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H

struct options;

/* From reading the configuration to the last worker's end. Returns the exit status. */
int master_run(const struct options *options);

#endif
