/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_cipher_words.c - the vocabulary of cipher strings.
 *
 * OpenSSL ignores a word that it does not know. Here an unknown word is a fault, so this file has
 * to know every word that some OpenSSL, old or new, gave a meaning: mostly they are met as
 * "!EXPORT".
 */
#include "shared/tls_cipher_words.h"

#include "shared/tls_ciphers.h"
#include "shared/tls_suite_table.h"

enum {
	ENC_AES128 = TLS_ENC_AES128_CBC | TLS_ENC_AES128_GCM | TLS_ENC_AES128_CCM |
	             TLS_ENC_AES128_CCM8,
	ENC_AES256 = TLS_ENC_AES256_CBC | TLS_ENC_AES256_GCM | TLS_ENC_AES256_CCM |
	             TLS_ENC_AES256_CCM8,
	ENC_GCM = TLS_ENC_AES128_GCM | TLS_ENC_AES256_GCM,
	ENC_CCM8 = TLS_ENC_AES128_CCM8 | TLS_ENC_AES256_CCM8,
	ENC_CCM = TLS_ENC_AES128_CCM | TLS_ENC_AES256_CCM | ENC_CCM8,
	ENC_CAMELLIA = TLS_ENC_CAMELLIA128_CBC | TLS_ENC_CAMELLIA256_CBC,
	ENC_CBC = TLS_ENC_AES128_CBC | TLS_ENC_AES256_CBC | ENC_CAMELLIA,
	ENC_ALL = ENC_AES128 | ENC_AES256 | ENC_CAMELLIA | TLS_ENC_CHACHA20,
	AUTH_ALL = TLS_AUTH_RSA | TLS_AUTH_ECDSA,
};

/* The aliases of OpenSSL 3.0 that select something. */
static const struct {
	const char *word;
	struct tls_cipher_selector selector;
} keywords[] = {
        {"ALL", {.enc = ENC_ALL}},
        {"COMPLEMENTOFDEFAULT", {.not_default = true}},
        {"kRSA", {.kx = TLS_KX_RSA}},
        {"kDHE", {.kx = TLS_KX_DHE}},
        {"kEDH", {.kx = TLS_KX_DHE}},
        {"DH", {.kx = TLS_KX_DHE}},
        {"kECDHE", {.kx = TLS_KX_ECDHE}},
        {"kEECDH", {.kx = TLS_KX_ECDHE}},
        {"ECDH", {.kx = TLS_KX_ECDHE}},
        {"aRSA", {.auth = TLS_AUTH_RSA}},
        {"aECDSA", {.auth = TLS_AUTH_ECDSA}},
        {"ECDSA", {.auth = TLS_AUTH_ECDSA}},
        {"DHE", {.kx = TLS_KX_DHE, .auth = AUTH_ALL}},
        {"EDH", {.kx = TLS_KX_DHE, .auth = AUTH_ALL}},
        {"ECDHE", {.kx = TLS_KX_ECDHE, .auth = AUTH_ALL}},
        {"EECDH", {.kx = TLS_KX_ECDHE, .auth = AUTH_ALL}},
        {"RSA", {.kx = TLS_KX_RSA, .auth = TLS_AUTH_RSA}},
        {"AES128", {.enc = ENC_AES128}},
        {"AES256", {.enc = ENC_AES256}},
        {"AES", {.enc = ENC_AES128 | ENC_AES256}},
        {"AESGCM", {.enc = ENC_GCM}},
        {"AESCCM", {.enc = ENC_CCM}},
        {"AESCCM8", {.enc = ENC_CCM8}},
        {"CAMELLIA128", {.enc = TLS_ENC_CAMELLIA128_CBC}},
        {"CAMELLIA256", {.enc = TLS_ENC_CAMELLIA256_CBC}},
        {"CAMELLIA", {.enc = ENC_CAMELLIA}},
        {"CHACHA20", {.enc = TLS_ENC_CHACHA20}},
        {"CBC", {.enc = ENC_CBC}},
        {"SHA1", {.mac = TLS_MAC_SHA1}},
        {"SHA", {.mac = TLS_MAC_SHA1}},
        {"SHA256", {.mac = TLS_MAC_SHA256}},
        {"SHA384", {.mac = TLS_MAC_SHA384}},
        {"SSLv3", {.min_version = TLS_SUITE_SSL3}},
        {"TLSv1", {.min_version = TLS_SUITE_TLS1_0}},
        {"TLSv1.0", {.min_version = TLS_SUITE_TLS1_0}},
        {"TLSv1.2", {.min_version = TLS_SUITE_TLS1_2}},
        {"HIGH", {.grade = TLS_GRADE_HIGH}},
        {"FIPS", {.grade = TLS_GRADE_FIPS}},
};

