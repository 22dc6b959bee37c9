/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_key_pair.h - a certificate chain and its private key, read, matched and put into credentials.
 */
#ifndef SHARED_TLS_KEY_PAIR_H
#define SHARED_TLS_KEY_PAIR_H

#include "shared/tls_credentials.h"
#include "shared/tls_report.h"

#include <gnutls/x509.h>

enum { TLS_CHAIN_MAX = 16 };

struct tls_chain {
	gnutls_x509_crt_t certificates[TLS_CHAIN_MAX]; /* leaf first */
	unsigned count;
	int64_t not_after; /* the earliest, Unix seconds */
};

/* Adds the pair to `credentials` and gives its chain, to be freed by tls_chain_clear in any case.
 * What is wrong is reported; `security_level` is that of tls_ciphers.h. */
void tls_key_pair_load(gnutls_certificate_credentials_t credentials,
        const struct tls_key_pair *pair, const struct tls_pem *passwords, unsigned security_level,
        struct tls_reporter *reporter, struct tls_chain *chain_out);
void tls_chain_clear(struct tls_chain *chain);

#endif
