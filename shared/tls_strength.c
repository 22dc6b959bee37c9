/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_strength.c - the table of security levels, applied to one certificate. */
#include "shared/tls_strength.h"

#include "shared/check.h"

#include <gnutls/crypto.h>
#include <stdio.h>

/* A digest of 16 bytes is MD5's, of 20 SHA-1's. */
static const struct {
	unsigned modulus_bits, curve_bits, digest_bytes;
} levels[] = {
        {0, 0, 0},
        {1024, 160, 20},
        {2048, 224, 28},
        {3072, 256, 28},
        {7680, 384, 48},
        {15360, 512, 64},
};
enum { LEVEL_COUNT = sizeof(levels) / sizeof(levels[0]) };

bool tls_strength_key_is_weak(
        gnutls_x509_crt_t certificate, unsigned level, char *text, size_t text_size)
{
	CHECK(level < LEVEL_COUNT);
	unsigned bits = 0;
	int algorithm = gnutls_x509_crt_get_pk_algorithm(certificate, &bits);
	const char *name = algorithm < 0 ? "unknown"
	                                 : gnutls_pk_get_name((gnutls_pk_algorithm_t)algorithm);
	unsigned demanded;
	if (algorithm == GNUTLS_PK_ECDSA || algorithm == GNUTLS_PK_GOST_12_256 ||
	        algorithm == GNUTLS_PK_GOST_12_512)
		demanded = levels[level].curve_bits;
	else if (algorithm == GNUTLS_PK_EDDSA_ED25519 || algorithm == GNUTLS_PK_EDDSA_ED448)
		return false; /* 128 and 224 bits of security; their bit counts mean something else
		               */
	else
		demanded = levels[level].modulus_bits;
	if (bits >= demanded)
		return false;
	snprintf(text, text_size, "%s %u bits, level %u demands %u", name, bits, level, demanded);
	return true;
}

bool tls_strength_signature_is_weak(
        gnutls_x509_crt_t certificate, unsigned level, char *text, size_t text_size)
{
	CHECK(level < LEVEL_COUNT);
	if (level == 0)
		return false;
	int algorithm = gnutls_x509_crt_get_signature_algorithm(certificate);
	gnutls_sign_algorithm_t sign = algorithm < 0 ? GNUTLS_SIGN_UNKNOWN
	                                             : (gnutls_sign_algorithm_t)algorithm;
	const char *name = gnutls_sign_get_name(sign);
	if (sign == GNUTLS_SIGN_EDDSA_ED25519 || sign == GNUTLS_SIGN_EDDSA_ED448)
		return false;
	gnutls_digest_algorithm_t digest = gnutls_sign_get_hash_algorithm(sign);
	bool strong = digest != GNUTLS_DIG_UNKNOWN &&
	              gnutls_hash_get_len(digest) >= levels[level].digest_bytes;
	if (strong)
		return false;
	snprintf(text, text_size, "%s, which level %u does not take", name ? name : "unknown",
	        level);
	return true;
}
