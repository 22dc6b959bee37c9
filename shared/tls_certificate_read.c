/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_certificate_read.c - decodes a PEM block, and says where it stands when that fails. */
#include "shared/tls_certificate_read.h"

#include "shared/check.h"

gnutls_datum_t tls_datum_of(struct slice text)
{
	union {
		const char *read_only;
		unsigned char *bytes;
	} same = {.read_only = text.data};

	return (gnutls_datum_t){same.bytes, (unsigned)text.length};
}

gnutls_x509_crt_t tls_certificate_read(const struct tls_pem_block *block, const struct tls_pem *pem,
        enum tls_setting setting, struct tls_reporter *reporter)
{
	gnutls_x509_crt_t certificate;
	gnutls_datum_t datum = tls_datum_of(block->text);
	CHECK(gnutls_x509_crt_init(&certificate) == 0);
	int code = gnutls_x509_crt_import(certificate, &datum, GNUTLS_X509_FMT_PEM);
	if (code == 0)
		return certificate;
	gnutls_x509_crt_deinit(certificate);
	tls_report(reporter, TLS_ERROR, setting,
	        "the certificate at line %u of %s cannot be read: %s", block->line, pem->name,
	        block->finished ? gnutls_strerror(code) : "its END line is missing");
	return NULL;
}
