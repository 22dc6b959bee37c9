/* SPDX-License-Identifier: BSD-2-Clause */
/* limits.h - descriptors and CPU of a worker. */
#ifndef MASTER_LIMITS_H
#define MASTER_LIMITS_H

#include <stddef.h>
#include <stdint.h>

struct config;

/* How many descriptors one worker may want that inherits `sockets` listening sockets. */
uint64_t limits_descriptors_needed(const struct config *config, size_t sockets);

/* In the master: warns when workers will get fewer. */
void limits_warn(const struct config *config, size_t sockets);

/* In a worker, before it gives up its privileges: raises the limit of open files, and pins it to
 * its CPU where worker_cpu_affinity says so. What fails is logged and does no harm. */
void limits_apply(const struct config *config, size_t sockets, unsigned slot);

#endif
