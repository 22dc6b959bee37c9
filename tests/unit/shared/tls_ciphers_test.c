/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_ciphers_test.c - cipher strings to lists, lists to priorities, priorities to what GnuTLS
 * enables.
 *
 * The lists are what 'openssl ciphers' of OpenSSL 3.0 prints, less what the table lacks.
 */
#include "shared/tls_ciphers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gnutls/gnutls.h>

enum {
	LEGACY_TO_1_2 = TLS_PROTOCOL_1_0 | TLS_PROTOCOL_1_1 | TLS_PROTOCOL_1_2,
	ALL_PROTOCOLS = LEGACY_TO_1_2 | TLS_PROTOCOL_1_3,
	TEXT_MAX = 4096,
};

static const char *join(const struct tls_suite_set *set, char *buffer)
{
	size_t used = 0;
	buffer[0] = '\0';
	for (size_t i = 0; i < set->count; i++)
		used += (size_t)snprintf(buffer + used, TEXT_MAX - used, "%s%s", i > 0 ? ":" : "",
		        tls_suite_openssl_name(set->indices[i]));
	return buffer;
}

static void parse(const char *text, unsigned protocols, struct tls_cipher_list *list_out)
{
	char fault[512] = "";
	if (!tls_ciphers_parse(slice_of(text), protocols, list_out, fault, sizeof(fault)))
		fail_msg("%s: %s", text, fault);
}

