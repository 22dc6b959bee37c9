/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_report.c - formats a finding and hands it on. */
#include "shared/tls_report.h"

#include <stdarg.h>
#include <stdio.h>

enum { SENTENCE_MAX = 2048 };

void tls_report(struct tls_reporter *reporter, enum tls_severity severity, enum tls_setting setting,
        const char *format, ...)
{
	char sentence[SENTENCE_MAX];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	if (severity == TLS_ERROR)
		reporter->failed = true;
	reporter->report(reporter->opaque, severity, setting, reporter->pair, sentence);
}
