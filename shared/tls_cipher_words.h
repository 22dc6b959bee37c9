/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_cipher_words.h - what each word of an OpenSSL cipher string selects.
 *
 * A word is a keyword of ciphers(1), a suite by OpenSSL's or by IANA's name, or a suite that
 * OpenSSL knows and GnuTLS, or this program, does not offer: such a word is known and selects
 * nothing.
 */
#ifndef SHARED_TLS_CIPHER_WORDS_H
#define SHARED_TLS_CIPHER_WORDS_H

#include "shared/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Masks of tls_suite_table.h; 0 leaves that part open. */
struct tls_cipher_selector {
	uint16_t kx, auth, enc, mac;
	uint16_t grade;
	uint16_t min_version;
	bool not_default; /* only what DEFAULT leaves out */
	bool one_suite; /* only `suite` */
	bool nothing; /* contradicts itself, or names what is not here */
	size_t suite;
};

/* Words are compared with case, as OpenSSL does. false: unknown. */
bool tls_cipher_word_find(struct slice word, struct tls_cipher_selector *selector_out);

/* A known word that differs from `word` by little; NULL when none does. */
const char *tls_cipher_word_near(struct slice word);

/* Narrows `selector` to what `other` selects as well ("A+B"). */
void tls_cipher_selector_narrow(
        struct tls_cipher_selector *selector, const struct tls_cipher_selector *other);

bool tls_cipher_selector_matches(const struct tls_cipher_selector *selector, size_t suite);
/* True when it matches no suite of the table at all. */
bool tls_cipher_selector_is_empty(const struct tls_cipher_selector *selector);

#endif
