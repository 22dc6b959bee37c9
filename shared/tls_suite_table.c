/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_suite_table.c - the table of suites, and how GnuTLS calls their parts.
 *
 * The rows and their order are those of 'openssl ciphers ALL' of OpenSSL 3.0.
 */
#include "shared/tls_suite_table.h"

#include "shared/check.h"
#include "shared/tls_ciphers.h"

#include <string.h>

/* clang-format off */
#define KX_RSA TLS_KX_RSA, TLS_AUTH_RSA
#define KX_DHE TLS_KX_DHE, TLS_AUTH_RSA
#define KX_ECR TLS_KX_ECDHE, TLS_AUTH_RSA
#define KX_ECE TLS_KX_ECDHE, TLS_AUTH_ECDSA
#define V12 TLS_SUITE_TLS1_2
#define V10 TLS_SUITE_TLS1_0
#define V03 TLS_SUITE_SSL3
#define HIGH TLS_GRADE_HIGH
#define FIPS (TLS_GRADE_HIGH | TLS_GRADE_FIPS)
#define ENC(name, mac) TLS_ENC_ ## name, TLS_MAC_ ## mac
static const struct tls_suite suites[] = {
	{"ECDHE-ECDSA-AES256-GCM-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
		KX_ECE, ENC(AES256_GCM, AEAD), V12, 256, FIPS, true},
	{"ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
		KX_ECR, ENC(AES256_GCM, AEAD), V12, 256, FIPS, true},
	{"DHE-RSA-AES256-GCM-SHA384", "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
		KX_DHE, ENC(AES256_GCM, AEAD), V12, 256, FIPS, true},
	{"ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
		KX_ECE, ENC(CHACHA20, AEAD), V12, 256, HIGH, true},
	{"ECDHE-RSA-CHACHA20-POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
		KX_ECR, ENC(CHACHA20, AEAD), V12, 256, HIGH, true},
	{"DHE-RSA-CHACHA20-POLY1305", "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
		KX_DHE, ENC(CHACHA20, AEAD), V12, 256, HIGH, true},
	{"ECDHE-ECDSA-AES256-CCM8", "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8",
		KX_ECE, ENC(AES256_CCM8, AEAD), V12, 256, HIGH, false},
	{"ECDHE-ECDSA-AES256-CCM", "TLS_ECDHE_ECDSA_WITH_AES_256_CCM",
		KX_ECE, ENC(AES256_CCM, AEAD), V12, 256, HIGH, false},
	{"DHE-RSA-AES256-CCM8", "TLS_DHE_RSA_WITH_AES_256_CCM_8",
		KX_DHE, ENC(AES256_CCM8, AEAD), V12, 256, HIGH, false},
	{"DHE-RSA-AES256-CCM", "TLS_DHE_RSA_WITH_AES_256_CCM",
		KX_DHE, ENC(AES256_CCM, AEAD), V12, 256, HIGH, false},
	{"ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
		KX_ECE, ENC(AES128_GCM, AEAD), V12, 128, FIPS, true},
	{"ECDHE-RSA-AES128-GCM-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
		KX_ECR, ENC(AES128_GCM, AEAD), V12, 128, FIPS, true},
	{"DHE-RSA-AES128-GCM-SHA256", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
		KX_DHE, ENC(AES128_GCM, AEAD), V12, 128, FIPS, true},
	{"ECDHE-ECDSA-AES128-CCM8", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8",
		KX_ECE, ENC(AES128_CCM8, AEAD), V12, 128, HIGH, false},
	{"ECDHE-ECDSA-AES128-CCM", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM",
		KX_ECE, ENC(AES128_CCM, AEAD), V12, 128, HIGH, false},
	{"DHE-RSA-AES128-CCM8", "TLS_DHE_RSA_WITH_AES_128_CCM_8",
		KX_DHE, ENC(AES128_CCM8, AEAD), V12, 128, HIGH, false},
	{"DHE-RSA-AES128-CCM", "TLS_DHE_RSA_WITH_AES_128_CCM",
		KX_DHE, ENC(AES128_CCM, AEAD), V12, 128, HIGH, false},
	{"ECDHE-ECDSA-AES256-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
		KX_ECE, ENC(AES256_CBC, SHA384), V12, 256, FIPS, true},
	{"ECDHE-RSA-AES256-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
		KX_ECR, ENC(AES256_CBC, SHA384), V12, 256, FIPS, true},
	{"DHE-RSA-AES256-SHA256", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
		KX_DHE, ENC(AES256_CBC, SHA256), V12, 256, FIPS, true},
	{"ECDHE-ECDSA-CAMELLIA256-SHA384", "TLS_ECDHE_ECDSA_WITH_CAMELLIA_256_CBC_SHA384",
		KX_ECE, ENC(CAMELLIA256_CBC, SHA384), V12, 256, HIGH, false},
	{"ECDHE-RSA-CAMELLIA256-SHA384", "TLS_ECDHE_RSA_WITH_CAMELLIA_256_CBC_SHA384",
		KX_ECR, ENC(CAMELLIA256_CBC, SHA384), V12, 256, HIGH, false},
	{"DHE-RSA-CAMELLIA256-SHA256", "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA256",
		KX_DHE, ENC(CAMELLIA256_CBC, SHA256), V12, 256, HIGH, false},
	{"ECDHE-ECDSA-AES128-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
		KX_ECE, ENC(AES128_CBC, SHA256), V12, 128, FIPS, true},
	{"ECDHE-RSA-AES128-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
		KX_ECR, ENC(AES128_CBC, SHA256), V12, 128, FIPS, true},
	{"DHE-RSA-AES128-SHA256", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
		KX_DHE, ENC(AES128_CBC, SHA256), V12, 128, FIPS, true},
	{"ECDHE-ECDSA-CAMELLIA128-SHA256", "TLS_ECDHE_ECDSA_WITH_CAMELLIA_128_CBC_SHA256",
		KX_ECE, ENC(CAMELLIA128_CBC, SHA256), V12, 128, HIGH, false},
	{"ECDHE-RSA-CAMELLIA128-SHA256", "TLS_ECDHE_RSA_WITH_CAMELLIA_128_CBC_SHA256",
		KX_ECR, ENC(CAMELLIA128_CBC, SHA256), V12, 128, HIGH, false},
	{"DHE-RSA-CAMELLIA128-SHA256", "TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA256",
		KX_DHE, ENC(CAMELLIA128_CBC, SHA256), V12, 128, HIGH, false},
	{"ECDHE-ECDSA-AES256-SHA", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
		KX_ECE, ENC(AES256_CBC, SHA1), V10, 256, FIPS, true},
	{"ECDHE-RSA-AES256-SHA", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
		KX_ECR, ENC(AES256_CBC, SHA1), V10, 256, FIPS, true},
	{"DHE-RSA-AES256-SHA", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
		KX_DHE, ENC(AES256_CBC, SHA1), V03, 256, FIPS, true},
	{"DHE-RSA-CAMELLIA256-SHA", "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA",
		KX_DHE, ENC(CAMELLIA256_CBC, SHA1), V03, 256, HIGH, false},
	{"ECDHE-ECDSA-AES128-SHA", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
		KX_ECE, ENC(AES128_CBC, SHA1), V10, 128, FIPS, true},
	{"ECDHE-RSA-AES128-SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
		KX_ECR, ENC(AES128_CBC, SHA1), V10, 128, FIPS, true},
	{"DHE-RSA-AES128-SHA", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
		KX_DHE, ENC(AES128_CBC, SHA1), V03, 128, FIPS, true},
	{"DHE-RSA-CAMELLIA128-SHA", "TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA",
		KX_DHE, ENC(CAMELLIA128_CBC, SHA1), V03, 128, HIGH, false},
	{"AES256-GCM-SHA384", "TLS_RSA_WITH_AES_256_GCM_SHA384",
		KX_RSA, ENC(AES256_GCM, AEAD), V12, 256, FIPS, true},
	{"AES256-CCM8", "TLS_RSA_WITH_AES_256_CCM_8",
		KX_RSA, ENC(AES256_CCM8, AEAD), V12, 256, HIGH, false},
	{"AES256-CCM", "TLS_RSA_WITH_AES_256_CCM",
		KX_RSA, ENC(AES256_CCM, AEAD), V12, 256, HIGH, false},
	{"AES128-GCM-SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256",
		KX_RSA, ENC(AES128_GCM, AEAD), V12, 128, FIPS, true},
	{"AES128-CCM8", "TLS_RSA_WITH_AES_128_CCM_8",
		KX_RSA, ENC(AES128_CCM8, AEAD), V12, 128, HIGH, false},
	{"AES128-CCM", "TLS_RSA_WITH_AES_128_CCM",
		KX_RSA, ENC(AES128_CCM, AEAD), V12, 128, HIGH, false},
	{"AES256-SHA256", "TLS_RSA_WITH_AES_256_CBC_SHA256",
		KX_RSA, ENC(AES256_CBC, SHA256), V12, 256, FIPS, true},
	{"CAMELLIA256-SHA256", "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA256",
		KX_RSA, ENC(CAMELLIA256_CBC, SHA256), V12, 256, HIGH, false},
	{"AES128-SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA256",
		KX_RSA, ENC(AES128_CBC, SHA256), V12, 128, FIPS, true},
	{"CAMELLIA128-SHA256", "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA256",
		KX_RSA, ENC(CAMELLIA128_CBC, SHA256), V12, 128, HIGH, false},
	{"AES256-SHA", "TLS_RSA_WITH_AES_256_CBC_SHA",
		KX_RSA, ENC(AES256_CBC, SHA1), V03, 256, FIPS, true},
	{"CAMELLIA256-SHA", "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA",
		KX_RSA, ENC(CAMELLIA256_CBC, SHA1), V03, 256, HIGH, false},
	{"AES128-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA",
		KX_RSA, ENC(AES128_CBC, SHA1), V03, 128, FIPS, true},
	{"CAMELLIA128-SHA", "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA",
		KX_RSA, ENC(CAMELLIA128_CBC, SHA1), V03, 128, HIGH, false},
};
#undef KX_RSA
#undef KX_DHE
#undef KX_ECR
#undef KX_ECE
#undef V12
#undef V10
#undef V03
#undef HIGH
#undef FIPS
#undef ENC
/* clang-format on */

