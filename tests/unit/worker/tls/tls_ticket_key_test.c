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

/* HMAC-SHA512 of 32 bytes 07 and a byte 01 under the key 00 01 .. 3f, computed with Python's hmac.
 */
static const char wanted_text[] =
        "86f3ab8f5b6c832aaf6406a0c2831513ecd81f8a4df790b7312506a2035eab4a"
        "4b809bb1f59a0ca8693c16a73d61326ac3ad3b3e557638844134cfb335e58232";

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
	tls_ticket_key_derive(base, fingerprint, TLS_TICKET_TLS13, key);
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
	tls_ticket_key_derive(base, fingerprint, TLS_TICKET_OLD, first);
	tls_ticket_key_derive(base, fingerprint, TLS_TICKET_OLD, other);
	assert_memory_equal(first, other, sizeof(first));
	for (size_t i = 0; i < sizeof(fingerprint); i++) {
		fingerprint[i] ^= 1;
		tls_ticket_key_derive(base, fingerprint, TLS_TICKET_OLD, other);
		assert_memory_not_equal(first, other, sizeof(first));
		fingerprint[i] ^= 1;
	}
	tls_ticket_key_derive(base, fingerprint, TLS_TICKET_TLS13, other);
	assert_memory_not_equal(first, other, sizeof(first));
	ticket_key_publish(base, bytes);
	tls_ticket_key_derive(base, fingerprint, TLS_TICKET_OLD, other);
	assert_memory_not_equal(first, other, sizeof(first));
	ticket_key_destroy(base);
}

/* Whatever was asked before, in any order, over a new base key too. */
static void what_is_remembered_is_what_would_be_derived(void **state)
{
	struct ticket_key *base = ticket_key_create();
	static struct tls_ticket_key_cache cache;
	uint8_t bytes[TICKET_KEY_BYTES] = {2}, key[TLS_TICKET_KEY_BYTES];

	(void)state;
	assert_non_null(base);
	for (int round = 0; round < 4; round++) {
		for (unsigned i = 0; i < 100; i++) {
			uint8_t fingerprint[TLS_FINGERPRINT_BYTES] = {(uint8_t)(i / 10 * 16)};
			fingerprint[TLS_FINGERPRINT_BYTES - 1] = (uint8_t)(i % 5);
			enum tls_ticket_kind kind = i % 2 ? TLS_TICKET_TLS13 : TLS_TICKET_OLD;
			tls_ticket_key_derive(base, fingerprint, kind, key);
			for (int again = 0; again < 2; again++)
				assert_memory_equal(
				        tls_ticket_key_get(&cache, base, fingerprint, kind), key,
				        sizeof(key));
		}
		if (round == 1)
			ticket_key_publish(base, bytes);
	}
	ticket_key_destroy(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_derivation_is_hmac_sha512),
	        cmocka_unit_test(another_policy_or_another_base_key_is_another_key),
	        cmocka_unit_test(what_is_remembered_is_what_would_be_derived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
