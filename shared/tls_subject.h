/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_subject.h - certificates in words, for messages.
 *
 * What stands in a certificate was written by whoever made it: all of it is escaped.
 */
#ifndef SHARED_TLS_SUBJECT_H
#define SHARED_TLS_SUBJECT_H

#include <gnutls/x509.h>
#include <stddef.h>
#include <stdint.h>

enum { TLS_SUBJECT_MAX = 160, TLS_DATE_MAX = 32 };

/* "CN=backend1.example.com", the whole name where it has no CN, "no name" where it is empty.
 * Returns `buffer`, of TLS_SUBJECT_MAX bytes at least. */
const char *tls_subject_format(gnutls_x509_crt_t certificate, char *buffer, size_t buffer_size);
const char *tls_issuer_format(gnutls_x509_crt_t certificate, char *buffer, size_t buffer_size);

/* "2026-10-01" in UTC, of Unix seconds. */
const char *tls_date_format(int64_t when, char *buffer, size_t buffer_size);

#endif
