/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_key_pair.c - own certificates and keys, with every fault told apart.
 *
 * Pass phrases and keys are wiped from what this file allocates; the texts handed in are the
 * caller's.
 */
#include "shared/tls_key_pair.h"

#include "shared/check.h"
#include "shared/tls_certificate_read.h"
#include "shared/tls_strength.h"
#include "shared/tls_subject.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PASSWORD_MAX = 1024, KEY_ID_BYTES = 32 };

void tls_chain_clear(struct tls_chain *chain)
{
	for (unsigned i = 0; i < chain->count; i++)
		gnutls_x509_crt_deinit(chain->certificates[i]);
	chain->count = 0;
}

static void add_certificate(struct tls_chain *chain, const struct tls_pem_block *block,
        const struct tls_pem *pem, struct tls_reporter *reporter)
{
	if (chain->count == TLS_CHAIN_MAX) {
		tls_report(reporter, TLS_ERROR, TLS_SETTING_CERTIFICATE,
		        "%s holds more than %d certificates", pem->name, TLS_CHAIN_MAX);
		return;
	}
	gnutls_x509_crt_t certificate = tls_certificate_read(
	        block, pem, TLS_SETTING_CERTIFICATE, reporter);
	if (certificate)
		chain->certificates[chain->count++] = certificate;
}

static void read_chain(
        const struct tls_pem *pem, struct tls_reporter *reporter, struct tls_chain *chain_out)
{
	struct tls_pem_reader reader;
	struct tls_pem_block block;
	bool any = false;
	tls_pem_reader_init(&reader, pem->text);
	while (tls_pem_reader_next(&reader, &block)) {
		if (!tls_pem_block_is_certificate(&block))
			continue;
		any = true;
		add_certificate(chain_out, &block, pem, reporter);
	}
	if (!any && pem->text.length == 0)
		tls_report(reporter, TLS_ERROR, TLS_SETTING_CERTIFICATE, "%s is empty", pem->name);
	else if (!any)
		tls_report(reporter, TLS_ERROR, TLS_SETTING_CERTIFICATE,
		        "%s holds no certificate in PEM form", pem->name);
}

/* Brings the issuers into the order of the chain; what is no part of it goes to the end. True when
 * the order was right already. */
static bool sort_chain(struct tls_chain *chain)
{
	bool sorted = true;
	for (unsigned i = 0; i + 1 < chain->count; i++) {
		unsigned j = i + 1;
		while (j < chain->count && !gnutls_x509_crt_check_issuer(
		                                   chain->certificates[i], chain->certificates[j]))
			j++;
		if (j == i + 1)
			continue;
		sorted = false;
		if (j == chain->count)
			break;
		gnutls_x509_crt_t issuer = chain->certificates[j];
		for (; j > i + 1; j--)
			chain->certificates[j] = chain->certificates[j - 1];
		chain->certificates[i + 1] = issuer;
	}
	return sorted;
}

static void check_certificate(gnutls_x509_crt_t certificate, const struct tls_pem *pem,
        unsigned security_level, struct tls_reporter *reporter)
{
	char subject[TLS_SUBJECT_MAX], date[TLS_DATE_MAX], weakness[TLS_WEAKNESS_MAX];
	time_t now = time(NULL), not_after = gnutls_x509_crt_get_expiration_time(certificate),
	       not_before = gnutls_x509_crt_get_activation_time(certificate);
	tls_subject_format(certificate, subject, sizeof(subject));
	if (not_after < now)
		tls_report(reporter, TLS_WARNING, TLS_SETTING_CERTIFICATE,
		        "the certificate %s in %s expired on %s", subject, pem->name,
		        tls_date_format(not_after, date, sizeof(date)));
	if (not_before > now)
		tls_report(reporter, TLS_WARNING, TLS_SETTING_CERTIFICATE,
		        "the certificate %s in %s is not valid before %s", subject, pem->name,
		        tls_date_format(not_before, date, sizeof(date)));
	if (tls_strength_key_is_weak(certificate, security_level, weakness, sizeof(weakness)))
		tls_report(reporter, TLS_WARNING, TLS_SETTING_CERTIFICATE,
		        "the certificate %s in %s has a weak key (%s): others may refuse it",
		        subject, pem->name, weakness);
}

