/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_identity_test.c - what makes a session another one, row by row.
 *
 * All rows differ from each other in something that counts: no two may have the same key.
 */
#include "worker/tls/tls_identity.h"

#include "shared/address.h"
#include "shared/tls_credentials.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct row {
	const char *what, *address, *verify_name, *sni;
	uint8_t fingerprint; /* its last byte */
} rows[] = {
        {"the usual", "10.0.0.1:443", "a.example", "a.example", 1},
        {"another address", "10.0.0.2:443", "a.example", "a.example", 1},
        {"another port", "10.0.0.1:444", "a.example", "a.example", 1},
        {"ports and addresses are framed", "10.0.1.1:187", "a.example", "a.example", 1},
        {"IPv6", "[::ffff:10.0.0.1]:443", "a.example", "a.example", 1},
        {"another IPv6", "[::1]:443", "a.example", "a.example", 1},
        {"link-local", "[fe80::1%1]:443", "a.example", "a.example", 1},
        {"link-local on another interface", "[fe80::1%2]:443", "a.example", "a.example", 1},
        {"another name to verify", "10.0.0.1:443", "b.example", "a.example", 1},
        {"another SNI", "10.0.0.1:443", "a.example", "b.example", 1},
        {"both", "10.0.0.1:443", "b.example", "b.example", 1},
        {"no SNI", "10.0.0.1:443", "a.example", NULL, 1},
        {"an empty SNI is not none", "10.0.0.1:443", "a.example", "", 1},
        {"nothing moves from name to SNI", "10.0.0.1:443", "a.example1", "a.example", 1},
        {"nothing moves from SNI to name", "10.0.0.1:443", "a.example", "1a.example", 1},
        {"the name holds what the SNI does", "10.0.0.1:443", "a.examplea.example", NULL, 1},
        {"an empty name", "10.0.0.1:443", "", "a.example", 1},
        {"other credentials", "10.0.0.1:443", "a.example", "a.example", 2},
        {"no credentials' name counts, their content does", "10.0.0.1:443", "b.example",
                "b.example", 2},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static struct tls_session_key compute(
        const struct row *row, struct tls_client_credentials *credentials)
{
	struct tls_session_key key = {{0}};
	struct address address;

	assert_true(address_parse(slice_of(row->address), 0, &address));
	credentials->magic = TLS_CLIENT_CREDENTIALS_MAGIC;
	credentials->fingerprint[TLS_FINGERPRINT_BYTES - 1] = row->fingerprint;
	tls_identity_compute(credentials, &address, row->verify_name, row->sni, &key);
	return key;
}

static void whatever_counts_makes_another_identity(void **state)
{
	struct tls_client_credentials credentials = {0};
	struct tls_session_key keys[ROWS];

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		keys[i] = compute(&rows[i], &credentials);
		for (size_t j = 0; j < i; j++)
			if (memcmp(&keys[i], &keys[j], sizeof(keys[i])) == 0)
				fail_msg("\"%s\" is \"%s\"", rows[i].what, rows[j].what);
	}
}

/* What a section says, whatever the endpoint: credentials, and the name if it says one. */
static void sections_differ_by_credentials_and_name(void **state)
{
	static const char *const names[] = {NULL, "", "a.example", "b.example"};
	struct tls_client_credentials credentials = {.magic = TLS_CLIENT_CREDENTIALS_MAGIC};
	struct tls_session_key keys[8], again;

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		credentials.fingerprint[0] = (uint8_t)(i / 4);
		tls_identity_of_settings(&credentials, names[i % 4], &keys[i]);
		tls_identity_of_settings(&credentials, names[i % 4], &again);
		assert_memory_equal(&keys[i], &again, sizeof(again));
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(&keys[i], &keys[j], sizeof(keys[i]));
	}
}

/* Only the fingerprint speaks for the credentials: where they lie, and what else is in them, may
 * differ between two configurations. */
static void equal_facts_make_equal_identities(void **state)
{
	struct tls_client_credentials credentials = {0},
	                              others = {.verify_depth = 7, .alpn_count = 1};

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct tls_session_key key = compute(&rows[i], &credentials);
		struct tls_session_key same = compute(&rows[i], &others);
		assert_memory_equal(&key, &same, sizeof(key));
	}
}

static void every_bit_of_the_fingerprint_counts(void **state)
{
	struct tls_client_credentials credentials = {0};
	struct tls_session_key key = compute(&rows[0], &credentials);

	(void)state;
	for (size_t i = 0; i < 8 * (TLS_FINGERPRINT_BYTES - 1); i++) {
		credentials.fingerprint[i / 8] ^= (uint8_t)(1 << i % 8);
		struct tls_session_key other = compute(&rows[0], &credentials);
		assert_memory_not_equal(&key, &other, sizeof(key));
		credentials.fingerprint[i / 8] ^= (uint8_t)(1 << i % 8);
	}
}

/* A change here makes every stored session unknown after an upgrade: it is to be made knowingly. */
static void an_identity_is_the_same_in_the_next_version(void **state)
{
	static const uint8_t wanted[] = {0xf6, 0x43, 0xd7, 0xa9, 0x95, 0x26, 0x3d, 0xc3};
	struct tls_client_credentials credentials = {0};
	struct tls_session_key key = compute(&rows[0], &credentials);

	(void)state;
	assert_memory_equal(key.bytes, wanted, sizeof(wanted));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(whatever_counts_makes_another_identity),
	        cmocka_unit_test(equal_facts_make_equal_identities),
	        cmocka_unit_test(every_bit_of_the_fingerprint_counts),
	        cmocka_unit_test(an_identity_is_the_same_in_the_next_version),
	        cmocka_unit_test(sections_differ_by_credentials_and_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
