/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_pem_reader_test.c - blocks found in texts of all kinds, and in every part of one. */
#include "shared/tls_pem_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SUMMARY_MAX = 512 };

/* "LABEL@LINE", with "!" behind an unfinished one, "c", "k" and "e" for what it is; blank
 * separated. */
static const char *summarise(struct slice text, char *summary)
{
	struct tls_pem_reader reader;
	struct tls_pem_block block;
	size_t used = 0;
	summary[0] = '\0';
	tls_pem_reader_init(&reader, text);
	while (tls_pem_reader_next(&reader, &block)) {
		assert_true(block.text.data >= text.data);
		assert_true(block.text.data + block.text.length <= text.data + text.length);
		assert_true(slice_starts_with(block.text, SLICE("-----BEGIN ")));
		used += (size_t)snprintf(summary + used, SUMMARY_MAX - used, "%s%.*s@%u%s%s%s%s",
		        used > 0 ? " " : "", (int)block.label.length, block.label.data, block.line,
		        block.finished ? "" : "!", tls_pem_block_is_certificate(&block) ? "c" : "",
		        tls_pem_block_is_key(&block) ? "k" : "",
		        tls_pem_block_is_encrypted(&block) ? "e" : "");
	}
	return summary;
}

#define B(label) "-----BEGIN " label "-----\n"
#define E(label) "-----END " label "-----\n"

static void blocks_are_found(void **state)
{
	(void)state;
	static const struct {
		const char *text, *summary;
	} rows[] = {
	        {"", ""},
	        {"text\n", ""},
	        {B("CERTIFICATE") "AA\n" E("CERTIFICATE"), "CERTIFICATE@1c"},
	        {"a\nb\n" B("X509 CERTIFICATE") E("X509 CERTIFICATE") "c\n" B("PRIVATE KEY")
	                        E("PRIVATE KEY"),
	                "X509 CERTIFICATE@3c PRIVATE KEY@6k"},
	        {"-----BEGIN CERTIFICATE-----\r\nAA\r\n-----END CERTIFICATE-----\r\n",
	                "CERTIFICATE@1c"},
	        {"  -----BEGIN CERTIFICATE-----  \nAA\n  -----END CERTIFICATE-----",
	                "CERTIFICATE@1c"},
	        {B("CERTIFICATE") "AA\n", "CERTIFICATE@1!c"},
	        {B("CERTIFICATE") "AA\n" B("EC PRIVATE KEY") "AA\n" E("EC PRIVATE KEY"),
	                "CERTIFICATE@1!c EC PRIVATE KEY@3k"},
	        {B("ENCRYPTED PRIVATE KEY") E("ENCRYPTED PRIVATE KEY"),
	                "ENCRYPTED PRIVATE KEY@1ke"},
	        {B("RSA PRIVATE KEY") "Proc-Type: 4,ENCRYPTED\n\nAA\n" E("RSA PRIVATE KEY"),
	                "RSA PRIVATE KEY@1ke"},
	        {B("EC PARAMETERS") E("EC PARAMETERS"), "EC PARAMETERS@1"},
	        {B("TRUSTED CERTIFICATE") E("TRUSTED CERTIFICATE"), "TRUSTED CERTIFICATE@1"},
	        {"-----BEGIN CERTIFICATE----\n-----BEGIN -----\n-----BEGIN ----\n", "@2!"},
	        {"x-----BEGIN CERTIFICATE-----\n", ""},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char summary[SUMMARY_MAX];
		assert_string_equal(summarise(slice_of(rows[i].text), summary), rows[i].summary);
	}
}

/* Ended or begun anywhere, without its terminator in reach: nothing outside is looked at. */
static void every_part_is_read_safely(void **state)
{
	(void)state;
	static const char text[] = "head\r\n" B("CERTIFICATE") "AAAA\n" E("CERTIFICATE") "x\n" B(
	        "RSA PRIVATE KEY") "Proc-Type: 4,ENCRYPTED\nAA\n" E("RSA PRIVATE KEY");
	for (size_t start = 0; start < sizeof(text); start++) {
		for (size_t length = 0; length + start < sizeof(text); length++) {
			char *part = malloc(length + 1), summary[SUMMARY_MAX];
			assert_non_null(part);
			memcpy(part, text + start, length);
			char *exact = length > 0 ? realloc(part, length) : part;
			assert_non_null(exact);
			summarise((struct slice){exact, length}, summary);
			free(exact);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(blocks_are_found),
	        cmocka_unit_test(every_part_is_read_safely),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