/* Known, and nothing here answers to them: keywords first, then suites. Blank separated. */
static const char words_for_nothing[] =
        "COMPLEMENTOFALL aNULL eNULL NULL ADH AECDH kPSK kRSAPSK kECDHEPSK kDHEPSK aPSK PSK kSRP "
        "aSRP SRP "
        "aDSS DSS kGOST kGOST18 aGOST aGOST01 aGOST12 GOST GOST94 GOST89MAC GOST12 GOST2012001 "
        "3DES DES RC4 RC2 IDEA SEED ARIA ARIA128 ARIA256 ARIAGCM MD5 LOW MEDIUM EXP EXPORT "
        "EXPORT40 EXPORT56 "
        "SSLv2 kDH kDHr kDHd aDH kECDH kECDHr kECDHe aECDH KRB5 kKRB5 aKRB5 FZA kFZA aFZA eFZA "
        "DHE-DSS-AES256-GCM-SHA384 ECDHE-ECDSA-ARIA256-GCM-SHA384 ECDHE-ARIA256-GCM-SHA384 "
        "DHE-DSS-ARIA256-GCM-SHA384 DHE-RSA-ARIA256-GCM-SHA384 ADH-AES256-GCM-SHA384 "
        "DHE-DSS-AES128-GCM-SHA256 ECDHE-ECDSA-ARIA128-GCM-SHA256 ECDHE-ARIA128-GCM-SHA256 "
        "DHE-DSS-ARIA128-GCM-SHA256 DHE-RSA-ARIA128-GCM-SHA256 ADH-AES128-GCM-SHA256 "
        "DHE-DSS-AES256-SHA256 DHE-DSS-CAMELLIA256-SHA256 ADH-AES256-SHA256 "
        "ADH-CAMELLIA256-SHA256 DHE-DSS-AES128-SHA256 DHE-DSS-CAMELLIA128-SHA256 "
        "ADH-AES128-SHA256 ADH-CAMELLIA128-SHA256 DHE-DSS-AES256-SHA DHE-DSS-CAMELLIA256-SHA "
        "AECDH-AES256-SHA ADH-AES256-SHA ADH-CAMELLIA256-SHA DHE-DSS-AES128-SHA "
        "DHE-DSS-CAMELLIA128-SHA AECDH-AES128-SHA ADH-AES128-SHA ADH-CAMELLIA128-SHA "
        "RSA-PSK-AES256-GCM-SHA384 DHE-PSK-AES256-GCM-SHA384 RSA-PSK-CHACHA20-POLY1305 "
        "DHE-PSK-CHACHA20-POLY1305 ECDHE-PSK-CHACHA20-POLY1305 DHE-PSK-AES256-CCM8 "
        "DHE-PSK-AES256-CCM RSA-PSK-ARIA256-GCM-SHA384 DHE-PSK-ARIA256-GCM-SHA384 "
        "ARIA256-GCM-SHA384 PSK-AES256-GCM-SHA384 PSK-CHACHA20-POLY1305 PSK-AES256-CCM8 "
        "PSK-AES256-CCM PSK-ARIA256-GCM-SHA384 RSA-PSK-AES128-GCM-SHA256 "
        "DHE-PSK-AES128-GCM-SHA256 DHE-PSK-AES128-CCM8 DHE-PSK-AES128-CCM "
        "RSA-PSK-ARIA128-GCM-SHA256 DHE-PSK-ARIA128-GCM-SHA256 ARIA128-GCM-SHA256 "
        "PSK-AES128-GCM-SHA256 PSK-AES128-CCM8 PSK-AES128-CCM PSK-ARIA128-GCM-SHA256 "
        "ECDHE-PSK-AES256-CBC-SHA384 ECDHE-PSK-AES256-CBC-SHA SRP-DSS-AES-256-CBC-SHA "
        "SRP-RSA-AES-256-CBC-SHA SRP-AES-256-CBC-SHA RSA-PSK-AES256-CBC-SHA384 "
        "DHE-PSK-AES256-CBC-SHA384 RSA-PSK-AES256-CBC-SHA DHE-PSK-AES256-CBC-SHA "
        "ECDHE-PSK-CAMELLIA256-SHA384 RSA-PSK-CAMELLIA256-SHA384 DHE-PSK-CAMELLIA256-SHA384 "
        "PSK-AES256-CBC-SHA384 PSK-AES256-CBC-SHA PSK-CAMELLIA256-SHA384 "
        "ECDHE-PSK-AES128-CBC-SHA256 ECDHE-PSK-AES128-CBC-SHA SRP-DSS-AES-128-CBC-SHA "
        "SRP-RSA-AES-128-CBC-SHA SRP-AES-128-CBC-SHA RSA-PSK-AES128-CBC-SHA256 "
        "DHE-PSK-AES128-CBC-SHA256 RSA-PSK-AES128-CBC-SHA DHE-PSK-AES128-CBC-SHA "
        "ECDHE-PSK-CAMELLIA128-SHA256 RSA-PSK-CAMELLIA128-SHA256 DHE-PSK-CAMELLIA128-SHA256 "
        "PSK-AES128-CBC-SHA256 PSK-AES128-CBC-SHA PSK-CAMELLIA128-SHA256 ECDHE-ECDSA-NULL-SHA "
        "ECDHE-RSA-NULL-SHA AECDH-NULL-SHA NULL-SHA256 ECDHE-PSK-NULL-SHA384 "
        "ECDHE-PSK-NULL-SHA256 ECDHE-PSK-NULL-SHA RSA-PSK-NULL-SHA384 RSA-PSK-NULL-SHA256 "
        "DHE-PSK-NULL-SHA384 DHE-PSK-NULL-SHA256 RSA-PSK-NULL-SHA DHE-PSK-NULL-SHA NULL-SHA "
        "NULL-MD5 PSK-NULL-SHA384 PSK-NULL-SHA256 PSK-NULL-SHA DES-CBC3-SHA "
        "DHE-RSA-DES-CBC3-SHA EDH-RSA-DES-CBC3-SHA DHE-DSS-DES-CBC3-SHA EDH-DSS-DES-CBC3-SHA "
        "ECDHE-RSA-DES-CBC3-SHA ECDHE-ECDSA-DES-CBC3-SHA ADH-DES-CBC3-SHA AECDH-DES-CBC3-SHA "
        "PSK-3DES-EDE-CBC-SHA DHE-PSK-3DES-EDE-CBC-SHA ECDHE-PSK-3DES-EDE-CBC-SHA "
        "RSA-PSK-3DES-EDE-CBC-SHA SRP-3DES-EDE-CBC-SHA SRP-RSA-3DES-EDE-CBC-SHA "
        "SRP-DSS-3DES-EDE-CBC-SHA RC4-SHA RC4-MD5 ECDHE-RSA-RC4-SHA ECDHE-ECDSA-RC4-SHA "
        "ADH-RC4-MD5 AECDH-RC4-SHA PSK-RC4-SHA DHE-PSK-RC4-SHA ECDHE-PSK-RC4-SHA "
        "RSA-PSK-RC4-SHA DES-CBC-SHA EDH-RSA-DES-CBC-SHA EDH-DSS-DES-CBC-SHA IDEA-CBC-SHA "
        "SEED-SHA DHE-RSA-SEED-SHA DHE-DSS-SEED-SHA ADH-SEED-SHA GOST2001-GOST89-GOST89 "
        "GOST2001-NULL-GOST94 GOST2012-GOST8912-GOST8912 GOST2012-NULL-GOST12 "
        "ECDH-RSA-AES128-SHA ECDH-RSA-AES256-SHA ECDH-ECDSA-AES128-SHA ECDH-ECDSA-AES256-SHA "
        "ECDH-RSA-AES128-SHA256 ECDH-RSA-AES256-SHA384 ECDH-ECDSA-AES128-SHA256 "
        "ECDH-ECDSA-AES256-SHA384 ECDH-RSA-AES128-GCM-SHA256 ECDH-RSA-AES256-GCM-SHA384 "
        "ECDH-ECDSA-AES128-GCM-SHA256 ECDH-ECDSA-AES256-GCM-SHA384 ECDH-RSA-DES-CBC3-SHA "
        "ECDH-ECDSA-DES-CBC3-SHA TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 "
        "TLS_CHACHA20_POLY1305_SHA256 TLS_AES_128_CCM_SHA256 TLS_AES_128_CCM_8_SHA256 ";

