/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_fingerprint.c - hashes what decides whether a session may be used again. */
#include "shared/tls_fingerprint.h"

#include "shared/check.h"
#include "shared/tls_trust.h"

#include <string.h>

void tls_fingerprint_start(struct tls_fingerprint *fingerprint)
{
	CHECK(gnutls_hash_init(&fingerprint->hash, GNUTLS_DIG_SHA256) == 0);
}

static void put_number(uint8_t *bytes, uint64_t number)
{
	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(number >> (56 - 8 * i));
}

void tls_fingerprint_add(struct tls_fingerprint *fingerprint, enum tls_fingerprint_tag tag,
        const void *data, size_t size)
{
	uint8_t head[9] = {(uint8_t)tag};
	put_number(head + 1, size);
	CHECK(gnutls_hash(fingerprint->hash, head, sizeof(head)) == 0);
	if (size > 0)
		CHECK(gnutls_hash(fingerprint->hash, data, size) == 0);
}

void tls_fingerprint_add_number(
        struct tls_fingerprint *fingerprint, enum tls_fingerprint_tag tag, uint64_t number)
{
	uint8_t bytes[8];
	put_number(bytes, number);
	tls_fingerprint_add(fingerprint, tag, bytes, sizeof(bytes));
}

void tls_fingerprint_add_trust(struct tls_fingerprint *fingerprint, const struct tls_trust *trust)
{
	for (size_t i = 0; i < tls_trust_count(trust); i++) {
		const gnutls_datum_t *der = &tls_trust_at(trust, i)->der;
		tls_fingerprint_add(fingerprint, TLS_TAG_ANCHOR, der->data, der->size);
	}
}

void tls_fingerprint_add_chain(struct tls_fingerprint *fingerprint, const struct tls_chain *chain)
{
	for (unsigned i = 0; i < chain->count; i++) {
		gnutls_datum_t der;
		CHECK(gnutls_x509_crt_export2(chain->certificates[i], GNUTLS_X509_FMT_DER, &der) ==
		        0);
		tls_fingerprint_add(fingerprint, TLS_TAG_CERTIFICATE, der.data, der.size);
		gnutls_free(der.data);
	}
}

void tls_fingerprint_add_policy(
        struct tls_fingerprint *fingerprint, const struct tls_policy *policy)
{
	tls_fingerprint_add_number(fingerprint, TLS_TAG_LEVEL, policy->security_level);
	tls_fingerprint_add(fingerprint, TLS_TAG_PRIORITY, policy->priority_text,
	        strlen(policy->priority_text));
	for (size_t i = 0; i < policy->allowed.count; i++) { /* by name: a table can grow */
		const char *name = tls_suite_iana_name(policy->allowed.indices[i]);
		tls_fingerprint_add(fingerprint, TLS_TAG_SUITE, name, strlen(name));
	}
}

void tls_fingerprint_finish(struct tls_fingerprint *fingerprint, uint8_t *bytes_out)
{
	gnutls_hash_deinit(fingerprint->hash, bytes_out);
}
