/* SPDX-License-Identifier: BSD-2-Clause */
/* worker.h - the whole life of a worker process. */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

struct worker_env;

/* Runs until drained, told to quit, or the master died and everything ended. Called right after
 * fork, by the supervisor alone; privileges are given up before it by the caller. Returns the exit
 * status. */
int worker_main(const struct worker_env *env);

#endif
