/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_ticket_key_test.c - one key for each policy and base key, and the same in all processes. */
#include "worker/tls/tls_ticket_key.h"

#include "shared/ticket_key.h"
#include "shared/tls_credentials.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* HMAC-SHA512 of 32 bytes 07 under the key 00 01 .. 3f, computed with Python's hmac. */
static const char wanted_text[] =
        "130d0c70985953e6f7f5a12c95f5bf56e275006db7803e084ae6e6f9f427536a"
        "b3242be17b4e429c153cd020e6acf99247db0474eecfe43c21657d24c8bda724";

static void the_derivation_is_hmac_sha512(void **state)
{
	struct ticket_key *base = ticket_key_create();
	uint8_t bytes[TICKET_KEY_BYTES], fingerprint[TLS_FINGERPRINT_BYTES];
	uint8_t key[TLS_TICKET_KEY_BYTES];
	char text[2 * TLS_TICKET_KEY_BYTES + 1];

	(void)state;
	assert_non_null(base);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	ticket_key_publish(base, bytes);
	memset(fingerprint, 7, sizeof(fingerprint));
	tls_ticket_key_derive(base, fingerprint, key);
	for (size_t i = 0; i < sizeof(key); i++)
		snprintf(text + 2 * i, 3, "%02x", key[i]);
	assert_string_equal(text, wanted_text);
	ticket_key_destroy(base);
}

static void another_policy_or_another_base_key_is_another_key(void **state)
{
	struct ticket_key *base = ticket_key_create();
	uint8_t fingerprint[TLS_FINGERPRINT_BYTES] = {0}, bytes[TICKET_KEY_BYTES] = {1};
	uint8_t first[TLS_TICKET_KEY_BYTES], other[TLS_TICKET_KEY_BYTES];

	(void)state;
	assert_non_null(base);
	tls_ticket_key_derive(base, fingerprint, first);
	tls_ticket_key_derive(base, fingerprint, other);
	assert_memory_equal(first, other, sizeof(first));
	for (size_t i = 0; i < sizeof(fingerprint); i++) {
		fingerprint[i] ^= 1;
		tls_ticket_key_derive(base, fingerprint, other);
		assert_memory_not_equal(first, other, sizeof(first));
		fingerprint[i] ^= 1;
	}
	ticket_key_publish(base, bytes);
	tls_ticket_key_derive(base, fingerprint, other);
	assert_memory_not_equal(first, other, sizeof(first));
	ticket_key_destroy(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_derivation_is_hmac_sha512),
	        cmocka_unit_test(another_policy_or_another_base_key_is_another_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