enum { KEYWORD_COUNT = sizeof(keywords) / sizeof(keywords[0]), WORD_MAX = 64, FAR = 3 };

/* The next of the blank separated words; false at the end. */
static bool next_word(struct slice *rest, struct slice *word_out)
{
	if (rest->length == 0)
		return false;
	struct slice tail;
	slice_split(*rest, ' ', word_out, &tail);
	*rest = tail;
	return word_out->length != 0;
}

static void select_suite(size_t index, struct tls_cipher_selector *selector_out)
{
	const struct tls_suite *suite = tls_suite_at(index);
	*selector_out = (struct tls_cipher_selector){
	        .kx = suite->kx,
	        .auth = suite->auth,
	        .enc = suite->enc,
	        .mac = suite->mac,
	        .grade = suite->grade,
	        .not_default = !suite->by_default,
	        .one_suite = true,
	        .suite = index,
	};
}

bool tls_cipher_word_find(struct slice word, struct tls_cipher_selector *selector_out)
{
	for (size_t i = 0; i < KEYWORD_COUNT; i++) {
		if (slice_equal(word, slice_of(keywords[i].word))) {
			*selector_out = keywords[i].selector;
			return true;
		}
	}
	for (size_t i = 0; i < tls_suite_count(); i++) {
		if (slice_equal(word, slice_of(tls_suite_openssl_name(i))) ||
		        slice_equal(word, slice_of(tls_suite_iana_name(i)))) {
			select_suite(i, selector_out);
			return true;
		}
	}
	struct slice rest = {words_for_nothing, sizeof(words_for_nothing) - 1}, known;
	while (next_word(&rest, &known)) {
		if (slice_equal(word, known)) {
			*selector_out = (struct tls_cipher_selector){.nothing = true};
			return true;
		}
	}
	return false;
}

