/* SPDX-License-Identifier: BSD-2-Clause */
/* privileges.h - what a worker gives up before it meets its first client. */
#ifndef MASTER_PRIVILEGES_H
#define MASTER_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>

struct config_main;

/* In a worker right after the fork. User and groups of the configuration (only where the master is
 * root), every capability, the way back to any of them, and core dumps. On false the process must
 * end: `fault` tells what could not be given up. */
bool privileges_drop(const struct config_main *main, char *fault, size_t fault_size);

#endif
