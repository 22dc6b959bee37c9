/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_verify_test.c - the verification matrix: chains made here, and the verdict with its words.
 *
 * One PKI for all: a root, chains of up to three intermediates under it, and a second root nobody
 * trusts.
 */
#include "worker/tls/tls_verify.h"

#include "shared/check.h"
#include "shared/tls_report.h"
#include "shared/tls_trust.h"
#include "tests/support/pki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define NAME "backend1.example.com"
enum { CHAIN_MAX = 20, DEPTH_DEFAULT = 4, DAY_S = 24 * 60 * 60, TEXT_MAX = 1024 };

typedef struct pki_certificate certificate;

static struct {
	certificate *root, *other_root, *namesake, *i1, *i2, *i3, *cross_i1, *over_root, *over_i1;
	certificate *rsa_root;
} pki;

static certificate *issue_ca(const char *name, const certificate *issuer)
{
	return pki_issue(&(struct pki_request){.name = name, .ca = true}, issuer);
}

static int set_up(void **state)
{
	(void)state;
	pki.root = issue_ca("Corp CA", NULL);
	pki.other_root = issue_ca("Other CA", NULL);
	pki.namesake = issue_ca("Corp CA", NULL);
	pki.i1 = issue_ca("Issuing 1", pki.root);
	pki.i2 = issue_ca("Issuing 2", pki.i1);
	pki.i3 = issue_ca("Issuing 3", pki.i2);
	pki.cross_i1 = pki_issue(
	        &(struct pki_request){.name = "Issuing 1", .ca = true, .same_key = pki.i1},
	        pki.other_root);
	pki.over_root = pki_issue(&(struct pki_request){.name = "Old CA",
	                                  .ca = true,
	                                  .not_before = 1000000000,
	                                  .not_after = 1600000000},
	        NULL);
	pki.over_i1 = pki_issue(
	        &(struct pki_request){.name = "Issuing 1", .ca = true, .same_key = pki.i1},
	        pki.over_root);
	pki.rsa_root = pki_issue(
	        &(struct pki_request){.name = "RSA CA", .ca = true, .key = PKI_RSA2048}, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	certificate *all[] = {pki.root, pki.other_root, pki.namesake, pki.i1, pki.i2, pki.i3,
	        pki.cross_i1, pki.over_root, pki.over_i1, pki.rsa_root};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		pki_free(all[i]);
	return 0;
}

static void ignore_warnings(void *opaque, enum tls_severity severity, enum tls_setting setting,
        size_t pair, const char *text)
{
	(void)opaque;
	(void)setting;
	(void)pair;
	if (severity == TLS_ERROR)
		fail_msg("%s", text);
}

/* What is sent, what is trusted, how it is looked at, and what comes of it. Lists end at NULL. */
struct row {
	const certificate *sent[CHAIN_MAX + 1];
	const certificate *trusted[4];
	const char *name;
	unsigned depth; /* with 1 added; 0: DEPTH_DEFAULT */
	unsigned level; /* with 1 added; 0: 2 */
	enum tls_verify_purpose purpose;
	int64_t now; /* 0: the clock's */
	enum tls_verdict_reason reason;
	int alert;
	const char *text; /* what the verdict's has to contain */
};

static struct tls_trust *trust_of(const certificate *const *trusted)
{
	struct tls_trust *trust = tls_trust_create();
	struct tls_reporter reporter = {.report = ignore_warnings};
	for (; *trusted; trusted++) {
		char *text = pki_pem(*trusted, NULL);
		struct tls_pem pem = {.text = slice_of(text), .name = "ca.pem"};
		tls_trust_add_pem(trust, &pem, TLS_SETTING_TRUST, &reporter);
		free(text);
	}
	tls_trust_finish(trust);
	return trust;
}

static void verify_row(const struct row *row, struct tls_verdict *verdict_out)
{
	gnutls_datum_t chain[CHAIN_MAX];
	unsigned count = 0;
	for (; row->sent[count]; count++)
		chain[count] = row->sent[count]->der;
	struct tls_trust *trust = trust_of(row->trusted);
	struct tls_verify_settings settings = {
	        .trust = trust,
	        .depth = row->depth ? row->depth - 1 : DEPTH_DEFAULT,
	        .security_level = row->level ? row->level - 1 : 2,
	        .name = row->name,
	        .purpose = row->purpose,
	        .now = row->now ? row->now : (int64_t)time(NULL),
	};
	memset(verdict_out, 0xa5, sizeof(*verdict_out));
	tls_verify_chain(chain, count, &settings, verdict_out);
	tls_trust_destroy(trust);
}

static void expect(const struct row *row)
{
	struct tls_verdict verdict;
	verify_row(row, &verdict);
	if (verdict.reason != row->reason)
		fail_msg("reason %d instead of %d: %s", verdict.reason, row->reason, verdict.text);
	assert_int_equal(verdict.ok, row->reason == TLS_VERDICT_OK);
	if (verdict.ok) {
		assert_int_equal(verdict.alert, -1);
		return;
	}
	assert_int_equal(verdict.alert, row->alert);
	CHECK(row->text);
	if (!strstr(verdict.text, row->text))
		fail_msg("'%s' lacks '%s'", verdict.text, row->text);
}

/* A leaf for NAME under `issuer`. */
static certificate *leaf_under(const certificate *issuer)
{
	return pki_issue(&(struct pki_request){.name = NAME, .dns = {NAME}}, issuer);
}

static void good_chains_are_accepted(void **state)
{
	(void)state;
	certificate *direct = leaf_under(pki.root), *l1 = leaf_under(pki.i1),
	            *l3 = leaf_under(pki.i3);
	certificate *self = leaf_under(NULL);
	const struct row rows[] = {
	        {.sent = {direct}, .trusted = {pki.root}, .name = NAME},
	        {.sent = {direct, pki.root}, .trusted = {pki.root}, .name = NAME},
	        {.sent = {l1, pki.i1}, .trusted = {pki.root}, .name = NAME},
	        {.sent = {l1, pki.i1, pki.root}, .trusted = {pki.root}, .name = NAME},
	        {.sent = {l3, pki.i3, pki.i2, pki.i1}, .trusted = {pki.root}, .name = NAME},
	        {.sent = {l3, pki.i1, pki.root, pki.i3, pki.i2},
	                .trusted = {pki.root},
	                .name = NAME},
	        {.sent = {l1, pki.other_root, pki.i1, pki.i3}, .trusted = {pki.root}, .name = NAME},
	        {.sent = {l3, pki.i3, pki.i2, pki.i1}, .trusted = {pki.i3}, .name = NAME},
	        {.sent = {l3, pki.i3, pki.i2, pki.i1}, .trusted = {pki.i1}, .name = NAME},
	        {.sent = {l1}, .trusted = {pki.i1, pki.root}, .name = NAME},
	        {.sent = {self}, .trusted = {self}, .name = NAME},
	        {.sent = {direct}, .trusted = {direct}, .name = NAME},
	        {.sent = {direct},
	                .trusted = {pki.other_root, pki.root, pki.namesake},
	                .name = NAME},
	        {.sent = {l1, pki.cross_i1, pki.i1}, .trusted = {pki.root}, .name = NAME},
	        {.sent = {l1, pki.i1, pki.cross_i1}, .trusted = {pki.other_root}, .name = NAME},
	        {.sent = {l1, pki.over_i1, pki.i1},
	                .trusted = {pki.over_root, pki.root},
	                .name = NAME},
	        {.sent = {l1, pki.i1, pki.over_i1},
	                .trusted = {pki.over_root, pki.root},
	                .name = NAME},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect(&rows[i]);
	pki_free(direct);
	pki_free(l1);
	pki_free(l3);
	pki_free(self);
}

static void dates_are_checked_on_the_whole_path(void **state)
{
	(void)state;
	int64_t now = 1767225600; /* 2026-01-01 */
	certificate *root = pki_issue(&(struct pki_request){.name = "Root",
	                                      .ca = true,
	                                      .not_before = now - 100 * DAY_S,
	                                      .not_after = now + 100 * DAY_S},
	        NULL);
	certificate *ca = pki_issue(&(struct pki_request){.name = "CA",
	                                    .ca = true,
	                                    .not_before = now - 50 * DAY_S,
	                                    .not_after = now + 10 * DAY_S},
	        root);
	certificate *leaf = pki_issue(&(struct pki_request){.name = NAME,
	                                      .dns = {NAME},
	                                      .not_before = now - DAY_S,
	                                      .not_after = now + 20 * DAY_S},
	        ca);
	struct row row = {.sent = {leaf, ca}, .trusted = {root}, .name = NAME, .now = now};
	struct tls_verdict verdict;
	verify_row(&row, &verdict);
	assert_true(verdict.ok);
	assert_int_equal(verdict.not_after, now + 10 * DAY_S);

	row.now = now + 10 * DAY_S;
	expect(&row);
	row.now++;
	row.reason = TLS_VERDICT_EXPIRED;
	row.alert = GNUTLS_A_CERTIFICATE_EXPIRED;
	row.text = "expired on 2026-01-11 (CN=CA, issuer CN=Root, chain depth 1)";
	expect(&row);
	row.now = now + 21 * DAY_S;
	row.text = "expired on 2026-01-21 (CN=" NAME ", issuer CN=CA, chain depth 0)";
	expect(&row);
	row.sent[1] = NULL;
	row.trusted[0] = ca; /* anchors age as well */
	row.now = now + 11 * DAY_S;
	row.text = "expired on 2026-01-11 (CN=CA, issuer CN=Root, chain depth 1)";
	expect(&row);
	row.now = now - DAY_S - 1;
	row.reason = TLS_VERDICT_NOT_YET_VALID;
	row.alert = GNUTLS_A_BAD_CERTIFICATE;
	row.text = "not valid before 2025-12-31 (CN=" NAME ", issuer CN=CA, chain depth 0)";
	expect(&row);
	pki_free(root);
	pki_free(ca);
	pki_free(leaf);
}

static void names_are_alternative_names(void **state)
{
	(void)state;
	const struct {
		struct pki_request request;
		const char *name;
		const char *text; /* NULL: good */
	} cases[] = {
	        {{.name = "x", .dns = {NAME, "b.example"}}, "B.Example", NULL},
	        {{.name = "x", .dns = {NAME}}, NAME ".", NULL},
	        {{.name = "x", .dns = {"*.example.com"}}, NAME, NULL},
	        {{.name = "x", .dns = {"*.example.com"}}, "a.b.example.com",
	                "wrong name: 'a.b.example.com' was asked for, it is for DNS:*.example.com"},
	        {{.name = "x", .dns = {"*.example.com"}}, "example.com", "wrong name"},
	        {{.name = "x", .dns = {"*.com"}}, "example.com", "wrong name"},
	        {{.name = "x", .dns = {"*"}}, "localhost", "wrong name"},
	        {{.name = "x", .dns = {"a.example", "b.example"}, .ip = "10.0.0.1"}, NAME,
	                "wrong name: '" NAME
	                "' was asked for, it is for DNS:a.example DNS:b.example IP:10.0.0.1 (CN=x, "
	                "issuer CN=Corp CA, chain depth 0)"},
	        {{.name = NAME}, NAME,
	                "wrong name: '" NAME "' was asked for, it has no subject alternative name, "
	                "and a CN is not honoured"},
	        {{.name = NAME, .ip = "10.0.0.1"}, NAME, "it is for IP:10.0.0.1"},
	        {{.name = "x", .ip = "10.0.0.1"}, "10.0.0.1", NULL},
	        {{.name = "x", .ip = "10.0.0.1"}, "10.0.0.2",
	                "wrong name: '10.0.0.2' was asked for, it is for IP:10.0.0.1"},
	        {{.name = "x", .ip = "::1"}, "0:0::1", NULL},
	        {{.name = "x", .ip = "::1"}, "::2", "it is for IP:::1"},
	        {{.name = "x", .dns = {"10.0.0.1"}}, "10.0.0.1", "it is for DNS:10.0.0.1"},
	        {{.name = "10.0.0.1"}, "10.0.0.1", "no subject alternative name"},
	        {{.name = "x", .dns = {NAME}}, "", "wrong name"},
	        {{.name = "x", .dns = {NAME}}, ".", "wrong name"},
	        {{.name = NULL, .dns = {"a.example"}}, NAME, "DNS:a.example (no name, issuer"},
	        {{.name = "evil\n\"name", .dns = {"a.example"}}, NAME,
	                "(CN=evil\\x0a\\x5c\\x22name, issuer"},
	        {{.name = "x", .dns = {NAME}}, NULL, NULL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		certificate *leaf = pki_issue(&cases[i].request, pki.root);
		struct row row = {
		        .sent = {leaf},
		        .trusted = {pki.root},
		        .name = cases[i].name,
		        .reason = cases[i].text ? TLS_VERDICT_WRONG_NAME : TLS_VERDICT_OK,
		        .alert = GNUTLS_A_BAD_CERTIFICATE,
		        .text = cases[i].text,
		};
		expect(&row);
		pki_free(leaf);
	}
}

static void untrusted_chains_are_told_apart(void **state)
{
	(void)state;
	certificate *foreign = leaf_under(pki.other_root), *l1 = leaf_under(pki.i1);
	certificate *l2 = leaf_under(pki.i2), *self = leaf_under(NULL);
	certificate *by_namesake = leaf_under(pki.namesake);
	certificate *no_ids = pki_issue(
	        &(struct pki_request){.name = "No ids", .ca = true, .without_key_ids = true}, NULL);
	certificate *no_ids_twin = pki_issue(
	        &(struct pki_request){.name = "No ids", .ca = true, .without_key_ids = true}, NULL);
	certificate *by_twin = pki_issue(
	        &(struct pki_request){.name = NAME, .dns = {NAME}, .without_key_ids = true},
	        no_ids_twin);
	const struct row rows[] = {
	        {.sent = {foreign, pki.other_root},
	                .trusted = {pki.root},
	                .reason = TLS_VERDICT_UNKNOWN_ROOT,
	                .text = "unknown CA: the chain ends at CN=Other CA, which is not trusted "
	                        "(CN=" NAME ", issuer CN=Other CA, chain depth 0)"},
	        {.sent = {foreign},
	                .trusted = {pki.root},
	                .reason = TLS_VERDICT_MISSING_ISSUER,
	                .text = "unknown CA or missing intermediate: CN=Other CA is not trusted "
	                        "and its "
	                        "certificate was not sent (CN=" NAME},
	        {.sent = {l1},
	                .trusted = {pki.root},
	                .reason = TLS_VERDICT_MISSING_ISSUER,
	                .text = "CN=Issuing 1 is not trusted and its certificate was not sent"},
	        {.sent = {l2, pki.i2},
	                .trusted = {pki.root},
	                .reason = TLS_VERDICT_MISSING_ISSUER,
	                .text = "CN=Issuing 1 is not trusted and its certificate was not sent "
	                        "(CN=Issuing 2, issuer CN=Issuing 1, chain depth 1)"},
	        {.sent = {l2, pki.i1, pki.root},
	                .trusted = {pki.root},
	                .reason = TLS_VERDICT_MISSING_ISSUER,
	                .text = "CN=Issuing 2 is not trusted and its certificate was not sent"},
	        {.sent = {self},
	                .trusted = {pki.root},
	                .reason = TLS_VERDICT_SELF_SIGNED,
	                .text = "self-signed, and not itself trusted (CN=" NAME},
	        {.sent = {self},
	                .trusted = {NULL},
	                .reason = TLS_VERDICT_SELF_SIGNED,
	                .text = "self-signed"},
	        {.sent = {by_namesake},
	                .trusted = {pki.root},
	                .reason = TLS_VERDICT_UNKNOWN_CA,
	                .text = "unknown CA: CN=Corp CA is trusted, but with another key"},
	        {.sent = {by_namesake, pki.namesake},
	                .trusted = {pki.root},
	                .reason = TLS_VERDICT_UNKNOWN_CA,
	                .text = "unknown CA: CN=Corp CA is trusted, but with another key"},
	        {.sent = {by_twin},
	                .trusted = {no_ids},
	                .reason = TLS_VERDICT_UNKNOWN_CA,
	                .text = "unknown CA: CN=No ids is trusted, but with another key"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct row row = rows[i];
		row.alert = GNUTLS_A_UNKNOWN_CA;
		row.name = NAME;
		expect(&row);
	}
	/* Two anchors of one name without key identifiers: both are tried. */
	expect(&(struct row){.sent = {by_twin}, .trusted = {no_ids, no_ids_twin}, .name = NAME});
	certificate *all[] = {foreign, l1, l2, self, by_namesake, no_ids, no_ids_twin, by_twin};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		pki_free(all[i]);
}

static void depth_counts_intermediates_of_the_path(void **state)
{
	(void)state;
	certificate *direct = leaf_under(pki.root), *l1 = leaf_under(pki.i1),
	            *l3 = leaf_under(pki.i3);
	const struct row rows[] = {
	        {.sent = {direct}, .trusted = {pki.root}, .depth = 1},
	        {.sent = {direct, pki.root, pki.i1, pki.i2}, .trusted = {pki.root}, .depth = 1},
	        {.sent = {l1, pki.i1, pki.root, pki.other_root}, .trusted = {pki.root}, .depth = 2},
	        {.sent = {l3, pki.i3, pki.i2, pki.i1, pki.root}, .trusted = {pki.root}, .depth = 4},
	        {.sent = {l3, pki.i3, pki.i2, pki.i1, pki.root}, .trusted = {pki.i3}, .depth = 1},
	        {.sent = {l1, pki.i1},
	                .trusted = {pki.root},
	                .depth = 1,
	                .reason = TLS_VERDICT_DEPTH,
	                .text = "chain too long: 1 intermediate certificate, "
	                        "proxy_ssl_verify_depth is 0; 1 "
	                        "would do (CN=" NAME ", issuer CN=Issuing 1, chain depth 0)"},
	        {.sent = {l3, pki.i3, pki.i2, pki.i1, pki.root},
	                .trusted = {pki.root},
	                .depth = 3,
	                .reason = TLS_VERDICT_DEPTH,
	                .text = "chain too long: 3 intermediate certificates, "
	                        "proxy_ssl_verify_depth is 2; "
	                        "3 would do"},
	        {.sent = {l1, pki.i1},
	                .trusted = {pki.root},
	                .depth = 1,
	                .reason = TLS_VERDICT_DEPTH,
	                .purpose = TLS_VERIFY_CLIENT,
	                .text = ", ssl_verify_depth is 0; 1 would do"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct row row = rows[i];
		row.alert = GNUTLS_A_UNKNOWN_CA;
		expect(&row);
	}
	pki_free(direct);
	pki_free(l1);
	pki_free(l3);
}

static void purposes_are_kept_apart(void **state)
{
	(void)state;
	certificate *server = pki_issue(
	        &(struct pki_request){.name = NAME, .purpose = GNUTLS_KP_TLS_WWW_SERVER}, pki.root);
	certificate *client = pki_issue(
	        &(struct pki_request){.name = NAME, .purpose = GNUTLS_KP_TLS_WWW_CLIENT}, pki.root);
	certificate *mail = pki_issue(
	        &(struct pki_request){.name = NAME, .purpose = GNUTLS_KP_EMAIL_PROTECTION},
	        pki.root);
	certificate *any = pki_issue(
	        &(struct pki_request){.name = NAME, .purpose = GNUTLS_KP_ANY}, pki.root);
	certificate *client_ca = pki_issue(
	        &(struct pki_request){
	                .name = "Client CA", .ca = true, .purpose = GNUTLS_KP_TLS_WWW_CLIENT},
	        pki.root);
	certificate *under_it = leaf_under(client_ca);
	const struct row rows[] = {
	        {.sent = {server}, .purpose = TLS_VERIFY_SERVER},
	        {.sent = {any}, .purpose = TLS_VERIFY_SERVER},
	        {.sent = {any}, .purpose = TLS_VERIFY_CLIENT},
	        {.sent = {client}, .purpose = TLS_VERIFY_CLIENT},
	        {.sent = {client},
	                .reason = TLS_VERDICT_PURPOSE,
	                .text = "not made for servers: its extended key usage is for clients only "
	                        "(CN=" NAME ", issuer CN=Corp CA, chain depth 0)"},
	        {.sent = {mail},
	                .reason = TLS_VERDICT_PURPOSE,
	                .text = "not made for servers: its extended key usage lacks serverAuth"},
	        {.sent = {server},
	                .purpose = TLS_VERIFY_CLIENT,
	                .reason = TLS_VERDICT_PURPOSE,
	                .text = "not made for clients: its extended key usage is for servers only"},
	        {.sent = {mail},
	                .purpose = TLS_VERIFY_CLIENT,
	                .reason = TLS_VERDICT_PURPOSE,
	                .text = "lacks clientAuth"},
	        {.sent = {under_it, client_ca},
	                .reason = TLS_VERDICT_PURPOSE,
	                .text = "clients only (CN=Client CA, issuer CN=Corp CA, chain depth 1)"},
	        {.sent = {under_it, client_ca}, .purpose = TLS_VERIFY_CLIENT},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct row row = rows[i];
		row.trusted[0] = pki.root;
		row.alert = GNUTLS_A_UNSUPPORTED_CERTIFICATE;
		expect(&row);
	}
	certificate *all[] = {server, client, mail, any, client_ca, under_it};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		pki_free(all[i]);
}

enum { LEVEL_0 = 1, LEVEL_1, LEVEL_2, LEVEL_3 }; /* as struct row wants them */

static void expect_all(const struct row *rows, size_t count, const certificate *root, int alert)
{
	for (size_t i = 0; i < count; i++) {
		struct row row = rows[i];
		if (!row.trusted[0])
			row.trusted[0] = root;
		row.name = NAME;
		row.alert = alert;
		expect(&row);
	}
}

static void weak_keys_depend_on_the_level(void **state)
{
	(void)state;
	certificate *rsa = pki_issue(
	        &(struct pki_request){.name = NAME, .dns = {NAME}, .key = PKI_RSA1024}, pki.root);
	certificate *curve = pki_issue(
	        &(struct pki_request){.name = NAME, .dns = {NAME}, .key = PKI_EC192}, pki.root);
	certificate *weak_root = pki_issue(
	        &(struct pki_request){.name = "Weak", .ca = true, .key = PKI_RSA1024}, NULL);
	certificate *under_weak = leaf_under(weak_root);
	const struct row rows[] = {
	        {.sent = {rsa},
	                .level = LEVEL_2,
	                .reason = TLS_VERDICT_WEAK_KEY,
	                .text = "weak key: RSA 1024 bits, level 2 demands 2048 (CN=" NAME},
	        {.sent = {rsa}, .level = LEVEL_1},
	        {.sent = {rsa}, .level = LEVEL_0},
	        {.sent = {curve},
	                .level = LEVEL_2,
	                .reason = TLS_VERDICT_WEAK_KEY,
	                .text = "weak key: EC/ECDSA 192 bits, level 2 demands 224"},
	        {.sent = {curve}, .level = LEVEL_1},
	        {.sent = {under_weak},
	                .trusted = {weak_root},
	                .level = LEVEL_2,
	                .reason = TLS_VERDICT_WEAK_CA_KEY,
	                .text = "weak key: RSA 1024 bits, level 2 demands 2048 (CN=Weak, issuer "
	                        "CN=Weak, "
	                        "chain depth 1)"},
	        {.sent = {under_weak}, .trusted = {weak_root}, .level = LEVEL_1},
	        {.sent = {under_weak, weak_root}, .trusted = {weak_root}, .level = LEVEL_1},
	};
	expect_all(rows, sizeof(rows) / sizeof(rows[0]), pki.root, GNUTLS_A_BAD_CERTIFICATE);
	pki_free(rsa);
	pki_free(curve);
	pki_free(weak_root);
	pki_free(under_weak);
}

static void weak_signatures_depend_on_the_level(void **state)
{
	(void)state;
	certificate *sha1 = pki_issue(
	        &(struct pki_request){.name = NAME, .dns = {NAME}, .digest = GNUTLS_DIG_SHA1},
	        pki.root);
	certificate *md5 = pki_issue(
	        &(struct pki_request){.name = NAME, .dns = {NAME}, .digest = GNUTLS_DIG_MD5},
	        pki.rsa_root);
	certificate *sha1_root = pki_issue(
	        &(struct pki_request){.name = "Old", .ca = true, .digest = GNUTLS_DIG_SHA1}, NULL);
	certificate *under_old = leaf_under(sha1_root);
	const struct row rows[] = {
	        {.sent = {sha1},
	                .level = LEVEL_2,
	                .reason = TLS_VERDICT_WEAK_SIGNATURE,
	                .text = "weak signature: ECDSA-SHA1, which level 2 does not take "
	                        "(CN=" NAME},
	        {.sent = {sha1}, .level = LEVEL_1},
	        {.sent = {sha1}, .level = LEVEL_0},
	        {.sent = {md5},
	                .trusted = {pki.rsa_root},
	                .level = LEVEL_1,
	                .reason = TLS_VERDICT_WEAK_SIGNATURE,
	                .text = "weak signature: RSA-MD5, which level 1 does not take"},
	        {.sent = {md5}, .trusted = {pki.rsa_root}, .level = LEVEL_0},
	        {.sent = {under_old}, .trusted = {sha1_root}, .level = LEVEL_2},
	        {.sent = {md5},
	                .trusted = {pki.rsa_root},
	                .level = LEVEL_3,
	                .reason = TLS_VERDICT_WEAK_SIGNATURE,
	                .text = "level 3"},
	};
	expect_all(rows, sizeof(rows) / sizeof(rows[0]), pki.root, GNUTLS_A_BAD_CERTIFICATE);
	pki_free(sha1);
	pki_free(md5);
	pki_free(sha1_root);
	pki_free(under_old);
}

static void forged_chains_are_refused(void **state)
{
	(void)state;
	certificate *broken = pki_issue(
	        &(struct pki_request){.name = NAME, .dns = {NAME}, .broken_signature = true},
	        pki.i1);
	certificate *broken_top = pki_issue(
	        &(struct pki_request){.name = NAME, .dns = {NAME}, .broken_signature = true},
	        pki.root);
	certificate *no_ca = leaf_under(pki.root);
	certificate *under_no_ca = leaf_under(no_ca);
	certificate *short_ca = pki_issue(
	        &(struct pki_request){.name = "Short", .ca = true, .path_length = 1}, pki.root);
	certificate *below_short = issue_ca("Below", short_ca);
	certificate *too_long = leaf_under(below_short);
	certificate *narrow_ca = pki_issue(
	        &(struct pki_request){
	                .name = "Narrow", .ca = true, .permitted_dns = "other.example"},
	        pki.root);
	certificate *outside = leaf_under(narrow_ca);
	certificate *inside = pki_issue(
	        &(struct pki_request){.name = "x", .dns = {"a.other.example"}}, narrow_ca);
	const struct row rows[] = {
	        {.sent = {broken, pki.i1},
	                .reason = TLS_VERDICT_BAD_SIGNATURE,
	                .alert = GNUTLS_A_DECRYPT_ERROR,
	                .text = "its signature does not fit the key of its issuer (CN=" NAME
	                        ", issuer CN=Issuing 1, chain depth 0)"},
	        {.sent = {broken_top},
	                .reason = TLS_VERDICT_UNKNOWN_CA,
	                .alert = GNUTLS_A_UNKNOWN_CA,
	                .text = "with another key"},
	        {.sent = {under_no_ca, no_ca},
	                .reason = TLS_VERDICT_NOT_A_CA,
	                .alert = GNUTLS_A_UNKNOWN_CA,
	                .text = "issued by a certificate that is not a CA's (CN=" NAME
	                        ", issuer CN=" NAME},
	        {.sent = {too_long, below_short, short_ca},
	                .reason = TLS_VERDICT_CONSTRAINT,
	                .alert = GNUTLS_A_BAD_CERTIFICATE,
	                .text = "constraint"},
	        {.sent = {outside, narrow_ca},
	                .reason = TLS_VERDICT_CONSTRAINT,
	                .alert = GNUTLS_A_BAD_CERTIFICATE,
	                .text = "constraint"},
	        {.sent = {inside, narrow_ca}},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct row row = rows[i];
		row.trusted[0] = pki.root;
		expect(&row);
	}
	certificate *all[] = {broken, broken_top, no_ca, under_no_ca, short_ca, below_short,
	        too_long, narrow_ca, outside, inside};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		pki_free(all[i]);
}

static void first_cause_is_told(void **state)
{
	(void)state;
	int64_t past = 1700000000;
	certificate *bad = pki_issue(&(struct pki_request){.name = "x",
	                                     .dns = {"x.example"},
	                                     .not_before = past - DAY_S,
	                                     .not_after = past,
	                                     .key = PKI_RSA1024,
	                                     .purpose = GNUTLS_KP_TLS_WWW_CLIENT},
	        pki.i1);
	struct row row = {.sent = {bad},
	        .trusted = {pki.root},
	        .name = NAME,
	        .depth = 1,
	        .reason = TLS_VERDICT_MISSING_ISSUER,
	        .alert = GNUTLS_A_UNKNOWN_CA,
	        .text = "missing"};
	expect(&row);
	row.sent[1] = pki.i1;
	row.reason = TLS_VERDICT_WEAK_KEY;
	row.alert = GNUTLS_A_BAD_CERTIFICATE;
	row.text = "weak key";
	expect(&row);
	row.level = 2; /* 1 */
	row.reason = TLS_VERDICT_EXPIRED;
	row.alert = GNUTLS_A_CERTIFICATE_EXPIRED;
	row.text = "expired on 2023-11-14";
	expect(&row);
	row.now = past - 10; /* where the CA is not valid yet */
	row.reason = TLS_VERDICT_NOT_YET_VALID;
	row.alert = GNUTLS_A_BAD_CERTIFICATE;
	row.text = "(CN=Issuing 1";
	expect(&row);
	pki_free(bad);
}

static void lists_of_any_kind_end(void **state)
{
	(void)state;
	certificate *leaf = leaf_under(pki.i1);
	struct row many = {.trusted = {pki.root},
	        .reason = TLS_VERDICT_TOO_MANY,
	        .alert = GNUTLS_A_UNKNOWN_CA,
	        .text = "17 certificates were sent, more than 16 are not looked at"};
	many.sent[0] = leaf;
	for (int i = 1; i < 17; i++)
		many.sent[i] = pki.i1;
	expect(&many);
	many.sent[16] = NULL;
	many.reason = TLS_VERDICT_OK;
	expect(&many);
	expect(&(struct row){.trusted = {pki.root},
	        .reason = TLS_VERDICT_NO_CERTIFICATE,
	        .alert = GNUTLS_A_HANDSHAKE_FAILURE,
	        .text = "no certificate was sent"});

	unsigned char nonsense[] = "garbage";
	certificate garbage = {.der = {nonsense, 7}};
	expect(&(struct row){.sent = {leaf, &garbage},
	        .trusted = {pki.root},
	        .reason = TLS_VERDICT_MALFORMED,
	        .alert = GNUTLS_A_BAD_CERTIFICATE,
	        .text = "certificate 2 of 2 cannot be read"});

	/* Fifteen CAs of one name and no key identifiers, each able to have issued each. */
	struct row maze = {.trusted = {pki.root},
	        .reason = TLS_VERDICT_MISSING_ISSUER,
	        .alert = GNUTLS_A_UNKNOWN_CA,
	        .text = ""};
	certificate *maze_root = pki_issue(
	        &(struct pki_request){.name = "Maze", .ca = true, .without_key_ids = true}, NULL);
	certificate *cas[15];
	for (int i = 0; i < 15; i++)
		maze.sent[i + 1] = cas[i] = pki_issue(
		        &(struct pki_request){.name = "Maze", .ca = true, .without_key_ids = true},
		        maze_root);
	certificate *lost = pki_issue(
	        &(struct pki_request){.name = NAME, .dns = {NAME}, .without_key_ids = true},
	        maze_root);
	maze.sent[0] = lost;
	maze.reason = TLS_VERDICT_UNKNOWN_ROOT;
	maze.text = "the chain ends at CN=Maze";
	expect(&maze);
	for (int i = 0; i < 15; i++)
		pki_free(cas[i]);
	pki_free(lost);
	pki_free(maze_root);
	pki_free(leaf);
}

static void damaged_certificates_never_crash(void **state)
{
	(void)state;
	certificate *leaf = leaf_under(pki.i1);
	for (unsigned i = 0; i < leaf->der.size; i += 3) {
		certificate damaged = {.der = leaf->der};
		damaged.der.data = malloc(leaf->der.size);
		CHECK(damaged.der.data);
		memcpy(damaged.der.data, leaf->der.data, leaf->der.size);
		damaged.der.data[i] ^= 0x55;
		struct row row = {.sent = {&damaged, pki.i1}, .trusted = {pki.root}, .name = NAME};
		struct tls_verdict verdict;
		verify_row(&row, &verdict);
		assert_false(verdict.ok);
		assert_true(verdict.alert >= 0);
		damaged.der.size = i; /* and cut */
		memcpy(damaged.der.data, leaf->der.data, i);
		verify_row(&row, &verdict);
		assert_false(verdict.ok);
		free(damaged.der.data);
	}
	pki_free(leaf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(good_chains_are_accepted),
	        cmocka_unit_test(dates_are_checked_on_the_whole_path),
	        cmocka_unit_test(names_are_alternative_names),
	        cmocka_unit_test(untrusted_chains_are_told_apart),
	        cmocka_unit_test(depth_counts_intermediates_of_the_path),
	        cmocka_unit_test(purposes_are_kept_apart),
	        cmocka_unit_test(weak_keys_depend_on_the_level),
	        cmocka_unit_test(weak_signatures_depend_on_the_level),
	        cmocka_unit_test(forged_chains_are_refused),
	        cmocka_unit_test(first_cause_is_told),
	        cmocka_unit_test(lists_of_any_kind_end),
	        cmocka_unit_test(damaged_certificates_never_crash),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
