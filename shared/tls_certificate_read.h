/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_certificate_read.h - one certificate out of a PEM text. */
#ifndef SHARED_TLS_CERTIFICATE_READ_H
#define SHARED_TLS_CERTIFICATE_READ_H

#include "shared/tls_pem_reader.h"
#include "shared/tls_report.h"

#include <gnutls/x509.h>

/* NULL, and an error about `setting` was reported, when it cannot be read. */
gnutls_x509_crt_t tls_certificate_read(const struct tls_pem_block *block, const struct tls_pem *pem,
        enum tls_setting setting, struct tls_reporter *reporter);

/* GnuTLS reads through a pointer to bytes that it could change, and does not. */
gnutls_datum_t tls_datum_of(struct slice text);

#endif
