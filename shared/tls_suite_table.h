/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_suite_table.h - the cipher suites below TLS 1.3 that OpenSSL and GnuTLS both have.
 *
 * The order is the one OpenSSL 3.0 starts from before it reads a cipher string, so that evaluating
 * a string on this table gives OpenSSL's list less what is missing here. Missing on purpose:
 * anonymous and NULL suites (they authenticate nobody or encrypt nothing), 3DES and RC4 (Debian's
 * OpenSSL refuses them as well), PSK and SRP (no such credentials exist here). Only the
 * tls_cipher... and tls_priority files look at the masks; all others use tls_ciphers.h.
 */
#ifndef SHARED_TLS_SUITE_TABLE_H
#define SHARED_TLS_SUITE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One bit each, so that a word of a cipher string is a mask. ..._OTHER stands for everything that
 * OpenSSL knows and this table lacks: a word made of it alone is known and chooses nothing. */
enum { TLS_KX_RSA = 1, TLS_KX_DHE = 2, TLS_KX_ECDHE = 4, TLS_KX_OTHER = 8 };
enum { TLS_AUTH_RSA = 1, TLS_AUTH_ECDSA = 2, TLS_AUTH_OTHER = 4 };
enum {
	TLS_ENC_AES128_CBC = 1 << 0,
	TLS_ENC_AES256_CBC = 1 << 1,
	TLS_ENC_CAMELLIA128_CBC = 1 << 2,
	TLS_ENC_CAMELLIA256_CBC = 1 << 3,
	TLS_ENC_AES128_GCM = 1 << 4,
	TLS_ENC_AES256_GCM = 1 << 5,
	TLS_ENC_AES128_CCM = 1 << 6,
	TLS_ENC_AES256_CCM = 1 << 7,
	TLS_ENC_AES128_CCM8 = 1 << 8,
	TLS_ENC_AES256_CCM8 = 1 << 9,
	TLS_ENC_CHACHA20 = 1 << 10,
	TLS_ENC_OTHER = 1 << 11,
};
enum {
	TLS_MAC_SHA1 = 1,
	TLS_MAC_SHA256 = 2,
	TLS_MAC_SHA384 = 4,
	TLS_MAC_AEAD = 8,
	TLS_MAC_OTHER = 16
};
enum { TLS_GRADE_HIGH = 1, TLS_GRADE_FIPS = 2, TLS_GRADE_OTHER = 4 };
/* The oldest protocol of a suite, as OpenSSL has it; GnuTLS has no SSL 3, its suites there start
 * at 1.0. */
enum { TLS_SUITE_SSL3 = 0x300, TLS_SUITE_TLS1_0 = 0x301, TLS_SUITE_TLS1_2 = 0x303 };

struct tls_suite {
	const char *openssl_name, *iana_name;
	uint16_t kx, auth, enc, mac; /* one bit each of the above */
	uint16_t min_version;
	uint16_t strength_bits;
	uint16_t grade; /* bits of TLS_GRADE_... */
	bool by_default; /* in OpenSSL's DEFAULT */
};

/* `index` below tls_suite_count() of tls_ciphers.h. */
const struct tls_suite *tls_suite_at(size_t index);

/* The words of a GnuTLS priority string: "ECDHE-RSA", "AES-128-GCM", "AEAD". */
const char *tls_suite_kx_token(const struct tls_suite *suite);
const char *tls_suite_cipher_token(const struct tls_suite *suite);
const char *tls_suite_mac_token(const struct tls_suite *suite);

#endif
