/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_report.h - how the files that make credentials say what they found.
 *
 * Internal to them: whoever asks for credentials hands in a tls_report_fn of tls_credentials.h.
 */
#ifndef SHARED_TLS_REPORT_H
#define SHARED_TLS_REPORT_H

#include "shared/tls_credentials.h"

#include <stdbool.h>
#include <stddef.h>

struct tls_reporter {
	tls_report_fn *report;
	void *opaque;
	size_t pair; /* the key pair at work */
	bool failed; /* an error was reported */
};

void tls_report(struct tls_reporter *reporter, enum tls_severity severity, enum tls_setting setting,
        const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
