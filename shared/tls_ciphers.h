/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_ciphers.h - OpenSSL cipher strings and protocol names, translated to what GnuTLS understands.
 *
 * The string is evaluated as ciphers(1) says on a fixed table of the suites GnuTLS has, giving an
 * ordered list of suites; from it comes a GnuTLS priority string. GnuTLS priorities are products of
 * key exchange, cipher and MAC, so the product may hold more suites than the list: the surplus is
 * named here, warned about at load and refused after the handshake. Text only: no GnuTLS call is
 * made here.
 */
#ifndef SHARED_TLS_CIPHERS_H
#define SHARED_TLS_CIPHERS_H

#include "shared/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TLS_PROTOCOL_1_0 = 1,
	TLS_PROTOCOL_1_1 = 2,
	TLS_PROTOCOL_1_2 = 4,
	TLS_PROTOCOL_1_3 = 8,
	TLS_PROTOCOLS_DEFAULT = TLS_PROTOCOL_1_2 | TLS_PROTOCOL_1_3,
};

/* Indices into the suite table, in order of preference. */
enum { TLS_SUITES_MAX = 96 };
struct tls_suite_set {
	uint8_t indices[TLS_SUITES_MAX];
	size_t count;
};

struct tls_cipher_list {
	struct tls_suite_set suites; /* TLS 1.2 and older, as the string orders them */
	struct tls_suite_set surplus; /* what the GnuTLS product has beyond it, under `protocols` */
	/* Which step of the string placed each of `suites`: where it is equal, the string left
	 * their order open. */
	uint16_t steps[TLS_SUITES_MAX];
	unsigned security_level; /* @SECLEVEL=n (0 to 5), else 2 */
	char ignored[256]; /* known words that chose nothing here since GnuTLS lacks it, blank
	                      separated */
};

/* "TLSv1" "TLSv1.1" "TLSv1.2" "TLSv1.3"; 0 when unknown. */
unsigned tls_protocol_from_name(struct slice name);
/* "TLSv1.2 TLSv1.3"; returns `buffer`. */
const char *tls_protocols_format(unsigned protocols, char *buffer, size_t buffer_size);

/* false, with a sentence in `fault` (what is wrong, and a near word where there is one), for an
 * unknown word, a malformed string, or one that leaves no suite while a protocol below TLS 1.3 is
 * on. */
bool tls_ciphers_parse(struct slice text, unsigned protocols, struct tls_cipher_list *list_out,
        char *fault, size_t fault_size);

/* The GnuTLS priority string of a list; TLS 1.3 always has its three suites (OpenSSL's string never
 * touches them). false only when `buffer` is too small. */
bool tls_ciphers_to_priority(
        const struct tls_cipher_list *list, unsigned protocols, char *buffer, size_t buffer_size);

size_t tls_suite_count(void);
const char *tls_suite_openssl_name(size_t index);
const char *tls_suite_iana_name(size_t index);
/* By IANA name, as gnutls_ciphersuite_get gives it; false when the table lacks it. */
bool tls_suite_find_iana(const char *name, size_t *index_out);
bool tls_suite_set_has(const struct tls_suite_set *set, size_t index);

#endif