static int lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* Edit distance without case, where swapping two neighbours is one edit. Both at most WORD_MAX
 * long. */
static size_t distance(struct slice a, struct slice b)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2];
	for (size_t j = 0; j <= b.length; j++)
		last[j] = j;
	for (size_t i = 1; i <= a.length; i++) {
		now[0] = i;
		for (size_t j = 1; j <= b.length; j++) {
			bool same = lower(a.data[i - 1]) == lower(b.data[j - 1]);
			size_t best = last[j - 1] + (same ? 0 : 1);
			best = last[j] + 1 < best ? last[j] + 1 : best;
			best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
			if (i > 1 && j > 1 && lower(a.data[i - 1]) == lower(b.data[j - 2]) &&
			        lower(a.data[i - 2]) == lower(b.data[j - 1]) &&
			        before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
		size_t *spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[b.length];
}

const char *tls_cipher_word_near(struct slice word)
{
	if (word.length > WORD_MAX || word.length < 2)
		return NULL;
	size_t limit = word.length < 6 ? 2 : FAR; /* a distance below it is near */
	const char *near = NULL;
	for (size_t i = 0; i < KEYWORD_COUNT + tls_suite_count(); i++) {
		const char *known = i < KEYWORD_COUNT ? keywords[i].word
		                                      : tls_suite_openssl_name(i - KEYWORD_COUNT);
		size_t apart = distance(word, slice_of(known));
		if (apart < limit) {
			limit = apart;
			near = known;
		}
	}
	return near;
}

/* False when both ask for something and nothing satisfies both. */
static bool narrow(uint16_t *mask, uint16_t other)
{
	if (other == 0)
		return true;
	*mask = *mask ? *mask & other : other;
	return *mask != 0;
}

void tls_cipher_selector_narrow(
        struct tls_cipher_selector *selector, const struct tls_cipher_selector *other)
{
	/* OpenSSL forgets COMPLEMENTOFDEFAULT when the first word with a grade comes after it. */
	if (selector->grade == 0 && other->grade != 0)
		selector->not_default = false;
	bool possible = narrow(&selector->kx, other->kx) && narrow(&selector->auth, other->auth) &&
	                narrow(&selector->enc, other->enc) && narrow(&selector->mac, other->mac) &&
	                narrow(&selector->grade, other->grade);
	if (other->one_suite) { /* of two suites OpenSSL takes the last, if it is like the first */
		selector->one_suite = true;
		selector->suite = other->suite;
	}
	if (other->min_version != 0) {
		if (selector->min_version != 0 && selector->min_version != other->min_version)
			possible = false;
		selector->min_version = other->min_version;
	}
	selector->not_default = selector->not_default || other->not_default;
	selector->nothing = selector->nothing || other->nothing || !possible;
}

bool tls_cipher_selector_matches(const struct tls_cipher_selector *selector, size_t index)
{
	const struct tls_suite *suite = tls_suite_at(index);
	if (selector->nothing || (selector->one_suite && selector->suite != index))
		return false;
	if (selector->not_default && suite->by_default)
		return false;
	if (selector->min_version != 0 && selector->min_version != suite->min_version)
		return false;
	return (selector->kx == 0 || (selector->kx & suite->kx)) &&
	       (selector->auth == 0 || (selector->auth & suite->auth)) &&
	       (selector->enc == 0 || (selector->enc & suite->enc)) &&
	       (selector->mac == 0 || (selector->mac & suite->mac)) &&
	       (selector->grade == 0 || (selector->grade & suite->grade));
}

bool tls_cipher_selector_is_empty(const struct tls_cipher_selector *selector)
{
	for (size_t i = 0; i < tls_suite_count(); i++)
		if (tls_cipher_selector_matches(selector, i))
			return false;
	return true;
}
