/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_names_test.c - names and numbers as `openssl x509 -nameopt RFC2253 -subject -serial` prints
 * them; what that cannot read at all is said so.
 */
#include "worker/tls/tls_names.h"

#include "shared/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

struct attribute {
	const char *oid;
	bool der; /* `value` is the DER of it */
	const char *value;
	unsigned size;
};

#define TEXT(oid, text)                            \
	{                                          \
		oid, false, text, sizeof(text) - 1 \
	}
#define DER(oid, text)                            \
	{                                         \
		oid, true, text, sizeof(text) - 1 \
	}

/* Self-signed: subject and issuer are the same. */
static gnutls_x509_crt_t make(
        const struct attribute *attributes, size_t count, const void *serial, size_t serial_size)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t certificate;
	gnutls_datum_t der;

	CHECK(gnutls_x509_privkey_init(&key) == 0 && gnutls_x509_crt_init(&certificate) == 0);
	CHECK(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
	              (unsigned)GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) == 0);
	for (size_t i = 0; i < count; i++)
		CHECK(gnutls_x509_crt_set_dn_by_oid(certificate, attributes[i].oid,
		              attributes[i].der, attributes[i].value, attributes[i].size) == 0);
	CHECK(gnutls_x509_crt_set_version(certificate, 3) == 0);
	CHECK(gnutls_x509_crt_set_serial(certificate, serial, serial_size) == 0);
	CHECK(gnutls_x509_crt_set_activation_time(certificate, time(NULL)) == 0);
	CHECK(gnutls_x509_crt_set_expiration_time(certificate, time(NULL) + 100) == 0);
	CHECK(gnutls_x509_crt_set_key(certificate, key) == 0);
	CHECK(gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0) == 0);
	CHECK(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &der) == 0);
	gnutls_x509_crt_deinit(certificate);
	CHECK(gnutls_x509_crt_init(&certificate) == 0);
	CHECK(gnutls_x509_crt_import(certificate, &der, GNUTLS_X509_FMT_DER) == 0);
	gnutls_free(der.data);
	gnutls_x509_privkey_deinit(key);
	return certificate;
}

static void expect_name(const struct attribute *attributes, size_t count, const char *wanted)
{
	gnutls_x509_crt_t certificate = make(attributes, count, "\x01", 1);
	char *subject = tls_names_subject(certificate), *issuer = tls_names_issuer(certificate);

	assert_string_equal(subject, wanted);
	assert_string_equal(issuer, wanted);
	free(subject);
	free(issuer);
	gnutls_x509_crt_deinit(certificate);
}