enum { SUITE_COUNT = sizeof(suites) / sizeof(suites[0]) };
_Static_assert((int)SUITE_COUNT <= (int)TLS_SUITES_MAX, "a set holds every suite");

size_t tls_suite_count(void)
{
	return SUITE_COUNT;
}

const struct tls_suite *tls_suite_at(size_t index)
{
	CHECK(index < SUITE_COUNT);
	return &suites[index];
}

const char *tls_suite_openssl_name(size_t index)
{
	return tls_suite_at(index)->openssl_name;
}

const char *tls_suite_iana_name(size_t index)
{
	return tls_suite_at(index)->iana_name;
}

/* GnuTLS has two spellings: newer versions say TLS_RSA_WITH_AES_128_CBC_SHA, older ones (and its
 * lists) TLS_RSA_AES_128_CBC_SHA1 and ..._CHACHA20_POLY1305. Compares as if both were written the
 * older way. */
static bool same_suite_name(const char *iana, const char *name)
{
	const char *with = strstr(iana, "_WITH_");
	size_t prefix = (size_t)(with - iana);
	if (strncmp(iana, name, prefix) != 0)
		return false;
	if (strcmp(iana + prefix, name + prefix) == 0)
		return true;

	const char *rest = with + sizeof("_WITH") - 1;
	size_t length = strlen(rest);
	const char *given = name + prefix;
	if (strcmp(rest, given) == 0)
		return true;
	if (strncmp(rest, given, length) == 0)
		return strcmp(rest + length - 4, "_SHA") == 0 && strcmp(given + length, "1") == 0;
	const char *poly = strstr(rest, "POLY1305_SHA256");
	size_t short_length = length - (sizeof("_SHA256") - 1);
	return poly && strncmp(rest, given, short_length) == 0 && given[short_length] == '\0';
}

