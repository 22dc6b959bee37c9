/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_verify.c - finds the paths from a leaf to a trust anchor and takes the first that is good.
 *
 * How the verdict comes about, by what was sent and what is trusted:
 *
 *      sent                          trusted      verdict
 *      leaf, intermediates           root         good
 *      the same, root too            root         good, the root is the anchor
 *      the same in any order, with   root         good, what is not on the path is not looked at
 *        unrelated certificates
 *      leaf, i2, i1                  i2           good: an anchor need not be a root (OpenSSL wants
 * the root as well) leaf                          leaf         good, whoever issued it leaf, i, i
 * by another root    either root  good: each way is tried (cross-signing), and an expired one is
 * passed over leaf                          root of i    MISSING_ISSUER leaf, other root root
 * UNKNOWN_CA self-signed leaf              root         SELF_SIGNED leaf by another root of the
 * root         UNKNOWN_CA, "with another key" same name anything else that is wrong   root what
 * tls_path_check says of the first path
 *
 * As OpenSSL, an anchor is preferred to a sent certificate of the same name, so paths are short.
 * The depth is counted on the path: what was sent besides does not count. A hostile list cannot
 * make this run for long: at most 16 certificates, a bounded number of steps, signatures checked
 * for a few paths only.
 */
#include "worker/tls/tls_verify.h"

#include "shared/check.h"
#include "shared/tls_subject.h"
#include "shared/tls_trust.h"
#include "worker/tls/tls_path_check.h"

#include <string.h>

enum { STEPS_MAX = 64, PATHS_MAX = 4, KEY_BITS_MAX = 16384 };

struct sent {
	gnutls_x509_crt_t certificate;
	const gnutls_datum_t *der;
	gnutls_datum_t subject, issuer; /* raw DER names */
	bool on_path;
};

struct search {
	const struct tls_verify_settings *settings;
	struct tls_verdict *verdict; /* of the first path, or of the one that is good */
	struct sent sent[TLS_PEER_CERTIFICATES_MAX];
	unsigned count;
	struct tls_path path;
	unsigned steps, paths_tried;
	bool good;
};

