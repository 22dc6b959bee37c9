/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_verified_test.c - what was verified is known while it lasts, and nothing else is. */
#include "worker/tls/tls_verified.h"

#include "shared/tls_credentials.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct tls_verified_digest digest_of(
        uint8_t policy_byte, const char *first, const char *second)
{
	uint8_t policy[TLS_FINGERPRINT_BYTES] = {policy_byte};
	gnutls_datum_t chain[2] = {{(unsigned char *)(uintptr_t)first, (unsigned)strlen(first)},
	        {(unsigned char *)(uintptr_t)second, second ? (unsigned)strlen(second) : 0}};
	struct tls_verified_digest digest;

	tls_verified_compute(policy, chain, second ? 2 : 1, &digest);
	return digest;
}

static void digests_tell_chains_and_policies_apart(void **state)
{
	(void)state;
	const struct tls_verified_digest digests[] = {digest_of(0, "ab", NULL),
	        digest_of(1, "ab", NULL), digest_of(0, "a", "b"), digest_of(0, "ab", ""),
	        digest_of(0, "b", "a"), digest_of(0, "", "ab")};

	for (size_t i = 0; i < 6; i++)
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(&digests[i], &digests[j], sizeof(digests[0]));
	struct tls_verified_digest same = digest_of(0, "a", "b");
	assert_memory_equal(&same, &digests[2], sizeof(same));
}

static void a_chain_is_known_from_then_until_it_ends(void **state)
{
	(void)state;
	static struct tls_verified verified;
	struct tls_verified_digest digest = digest_of(0, "a", "b"), other = digest;
	int64_t not_after = 0;

	assert_false(tls_verified_find(&verified, &digest, 0, &not_after));
	tls_verified_add(&verified, &digest, 1000, 2000);
	assert_false(tls_verified_find(&verified, &digest, 999, &not_after));
	assert_true(tls_verified_find(&verified, &digest, 1000, &not_after));
	assert_int_equal(not_after, 2000);
	assert_true(tls_verified_find(&verified, &digest, 2000, &not_after));
	assert_false(tls_verified_find(&verified, &digest, 2001, &not_after));
	other.bytes[TLS_VERIFIED_DIGEST_BYTES - 1] ^= 1;
	assert_false(tls_verified_find(&verified, &other, 1500, &not_after));
	tls_verified_add(&verified, &other, 1500, 3000);
	assert_true(tls_verified_find(&verified, &other, 1500, &not_after));
	assert_false(tls_verified_find(&verified, &digest, 1500, &not_after));
}

/* Nothing is known at first, not even a digest of zeros. */
static void an_empty_table_knows_nothing(void **state)
{
	(void)state;
	static const struct tls_verified verified;
	static const struct tls_verified_digest zeros;
	int64_t not_after;

	assert_false(tls_verified_find(&verified, &zeros, 0, &not_after));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(digests_tell_chains_and_policies_apart),
	        cmocka_unit_test(a_chain_is_known_from_then_until_it_ends),
	        cmocka_unit_test(an_empty_table_knows_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
