/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_verdict.c - fills verdicts. */
#include "worker/tls/tls_verdict.h"

#include "shared/check.h"
#include "shared/tls_subject.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	int alert;
	const char *failed;
	bool about_issuer;
} rows[] = {
#define TLS_VERDICT_ROW(name, alert, words, only_issuer) {alert, "FAILED:" words, only_issuer},
        TLS_VERDICT_TABLE(TLS_VERDICT_ROW)
#undef TLS_VERDICT_ROW
};

void tls_verdict_accept(struct tls_verdict *verdict, int64_t not_after)
{
	*verdict = (struct tls_verdict){
	        .ok = true, .reason = TLS_VERDICT_OK, .alert = -1, .not_after = not_after};
}

void tls_verdict_refuse(struct tls_verdict *verdict, enum tls_verdict_reason reason,
        gnutls_x509_crt_t certificate, unsigned depth, const char *format, ...)
{
	CHECK(reason != TLS_VERDICT_OK && reason < TLS_VERDICT_COUNT);
	char subject[TLS_SUBJECT_MAX], issuer[TLS_SUBJECT_MAX];
	va_list arguments;
	*verdict = (struct tls_verdict){.reason = reason, .alert = rows[reason].alert};
	va_start(arguments, format);
	vsnprintf(verdict->text, sizeof(verdict->text), format, arguments);
	va_end(arguments);
	if (!certificate)
		return;
	size_t used = strlen(verdict->text);
	snprintf(verdict->text + used, sizeof(verdict->text) - used,
	        " (%s, issuer %s, chain depth %u)",
	        tls_subject_format(certificate, subject, sizeof(subject)),
	        tls_issuer_format(certificate, issuer, sizeof(issuer)), depth);
}

const char *tls_verdict_failed_text(enum tls_verdict_reason reason)
{
	CHECK(reason != TLS_VERDICT_OK && reason < TLS_VERDICT_COUNT);
	return rows[reason].failed;
}

bool tls_verdict_is_about_issuer(enum tls_verdict_reason reason)
{
	CHECK(reason < TLS_VERDICT_COUNT);
	return rows[reason].about_issuer;
}
