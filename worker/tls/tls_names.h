/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_names.h - the names and the number of a certificate as nginx gives them to applications.
 *
 * Printable ASCII whatever is in the certificate: fit for a header field and for a log. GnuTLS
 * writes other words for some attributes and leaves bytes as they are, so this is written here.
 */
#ifndef WORKER_TLS_TLS_NAMES_H
#define WORKER_TLS_TLS_NAMES_H

#include <gnutls/x509.h>

/* RFC 2253 as OpenSSL's XN_FLAG_RFC2253: "CN=shop,O=Corp\, Inc.,C=DE", the most special part first.
 * A name that cannot be read is "". Never NULL; freed with free(). */
char *tls_names_subject(gnutls_x509_crt_t certificate);
char *tls_names_issuer(gnutls_x509_crt_t certificate);
/* Upper-case hex of whole bytes without leading zeros, "-" before a negative one. Never NULL;
 * freed with free(). */
char *tls_names_serial(gnutls_x509_crt_t certificate);

#endif
