/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_subject.c - names and dates of certificates as text. */
#include "shared/tls_subject.h"

#include "shared/log.h"

#include <stdio.h>
#include <time.h>

enum { NAME_BYTES_MAX = 512 };

typedef int dn_fn(gnutls_x509_crt_t, char *, size_t *);
typedef int dn_by_oid_fn(gnutls_x509_crt_t, const char *, unsigned, unsigned, void *, size_t *);

static const char *format_name(gnutls_x509_crt_t certificate, dn_by_oid_fn *dn_by_oid, dn_fn *dn,
        char *buffer, size_t buffer_size)
{
	char name[NAME_BYTES_MAX], escaped[TLS_SUBJECT_MAX - sizeof("CN=")];
	size_t length = sizeof(name);
	if (dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &length) == 0) {
		log_escape((struct slice){name, length}, escaped, sizeof(escaped));
		snprintf(buffer, buffer_size, "CN=%s", escaped);
		return buffer;
	}
	length = sizeof(name);
	int code = dn(certificate, name, &length);
	if (code == 0 && length > 0)
		return log_escape((struct slice){name, length}, buffer, buffer_size);
	snprintf(buffer, buffer_size, "%s",
	        code == GNUTLS_E_SHORT_MEMORY_BUFFER ? "a very long name" : "no name");
	return buffer;
}

const char *tls_subject_format(gnutls_x509_crt_t certificate, char *buffer, size_t buffer_size)
{
	return format_name(certificate, gnutls_x509_crt_get_dn_by_oid, gnutls_x509_crt_get_dn,
	        buffer, buffer_size);
}

const char *tls_issuer_format(gnutls_x509_crt_t certificate, char *buffer, size_t buffer_size)
{
	return format_name(certificate, gnutls_x509_crt_get_issuer_dn_by_oid,
	        gnutls_x509_crt_get_issuer_dn, buffer, buffer_size);
}

const char *tls_date_format(int64_t when, char *buffer, size_t buffer_size)
{
	time_t seconds = (time_t)when;
	struct tm parts;
	if (!gmtime_r(&seconds, &parts) || strftime(buffer, buffer_size, "%Y-%m-%d", &parts) == 0)
		snprintf(buffer, buffer_size, "an impossible date");
	return buffer;
}
