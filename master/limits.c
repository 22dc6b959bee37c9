/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limits.c - RLIMIT_NOFILE and sched_setaffinity.
 *
 * `auto` raises the soft limit as far as the hard one allows: the hard one is the administrator's
 * word, in the service unit or limits.conf. A number in the configuration is a word too, and root
 * may raise the hard limit for it.
 */
#include "master/limits.h"

#include "shared/config.h"
#include "shared/log.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>

/* Control socket, event loop, segments, and what libraries open. */
enum { OTHER_DESCRIPTORS = 32 };

uint64_t limits_descriptors_needed(const struct config *config, size_t sockets)
{
	return (uint64_t)config->main.worker_connections + sockets + config->log_path_count +
	       OTHER_DESCRIPTORS;
}

static uint64_t wanted(const struct config *config, size_t sockets)
{
	uint64_t configured = config->main.worker_rlimit_nofile;

	return configured ? configured : limits_descriptors_needed(config, sockets);
}

/* What the worker will have. */
static struct rlimit raised(const struct config *config, size_t sockets, struct rlimit limit)
{
	uint64_t number = wanted(config, sockets);

	if (config->main.worker_rlimit_nofile && config->main.user_name && number > limit.rlim_max)
		limit.rlim_max = number; /* the master is root */
	if (number > limit.rlim_cur || config->main.worker_rlimit_nofile)
		limit.rlim_cur = number < limit.rlim_max ? number : limit.rlim_max;
	return limit;
}

void limits_warn(const struct config *config, size_t sockets)
{
	uint64_t needed = limits_descriptors_needed(config, sockets);
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	struct rlimit future = raised(config, sockets, limit);
	if (future.rlim_cur >= needed)
		return;
	log_write(LOG_WARN,
	        "worker_connections = %" PRIu32 " needs %" PRIu64 " open files, the limit is "
	        "%" PRIu64 "; raise it (LimitNOFILE= in the service unit, ulimit -Hn, or "
	        "worker_rlimit_nofile as root)",
	        config->main.worker_connections, needed, (uint64_t)future.rlim_cur);
}

/* In a container root often has no CAP_SYS_RESOURCE: then the hard limit is the end for it too. */
static void raise_descriptors(const struct config *config, size_t sockets)
{
	struct rlimit before;

	if (getrlimit(RLIMIT_NOFILE, &before) != 0)
		return;
	struct rlimit limit = raised(config, sockets, before);
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return;
	int error = errno;
	if (limit.rlim_max > before.rlim_max)
		limit.rlim_cur = limit.rlim_max = before.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		limit = before;
	log_write(LOG_WARN, "worker_rlimit_nofile = %" PRIu64 ": %s; the limit is %" PRIu64,
	        config->main.worker_rlimit_nofile, strerror(error), (uint64_t)limit.rlim_cur);
}

static void pin(unsigned slot)
{
	cpu_set_t allowed, one;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		return;
	int count = CPU_COUNT(&allowed);
	int turn = count ? (int)(slot % (unsigned)count) : 0;
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &allowed) || turn-- > 0)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (sched_setaffinity(0, sizeof(one), &one) != 0)
			log_write(
			        LOG_WARN, "worker_cpu_affinity: CPU %zu: %s", cpu, strerror(errno));
		return;
	}
}

void limits_apply(const struct config *config, size_t sockets, unsigned slot)
{
	raise_descriptors(config, sockets);
	if (config->main.worker_cpu_affinity)
		pin(slot);
}