static void check_chain(struct tls_chain *chain, const struct tls_pem *pem, unsigned security_level,
        struct tls_reporter *reporter)
{
	chain->not_after = INT64_MAX;
	for (unsigned i = 0; i < chain->count; i++) {
		check_certificate(chain->certificates[i], pem, security_level, reporter);
		int64_t not_after = gnutls_x509_crt_get_expiration_time(chain->certificates[i]);
		if (not_after < chain->not_after)
			chain->not_after = not_after;
	}
	if (!sort_chain(chain))
		tls_report(reporter, TLS_WARNING, TLS_SETTING_CERTIFICATE,
		        "the certificates in %s do not follow each other, issued before issuer; "
		        "they are "
		        "sent in the right order, what does not belong to the chain last",
		        pem->name);
}

/* ---- the key ---- */

static bool find_key_block(
        const struct tls_pem *pem, struct tls_reporter *reporter, struct tls_pem_block *block_out)
{
	struct tls_pem_reader reader;
	tls_pem_reader_init(&reader, pem->text);
	while (tls_pem_reader_next(&reader, block_out)) {
		if (!tls_pem_block_is_key(block_out))
			continue;
		if (block_out->finished)
			return true;
		tls_report(reporter, TLS_ERROR, TLS_SETTING_KEY,
		        "the key at line %u of %s cannot be read: its END line is missing",
		        block_out->line, pem->name);
		return false;
	}
	if (pem->text.length == 0)
		tls_report(reporter, TLS_ERROR, TLS_SETTING_KEY, "%s is empty", pem->name);
	else
		tls_report(reporter, TLS_ERROR, TLS_SETTING_KEY,
		        "%s holds no private key in PEM form", pem->name);
	return false;
}

static int import_key(
        gnutls_x509_privkey_t key, const struct tls_pem_block *block, const char *password)
{
	gnutls_datum_t datum = tls_datum_of(block->text);
	return gnutls_x509_privkey_import2(
	        key, &datum, GNUTLS_X509_FMT_PEM, password, password ? 0 : GNUTLS_PKCS_PLAIN);
}

/* One line, without its end; longer ones are nobody's pass phrase. false at the end. */
static bool next_password(struct slice *rest, char *password_out)
{
	while (rest->length > 0) {
		struct slice line, tail;
		slice_split(*rest, '\n', &line, &tail);
		*rest = tail;
		if (line.length > 0 && line.data[line.length - 1] == '\r')
			line.length--;
		if (line.length == 0 || line.length >= PASSWORD_MAX)
			continue;
		memcpy(password_out, line.data, line.length);
		password_out[line.length] = '\0';
		return true;
	}
	return false;
}

static int import_encrypted_key(gnutls_x509_privkey_t key, const struct tls_pem_block *block,
        const struct tls_pem *passwords)
{
	char password[PASSWORD_MAX];
	struct slice rest = passwords->text;
	int code = GNUTLS_E_DECRYPTION_FAILED;
	while (code != 0 && next_password(&rest, password))
		code = import_key(key, block, password);
	explicit_bzero(password, sizeof(password));
	return code;
}

static void report_key(int code, bool encrypted, const struct tls_pem *pem,
        const struct tls_pem *passwords, struct tls_reporter *reporter)
{
	if (!encrypted)
		tls_report(reporter, TLS_ERROR, TLS_SETTING_KEY, "the key in %s cannot be read: %s",
		        pem->name, gnutls_strerror(code));
	else if (!passwords->text.data)
		tls_report(reporter, TLS_ERROR, TLS_SETTING_KEY,
		        "the key in %s is encrypted, and no password file is set", pem->name);
	else
		tls_report(reporter, TLS_ERROR, TLS_SETTING_PASSWORDS,
		        "no pass phrase in %s fits the key in %s", passwords->name, pem->name);
}

