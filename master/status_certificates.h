/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status_certificates.h - when the certificates that we show expire.
 *
 * Read once from a configuration, so that its credentials are not needed afterwards.
 */
#ifndef MASTER_STATUS_CERTIFICATES_H
#define MASTER_STATUS_CERTIFICATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct config;

struct status_certificate {
	const char *section; /* "tcp redis", "location site /api" */
	bool upstream; /* shown to upstreams; else to clients */
	int64_t not_after; /* earliest in its chain, Unix seconds */
};

struct status_certificates {
	struct arena *arena; /* holds all below */
	struct status_certificate *items; /* in the order of the configuration */
	size_t count;
};

/* Lack of memory stops the process. */
void status_certificates_read(
        struct status_certificates *certificates, const struct config *config);
void status_certificates_drop(struct status_certificates *certificates);

#endif