static const struct {
	const char *text, *list;
} list_rows[] = {
        {"HIGH:!aNULL:!MD5", "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                             "DHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
                             "ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-CHACHA20-POLY1305:"
                             "ECDHE-ECDSA-AES256-CCM8:ECDHE-ECDSA-AES256-CCM:DHE-RSA-AES256-CCM8:"
                             "DHE-RSA-AES256-CCM:ECDHE-ECDSA-AES128-GCM-SHA256:"
                             "ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256:"
                             "ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES128-CCM:DHE-RSA-AES128-CCM8:"
                             "DHE-RSA-AES128-CCM:ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:"
                             "DHE-RSA-AES256-SHA256:ECDHE-ECDSA-CAMELLIA256-SHA384:"
                             "ECDHE-RSA-CAMELLIA256-SHA384:DHE-RSA-CAMELLIA256-SHA256:"
                             "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:"
                             "DHE-RSA-AES128-SHA256:ECDHE-ECDSA-CAMELLIA128-SHA256:"
                             "ECDHE-RSA-CAMELLIA128-SHA256:DHE-RSA-CAMELLIA128-SHA256:"
                             "ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:DHE-RSA-AES256-SHA:"
                             "DHE-RSA-CAMELLIA256-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"
                             "DHE-RSA-AES128-SHA:DHE-RSA-CAMELLIA128-SHA:AES256-GCM-SHA384:"
                             "AES256-CCM8:AES256-CCM:AES128-GCM-SHA256:AES128-CCM8:AES128-CCM:"
                             "AES256-SHA256:CAMELLIA256-SHA256:AES128-SHA256:CAMELLIA128-SHA256:"
                             "AES256-SHA:CAMELLIA256-SHA:AES128-SHA:CAMELLIA128-SHA"},
        {"DEFAULT:!SHA1:!SHA256:!SHA384:!kRSA",
                "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                "DHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
                "ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-CHACHA20-POLY1305:"
                "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                "DHE-RSA-AES128-GCM-SHA256"},
        {"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:AES128-SHA",
                "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:AES128-SHA"},
        {"EECDH+AESGCM:EDH+AESGCM:!kRSA",
                "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                "DHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256"},
        {"AES128-SHA:AES256-SHA:+AES128", "AES256-SHA:AES128-SHA"},
        {"kRSA+AES:-SHA1:AES128-SHA256:SHA1+kRSA+AES",
                "AES256-GCM-SHA384:AES256-CCM8:AES256-CCM:AES128-GCM-SHA256:"
                "AES128-CCM8:AES128-CCM:AES256-SHA256:AES128-SHA256:AES256-SHA:"
                "AES128-SHA"},
        {"AES128+kRSA:AES256+kRSA:@STRENGTH",
                "AES256-GCM-SHA384:AES256-CCM8:AES256-CCM:AES256-SHA256:AES256-SHA:"
                "AES128-GCM-SHA256:AES128-CCM8:AES128-CCM:AES128-SHA256:AES128-SHA"},
        {"HIGH!kRSA:-DHE:!SHA1!SHA256,!SHA384;!AESCCM !CAMELLIA",
                "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
                "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"},
        {"DEFAULT@SECLEVEL=1:!ECDHE:!DHE",
                "AES256-GCM-SHA384:AES128-GCM-SHA256:AES256-SHA256:AES128-SHA256:"
                "AES256-SHA:AES128-SHA"},
        {"DEFAULT-AES:!ECDHE", "DHE-RSA-CHACHA20-POLY1305"},
        {"COMPLEMENTOFDEFAULT+AES128-SHA", "AES128-SHA"},
        {"AES256-SHA:AES128-SHA:-AES256-SHA:-AES128-SHA:kRSA+SHA1+AES", "AES128-SHA:AES256-SHA"},
        {"AES128-SHA:!AES128-SHA:AES128-SHA:AES256-SHA", "AES256-SHA"},
        {"CHACHA20:AES256+AESGCM", "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
                                   "DHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:"
                                   "ECDHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES256-GCM-SHA384:"
                                   "AES256-GCM-SHA384"},
        {"FIPS+kRSA:!AES256", "AES128-GCM-SHA256:AES128-SHA256:AES128-SHA"},
        {"TLSv1.2+kRSA:!AESCCM:!CAMELLIA",
                "AES256-GCM-SHA384:AES128-GCM-SHA256:AES256-SHA256:AES128-SHA256"},
        {"TLSv1+ECDHE", "ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA:"
                        "ECDHE-RSA-AES128-SHA"},
        {"SSLv3+DHE:!CAMELLIA", "DHE-RSA-AES256-SHA:DHE-RSA-AES128-SHA"},
        {"COMPLEMENTOFDEFAULT+kRSA:!AESCCM8",
                "AES256-CCM:AES128-CCM:CAMELLIA256-SHA256:CAMELLIA128-SHA256:"
                "CAMELLIA256-SHA:CAMELLIA128-SHA"},
        {"ECDHE-RSA-AES128-SHA+kRSA:AES128-SHA+SHA1", "AES128-SHA"},
        {"ECDH+CBC+SHA384:RSA+SHA256",
                "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:"
                "ECDHE-ECDSA-CAMELLIA256-SHA384:ECDHE-RSA-CAMELLIA256-SHA384:"
                "AES256-SHA256:CAMELLIA256-SHA256:AES128-SHA256:CAMELLIA128-SHA256"},
        {"AES256-SHA:RSA+AES128:-RSA:RSA+SHA1:!CAMELLIA", "AES256-SHA:AES128-SHA"},
        {"DEFAULT:!kRSA:!DHE:@SECLEVEL=4",
                "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
                "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384"},
};

static void lists_are_openssls(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(list_rows) / sizeof(list_rows[0]); i++) {
		struct tls_cipher_list list;
		char joined[TEXT_MAX];
		parse(list_rows[i].text, ALL_PROTOCOLS, &list);
		if (strcmp(join(&list.suites, joined), list_rows[i].list) != 0)
			fail_msg("'%s' gives '%s', not '%s'", list_rows[i].text, joined,
			        list_rows[i].list);
	}
}

static void iana_names_are_words(void **state)
{
	(void)state;
	struct tls_cipher_list list;
	char joined[TEXT_MAX];
	parse("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:TLS_RSA_WITH_AES_128_CBC_SHA", LEGACY_TO_1_2,
	        &list);
	assert_string_equal(join(&list.suites, joined), "ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA");
	for (size_t i = 0; i < tls_suite_count(); i++) {
		parse(tls_suite_iana_name(i), TLS_PROTOCOL_1_2, &list);
		assert_int_equal(list.suites.count, 1);
		assert_int_equal(list.suites.indices[0], i);
	}
}

static void faults_name_what_was_meant(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned protocols;
		const char *fault;
	} rows[] = {
	        {"HIHG:!aNULL", 0, "unknown cipher word 'HIHG'; did you mean 'HIGH'?"},
	        {"HIGH:!aNUL", 0, "unknown cipher word 'aNUL'"},
	        {"high", 0, "unknown cipher word 'high'; did you mean 'HIGH'?"},
	        {"AES-GCM", 0, "unknown cipher word 'AES-GCM'; did you mean 'AESGCM'?"},
	        {"ECDHE-RSA-AES128-GCM-SHA265", 0,
	                "unknown cipher word 'ECDHE-RSA-AES128-GCM-SHA265'; did you mean "
	                "'ECDHE-RSA-AES128-GCM-SHA256'?"},
	        {"kECDHE+AESGMC", 0, "unknown cipher word 'AESGMC'; did you mean 'AESGCM'?"},
	        {"xyzzyxyzzy", 0, "unknown cipher word 'xyzzyxyzzy'"},
	        {"HIGH:DEFAULT", 0, "'DEFAULT' can only come first in a cipher string"},
	        {"DEFAULTS", 0, "unknown cipher word 'DEFAULTS'"},
	        {"SUITEB128", 0, "'SUITEB128' is not supported; write "},
	        {"HIGH:!", 0, "a word is missing after '!', '-', '+' or '@' in the cipher string"},
	        {"HIGH:!:AES", 0, "a word is missing"},
	        {"AES+", 0, "a word is missing"},
	        {"@:HIGH", 0, "a word is missing"},
	        {"HIGH:?AES", 0, "'?' has no meaning in a cipher string"},
	        {"HIGH:\t", 0, "byte 0x09 has no meaning in a cipher string"},
	        {"HIGH:\xc3\xa9", 0, "byte 0xc3 has no meaning in a cipher string"},
	        {"!!AES", 0, "'!' has no meaning in a cipher string"},
	        {"HIGH:@SECLEVEL=6", 0,
	                "'@SECLEVEL=6' is not a command of cipher strings; there are @STRENGTH and "
	                "@SECLEVEL=0 to @SECLEVEL=5"},
	        {"HIGH:@SECLEVEL=10", 0, "'@SECLEVEL=10' is not a command"},
	        {"HIGH:@SECLEVEL", 0, "'@SECLEVEL' is not a command"},
	        {"HIGH:@STRENGTH+AES", 0, "'@STRENGTH' is not a command"},
	        {"RC4!AES:HIGH", 0, "write ':' after 'RC4'"},
	        {"", TLS_PROTOCOL_1_2, "the cipher string leaves no suite for TLSv1.2"},
	        {"HIGH:!ALL", ALL_PROTOCOLS,
	                "the cipher string leaves no suite for TLSv1 TLSv1.1 TLSv1.2"},
	        {"aNULL:eNULL", TLS_PROTOCOL_1_2, "the cipher string leaves no suite for TLSv1.2"},
	        {"ECDHE+AESGCM", TLS_PROTOCOL_1_0 | TLS_PROTOCOL_1_1,
	                "the cipher string leaves no suite for TLSv1 TLSv1.1"},
	        {"AES128-SHA:@SECLEVEL=3", TLS_PROTOCOL_1_2, "the cipher string leaves no suite"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tls_cipher_list list;
		char fault[512] = "";
		unsigned protocols = rows[i].protocols ? rows[i].protocols : ALL_PROTOCOLS;
		if (tls_ciphers_parse(
		            slice_of(rows[i].text), protocols, &list, fault, sizeof(fault)))
			fail_msg("'%s' is accepted", rows[i].text);
		if (strncmp(fault, rows[i].fault, strlen(rows[i].fault)) != 0)
			fail_msg("'%s' gives '%s'", rows[i].text, fault);
	}
	struct tls_cipher_list list;
	char fault[8];
	assert_false(tls_ciphers_parse(SLICE("HIHG"), ALL_PROTOCOLS, &list, fault, sizeof(fault)));
	assert_string_equal(fault, "unknown");
}

static void tls13_alone_needs_no_suite(void **state)
{
	(void)state;
	struct tls_cipher_list list;
	parse("", TLS_PROTOCOL_1_3, &list);
	assert_int_equal(list.suites.count, 0);
	assert_int_equal(list.surplus.count, 0);
}

static void levels_are_read(void **state)
{
	(void)state;
	struct tls_cipher_list list;
	parse("HIGH", LEGACY_TO_1_2, &list);
	assert_int_equal(list.security_level, 2);
	for (unsigned level = 0; level <= 5; level++) {
		char text[32];
		snprintf(text, sizeof(text), "DEFAULT@SECLEVEL=%u", level);
		parse(text, LEGACY_TO_1_2, &list);
		assert_int_equal(list.security_level, level);
	}
}

static void words_for_nothing_are_noticed(void **state)
{
	(void)state;
	static const struct {
		const char *text, *ignored;
	} rows[] = {
	        {"HIGH:!aNULL:!MD5:!RC4:-3DES:+LOW", ""},
	        {"HIGH:RC4:DES-CBC3-SHA:!MD5:TLS_AES_128_GCM_SHA256",
	                "RC4 DES-CBC3-SHA TLS_AES_128_GCM_SHA256"},
	        {"EDH+aDSS:kRSA+kDHE:HIGH:DHE-DSS-AES128-SHA", "EDH+aDSS DHE-DSS-AES128-SHA"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tls_cipher_list list;
		parse(rows[i].text, ALL_PROTOCOLS, &list);
		assert_string_equal(list.ignored, rows[i].ignored);
	}
	struct tls_cipher_list list;
	char text[2048];
	size_t used = (size_t)snprintf(text, sizeof(text), "HIGH");
	for (int i = 0; i < 200; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, ":RC4-MD5");
	parse(text, ALL_PROTOCOLS, &list);
	assert_true(strlen(list.ignored) < sizeof(list.ignored));
}

static void surplus_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned protocols;
		const char *surplus;
	} rows[] = {
	        {"HIGH:!aNULL:!MD5", LEGACY_TO_1_2, ""},
	        {"HIGH:!aNULL:!MD5", ALL_PROTOCOLS, ""},
	        {"DEFAULT", ALL_PROTOCOLS, ""},
	        {"DEFAULT:!SHA1:!SHA256:!SHA384:!kRSA", TLS_PROTOCOLS_DEFAULT, ""},
	        {"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384", TLS_PROTOCOL_1_2, ""},
	        {"ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384", TLS_PROTOCOL_1_2,
	                "DHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"},
	        {"ECDHE-RSA-AES128-GCM-SHA256", TLS_PROTOCOL_1_2, ""},
	        {"ECDHE-RSA-AES128-GCM-SHA256", TLS_PROTOCOLS_DEFAULT,
	                "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305"},
	        {"ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-SHA", TLS_PROTOCOL_1_0, ""},
	        {"ECDHE-RSA-AES128-SHA:AES256-SHA", TLS_PROTOCOL_1_1,
	                "ECDHE-RSA-AES256-SHA:AES128-SHA"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tls_cipher_list list;
		char wanted[TEXT_MAX], joined[TEXT_MAX], *rest = wanted;
		parse(rows[i].text, rows[i].protocols, &list);
		join(&list.surplus, joined);
		snprintf(wanted, sizeof(wanted), "%s", rows[i].surplus);
		size_t count = 0;
		for (char *name; *rows[i].surplus && (name = strsep(&rest, ":")); count++)
			if (!strstr(joined, name))
				fail_msg("'%s' lacks %s in '%s'", rows[i].text, name, joined);
		if (list.surplus.count != count)
			fail_msg("'%s' has surplus '%s'", rows[i].text, joined);
	}
}

static void priorities_are_these(void **state)
{
	(void)state;
	static const char groups[] = ":+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:"
	                             "+GROUP-SECP521R1:+GROUP-X448:+SIGN-ALL";
	static const struct {
		const char *text;
		unsigned protocols;
		const char *before, *after;
	} rows[] = {
	        {"DEFAULT:!SHA1:!SHA256:!SHA384:!kRSA", TLS_PROTOCOLS_DEFAULT,
	                "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+CTYPE-X509:+ECDHE-ECDSA:+ECDHE-RSA:+DHE-"
	                "RSA:"
	                "+AES-256-GCM:+AES-128-GCM:+CHACHA20-POLY1305:+AEAD",
	                ":-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:%PROFILE_MEDIUM"},
	        {"ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=1",
	                TLS_PROTOCOL_1_2,
	                "NONE:+VERS-TLS1.2:+CTYPE-X509:+ECDHE-RSA:+CHACHA20-POLY1305:+AES-128-GCM:+"
	                "AEAD",
	                ":%PROFILE_LOW"},
	        {"DEFAULT:@STRENGTH:@SECLEVEL=0:!kRSA:!DHE:!SHA1:!SHA256:!SHA384", TLS_PROTOCOL_1_2,
	                "NONE:+VERS-TLS1.2:+CTYPE-X509:+ECDHE-ECDSA:+ECDHE-RSA:+AES-256-GCM:"
	                "+CHACHA20-POLY1305:+AES-128-GCM:+AEAD",
	                ":%PROFILE_VERY_WEAK"},
	        {"kRSA+AES128+SHA1", TLS_PROTOCOL_1_0,
	                "NONE:+VERS-TLS1.0:+CTYPE-X509:+RSA:+AES-128-CBC:+SHA1",
	                ":-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:%PROFILE_MEDIUM"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tls_cipher_list list;
		char priority[TEXT_MAX], wanted[TEXT_MAX];
		parse(rows[i].text, rows[i].protocols, &list);
		snprintf(wanted, sizeof(wanted), "%s%s%s", rows[i].before, groups, rows[i].after);
		assert_true(tls_ciphers_to_priority(
		        &list, rows[i].protocols, priority, sizeof(priority)));
		assert_string_equal(priority, wanted);
		for (size_t size = 0; size <= strlen(wanted); size++)
			assert_false(
			        tls_ciphers_to_priority(&list, rows[i].protocols, priority, size));
		assert_true(tls_ciphers_to_priority(
		        &list, rows[i].protocols, priority, strlen(wanted) + 1));
	}
}

/* The suites below TLS 1.3 that GnuTLS enables; each has to be in the table. */
static void enabled_suites(const char *text, struct tls_suite_set *set_out, bool *tls13_out)
{
	gnutls_priority_t priority;
	const char *position;
	if (gnutls_priority_init(&priority, text, &position) != 0)
		fail_msg("'%s' at '%s'", text, position);
	set_out->count = 0;
	*tls13_out = false;
	unsigned place;
	for (unsigned i = 0;; i++) {
		int code = gnutls_priority_get_cipher_suite_index(priority, i, &place);
		if (code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			break;
		unsigned char id[2];
		gnutls_protocol_t oldest;
		const char *name = gnutls_cipher_suite_info(place, id, NULL, NULL, NULL, &oldest);
		if (code != 0 || !name)
			continue;
		size_t index;
		if (oldest == GNUTLS_TLS1_3)
			*tls13_out = true;
		else if (!tls_suite_find_iana(name, &index))
			fail_msg("GnuTLS enables %s, which the table lacks", name);
		else
			set_out->indices[set_out->count++] = (uint8_t)index;
	}
	gnutls_priority_deinit(priority);
}

static bool usable(size_t suite, unsigned protocols)
{
	struct tls_cipher_list list;
	char fault[256];
	return tls_ciphers_parse(slice_of(tls_suite_openssl_name(suite)),
	        protocols & ~(unsigned)TLS_PROTOCOL_1_3, &list, fault, sizeof(fault));
}

static void compare_with_gnutls(
        const char *text, unsigned protocols, const struct tls_cipher_list *list)
{
	char priority[TEXT_MAX];
	struct tls_suite_set enabled;
	bool tls13;
	assert_true(tls_ciphers_to_priority(list, protocols, priority, sizeof(priority)));
	enabled_suites(priority, &enabled, &tls13);
	assert_int_equal(tls13, (protocols & TLS_PROTOCOL_1_3) != 0);
	for (size_t k = 0; protocols != TLS_PROTOCOL_1_3 && k < tls_suite_count(); k++) {
		if (!usable(k, protocols))
			continue;
		bool asked = tls_suite_set_has(&list->suites, k) ||
		             tls_suite_set_has(&list->surplus, k);
		if (asked != tls_suite_set_has(&enabled, k))
			fail_msg("'%s' with protocols %u: %s is %s", text, protocols,
			        tls_suite_openssl_name(k), asked ? "not enabled" : "enabled");
	}
}

static void gnutls_enables_list_and_surplus(void **state)
{
	(void)state;
	static const char *const texts[] = {
	        "ALL",
	        "HIGH:!aNULL:!MD5",
	        "DEFAULT",
	        "DEFAULT:!SHA1:!SHA256:!SHA384:!kRSA",
	        "ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-SHA256",
	        "AES128-SHA:ECDHE+CHACHA20",
	        "CAMELLIA:SHA1",
	        "AESCCM8:kRSA+AES",
	        "EECDH+AESGCM:EDH+AESGCM:AES256+EECDH:AES256+EDH",
	        "SHA1",
	        "SHA1+AES+ECDHE",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (unsigned protocols = 1; protocols <= ALL_PROTOCOLS; protocols++) {
			struct tls_cipher_list list;
			char fault[256];
			bool gap = protocols & 8 && protocols & 3 && !(protocols & 4);
			if (!gap && tls_ciphers_parse(slice_of(texts[i]), protocols, &list, fault,
			                    sizeof(fault)))
				compare_with_gnutls(texts[i], protocols, &list);
		}
	}
}

static void every_suite_is_found_by_gnutls_name(void **state)
{
	(void)state;
	size_t found = 0, index;
	unsigned char id[2];
	const char *name;
	for (size_t i = 0; (name = gnutls_cipher_suite_info(i, id, NULL, NULL, NULL, NULL)); i++)
		if (tls_suite_find_iana(name, &index))
			found++;
	assert_int_equal(found, tls_suite_count());
	for (size_t i = 0; i < tls_suite_count(); i++) {
		assert_true(tls_suite_find_iana(tls_suite_iana_name(i), &index));
		assert_int_equal(index, i);
	}
	static const char *const others[] = {"", "TLS", "TLS_RSA_WITH_",
	        "TLS_RSA_WITH_AES_128_CBC_SHA2", "TLS_RSA_AES_128_CBC_SHA11",
	        "TLS_RSA_AES_128_GCM_SHA2561", "TLS_RSA_AES_128_GCM_SHA2", "TLS_AES_128_GCM_SHA256",
	        "TLS_ECDHE_RSA_CHACHA20_POLY130", "TLS_ECDHE_RSA_CHACHA20_POLY1305_SHA2"};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(tls_suite_find_iana(others[i], &index));
}

static void protocols_have_names(void **state)
{
	(void)state;
	char buffer[64];
	assert_int_equal(tls_protocol_from_name(SLICE("TLSv1")), TLS_PROTOCOL_1_0);
	assert_int_equal(tls_protocol_from_name(SLICE("TLSv1.3")), TLS_PROTOCOL_1_3);
	assert_int_equal(tls_protocol_from_name(SLICE("TLSv1.4")), 0);
	assert_int_equal(tls_protocol_from_name(SLICE("tlsv1")), 0);
	assert_string_equal(tls_protocols_format(ALL_PROTOCOLS, buffer, sizeof(buffer)),
	        "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3");
	assert_string_equal(tls_protocols_format(0, buffer, sizeof(buffer)), "");
	assert_string_equal(tls_protocols_format(ALL_PROTOCOLS, buffer, 9), "TLSv1 TL");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(lists_are_openssls),
	        cmocka_unit_test(iana_names_are_words),
	        cmocka_unit_test(faults_name_what_was_meant),
	        cmocka_unit_test(tls13_alone_needs_no_suite),
	        cmocka_unit_test(levels_are_read),
	        cmocka_unit_test(words_for_nothing_are_noticed),
	        cmocka_unit_test(surplus_is_named),
	        cmocka_unit_test(priorities_are_these),
	        cmocka_unit_test(gnutls_enables_list_and_surplus),
	        cmocka_unit_test(every_suite_is_found_by_gnutls_name),
	        cmocka_unit_test(protocols_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
