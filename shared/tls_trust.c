/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_trust.c - an array of anchors, sorted by subject and content.
 *
 * Sorted by content as well, so that the fingerprint of a trust does not depend on the order in its
 * file, and one certificate written twice counts once.
 */
#include "shared/tls_trust.h"

#include "shared/check.h"
#include "shared/tls_certificate_read.h"
#include "shared/tls_subject.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct tls_trust {
	struct tls_anchor *anchors;
	size_t count, room;
	bool finished;
};

struct tls_trust *tls_trust_create(void)
{
	struct tls_trust *trust = calloc(1, sizeof(*trust));
	CHECK(trust);
	return trust;
}

static void free_anchor(struct tls_anchor *anchor)
{
	gnutls_free(anchor->subject.data);
	gnutls_free(anchor->der.data);
	if (anchor->certificate)
		gnutls_x509_crt_deinit(anchor->certificate);
}

void tls_trust_destroy(struct tls_trust *trust)
{
	if (!trust)
		return;
	for (size_t i = 0; i < trust->count; i++)
		free_anchor(&trust->anchors[i]);
	free(trust->anchors);
	free(trust);
}

/* Takes the certificate over. */
static void add(struct tls_trust *trust, gnutls_x509_crt_t certificate, bool keep_parsed)
{
	if (trust->count == trust->room) {
		trust->room = trust->room ? 2 * trust->room : 8;
		trust->anchors = reallocarray(
		        trust->anchors, trust->room, sizeof(trust->anchors[0]));
		CHECK(trust->anchors);
	}
	struct tls_anchor *anchor = &trust->anchors[trust->count++];
	*anchor = (struct tls_anchor){.certificate = certificate};
	CHECK(gnutls_x509_crt_get_raw_dn(certificate, &anchor->subject) == 0);
	CHECK(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &anchor->der) == 0);
	if (!keep_parsed) {
		gnutls_x509_crt_deinit(certificate);
		anchor->certificate = NULL;
	}
}

/* An anchor that is over is no fault: another path may lead past it. */
static void check_dates(gnutls_x509_crt_t certificate, const struct tls_pem *pem,
        enum tls_setting setting, struct tls_reporter *reporter)
{
	char subject[TLS_SUBJECT_MAX], date[TLS_DATE_MAX];
	time_t not_after = gnutls_x509_crt_get_expiration_time(certificate);
	if (not_after >= time(NULL))
		return;
	tls_report(reporter, TLS_WARNING, setting, "the CA certificate %s in %s expired on %s",
	        tls_subject_format(certificate, subject, sizeof(subject)), pem->name,
	        tls_date_format(not_after, date, sizeof(date)));
}

void tls_trust_add_pem(struct tls_trust *trust, const struct tls_pem *pem, enum tls_setting setting,
        struct tls_reporter *reporter)
{
	CHECK(!trust->finished);
	struct tls_pem_reader reader;
	struct tls_pem_block block;
	bool any = false;
	tls_pem_reader_init(&reader, pem->text);
	while (tls_pem_reader_next(&reader, &block)) {
		if (!tls_pem_block_is_certificate(&block))
			continue;
		any = true;
		gnutls_x509_crt_t certificate = tls_certificate_read(
		        &block, pem, setting, reporter);
		if (!certificate)
			continue;
		check_dates(certificate, pem, setting, reporter);
		add(trust, certificate, true);
	}
	if (!any)
		tls_report(reporter, TLS_ERROR, setting,
		        pem->text.length == 0
		                ? "%s is empty; it has to hold CA certificates in PEM form"
		                : "%s holds no certificate in PEM form",
		        pem->name);
}

void tls_trust_add_system(struct tls_trust *trust, struct tls_reporter *reporter)
{
	CHECK(!trust->finished);
	gnutls_x509_trust_list_t list;
	CHECK(gnutls_x509_trust_list_init(&list, 0) == 0);
	int count = gnutls_x509_trust_list_add_system_trust(list, 0, 0);
	gnutls_x509_trust_list_iter_t iterator = NULL;
	gnutls_x509_crt_t certificate;
	if (count > 0)
		while (gnutls_x509_trust_list_iter_get_ca(list, &iterator, &certificate) == 0)
			add(trust, certificate, false);
	gnutls_x509_trust_list_iter_deinit(iterator);
	gnutls_x509_trust_list_deinit(list, 1);
	if (count <= 0)
		tls_report(reporter, TLS_ERROR, TLS_SETTING_TRUST,
		        "the system trusts no CA; install the package ca-certificates, or name a "
		        "file");
}

void tls_trust_add_all(struct tls_trust *trust, const struct tls_trust *other)
{
	CHECK(!trust->finished);
	for (size_t i = 0; i < other->count; i++) {
		gnutls_x509_crt_t certificate;
		CHECK(gnutls_x509_crt_init(&certificate) == 0);
		CHECK(gnutls_x509_crt_import(
		              certificate, &other->anchors[i].der, GNUTLS_X509_FMT_DER) == 0);
		add(trust, certificate, other->anchors[i].certificate != NULL);
	}
}

static int compare_data(const gnutls_datum_t *a, const gnutls_datum_t *b)
{
	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	return a->size ? memcmp(a->data, b->data, a->size) : 0;
}

static int compare_anchors(const void *a, const void *b)
{
	const struct tls_anchor *one = a, *other = b;
	int order = compare_data(&one->subject, &other->subject);
	return order ? order : compare_data(&one->der, &other->der);
}

void tls_trust_finish(struct tls_trust *trust)
{
	size_t kept = 0;
	if (trust->count > 1)
		qsort(trust->anchors, trust->count, sizeof(trust->anchors[0]), compare_anchors);
	for (size_t i = 0; i < trust->count; i++) {
		struct tls_anchor *last = kept ? &trust->anchors[kept - 1] : NULL;
		if (!last || compare_anchors(last, &trust->anchors[i]) != 0) {
			trust->anchors[kept++] = trust->anchors[i];
		} else if (!last->certificate) { /* keep the parsed one of two */
			free_anchor(last);
			*last = trust->anchors[i];
		} else {
			free_anchor(&trust->anchors[i]);
		}
	}
	trust->count = kept;
	trust->finished = true;
}

size_t tls_trust_count(const struct tls_trust *trust)
{
	return trust->count;
}

const struct tls_anchor *tls_trust_at(const struct tls_trust *trust, size_t index)
{
	CHECK(index < trust->count);
	return &trust->anchors[index];
}

size_t tls_trust_find(
        const struct tls_trust *trust, const gnutls_datum_t *subject, size_t *first_out)
{
	CHECK(trust->finished);
	size_t low = 0, high = trust->count; /* below low: smaller; from high on: not smaller */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_data(&trust->anchors[middle].subject, subject) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	size_t count = 0;
	while (low + count < trust->count &&
	        compare_data(&trust->anchors[low + count].subject, subject) == 0)
		count++;
	*first_out = low;
	return count;
}

const struct tls_anchor *tls_trust_find_same(
        const struct tls_trust *trust, const gnutls_datum_t *subject, const gnutls_datum_t *der)
{
	size_t first, count = tls_trust_find(trust, subject, &first);
	for (size_t i = first; i < first + count; i++)
		if (compare_data(&trust->anchors[i].der, der) == 0)
			return &trust->anchors[i];
	return NULL;
}
