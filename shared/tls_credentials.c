/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_credentials.c - puts certificate, trust, policy and ALPN together for one side.
 *
 * Verification never runs through GnuTLS' credentials: its limit on the chain is switched off, and
 * the worker's own function decides, on tls_trust.
 */
#include "shared/tls_credentials.h"

#include "shared/check.h"
#include "shared/tls_fingerprint.h"
#include "shared/tls_key_pair.h"
#include "shared/tls_policy.h"
#include "shared/tls_report.h"
#include "shared/tls_trust.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_BITS_MAX = 16384, ALPN_NAME_MAX = 255 };

static gnutls_certificate_credentials_t create_gnutls_credentials(void)
{
	gnutls_certificate_credentials_t certificate;
	CHECK(gnutls_certificate_allocate_credentials(&certificate) == 0);
	gnutls_certificate_set_verify_limits(certificate, KEY_BITS_MAX, 0);
	return certificate;
}

/* Each name is a copy. */
static unsigned copy_alpn(
        const struct tls_alpn_list *list, gnutls_datum_t *alpn_out, struct tls_reporter *reporter)
{
	unsigned count = 0;
	for (size_t i = 0; i < list->count; i++) {
		size_t length = strlen(list->names[i]);
		if (length == 0 || length > ALPN_NAME_MAX) {
			tls_report(reporter, TLS_ERROR, TLS_SETTING_ALPN,
			        "an ALPN name has 1 to %d bytes", ALPN_NAME_MAX);
			continue;
		}
		if (count == TLS_ALPN_MAX) {
			tls_report(reporter, TLS_ERROR, TLS_SETTING_ALPN,
			        "there are more than %d ALPN names", TLS_ALPN_MAX);
			break;
		}
		alpn_out[count].data = (unsigned char *)strdup(list->names[i]);
		CHECK(alpn_out[count].data);
		alpn_out[count++].size = (unsigned)length;
	}
	return count;
}

static void free_alpn(gnutls_datum_t *alpn, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		free(alpn[i].data);
}

/* ---- towards an upstream ---- */

static struct tls_trust *build_client_trust(
        const struct tls_client_settings *settings, struct tls_reporter *reporter)
{
	struct tls_trust *trust = tls_trust_create();
	if (settings->trusted.text.data)
		tls_trust_add_pem(trust, &settings->trusted, TLS_SETTING_TRUST, reporter);
	if (settings->trust_system && settings->verify)
		tls_trust_add_system(trust, reporter);
	tls_trust_finish(trust);
	if (tls_trust_count(trust) == 0 && settings->verify && !reporter->failed)
		tls_report(reporter, TLS_ERROR, TLS_SETTING_TRUST,
		        "no CA is trusted, so no server could be verified");
	return trust;
}

static void fingerprint_client(
        struct tls_client_credentials *credentials, const struct tls_chain *chain)
{
	struct tls_fingerprint fingerprint;
	tls_fingerprint_start(&fingerprint);
	tls_fingerprint_add(&fingerprint, TLS_TAG_KIND, "client", 6);
	tls_fingerprint_add_number(&fingerprint, TLS_TAG_VERIFY, credentials->verify);
	tls_fingerprint_add_number(
	        &fingerprint, TLS_TAG_SERVER_NAME, credentials->send_server_name);
	if (credentials->verify) {
		tls_fingerprint_add_number(&fingerprint, TLS_TAG_DEPTH, credentials->verify_depth);
		tls_fingerprint_add_trust(&fingerprint, credentials->trust);
	}
	tls_fingerprint_add_chain(&fingerprint, chain);
	tls_fingerprint_add_policy(&fingerprint, &credentials->policy);
	for (unsigned i = 0; i < credentials->alpn_count; i++)
		tls_fingerprint_add(&fingerprint, TLS_TAG_ALPN, credentials->alpn[i].data,
		        credentials->alpn[i].size);
	tls_fingerprint_finish(&fingerprint, credentials->fingerprint);
}

