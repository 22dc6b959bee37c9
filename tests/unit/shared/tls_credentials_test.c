/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_credentials_test.c - good settings make credentials, each fault is reported in its own words.
 */
#include "shared/tls_credentials.h"

#include "shared/check.h"
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

#define SEED_CIPHERS "HIGH:!aNULL:!MD5"
#define DEFAULT_CIPHERS "DEFAULT:!SHA1:!SHA256:!SHA384:!kRSA"
enum { LEGACY_TO_1_2 = TLS_PROTOCOL_1_0 | TLS_PROTOCOL_1_1 | TLS_PROTOCOL_1_2, REPORT_MAX = 8192 };

static struct {
	struct pki_certificate *root, *ca, *leaf, *other, *expired, *early, *weak, *rsa;
	char *root_pem, *chain_pem, *leaf_pem, *key_pem, *locked_pem, *other_key_pem;
} pki;

static int set_up(void **state)
{
	(void)state;
	pki.root = pki_issue(&(struct pki_request){.name = "Root", .ca = true}, NULL);
	pki.ca = pki_issue(&(struct pki_request){.name = "CA", .ca = true}, pki.root);
	pki.leaf = pki_issue(
	        &(struct pki_request){.name = "leaf", .not_after = 1900000000}, pki.ca);
	pki.other = pki_issue(&(struct pki_request){.name = "other"}, pki.ca);
	pki.expired = pki_issue(
	        &(struct pki_request){.name = "over", .not_before = 1, .not_after = 1600000000},
	        pki.ca);
	pki.early = pki_issue(
	        &(struct pki_request){
	                .name = "early", .not_before = 4000000000, .not_after = 4100000000},
	        pki.ca);
	pki.weak = pki_issue(&(struct pki_request){.name = "weak", .key = PKI_RSA1024}, pki.ca);
	pki.rsa = pki_issue(&(struct pki_request){.name = "rsa", .key = PKI_RSA2048}, pki.ca);
	pki.root_pem = pki_pem(pki.root, NULL);
	pki.chain_pem = pki_pem(pki.leaf, pki.ca, NULL);
	pki.leaf_pem = pki_pem(pki.leaf, NULL);
	pki.key_pem = pki_key_pem(pki.leaf, NULL);
	pki.locked_pem = pki_key_pem(pki.leaf, "open sesame");
	pki.other_key_pem = pki_key_pem(pki.other, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	struct pki_certificate *all[] = {
	        pki.root, pki.ca, pki.leaf, pki.other, pki.expired, pki.early, pki.weak, pki.rsa};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		pki_free(all[i]);
	char *texts[] = {pki.root_pem, pki.chain_pem, pki.leaf_pem, pki.key_pem, pki.locked_pem,
	        pki.other_key_pem};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	return 0;
}

/* One line each: "warning CIPHERS text". */
struct report {
	char text[REPORT_MAX];
	size_t pair; /* of the last */
};

static void collect(void *opaque, enum tls_severity severity, enum tls_setting setting, size_t pair,
        const char *text)
{
	static const char *const severities[] = {"notice", "warning", "error"};
	static const char *const settings[] = {"CERTIFICATE", "KEY", "PASSWORDS", "TRUST",
	        "CLIENT_CA", "PROTOCOLS", "CIPHERS", "PRIORITY", "VERIFY", "ALPN"};
	struct report *report = opaque;
	size_t used = strlen(report->text);
	report->pair = pair;
	snprintf(report->text + used, sizeof(report->text) - used, "%s %s %s\n",
	        severities[severity], settings[setting], text);
}

static struct tls_pem pem(const char *text, const char *name)
{
	return (struct tls_pem){.text = slice_of(text), .name = name};
}

static struct tls_client_settings good_client(void)
{
	return (struct tls_client_settings){
	        .own = {pem(pki.chain_pem, "own.pem"), pem(pki.key_pem, "own.key")},
	        .trusted = pem(pki.root_pem, "ca.pem"),
	        .verify = true,
	        .verify_depth = 4,
	        .send_server_name = true,
	        .session_reuse = true,
	        .policy = {.protocols = TLS_PROTOCOLS_DEFAULT, .ciphers = DEFAULT_CIPHERS},
	};
}

static struct tls_client_credentials *create_client(
        const struct tls_client_settings *settings, struct report *report)
{
	*report = (struct report){.pair = 99};
	return tls_client_credentials_create(settings, collect, report);
}

/* Creates, compares what was reported, and that it failed exactly if there is an error among it. */
static void expect_client(const struct tls_client_settings *settings, const char *wanted)
{
	struct report report;
	struct tls_client_credentials *credentials = create_client(settings, &report);
	assert_string_equal(report.text, wanted);
	assert_int_equal(credentials == NULL, strstr(report.text, "error ") != NULL);
	tls_client_credentials_destroy(credentials);
}

static void good_settings_make_credentials(void **state)
{
	(void)state;
	struct report report;
	struct tls_client_settings settings = good_client();
	const char *names[] = {"redis", "h2"};
	settings.alpn = (struct tls_alpn_list){names, 2};
	struct tls_client_credentials *credentials = create_client(&settings, &report);
	assert_string_equal(report.text, "");
	assert_non_null(credentials);
	assert_int_equal(credentials->magic, TLS_CLIENT_CREDENTIALS_MAGIC);
	assert_true(credentials->has_certificate);
	assert_int_equal(tls_trust_count(credentials->trust), 1);
	assert_int_equal(credentials->policy.protocols, TLS_PROTOCOLS_DEFAULT);
	assert_int_equal(credentials->policy.security_level, 2);
	assert_int_equal(credentials->policy.allowed.count, 9);
	assert_non_null(credentials->policy.priority);
	assert_non_null(credentials->policy.priority_tls12);
	assert_null(strstr(credentials->policy.priority_text, "SERVER_PRECEDENCE"));
	assert_int_equal(credentials->alpn_count, 2);
	assert_memory_equal(credentials->alpn[0].data, "redis", 5);
	time_t ca_end = gnutls_x509_crt_get_expiration_time(pki.ca->certificate);
	assert_int_equal(credentials->own_not_after, ca_end);
	tls_client_credentials_destroy(credentials);
	tls_client_credentials_destroy(NULL);
}

static void no_certificate_is_fine(void **state)
{
	(void)state;
	struct report report;
	struct tls_client_settings settings = good_client();
	settings.own = (struct tls_key_pair){.key = {.name = NULL}};
	settings.policy.protocols = TLS_PROTOCOL_1_2;
	struct tls_client_credentials *credentials = create_client(&settings, &report);
	assert_non_null(credentials);
	assert_false(credentials->has_certificate);
	assert_true(credentials->own_not_after == INT64_MAX);
	assert_null(credentials->policy.priority_tls12);
	tls_client_credentials_destroy(credentials);
}

static void certificate_faults_are_told_apart(void **state)
{
	(void)state;
	char *swapped = pki_pem(pki.ca, pki.leaf, NULL);
	char *unsorted = pki_pem(pki.leaf, pki.root, pki.ca, NULL);
	char *expired = pki_pem(pki.expired, NULL), *expired_key = pki_key_pem(pki.expired, NULL);
	char *early = pki_pem(pki.early, NULL), *early_key = pki_key_pem(pki.early, NULL);
	char *weak = pki_pem(pki.weak, NULL), *weak_key = pki_key_pem(pki.weak, NULL);
	char cut[256], no_end[256];
	snprintf(cut, sizeof(cut), "%.200s\n-----END CERTIFICATE-----\n", pki.leaf_pem);
	snprintf(no_end, sizeof(no_end), "text\n\n%.200s", pki.leaf_pem);
	const struct {
		const char *certificate, *key, *wanted;
	} rows[] = {
	        {"", pki.key_pem, "error CERTIFICATE own.pem is empty\n"},
	        {"hello\n", pki.key_pem,
	                "error CERTIFICATE own.pem holds no certificate in PEM form\n"},
	        {pki.key_pem, pki.key_pem,
	                "error CERTIFICATE own.pem holds no certificate in PEM form\n"},
	        {cut, pki.key_pem,
	                "error CERTIFICATE the certificate at line 1 of own.pem cannot be read: "
	                "Base64 unexpected header error.\n"},
	        {no_end, pki.key_pem,
	                "error CERTIFICATE the certificate at line 3 of own.pem cannot be read: "
	                "its END "
	                "line is missing\n"},
	        {pki.leaf_pem, "", "error KEY own.key is empty\n"},
	        {pki.leaf_pem, pki.leaf_pem,
	                "error KEY own.key holds no private key in PEM form\n"},
	        {pki.leaf_pem, pki.other_key_pem,
	                "error KEY the key in own.key does not belong to the certificate CN=leaf "
	                "in "
	                "own.pem\n"},
	        {swapped, pki.key_pem,
	                "error CERTIFICATE the key in own.key belongs to CN=leaf, which is not the "
	                "first "
	                "certificate in own.pem: put it first, its issuer after it\n"},
	        {unsorted, pki.key_pem,
	                "warning CERTIFICATE the certificates in own.pem do not follow each other, "
	                "issued before issuer; they are sent in the right order, what does not "
	                "belong to "
	                "the chain last\n"},
	        {expired, expired_key,
	                "warning CERTIFICATE the certificate CN=over in own.pem expired on "
	                "2020-09-13\n"},
	        {early, early_key,
	                "warning CERTIFICATE the certificate CN=early in own.pem is not valid "
	                "before "
	                "2096-10-02\n"},
	        {weak, weak_key,
	                "warning CERTIFICATE the certificate CN=weak in own.pem has a weak key "
	                "(RSA 1024 "
	                "bits, level 2 demands 2048): others may refuse it\n"},
	        {pki.leaf_pem, pki.locked_pem,
	                "error KEY the key in own.key is encrypted, and no password file is set\n"},
	        {"", "", "error CERTIFICATE own.pem is empty\nerror KEY own.key is empty\n"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tls_client_settings settings = good_client();
		settings.own.certificate = pem(rows[i].certificate, "own.pem");
		settings.own.key = pem(rows[i].key, "own.key");
		expect_client(&settings, rows[i].wanted);
	}
	char *texts[] = {swapped, unsorted, expired, expired_key, early, early_key, weak, weak_key};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
}

static void pem_files_look_like_many_things(void **state)
{
	(void)state;
	char combined[16384], dos[16384], *to = dos;
	snprintf(combined, sizeof(combined),
	        "Bag Attributes\n  friendlyName: x\n%s\nsubject=leaf\n%s%s", pki.key_pem,
	        pki.chain_pem, "trailing text without a line end");
	struct tls_client_settings settings = good_client();
	settings.own.certificate = settings.own.key = pem(combined, "all.pem");
	expect_client(&settings, "");
	for (const char *from = combined; *from; from++) {
		if (*from == '\n')
			*to++ = '\r';
		*to++ = *from;
	}
	*to = '\0';
	settings.own.certificate = settings.own.key = pem(dos, "all.pem");
	expect_client(&settings, "");

	/* Cut anywhere it is either whole enough or a fault. */
	size_t length = strlen(combined);
	for (size_t cut = 0; cut < length; cut += 7) {
		struct report report;
		settings.own.certificate.text = settings.own.key.text = (struct slice){
		        combined, cut};
		struct tls_client_credentials *credentials = create_client(&settings, &report);
		assert_int_equal(credentials == NULL, strstr(report.text, "error ") != NULL);
		tls_client_credentials_destroy(credentials);
	}
}

static void pass_phrases_are_tried_in_order(void **state)
{
	(void)state;
	static const struct {
		const char *passwords, *wanted;
	} rows[] = {
	        {"open sesame", ""},
	        {"open sesame\n", ""},
	        {"wrong\r\n\r\nopen sesame\r\nanother\r\n", ""},
	        {"wrong\nOpen sesame\n open sesame\n",
	                "error PASSWORDS no pass phrase in secrets fits the key in own.key\n"},
	        {"", "error PASSWORDS no pass phrase in secrets fits the key in own.key\n"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tls_client_settings settings = good_client();
		settings.own.key = pem(pki.locked_pem, "own.key");
		settings.passwords = pem(rows[i].passwords, "secrets");
		expect_client(&settings, rows[i].wanted);
	}
	struct tls_client_settings settings = good_client();
	settings.passwords = pem("not needed", "secrets");
	expect_client(&settings, "");
}

static void trust_faults_are_told_apart(void **state)
{
	(void)state;
	char *over = pki_pem(pki.expired, pki.root, NULL);
	const struct {
		const char *trusted, *wanted;
	} rows[] = {
	        {"", "error TRUST ca.pem is empty; it has to hold CA certificates in PEM form\n"},
	        {"x", "error TRUST ca.pem holds no certificate in PEM form\n"},
	        {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	                "error TRUST the certificate at line 1 of ca.pem cannot be read: ASN1 "
	                "parser: Error in TAG.\n"},
	        {over, "warning TRUST the CA certificate CN=over in ca.pem expired on "
	               "2020-09-13\n"},
	        {NULL, "error TRUST no CA is trusted, so no server could be verified\n"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tls_client_settings settings = good_client();
		settings.trusted = pem(rows[i].trusted, "ca.pem");
		expect_client(&settings, rows[i].wanted);
	}
	free(over);
	struct tls_client_settings settings = good_client();
	settings.trusted = (struct tls_pem){.name = NULL};
	settings.verify = false;
	expect_client(&settings,
	        "notice VERIFY verification is off: whoever answers is taken for the upstream\n");
}

static void system_trust_is_loaded(void **state)
{
	(void)state;
	struct report report;
	struct tls_client_settings settings = good_client();
	settings.trust_system = true;
	struct tls_client_credentials *credentials = create_client(&settings, &report);
	if (!credentials) { /* a machine without ca-certificates */
		assert_string_equal(report.text, "error TRUST the system trusts no CA; install the "
		                                 "package ca-certificates, or "
		                                 "name a file\n");
		return;
	}
	assert_string_equal(report.text, "");
	assert_true(tls_trust_count(credentials->trust) > 20);
	gnutls_datum_t subject;
	size_t first;
	assert_int_equal(gnutls_x509_crt_get_raw_dn(pki.root->certificate, &subject), 0);
	assert_int_equal(tls_trust_find(credentials->trust, &subject, &first), 1);
	gnutls_free(subject.data);
	tls_client_credentials_destroy(credentials);
}

static void policies_are_judged(void **state)
{
	(void)state;
	static const struct {
		unsigned protocols;
		const char *ciphers, *priority, *wanted;
	} rows[] = {
	        {LEGACY_TO_1_2, SEED_CIPHERS, NULL,
	                "notice PROTOCOLS TLSv1 and TLSv1.1 are on and TLSv1.3 is off; 'TLSv1.2 "
	                "TLSv1.3' is "
	                "the default\n"},
	        {TLS_PROTOCOL_1_1 | TLS_PROTOCOL_1_2, SEED_CIPHERS, NULL,
	                "notice PROTOCOLS TLSv1.1 is on and TLSv1.3 is off; 'TLSv1.2 TLSv1.3' is "
	                "the "
	                "default\n"},
	        {15, SEED_CIPHERS, NULL, ""},
	        {TLS_PROTOCOL_1_3, "", NULL, ""},
	        {TLS_PROTOCOL_1_3 | TLS_PROTOCOL_1_1, SEED_CIPHERS, NULL,
	                "error PROTOCOLS TLSv1.2 is left out between TLSv1.1 TLSv1.3: GnuTLS would "
	                "not "
	                "offer TLSv1.3 then\n"},
	        {15, DEFAULT_CIPHERS, NULL,
	                "warning CIPHERS no suite of the cipher string works below TLSv1.2, so "
	                "TLSv1 "
	                "TLSv1.1 is never used\n"},
	        {TLS_PROTOCOLS_DEFAULT, "HIHG", NULL,
	                "error CIPHERS unknown cipher word 'HIHG'; did you mean 'HIGH'?\n"},
	        {TLS_PROTOCOLS_DEFAULT, "HIGH:RC4", NULL,
	                "notice CIPHERS 'RC4' adds nothing: GnuTLS does not offer it, or it is a "
	                "suite of "
	                "TLSv1.3, which are always on with TLSv1.3\n"},
	        {TLS_PROTOCOLS_DEFAULT, "HIGH:@SECLEVEL=0", NULL,
	                "notice CIPHERS @SECLEVEL=0 takes keys of any length and broken "
	                "signatures; 2 is "
	                "the default\n"},
	        {TLS_PROTOCOL_1_2, "ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384", NULL,
	                "warning CIPHERS GnuTLS can offer these ciphers only together with "
	                "ECDHE-RSA-AES256-GCM-SHA384 DHE-RSA-AES128-GCM-SHA256; a connection on "
	                "which the "
	                "server picks one of them is closed\n"},
	        {0, NULL, "NORMAL:%PROFILE_MEDIUM", ""},
	        {0, NULL, "NORMAL:%PROFILE_VERY_WEAK",
	                "notice PRIORITY %PROFILE_VERY_WEAK takes keys of any length and broken "
	                "signatures\n"},
	        {0, NULL, "NORMAL:+BOGUS", "error PRIORITY GnuTLS does not understand '+BOGUS'\n"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tls_client_settings settings = good_client();
		settings.policy = (struct tls_policy_settings){
		        rows[i].protocols, rows[i].ciphers, rows[i].priority};
		expect_client(&settings, rows[i].wanted);
	}
}

static void priorities_replace_both(void **state)
{
	(void)state;
	static const struct {
		const char *priority;
		unsigned protocols, level;
	} rows[] = {
	        {"NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3", TLS_PROTOCOLS_DEFAULT, 2},
	        {"NORMAL:-VERS-ALL:+VERS-TLS1.2:%PROFILE_LOW", TLS_PROTOCOL_1_2, 1},
	        {"NORMAL:-VERS-ALL:+VERS-TLS1.3:%PROFILE_LOW:%PROFILE_HIGH", TLS_PROTOCOL_1_3, 3},
	        {"NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0:%PROFILE_LEGACY",
	                TLS_PROTOCOL_1_0 | TLS_PROTOCOL_1_1, 1},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report report;
		struct tls_client_settings settings = good_client();
		settings.policy.priority = rows[i].priority;
		struct tls_client_credentials *credentials = create_client(&settings, &report);
		assert_non_null(credentials);
		assert_int_equal(credentials->policy.protocols, rows[i].protocols);
		assert_int_equal(credentials->policy.security_level, rows[i].level);
		assert_int_equal(credentials->policy.allowed.count, 0);
		assert_string_equal(credentials->policy.priority_text, rows[i].priority);
		assert_int_equal(credentials->policy.priority_tls12 != NULL,
		        rows[i].protocols == TLS_PROTOCOLS_DEFAULT);
		tls_client_credentials_destroy(credentials);
	}
}

static void alpn_names_have_limits(void **state)
{
	(void)state;
	char long_name[257];
	memset(long_name, 'a', 256);
	long_name[256] = '\0';
	const char *names[] = {"1", "", long_name, "4", "5", "6", "7", "8", "9", "10", "11"};
	struct tls_client_settings settings = good_client();
	settings.alpn = (struct tls_alpn_list){names, 11};
	expect_client(&settings, "error ALPN an ALPN name has 1 to 255 bytes\nerror ALPN an ALPN "
	                         "name has 1 to 255 bytes\n"
	                         "error ALPN there are more than 8 ALPN names\n");
}

static void client_fingerprint(const struct tls_client_settings *settings, uint8_t *bytes_out)
{
	struct report report;
	struct tls_client_credentials *credentials = create_client(settings, &report);
	if (!credentials) {
		fail_msg("%s", report.text);
		return;
	}
	memcpy(bytes_out, credentials->fingerprint, TLS_FINGERPRINT_BYTES);
	tls_client_credentials_destroy(credentials);
}

static void fingerprints_follow_content(void **state)
{
	(void)state;
	enum { VARIANTS = 12 };
	uint8_t prints[VARIANTS][TLS_FINGERPRINT_BYTES], again[TLS_FINGERPRINT_BYTES];
	char *two = pki_pem(pki.root, pki.ca, NULL),
	     *two_turned = pki_pem(pki.ca, pki.root, pki.ca, NULL);
	char *other_pem = pki_pem(pki.other, pki.ca, NULL);
	const char *names[] = {"ab", "c"}, *other_names[] = {"a", "bc"};
	struct tls_client_settings variants[VARIANTS];
	for (size_t i = 0; i < VARIANTS; i++)
		variants[i] = good_client();
	variants[1].verify = false;
	variants[2].verify_depth = 3;
	variants[3].send_server_name = false;
	variants[4].trusted = pem(two, "ca.pem");
	variants[5].own.certificate = pem(pki.leaf_pem, "own.pem");
	variants[6].own = (struct tls_key_pair){
	        pem(other_pem, "own.pem"), pem(pki.other_key_pem, "k")};
	variants[7].policy.ciphers = "DEFAULT:!kRSA";
	variants[8].policy.ciphers = DEFAULT_CIPHERS ":@SECLEVEL=1";
	variants[9].policy.protocols = TLS_PROTOCOL_1_3;
	variants[10].alpn = (struct tls_alpn_list){names, 2};
	variants[11].alpn = (struct tls_alpn_list){other_names, 2};
	for (size_t i = 0; i < VARIANTS; i++) {
		client_fingerprint(&variants[i], prints[i]);
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(prints[i], prints[k], TLS_FINGERPRINT_BYTES);
	}
	/* Neither paths, nor the order in a trust file, nor reuse itself count. */
	struct tls_client_settings same = variants[4];
	same.trusted = pem(two_turned, "elsewhere.pem");
	same.own.key.name = same.own.certificate.name = "elsewhere";
	same.session_reuse = false;
	client_fingerprint(&same, again);
	assert_memory_equal(prints[4], again, TLS_FINGERPRINT_BYTES);
	/* Two CAs of one name are two. */
	struct pki_certificate *twin = pki_issue(
	        &(struct pki_request){.name = "Root", .ca = true}, NULL);
	char *twins = pki_pem(pki.root, twin, NULL), *twins_turned = pki_pem(twin, pki.root, NULL);
	uint8_t first[TLS_FINGERPRINT_BYTES];
	same.trusted = pem(twins, "ca.pem");
	client_fingerprint(&same, first);
	assert_memory_not_equal(first, again, TLS_FINGERPRINT_BYTES);
	same.trusted = pem(twins_turned, "ca.pem");
	client_fingerprint(&same, again);
	assert_memory_equal(first, again, TLS_FINGERPRINT_BYTES);
	struct report report;
	struct tls_client_credentials *credentials = create_client(&same, &report);
	assert_int_equal(tls_trust_count(credentials->trust), 2);
	tls_client_credentials_destroy(credentials);
	pki_free(twin);
	free(twins);
	free(twins_turned);
	free(two);
	free(two_turned);
	free(other_pem);
}

/* ---- server ---- */

static struct tls_server_settings good_server(const struct tls_key_pair *pairs, size_t count)
{
	return (struct tls_server_settings){
	        .pairs = pairs,
	        .pair_count = count,
	        .client_ca = pem(pki.root_pem, "clients.pem"),
	        .verify_client = true,
	        .verify_depth = 4,
	        .session_tickets = true,
	        .session_timeout_s = 300,
	        .policy = {.protocols = TLS_PROTOCOLS_DEFAULT, .ciphers = DEFAULT_CIPHERS},
	        .name = "tcp web",
	};
}

static struct tls_server_credentials *create_server(
        const struct tls_server_settings *settings, struct report *report)
{
	*report = (struct report){.pair = 99};
	return tls_server_credentials_create(settings, collect, report);
}

static void servers_take_several_pairs(void **state)
{
	(void)state;
	struct report report;
	char *rsa = pki_pem(pki.rsa, pki.ca, NULL), *rsa_key = pki_key_pem(pki.rsa, NULL);
	struct tls_key_pair pairs[] = {{pem(pki.chain_pem, "ec.pem"), pem(pki.key_pem, "ec.key")},
	        {pem(rsa, "rsa.pem"), pem(rsa_key, "rsa.key")}};
	struct tls_server_settings settings = good_server(pairs, 2);
	struct tls_server_credentials *credentials = create_server(&settings, &report);
	assert_string_equal(report.text, "");
	assert_non_null(credentials);
	assert_non_null(strstr(credentials->policy.priority_text, ":%SERVER_PRECEDENCE"));
	assert_int_equal(tls_trust_count(credentials->trust), 1);
	assert_int_equal(credentials->own_not_after,
	        gnutls_x509_crt_get_expiration_time(pki.ca->certificate));
	uint8_t print[TLS_FINGERPRINT_BYTES];
	memcpy(print, credentials->fingerprint, sizeof(print));
	tls_server_credentials_destroy(credentials);

	settings.name = "tcp other";
	credentials = create_server(&settings, &report);
	assert_memory_not_equal(print, credentials->fingerprint, sizeof(print));
	tls_server_credentials_destroy(credentials);

	/* The same CAs, named or not, are the same policy; a pair at fault is told by its place. */
	settings = good_server(pairs, 2);
	settings.trusted_ca = settings.client_ca;
	settings.client_ca = (struct tls_pem){.name = NULL};
	credentials = create_server(&settings, &report);
	assert_memory_equal(print, credentials->fingerprint, sizeof(print));
	tls_server_credentials_destroy(credentials);
	tls_server_credentials_destroy(NULL);

	pairs[1].key = pem(pki.key_pem, "ec.key");
	assert_null(create_server(&settings, &report));
	assert_string_equal(report.text, "error KEY the key in ec.key does not belong to the "
	                                 "certificate CN=rsa in rsa.pem\n");
	assert_int_equal(report.pair, 1);
	free(rsa);
	free(rsa_key);
}

static void servers_need_cas_to_verify(void **state)
{
	(void)state;
	struct report report;
	struct tls_key_pair pair = {pem(pki.chain_pem, "ec.pem"), pem(pki.key_pem, "ec.key")};
	struct tls_server_settings settings = good_server(&pair, 1);
	settings.client_ca = (struct tls_pem){.name = NULL};
	assert_null(create_server(&settings, &report));
	assert_string_equal(report.text, "error VERIFY client certificates cannot be verified: set "
	                                 "ssl_client_certificate or "
	                                 "ssl_trusted_certificate\n");
	settings.client_ca = pem("", "clients.pem");
	assert_null(create_server(&settings, &report));
	assert_string_equal(report.text, "error CLIENT_CA clients.pem is empty; it has to hold CA "
	                                 "certificates in PEM form\n");
	settings.client_ca = (struct tls_pem){.name = NULL};
	settings.verify_client = TLS_VERIFY_CLIENT_OPTIONAL;
	assert_null(create_server(&settings, &report));
	static const enum tls_verify_client modes[] = {
	        TLS_VERIFY_CLIENT_OFF, TLS_VERIFY_CLIENT_OPTIONAL_NO_CA};
	for (int i = 0; i < 2; i++) {
		settings.verify_client = modes[i];
		struct tls_server_credentials *credentials = create_server(&settings, &report);
		assert_string_equal(report.text, "");
		tls_server_credentials_destroy(credentials);
	}
}

struct prints {
	uint8_t client_policy[TLS_FINGERPRINT_BYTES], fingerprint[TLS_FINGERPRINT_BYTES];
};

static struct prints prints_of(const struct tls_server_settings *settings)
{
	struct report report;
	struct prints prints;
	struct tls_server_credentials *credentials = create_server(settings, &report);
	assert_non_null(credentials);
	memcpy(prints.client_policy, credentials->client_policy, TLS_FINGERPRINT_BYTES);
	memcpy(prints.fingerprint, credentials->fingerprint, TLS_FINGERPRINT_BYTES);
	tls_server_credentials_destroy(credentials);
	return prints;
}

/* What another setting does to the two fingerprints. */
static void expect_prints(const struct tls_server_settings *usual,
        const struct tls_server_settings *other, bool same_policy, bool same_fingerprint)
{
	struct prints a = prints_of(usual), b = prints_of(other);
	assert_int_equal(memcmp(a.client_policy, b.client_policy, sizeof(a.client_policy)) == 0,
	        same_policy);
	assert_int_equal(
	        memcmp(a.fingerprint, b.fingerprint, sizeof(a.fingerprint)) == 0, same_fingerprint);
}

static void server_fingerprints_follow_the_policy(void **state)
{
	(void)state;
	struct tls_key_pair pair = {pem(pki.chain_pem, "ec.pem"), pem(pki.key_pem, "ec.key")};
	const struct tls_server_settings usual = good_server(&pair, 1);
	struct tls_server_settings other = usual;

	other.name = "http other";
	expect_prints(&usual, &other, true, false);
	other = usual;
	other.verdict_after_handshake = true;
	expect_prints(&usual, &other, true, false);
	other = usual;
	other.policy.protocols = TLS_PROTOCOL_1_2;
	expect_prints(&usual, &other, true, false);
	other = usual;
	other.verify_client = TLS_VERIFY_CLIENT_OPTIONAL;
	expect_prints(&usual, &other, false, false);
	other = usual;
	other.verify_depth = 3;
	expect_prints(&usual, &other, false, false);
	other = usual;
	other.policy.ciphers = DEFAULT_CIPHERS ":@SECLEVEL=1";
	expect_prints(&usual, &other, false, false);
	other = usual;
	other.client_ca = pem(pki.chain_pem, "other.pem");
	expect_prints(&usual, &other, false, false);
	other = usual;
	other.session_timeout_s = 7;
	other.session_tickets = false;
	other.session_cache = true;
	expect_prints(&usual, &other, true, true);

	/* Where nobody is asked, it does not matter whom one would trust. */
	struct tls_server_settings off = usual;
	off.verify_client = TLS_VERIFY_CLIENT_OFF;
	other = off;
	other.client_ca = (struct tls_pem){.name = NULL};
	other.verify_depth = 1;
	other.policy.ciphers = DEFAULT_CIPHERS ":@SECLEVEL=1";
	expect_prints(&off, &other, true, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(good_settings_make_credentials),
	        cmocka_unit_test(no_certificate_is_fine),
	        cmocka_unit_test(certificate_faults_are_told_apart),
	        cmocka_unit_test(pem_files_look_like_many_things),
	        cmocka_unit_test(pass_phrases_are_tried_in_order),
	        cmocka_unit_test(trust_faults_are_told_apart),
	        cmocka_unit_test(system_trust_is_loaded),
	        cmocka_unit_test(policies_are_judged),
	        cmocka_unit_test(priorities_replace_both),
	        cmocka_unit_test(alpn_names_have_limits),
	        cmocka_unit_test(fingerprints_follow_content),
	        cmocka_unit_test(servers_take_several_pairs),
	        cmocka_unit_test(servers_need_cas_to_verify),
	        cmocka_unit_test(server_fingerprints_follow_the_policy),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
