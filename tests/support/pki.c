/* SPDX-License-Identifier: BSD-2-Clause */
/* pki.c - a certificate authority for tests. */
#include "tests/support/pki.h"

#include "shared/check.h"

#include <arpa/inet.h>
#include <gnutls/abstract.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DAY_S = 24 * 60 * 60, SERIAL_BYTES = 8, KEY_ID_BYTES = 32, DER_MAX = 8192 };

#define MUST(call) CHECK((call) >= 0)

static gnutls_x509_privkey_t make_key(const struct pki_request *request)
{
	static const struct {
		gnutls_pk_algorithm_t algorithm;
		unsigned bits;
	} kinds[] = {
	        [PKI_EC256] = {GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)},
	        [PKI_EC192] = {GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP192R1)},
	        [PKI_RSA1024] = {GNUTLS_PK_RSA, 1024},
	        [PKI_RSA2048] = {GNUTLS_PK_RSA, 2048},
	};
	gnutls_x509_privkey_t key;
	MUST(gnutls_x509_privkey_init(&key));
	if (request->same_key)
		MUST(gnutls_x509_privkey_cpy(key, request->same_key->key));
	else
		MUST(gnutls_x509_privkey_generate(
		        key, kinds[request->key].algorithm, kinds[request->key].bits, 0));
	return key;
}

static void set_names(gnutls_x509_crt_t certificate, const struct pki_request *request)
{
	if (request->name)
		MUST(gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0,
		        request->name, (unsigned)strlen(request->name)));
	for (size_t i = 0; i < PKI_NAMES_MAX && request->dns[i]; i++)
		MUST(gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME,
		        request->dns[i], (unsigned)strlen(request->dns[i]), GNUTLS_FSAN_APPEND));
	if (request->ip) {
		unsigned char ip[sizeof(struct in6_addr)];
		bool v6 = strchr(request->ip, ':') != NULL;
		CHECK(inet_pton(v6 ? AF_INET6 : AF_INET, request->ip, ip) == 1);
		MUST(gnutls_x509_crt_set_subject_alt_name(
		        certificate, GNUTLS_SAN_IPADDRESS, ip, v6 ? 16 : 4, GNUTLS_FSAN_APPEND));
	}
}

static void set_key_id(gnutls_x509_crt_t certificate, gnutls_x509_crt_t of, bool authority)
{
	unsigned char id[KEY_ID_BYTES];
	size_t size = sizeof(id);
	MUST(gnutls_x509_crt_get_key_id(of, 0, id, &size));
	if (authority)
		MUST(gnutls_x509_crt_set_authority_key_id(certificate, id, size));
	else
		MUST(gnutls_x509_crt_set_subject_key_id(certificate, id, size));
}

static void set_name_constraint(gnutls_x509_crt_t certificate, const char *permitted_dns)
{
	gnutls_x509_name_constraints_t constraints;
	gnutls_datum_t name = {
	        (unsigned char *)strdup(permitted_dns), (unsigned)strlen(permitted_dns)};
	MUST(gnutls_x509_name_constraints_init(&constraints));
	MUST(gnutls_x509_name_constraints_add_permitted(constraints, GNUTLS_SAN_DNSNAME, &name));
	MUST(gnutls_x509_crt_set_name_constraints(certificate, constraints, 1));
	gnutls_x509_name_constraints_deinit(constraints);
	free(name.data);
}

static void set_extensions(gnutls_x509_crt_t certificate, const struct pki_request *request)
{
	MUST(gnutls_x509_crt_set_basic_constraints(
	        certificate, request->ca, request->ca ? request->path_length - 1 : -1));
	MUST(gnutls_x509_crt_set_key_usage(certificate,
	        request->ca ? GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN
	                    : GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT));
	if (request->purpose)
		MUST(gnutls_x509_crt_set_key_purpose_oid(certificate, request->purpose, 0));
	if (request->permitted_dns)
		set_name_constraint(certificate, request->permitted_dns);
}