bool tls_suite_find_iana(const char *name, size_t *index_out)
{
	for (size_t i = 0; i < SUITE_COUNT; i++) {
		if (same_suite_name(suites[i].iana_name, name)) {
			*index_out = i;
			return true;
		}
	}
	return false;
}

bool tls_suite_set_has(const struct tls_suite_set *set, size_t index)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->indices[i] == index)
			return true;
	return false;
}

const char *tls_suite_kx_token(const struct tls_suite *suite)
{
	if (suite->kx == TLS_KX_RSA)
		return "RSA";
	if (suite->kx == TLS_KX_DHE)
		return "DHE-RSA";
	return suite->auth == TLS_AUTH_RSA ? "ECDHE-RSA" : "ECDHE-ECDSA";
}

const char *tls_suite_cipher_token(const struct tls_suite *suite)
{
	static const struct {
		uint16_t enc;
		const char *token;
	} tokens[] = {
	        {TLS_ENC_AES128_CBC, "AES-128-CBC"},
	        {TLS_ENC_AES256_CBC, "AES-256-CBC"},
	        {TLS_ENC_CAMELLIA128_CBC, "CAMELLIA-128-CBC"},
	        {TLS_ENC_CAMELLIA256_CBC, "CAMELLIA-256-CBC"},
	        {TLS_ENC_AES128_GCM, "AES-128-GCM"},
	        {TLS_ENC_AES256_GCM, "AES-256-GCM"},
	        {TLS_ENC_AES128_CCM, "AES-128-CCM"},
	        {TLS_ENC_AES256_CCM, "AES-256-CCM"},
	        {TLS_ENC_AES128_CCM8, "AES-128-CCM-8"},
	        {TLS_ENC_AES256_CCM8, "AES-256-CCM-8"},
	        {TLS_ENC_CHACHA20, "CHACHA20-POLY1305"},
	};
	size_t i = 0;
	while (tokens[i].enc != suite->enc)
		i++;
	return tokens[i].token;
}

const char *tls_suite_mac_token(const struct tls_suite *suite)
{
	switch (suite->mac) {
	case TLS_MAC_SHA1:
		return "SHA1";
	case TLS_MAC_SHA256:
		return "SHA256";
	case TLS_MAC_SHA384:
		return "SHA384";
	default:
		return "AEAD";
	}
}
