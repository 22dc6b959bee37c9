/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_trust.h - trust anchors, found by name.
 *
 * GnuTLS' own trust list decides which issuer it takes and tells little about why it took none.
 * Paths are built by worker/tls/tls_verify instead, which needs every anchor that bears a name. The
 * anchors of a file are kept parsed; those of the system, which are many and mostly never met, as
 * bytes: 0.2 MB instead of 4. Made by the master, only read after the fork.
 */
#ifndef SHARED_TLS_TRUST_H
#define SHARED_TLS_TRUST_H

#include "shared/tls_credentials.h"
#include "shared/tls_report.h"

#include <gnutls/x509.h>
#include <stdbool.h>
#include <stddef.h>

struct tls_anchor {
	gnutls_datum_t subject; /* raw DER name */
	gnutls_datum_t der;
	gnutls_x509_crt_t certificate; /* NULL: to be parsed by who needs it */
};

/* Never NULL; empty at first. */
struct tls_trust *tls_trust_create(void);
void tls_trust_destroy(struct tls_trust *trust); /* NULL is fine */

/* Adds the certificates of a PEM text; what is wrong with it is reported under `setting`. */
void tls_trust_add_pem(struct tls_trust *trust, const struct tls_pem *pem, enum tls_setting setting,
        struct tls_reporter *reporter);
/* Adds what the system trusts. */
void tls_trust_add_system(struct tls_trust *trust, struct tls_reporter *reporter);
/* Adds copies of another's anchors. */
void tls_trust_add_all(struct tls_trust *trust, const struct tls_trust *other);
/* After the last addition, before the first look-up. */
void tls_trust_finish(struct tls_trust *trust);

size_t tls_trust_count(const struct tls_trust *trust);
const struct tls_anchor *tls_trust_at(const struct tls_trust *trust, size_t index);
/* The anchors with this subject stand side by side: the first one's place, and how many. */
size_t tls_trust_find(
        const struct tls_trust *trust, const gnutls_datum_t *subject, size_t *first_out);
/* An anchor that is this very certificate; NULL when none is. */
const struct tls_anchor *tls_trust_find_same(
        const struct tls_trust *trust, const gnutls_datum_t *subject, const gnutls_datum_t *der);

#endif