static void set_life(gnutls_x509_crt_t certificate, const struct pki_request *request)
{
	time_t now = time(NULL);
	MUST(gnutls_x509_crt_set_activation_time(
	        certificate, request->not_before ? (time_t)request->not_before : now - DAY_S));
	MUST(gnutls_x509_crt_set_expiration_time(certificate,
	        request->not_after ? (time_t)request->not_after : now + 30 * (time_t)DAY_S));
}

/* The last bytes of a certificate are its signature. */
static void break_signature(struct pki_certificate *made)
{
	made->der.data[made->der.size - 3] ^= 1;
	gnutls_x509_crt_deinit(made->certificate);
	MUST(gnutls_x509_crt_init(&made->certificate));
	MUST(gnutls_x509_crt_import(made->certificate, &made->der, GNUTLS_X509_FMT_DER));
}

static void sign(gnutls_x509_crt_t certificate, const struct pki_request *request,
        const struct pki_certificate *issuer)
{
	gnutls_privkey_t signer;
	gnutls_digest_algorithm_t digest = request->digest ? request->digest : GNUTLS_DIG_SHA256;
	MUST(gnutls_privkey_init(&signer));
	MUST(gnutls_privkey_import_x509(signer, issuer->key, 0));
	MUST(gnutls_x509_crt_privkey_sign(certificate, issuer->certificate, signer, digest, 0));
	gnutls_privkey_deinit(signer);
}

struct pki_certificate *pki_issue(
        const struct pki_request *request, const struct pki_certificate *issuer)
{
	struct pki_certificate *made = calloc(1, sizeof(*made));
	CHECK(made);
	static uint64_t last_serial;
	uint64_t serial = ++last_serial;
	unsigned char serial_bytes[SERIAL_BYTES];
	for (int i = 0; i < SERIAL_BYTES; i++)
		serial_bytes[i] = (unsigned char)(serial >> (8 * (SERIAL_BYTES - 1 - i)));

	made->key = make_key(request);
	MUST(gnutls_x509_crt_init(&made->certificate));
	MUST(gnutls_x509_crt_set_version(made->certificate, 3));
	MUST(gnutls_x509_crt_set_serial(made->certificate, serial_bytes, sizeof(serial_bytes)));
	MUST(gnutls_x509_crt_set_key(made->certificate, made->key));
	set_names(made->certificate, request);
	set_life(made->certificate, request);
	set_extensions(made->certificate, request);
	if (!request->without_key_ids) {
		set_key_id(made->certificate, made->certificate, false);
		set_key_id(
		        made->certificate, issuer ? issuer->certificate : made->certificate, true);
	}
	sign(made->certificate, request, issuer ? issuer : made);
	MUST(gnutls_x509_crt_export2(made->certificate, GNUTLS_X509_FMT_DER, &made->der));
	if (request->broken_signature)
		break_signature(made);
	return made;
}

void pki_free(struct pki_certificate *certificate)
{
	if (!certificate)
		return;
	gnutls_x509_crt_deinit(certificate->certificate);
	gnutls_x509_privkey_deinit(certificate->key);
	gnutls_free(certificate->der.data);
	free(certificate);
}

char *pki_pem(const struct pki_certificate *first, ...)
{
	char *text = NULL;
	size_t size = 0;
	va_list more;
	va_start(more, first);
	for (const struct pki_certificate *each = first; each;
	        each = va_arg(more, const struct pki_certificate *)) {
		gnutls_datum_t pem;
		MUST(gnutls_pem_base64_encode2("CERTIFICATE", &each->der, &pem));
		text = realloc(text, size + pem.size + 1);
		CHECK(text);
		memcpy(text + size, pem.data, pem.size);
		size += pem.size;
		text[size] = '\0';
		gnutls_free(pem.data);
	}
	va_end(more);
	return text;
}

char *pki_key_pem(const struct pki_certificate *certificate, const char *password)
{
	gnutls_datum_t pem;
	MUST(gnutls_x509_privkey_export2_pkcs8(certificate->key, GNUTLS_X509_FMT_PEM, password,
	        password ? GNUTLS_PKCS_PBES2_AES_256 : GNUTLS_PKCS_PLAIN, &pem));
	char *text = strndup((char *)pem.data, pem.size);
	CHECK(text);
	gnutls_free(pem.data);
	return text;
}