static bool same_name(const gnutls_datum_t *a, const gnutls_datum_t *b)
{
	return a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

/* ---- what was sent ---- */

static void forget_sent(struct search *search)
{
	for (unsigned i = 0; i < search->count; i++) {
		gnutls_x509_crt_deinit(search->sent[i].certificate);
		gnutls_free(search->sent[i].subject.data);
		gnutls_free(search->sent[i].issuer.data);
	}
}

static bool import_sent(struct sent *sent, const gnutls_datum_t *der)
{
	*sent = (struct sent){.der = der};
	CHECK(gnutls_x509_crt_init(&sent->certificate) == 0);
	return gnutls_x509_crt_import(sent->certificate, der, GNUTLS_X509_FMT_DER) == 0 &&
	       gnutls_x509_crt_get_raw_dn(sent->certificate, &sent->subject) == 0 &&
	       gnutls_x509_crt_get_raw_issuer_dn(sent->certificate, &sent->issuer) == 0;
}

/* Whoever picks the key picks how long a signature takes to check. */
static bool has_huge_key(const struct sent *sent)
{
	unsigned bits = 0;
	gnutls_x509_crt_get_pk_algorithm(sent->certificate, &bits);
	return bits > KEY_BITS_MAX;
}

static bool import_all(struct search *search, const gnutls_datum_t *chain, unsigned count)
{
	if (count == 0) {
		tls_verdict_refuse(search->verdict, TLS_VERDICT_NO_CERTIFICATE, NULL, 0,
		        "no certificate was sent");
		return false;
	}
	if (count > TLS_PEER_CERTIFICATES_MAX) {
		tls_verdict_refuse(search->verdict, TLS_VERDICT_TOO_MANY, NULL, 0,
		        "%u certificates were sent, more than %d are not looked at", count,
		        TLS_PEER_CERTIFICATES_MAX);
		return false;
	}
	for (unsigned i = 0; i < count; i++) {
		bool parsed = import_sent(&search->sent[i], &chain[i]);
		search->count = i + 1;
		if (parsed && !has_huge_key(&search->sent[i]))
			continue;
		tls_verdict_refuse(search->verdict, TLS_VERDICT_MALFORMED, NULL, 0,
		        parsed ? "certificate %u of %u has a key of more than 16384 bits"
		               : "certificate %u of %u cannot be read",
		        i + 1, count);
		return false;
	}
	return true;
}

/* ---- the search ---- */

static void try_path(struct search *search, gnutls_x509_crt_t anchor)
{
	struct tls_verdict later;
	bool first = search->paths_tried++ == 0;
	search->path.anchor = anchor;
	search->good = tls_path_check(
	        &search->path, search->settings, first ? search->verdict : &later);
	if (search->good && !first)
		*search->verdict = later;
}

static bool is_over(const struct search *search)
{
	return search->good || search->paths_tried >= PATHS_MAX || search->steps >= STEPS_MAX;
}

/* Anchors of the system are kept as bytes until they are met. */
static void try_anchor(
        struct search *search, const struct sent *below, const struct tls_anchor *anchor)
{
	gnutls_x509_crt_t certificate = anchor->certificate;
	if (!certificate) {
		CHECK(gnutls_x509_crt_init(&certificate) == 0);
		CHECK(gnutls_x509_crt_import(certificate, &anchor->der, GNUTLS_X509_FMT_DER) == 0);
	}
	/* Names are equal; key identifiers, where both have one, have to be as well. */
	if (gnutls_x509_crt_check_issuer(below->certificate, certificate))
		try_path(search, certificate);
	if (!anchor->certificate)
		gnutls_x509_crt_deinit(certificate);
}

static void extend(struct search *search, struct sent *top);

static void try_anchors(struct search *search, const struct sent *top)
{
	const struct tls_trust *trust = search->settings->trust;
	size_t first, count = tls_trust_find(trust, &top->issuer, &first);
	for (size_t i = first; i < first + count && !is_over(search); i++)
		try_anchor(search, top, tls_trust_at(trust, i));
}

static void try_sent_issuers(struct search *search, const struct sent *top)
{
	for (unsigned i = 0; i < search->count && !is_over(search); i++) {
		struct sent *issuer = &search->sent[i];
		if (!issuer->on_path && same_name(&issuer->subject, &top->issuer) &&
		        gnutls_x509_crt_check_issuer(top->certificate, issuer->certificate))
			extend(search, issuer);
	}
}

/* `top` comes onto the path, above what is there. */
static void extend(struct search *search, struct sent *top)
{
	search->steps++;
	if (tls_trust_find_same(search->settings->trust, &top->subject, top->der)) {
		try_path(search, top->certificate);
		return;
	}
	top->on_path = true;
	search->path.certificates[search->path.count++] = top->certificate;
	try_anchors(search, top);
	try_sent_issuers(search, top);
	search->path.count--;
	top->on_path = false;
}

/* ---- no path ---- */

static struct sent *issuer_of(struct search *search, const struct sent *below)
{
	for (unsigned i = 0; i < search->count; i++) {
		struct sent *issuer = &search->sent[i];
		if (!issuer->on_path && same_name(&issuer->subject, &below->issuer) &&
		        gnutls_x509_crt_check_issuer(below->certificate, issuer->certificate))
			return issuer;
	}
	return NULL;
}

/* Nothing leads to an anchor: goes up as far as what was sent goes, and tells what is at the end.
 */
static void refuse_unknown(struct search *search)
{
	char issuer_text[TLS_SUBJECT_MAX];
	struct sent *leaf = &search->sent[0], *top = leaf;
	unsigned depth = 0;
	top->on_path = true;
	for (struct sent *issuer; (issuer = issuer_of(search, top)); depth++) {
		top = issuer;
		top->on_path = true;
	}
	tls_issuer_format(top->certificate, issuer_text, sizeof(issuer_text));
	size_t first;
	bool name_trusted = tls_trust_find(search->settings->trust, &top->issuer, &first) > 0;
	bool self_signed = gnutls_x509_crt_check_issuer(top->certificate, top->certificate);
	if (name_trusted)
		tls_verdict_refuse(search->verdict, TLS_VERDICT_UNKNOWN_CA, top->certificate, depth,
		        "unknown CA: %s is trusted, but with another key than the one that signed "
		        "this",
		        issuer_text);
	else if (self_signed && top == leaf)
		tls_verdict_refuse(search->verdict, TLS_VERDICT_SELF_SIGNED, top->certificate,
		        depth, "self-signed, and not itself trusted");
	else if (self_signed)
		tls_verdict_refuse(search->verdict, TLS_VERDICT_UNKNOWN_ROOT, leaf->certificate, 0,
		        "unknown CA: the chain ends at %s, which is not trusted", issuer_text);
	else
		tls_verdict_refuse(search->verdict, TLS_VERDICT_MISSING_ISSUER, top->certificate,
		        depth,
		        "unknown CA or missing intermediate: %s is not trusted and its certificate "
		        "was not "
		        "sent",
		        issuer_text);
}

void tls_verify_chain(const gnutls_datum_t *chain, unsigned count,
        const struct tls_verify_settings *settings, struct tls_verdict *verdict_out)
{
	struct search search = {.settings = settings, .verdict = verdict_out};
	if (import_all(&search, chain, count)) {
		extend(&search, &search.sent[0]);
		if (search.paths_tried == 0)
			refuse_unknown(&search);
	}
	forget_sent(&search);
}

void tls_verify(gnutls_session_t session, const struct tls_verify_settings *settings,
        struct tls_verdict *verdict_out)
{
	unsigned count = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
	tls_verify_chain(chain, chain ? count : 0, settings, verdict_out);
}