static void each_attribute_reads_as_openssl_writes_it(void **state)
{
	(void)state;
	static const struct {
		struct attribute attribute;
		const char *wanted;
	} rows[] = {
	        {TEXT("2.5.4.3", "shop.example"), "CN=shop.example"},
	        {TEXT("2.5.4.10", "Corp, \"Inc\" <a;b> x=y \\ +1"),
	                "O=Corp\\, \\\"Inc\\\" \\<a\\;b\\> x=y \\\\ \\+1"},
	        {TEXT("2.5.4.11", " lead and trail "), "OU=\\ lead and trail\\ "},
	        {TEXT("2.5.4.11", "#ha#sh"), "OU=\\#ha#sh"},
	        {TEXT("2.5.4.7", "M\xc3\xbcnchen \xe2\x82\xac \xf0\x9f\x98\x80"),
	                "L=M\\C3\\BCnchen \\E2\\82\\AC \\F0\\9F\\98\\80"},
	        {TEXT("1.2.840.113549.1.9.1", "a@b.example"), "emailAddress=a@b.example"},
	        {TEXT("2.5.4.5", "1234"), "serialNumber=1234"},
	        {TEXT("0.9.2342.19200300.100.1.25", "example"), "DC=example"},
	        {TEXT("0.9.2342.19200300.100.1.1", "uid"), "UID=uid"},
	        {TEXT("2.5.4.4", "x"), "SN=x"},
	        {TEXT("2.5.4.42", "x"), "GN=x"},
	        {TEXT("2.5.4.9", "x"), "street=x"},
	        {TEXT("2.5.4.17", "80331"), "postalCode=80331"},
	        {TEXT("2.5.4.3", "line\nfeed\x7f"), "CN=line\\0Afeed\\7F"},
	        {DER("2.5.4.3", "\x0c\x03"
	                        "a\x00"
	                        "b"),
	                "CN=a\\00b"},
	        {DER("2.5.4.3", "\x1e\x06\x00"
	                        "B\x20\xac\x00 "),
	                "CN=B\\E2\\82\\AC\\ "},
	        {DER("2.5.4.3", "\x14\x03"
	                        "T\xfc\x01"),
	                "CN=T\\C3\\BC\\01"},
	        {DER("2.5.4.3", "\x1c\x08\x00\x01\xf6\x00\x00\x00\x00"
	                        "U"),
	                "CN=\\F0\\9F\\98\\80U"},
	        {DER("1.2.3.4.5", "\x0c\x03"
	                          "abc"),
	                "1.2.3.4.5=#0C03616263"},
	        /* OpenSSL reads no certificate with these */
	        {DER("2.5.4.3", "\x1e\x03"
	                        "abc"),
	                "CN=#1E03616263"},
	        {DER("2.5.4.3", "\x1c\x05"
	                        "abcde"),
	                "CN=#1C056162636465"},
	        {DER("2.5.4.3", "\x04\x02\x01\x02"), "CN=#04020102"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_name(&rows[i].attribute, 1, rows[i].wanted);
}

static void the_last_part_comes_first(void **state)
{
	(void)state;
	static const struct attribute attributes[] = {TEXT("2.5.4.6", "DE"), TEXT("2.5.4.10", "O"),
	        TEXT("2.5.4.11", "first"), TEXT("2.5.4.11", "second"), TEXT("2.5.4.3", "us")};
	expect_name(attributes, 5, "CN=us,OU=second,OU=first,O=O,C=DE");
	expect_name(attributes, 0, "");
}

/* However long a value is. */
static void long_values_are_whole(void **state)
{
	(void)state;
	char der[4 + 300] = "\x0c\x82\x01\x2c", wanted[3 + 300 + 1] = "CN=";
	char unknown[3 + 200] = "\x04\x81\xc8", *subject;

	memset(der + 4, 'a', 300);
	memset(wanted + 3, 'a', 300);
	expect_name(&(struct attribute){"2.5.4.3", true, der, sizeof(der)}, 1, wanted);
	memset(unknown + 3, 'b', 200);
	gnutls_x509_crt_t certificate = make(
	        &(struct attribute){"1.2.3", true, unknown, sizeof(unknown)}, 1, "\x01", 1);
	subject = tls_names_subject(certificate);
	assert_memory_equal(subject, "1.2.3=#0481C86262", 17);
	assert_int_equal(strlen(subject), 7 + 6 + 400);
	free(subject);
	gnutls_x509_crt_deinit(certificate);
}

static void serial_numbers_are_hex(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t size;
		const char *wanted;
	} rows[] = {
	        {"\x01", 1, "01"},
	        {"\x00\x8f\x01", 3, "8F01"},
	        {"\x0a\xbc", 2, "0ABC"},
	        {"\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	                20, "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"},
	        {"\xff", 1, "-01"},
	        {"\x80", 1, "-80"},
	        {"\xff\x00", 2, "-0100"},
	};
	static const struct attribute name = TEXT("2.5.4.3", "x");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		gnutls_x509_crt_t certificate = make(&name, 1, rows[i].bytes, rows[i].size);
		char *serial = tls_names_serial(certificate);
		assert_string_equal(serial, rows[i].wanted);
		free(serial);
		gnutls_x509_crt_deinit(certificate);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_attribute_reads_as_openssl_writes_it),
	        cmocka_unit_test(the_last_part_comes_first),
	        cmocka_unit_test(long_values_are_whole),
	        cmocka_unit_test(serial_numbers_are_hex),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
