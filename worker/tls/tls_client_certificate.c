/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_client_certificate.c - judges the chain of a client, remembering what was good. */
#include "worker/tls/tls_client_certificate.h"

#include "shared/check.h"
#include "shared/tls_credentials.h"
#include "worker/tls/tls_names.h"
#include "worker/tls/tls_verified.h"
#include "worker/tls/tls_verify.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LIST_LENGTH_BYTES = 3 };

/* RFC 8446 4.4.2: a context, empty here, then the list; RFC 5246 7.4.2: the list. An empty list is
 * its length alone. */
void tls_client_certificate_arrives(
        struct tls_client_certificate *certificate, struct slice message)
{
	bool tls13 = gnutls_protocol_get_version(certificate->session) == GNUTLS_TLS1_3;

	certificate->shown = message.length > LIST_LENGTH_BYTES + (tls13 ? 1U : 0U);
}

static const gnutls_datum_t *chain_of(
        const struct tls_client_certificate *certificate, unsigned *count_out)
{
	*count_out = 0;
	if (certificate->credentials->verify_client == TLS_VERIFY_CLIENT_OFF)
		return NULL;
	if (!certificate->shown && !gnutls_session_is_resumed(certificate->session))
		return NULL;
	return gnutls_certificate_get_peers(certificate->session, count_out);
}

static void refuse(struct tls_client_certificate *certificate, const struct tls_verdict *verdict)
{
	certificate->verdict = TLS_CLIENT_REFUSED;
	certificate->reason = verdict->reason;
	certificate->alert = verdict->alert;
	certificate->refusal = strdup(verdict->text);
	CHECK(certificate->refusal);
}

static void verify_chain(
        struct tls_client_certificate *certificate, const gnutls_datum_t *chain, unsigned count)
{
	const struct tls_server_credentials *credentials = certificate->credentials;
	struct tls_verify_settings settings = {
	        .trust = credentials->trust,
	        .depth = credentials->verify_depth,
	        .security_level = credentials->policy.security_level,
	        .purpose = TLS_VERIFY_CLIENT,
	        .now = (int64_t)time(NULL),
	};
	struct tls_verified_digest digest;
	struct tls_verdict verdict;

	tls_verified_compute(credentials->client_policy, chain, count, &digest);
	if (tls_verified_find(
	            certificate->verified, &digest, settings.now, &certificate->not_after)) {
		certificate->verdict = TLS_CLIENT_VERIFIED;
		return;
	}
	tls_verify_chain(chain, count, &settings, &verdict);
	if (!verdict.ok) {
		refuse(certificate, &verdict);
		return;
	}
	certificate->verdict = TLS_CLIENT_VERIFIED;
	certificate->not_after = verdict.not_after;
	tls_verified_add(certificate->verified, &digest, settings.now, verdict.not_after);
}

void tls_client_certificate_judge(struct tls_client_certificate *certificate)
{
	unsigned count;

	if (certificate->judged)
		return;
	certificate->judged = true;
	certificate->not_after = INT64_MAX;
	const gnutls_datum_t *chain = chain_of(certificate, &count);
	if (chain && count > 0)
		verify_chain(certificate, chain, count);
}

bool tls_client_certificate_is_admitted(const struct tls_client_certificate *certificate)
{
	enum tls_verify_client mode = certificate->credentials->verify_client;

	switch (certificate->verdict) {
	case TLS_CLIENT_NONE:
		return mode != TLS_VERIFY_CLIENT_ON;
	case TLS_CLIENT_VERIFIED:
		return true;
	case TLS_CLIENT_REFUSED:
		return mode == TLS_VERIFY_CLIENT_OPTIONAL_NO_CA &&
		       tls_verdict_is_about_issuer(certificate->reason);
	}
	return false;
}

const char *tls_client_certificate_text(const struct tls_client_certificate *certificate)
{
	switch (certificate->verdict) {
	case TLS_CLIENT_NONE:
		return "NONE";
	case TLS_CLIENT_VERIFIED:
		return "SUCCESS";
	case TLS_CLIENT_REFUSED:
		break;
	}
	return tls_verdict_failed_text(certificate->reason);
}

void tls_client_certificate_name(struct tls_client_certificate *certificate)
{
	unsigned count;

	if (certificate->subject)
		return;
	const gnutls_datum_t *chain = chain_of(certificate, &count);
	gnutls_x509_crt_t leaf = NULL;
	if (chain && count > 0) {
		CHECK(gnutls_x509_crt_init(&leaf) == 0);
		if (gnutls_x509_crt_import(leaf, chain, GNUTLS_X509_FMT_DER) != 0) {
			gnutls_x509_crt_deinit(leaf);
			leaf = NULL;
		}
	}
	certificate->subject = leaf ? tls_names_subject(leaf) : strdup("");
	certificate->issuer = leaf ? tls_names_issuer(leaf) : strdup("");
	certificate->serial = leaf ? tls_names_serial(leaf) : strdup("");
	CHECK(certificate->subject && certificate->issuer && certificate->serial);
	if (leaf)
		gnutls_x509_crt_deinit(leaf);
}

void tls_client_certificate_clear(struct tls_client_certificate *certificate)
{
	free(certificate->refusal);
	free(certificate->subject);
	free(certificate->issuer);
	free(certificate->serial);
}