struct tls_client_credentials *tls_client_credentials_create(
        const struct tls_client_settings *settings, tls_report_fn *report, void *opaque)
{
	struct tls_reporter reporter = {.report = report, .opaque = opaque};
	struct tls_chain chain = {.not_after = INT64_MAX};
	struct tls_client_credentials *credentials = calloc(1, sizeof(*credentials));
	CHECK(credentials);
	credentials->magic = TLS_CLIENT_CREDENTIALS_MAGIC;
	credentials->certificate = create_gnutls_credentials();
	credentials->verify = settings->verify;
	credentials->verify_depth = settings->verify_depth;
	credentials->send_server_name = settings->send_server_name;
	credentials->session_reuse = settings->session_reuse;

	tls_policy_build(&settings->policy, false, &reporter, &credentials->policy);
	credentials->has_certificate = settings->own.certificate.text.data != NULL;
	if (credentials->has_certificate)
		tls_key_pair_load(credentials->certificate, &settings->own, &settings->passwords,
		        credentials->policy.security_level, &reporter, &chain);
	credentials->own_not_after = chain.not_after;
	credentials->trust = build_client_trust(settings, &reporter);
	credentials->alpn_count = copy_alpn(&settings->alpn, credentials->alpn, &reporter);
	if (!settings->verify)
		tls_report(&reporter, TLS_NOTICE, TLS_SETTING_VERIFY,
		        "verification is off: whoever answers is taken for the upstream");
	if (!reporter.failed)
		fingerprint_client(credentials, &chain);
	tls_chain_clear(&chain);
	if (!reporter.failed)
		return credentials;
	tls_client_credentials_destroy(credentials);
	return NULL;
}

void tls_client_credentials_destroy(struct tls_client_credentials *credentials)
{
	if (!credentials)
		return;
	CHECK_OBJ(credentials, TLS_CLIENT_CREDENTIALS_MAGIC);
	credentials->magic = 0;
	gnutls_certificate_free_credentials(credentials->certificate);
	tls_trust_destroy(credentials->trust);
	tls_policy_clear(&credentials->policy);
	free_alpn(credentials->alpn, credentials->alpn_count);
	free(credentials);
}

/* ---- towards clients ---- */

/* The names of these CAs are what a client chooses its certificate by. */
static void send_ca_names(
        gnutls_certificate_credentials_t certificate, const struct tls_trust *named)
{
	for (size_t i = 0; i < tls_trust_count(named); i++) {
		gnutls_x509_crt_t ca = tls_trust_at(named, i)->certificate;
		CHECK(gnutls_certificate_set_x509_trust(certificate, &ca, 1) >= 0);
	}
}

static void build_server_trust(const struct tls_server_settings *settings,
        struct tls_server_credentials *credentials, struct tls_reporter *reporter)
{
	struct tls_trust *named = tls_trust_create();
	if (settings->client_ca.text.data)
		tls_trust_add_pem(named, &settings->client_ca, TLS_SETTING_CLIENT_CA, reporter);
	tls_trust_finish(named);
	send_ca_names(credentials->certificate, named);

	credentials->trust = tls_trust_create();
	if (settings->trusted_ca.text.data)
		tls_trust_add_pem(
		        credentials->trust, &settings->trusted_ca, TLS_SETTING_TRUST, reporter);
	tls_trust_add_all(credentials->trust, named);
	tls_trust_finish(credentials->trust);
	tls_trust_destroy(named);
	bool issuer_matters = settings->verify_client == TLS_VERIFY_CLIENT_ON ||
	                      settings->verify_client == TLS_VERIFY_CLIENT_OPTIONAL;
	if (issuer_matters && tls_trust_count(credentials->trust) == 0 && !reporter->failed)
		tls_report(reporter, TLS_ERROR, TLS_SETTING_VERIFY,
		        "client certificates cannot be verified: set ssl_client_certificate or "
		        "ssl_trusted_certificate");
}

/* All pairs are read, so that every fault is found; their order is that of preference. */
static void load_pairs(const struct tls_server_settings *settings,
        struct tls_server_credentials *credentials, struct tls_reporter *reporter)
{
	credentials->own_not_after = INT64_MAX;
	for (size_t i = 0; i < settings->pair_count; i++) {
		struct tls_chain chain;
		reporter->pair = i;
		tls_key_pair_load(credentials->certificate, &settings->pairs[i],
		        &settings->passwords, credentials->policy.security_level, reporter, &chain);
		if (chain.not_after < credentials->own_not_after)
			credentials->own_not_after = chain.not_after;
		tls_chain_clear(&chain);
	}
	reporter->pair = 0;
}

