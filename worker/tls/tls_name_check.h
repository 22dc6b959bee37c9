/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_name_check.h - does a certificate bear a name? Internal to tls_verify. */
#ifndef WORKER_TLS_TLS_NAME_CHECK_H
#define WORKER_TLS_TLS_NAME_CHECK_H

#include "worker/tls/tls_verdict.h"

#include <gnutls/x509.h>
#include <stdbool.h>

/* By subject alternative names only, of the kind that `name` is: DNS (a wildcard stands for one
 * label) or IP. A trailing dot of `name` does not count. Fills the verdict when false. */
bool tls_name_check(
        gnutls_x509_crt_t certificate, const char *name, struct tls_verdict *verdict_out);

#endif
