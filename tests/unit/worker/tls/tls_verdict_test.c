/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_verdict_test.c - the words of $ssl_client_verify, and which faults are the issuer's alone. */
#include "worker/tls/tls_verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void failures_have_openssl_words(void **state)
{
	(void)state;
	static const struct {
		enum tls_verdict_reason reason;
		const char *text;
		bool about_issuer;
	} rows[] = {
	        {TLS_VERDICT_SELF_SIGNED, "FAILED:self-signed certificate", true},
	        {TLS_VERDICT_UNKNOWN_CA, "FAILED:unable to get local issuer certificate", true},
	        {TLS_VERDICT_MISSING_ISSUER, "FAILED:unable to get local issuer certificate", true},
	        {TLS_VERDICT_UNKNOWN_ROOT, "FAILED:self-signed certificate in certificate chain",
	                true},
	        {TLS_VERDICT_BAD_SIGNATURE, "FAILED:certificate signature failure", false},
	        {TLS_VERDICT_NOT_A_CA, "FAILED:invalid CA certificate", false},
	        {TLS_VERDICT_WEAK_KEY, "FAILED:EE certificate key too weak", false},
	        {TLS_VERDICT_WEAK_CA_KEY, "FAILED:CA certificate key too weak", false},
	        {TLS_VERDICT_WEAK_SIGNATURE, "FAILED:CA signature digest algorithm too weak",
	                false},
	        {TLS_VERDICT_NOT_YET_VALID, "FAILED:certificate is not yet valid", false},
	        {TLS_VERDICT_EXPIRED, "FAILED:certificate has expired", false},
	        {TLS_VERDICT_PURPOSE, "FAILED:unsuitable certificate purpose", false},
	        {TLS_VERDICT_DEPTH, "FAILED:certificate chain too long", false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(tls_verdict_failed_text(rows[i].reason), rows[i].text);
		assert_int_equal(tls_verdict_is_about_issuer(rows[i].reason), rows[i].about_issuer);
	}
}

/* Fit for a header field, and none is empty. */
static void every_reason_has_words(void **state)
{
	(void)state;
	for (unsigned reason = TLS_VERDICT_OK + 1; reason < TLS_VERDICT_COUNT; reason++) {
		const char *text = tls_verdict_failed_text((enum tls_verdict_reason)reason);
		assert_int_equal(strncmp(text, "FAILED:", 7), 0);
		assert_true(strlen(text) > 7);
		for (; *text; text++)
			assert_true(*text >= 0x20 && *text < 0x7f);
	}
	assert_false(tls_verdict_is_about_issuer(TLS_VERDICT_OK));
}

static void a_refusal_chooses_its_alert(void **state)
{
	(void)state;
	struct tls_verdict verdict;

	tls_verdict_refuse(&verdict, TLS_VERDICT_EXPIRED, NULL, 0, "expired on %s", "2026-10-01");
	assert_false(verdict.ok);
	assert_int_equal(verdict.alert, GNUTLS_A_CERTIFICATE_EXPIRED);
	assert_string_equal(verdict.text, "expired on 2026-10-01");
	tls_verdict_accept(&verdict, 7);
	assert_true(verdict.ok);
	assert_int_equal(verdict.alert, -1);
	assert_int_equal(verdict.not_after, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(failures_have_openssl_words),
	        cmocka_unit_test(every_reason_has_words),
	        cmocka_unit_test(a_refusal_chooses_its_alert),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