/* NULL when something was wrong with it, which is then reported. */
static gnutls_x509_privkey_t read_key(
        const struct tls_pem *pem, const struct tls_pem *passwords, struct tls_reporter *reporter)
{
	struct tls_pem_block block;
	if (!find_key_block(pem, reporter, &block))
		return NULL;
	gnutls_x509_privkey_t key;
	CHECK(gnutls_x509_privkey_init(&key) == 0);
	bool encrypted = tls_pem_block_is_encrypted(&block);
	int code = encrypted ? import_encrypted_key(key, &block, passwords)
	                     : import_key(key, &block, NULL);
	if (code == 0)
		return key;
	report_key(code, encrypted, pem, passwords, reporter);
	gnutls_x509_privkey_deinit(key);
	return NULL;
}

static bool belongs_to(gnutls_x509_privkey_t key, gnutls_x509_crt_t certificate)
{
	unsigned char key_id[KEY_ID_BYTES], certificate_id[KEY_ID_BYTES];
	size_t key_size = sizeof(key_id), certificate_size = sizeof(certificate_id);
	return gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, key_id, &key_size) ==
	               0 &&
	       gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA256, certificate_id,
	               &certificate_size) == 0 &&
	       key_size == certificate_size && memcmp(key_id, certificate_id, key_size) == 0;
}

static void report_mismatch(const struct tls_key_pair *pair, gnutls_x509_privkey_t key,
        const struct tls_chain *chain, struct tls_reporter *reporter)
{
	char subject[TLS_SUBJECT_MAX];
	for (unsigned i = 1; i < chain->count; i++) {
		if (!belongs_to(key, chain->certificates[i]))
			continue;
		tls_report(reporter, TLS_ERROR, TLS_SETTING_CERTIFICATE,
		        "the key in %s belongs to %s, which is not the first certificate in %s: "
		        "put it "
		        "first, its issuer after it",
		        pair->key.name,
		        tls_subject_format(chain->certificates[i], subject, sizeof(subject)),
		        pair->certificate.name);
		return;
	}
	tls_report(reporter, TLS_ERROR, TLS_SETTING_KEY,
	        "the key in %s does not belong to the certificate %s in %s", pair->key.name,
	        tls_subject_format(chain->certificates[0], subject, sizeof(subject)),
	        pair->certificate.name);
}

void tls_key_pair_load(gnutls_certificate_credentials_t credentials,
        const struct tls_key_pair *pair, const struct tls_pem *passwords, unsigned security_level,
        struct tls_reporter *reporter, struct tls_chain *chain_out)
{
	*chain_out = (struct tls_chain){.not_after = INT64_MAX};
	read_chain(&pair->certificate, reporter, chain_out);
	gnutls_x509_privkey_t key = read_key(&pair->key, passwords, reporter);
	if (key && chain_out->count > 0 && !belongs_to(key, chain_out->certificates[0])) {
		report_mismatch(pair, key, chain_out, reporter);
	} else if (chain_out->count > 0) {
		check_chain(chain_out, &pair->certificate, security_level, reporter);
		int code = !key ? 0
		                : gnutls_certificate_set_x509_key(credentials,
		                          chain_out->certificates, (int)chain_out->count, key);
		if (code < 0)
			tls_report(reporter, TLS_ERROR, TLS_SETTING_KEY,
			        "the key in %s cannot be used with the certificate in %s: %s",
			        pair->key.name, pair->certificate.name, gnutls_strerror(code));
	}
	if (key)
		gnutls_x509_privkey_deinit(key);
}
