/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pki.h - certificates made at run time, good ones and bad ones.
 *
 * A request with all fields zero but `name` gives a P-256 certificate, valid from yesterday for a
 * month.
 */
#ifndef TESTS_SUPPORT_PKI_H
#define TESTS_SUPPORT_PKI_H

#include <gnutls/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pki_key { PKI_EC256, PKI_EC192, PKI_RSA1024, PKI_RSA2048 };

enum { PKI_NAMES_MAX = 4 };

struct pki_request {
	const char *name; /* CN; NULL: an empty subject */
	const char *dns[PKI_NAMES_MAX];
	const char *ip;
	bool ca;
	int path_length; /* of a CA, with 1 added; 0: no limit */
	const char *purpose; /* OID of the only extended key usage */
	const char *permitted_dns; /* name constraint of a CA */
	int64_t not_before, not_after; /* Unix seconds */
	enum pki_key key;
	const struct pki_certificate *same_key; /* takes this one's key */
	gnutls_digest_algorithm_t digest; /* 0: SHA-256 */
	bool without_key_ids;
	bool broken_signature;
};

struct pki_certificate {
	gnutls_x509_crt_t certificate;
	gnutls_x509_privkey_t key;
	gnutls_datum_t der;
};

/* `issuer` NULL: self-signed. Never NULL; freed by pki_free. */
struct pki_certificate *pki_issue(
        const struct pki_request *request, const struct pki_certificate *issuer);
void pki_free(struct pki_certificate *certificate); /* NULL is fine */

/* PEM of certificates up to a NULL, one after another; freed with free(). */
char *pki_pem(const struct pki_certificate *first, ...) __attribute__((sentinel));
/* PEM of the key; `password` NULL: not encrypted. Freed with free(). */
char *pki_key_pem(const struct pki_certificate *certificate, const char *password);

#endif
