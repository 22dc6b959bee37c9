/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_path_check.h - is this path from a leaf to a trust anchor good?
 *
 * Internal to tls_verify, which finds the paths.
 */
#ifndef WORKER_TLS_TLS_PATH_CHECK_H
#define WORKER_TLS_TLS_PATH_CHECK_H

#include "worker/tls/tls_verify.h"

#include <gnutls/x509.h>
#include <stdbool.h>

enum { TLS_PEER_CERTIFICATES_MAX = 16 };

struct tls_path {
	gnutls_x509_crt_t
	        certificates[TLS_PEER_CERTIFICATES_MAX]; /* leaf first, without the anchor */
	unsigned count; /* 0: the leaf itself is the anchor */
	gnutls_x509_crt_t anchor;
};

/* Fills the verdict; the same as verdict_out->ok. */
bool tls_path_check(const struct tls_path *path, const struct tls_verify_settings *settings,
        struct tls_verdict *verdict_out);

#endif