/* The mode alone where no certificate is looked at. */
static void add_client_policy(
        struct tls_fingerprint *fingerprint, const struct tls_server_credentials *credentials)
{
	tls_fingerprint_add_number(fingerprint, TLS_TAG_VERIFY, credentials->verify_client);
	if (credentials->verify_client == TLS_VERIFY_CLIENT_OFF)
		return;
	tls_fingerprint_add_number(fingerprint, TLS_TAG_DEPTH, credentials->verify_depth);
	tls_fingerprint_add_number(fingerprint, TLS_TAG_LEVEL, credentials->policy.security_level);
	tls_fingerprint_add_trust(fingerprint, credentials->trust);
}

static void fingerprint_server(
        struct tls_server_credentials *credentials, const struct tls_server_settings *settings)
{
	struct tls_fingerprint fingerprint;
	tls_fingerprint_start(&fingerprint);
	tls_fingerprint_add(&fingerprint, TLS_TAG_KIND, "client policy", 13);
	add_client_policy(&fingerprint, credentials);
	tls_fingerprint_finish(&fingerprint, credentials->client_policy);

	tls_fingerprint_start(&fingerprint);
	tls_fingerprint_add(&fingerprint, TLS_TAG_KIND, "server", 6);
	tls_fingerprint_add(&fingerprint, TLS_TAG_SECTION, settings->name, strlen(settings->name));
	tls_fingerprint_add_number(
	        &fingerprint, TLS_TAG_VERDICT, credentials->verdict_after_handshake);
	add_client_policy(&fingerprint, credentials);
	tls_fingerprint_add_policy(&fingerprint, &credentials->policy);
	tls_fingerprint_finish(&fingerprint, credentials->fingerprint);
}

/* For DHE below TLS 1.3; sessions read them as they do everything else here. */
static void set_dh_parameters(struct tls_server_credentials *credentials)
{
	gnutls_sec_param_t strength = credentials->policy.security_level >= 3
	                                      ? GNUTLS_SEC_PARAM_HIGH
	                                      : GNUTLS_SEC_PARAM_MEDIUM;
	CHECK(gnutls_certificate_set_known_dh_params(credentials->certificate, strength) == 0);
}

struct tls_server_credentials *tls_server_credentials_create(
        const struct tls_server_settings *settings, tls_report_fn *report, void *opaque)
{
	struct tls_reporter reporter = {.report = report, .opaque = opaque};
	struct tls_server_credentials *credentials = calloc(1, sizeof(*credentials));
	CHECK(credentials);
	credentials->magic = TLS_SERVER_CREDENTIALS_MAGIC;
	credentials->certificate = create_gnutls_credentials();
	credentials->verify_client = settings->verify_client;
	credentials->verdict_after_handshake = settings->verdict_after_handshake;
	credentials->verify_depth = settings->verify_depth;
	credentials->session_tickets = settings->session_tickets;
	credentials->session_cache = settings->session_cache;
	credentials->session_timeout_s = settings->session_timeout_s;

	tls_policy_build(&settings->policy, true, &reporter, &credentials->policy);
	set_dh_parameters(credentials);
	load_pairs(settings, credentials, &reporter);
	build_server_trust(settings, credentials, &reporter);
	credentials->alpn_count = copy_alpn(&settings->alpn, credentials->alpn, &reporter);
	if (!reporter.failed) {
		fingerprint_server(credentials, settings);
		return credentials;
	}
	tls_server_credentials_destroy(credentials);
	return NULL;
}

void tls_server_credentials_destroy(struct tls_server_credentials *credentials)
{
	if (!credentials)
		return;
	CHECK_OBJ(credentials, TLS_SERVER_CREDENTIALS_MAGIC);
	credentials->magic = 0;
	gnutls_certificate_free_credentials(credentials->certificate);
	tls_trust_destroy(credentials->trust);
	tls_policy_clear(&credentials->policy);
	free_alpn(credentials->alpn, credentials->alpn_count);
	free(credentials);
}
