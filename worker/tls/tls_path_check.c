/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_path_check.c - the checks of one path, in the order of the table in tls_verdict.h.
 *
 * Signatures, CA flags, path lengths, name constraints and critical extensions are GnuTLS'
 * business: one call for the whole path, with everything of ours switched off in it. Only when it
 * says no are the links looked at one by one, to say which. Dates, strength, purpose and depth are
 * checked here, because GnuTLS folds them into one status or counts them otherwise. Depth comes
 * last: "N would do" is only true if nothing else is wrong.
 */
#include "worker/tls/tls_path_check.h"

#include "shared/tls_strength.h"
#include "shared/tls_subject.h"
#include "worker/tls/tls_name_check.h"

/* Dates, algorithms and revocation are not asked of GnuTLS. */
enum {
	VERIFY_FLAGS = GNUTLS_VERIFY_DISABLE_TIME_CHECKS |
	               GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS |
	               GNUTLS_VERIFY_DISABLE_CRL_CHECKS | GNUTLS_VERIFY_ALLOW_BROKEN |
	               GNUTLS_VERIFY_ALLOW_SIGN_WITH_SHA1,
};

/* The certificate at a place on the path; the anchor is the last. */
static gnutls_x509_crt_t at(const struct tls_path *path, unsigned depth)
{
	return depth < path->count ? path->certificates[depth] : path->anchor;
}

static unsigned status_of_link(gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer)
{
	unsigned status = GNUTLS_CERT_INVALID;
	if (gnutls_x509_crt_list_verify(
	            &certificate, 1, &issuer, 1, NULL, 0, VERIFY_FLAGS, &status) != 0)
		return GNUTLS_CERT_INVALID;
	return status;
}

static void refuse_link(
        const struct tls_path *path, unsigned depth, unsigned status, struct tls_verdict *verdict)
{
	char issuer[TLS_SUBJECT_MAX];
	gnutls_x509_crt_t certificate = at(path, depth);
	tls_issuer_format(certificate, issuer, sizeof(issuer));
	if (status & GNUTLS_CERT_SIGNER_NOT_CA)
		tls_verdict_refuse(verdict, TLS_VERDICT_NOT_A_CA, certificate, depth,
		        "issued by a certificate that is not a CA's");
	else if (status & GNUTLS_CERT_SIGNATURE_FAILURE && depth + 1 == path->count)
		tls_verdict_refuse(verdict, TLS_VERDICT_UNKNOWN_CA, certificate, depth,
		        "unknown CA: %s is trusted, but with another key than the one that signed "
		        "this",
		        issuer);
	else if (status & GNUTLS_CERT_SIGNATURE_FAILURE)
		tls_verdict_refuse(verdict, TLS_VERDICT_BAD_SIGNATURE, certificate, depth,
		        "its signature does not fit the key of its issuer");
	else if (status & GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS)
		tls_verdict_refuse(verdict, TLS_VERDICT_CONSTRAINT, certificate, depth,
		        "it has a critical extension that is not understood");
	else if (status & GNUTLS_CERT_INSECURE_ALGORITHM)
		tls_verdict_refuse(verdict, TLS_VERDICT_WEAK_SIGNATURE, certificate, depth,
		        "signed with an algorithm that GnuTLS does not take any more");
	else
		tls_verdict_refuse(verdict, TLS_VERDICT_CONSTRAINT, certificate, depth,
		        "a constraint of its issuer forbids it");
}

static bool check_signatures(const struct tls_path *path, struct tls_verdict *verdict)
{
	unsigned status = GNUTLS_CERT_INVALID;
	if (path->count == 0)
		return true;
	int code = gnutls_x509_crt_list_verify(
	        path->certificates, path->count, &path->anchor, 1, NULL, 0, VERIFY_FLAGS, &status);
	if (code == 0 && status == 0)
		return true;
	for (unsigned depth = path->count; depth-- > 0;) {
		unsigned link = status_of_link(at(path, depth), at(path, depth + 1));
		if (link != 0) {
			refuse_link(path, depth, link, verdict);
			return false;
		}
	}
	/* Each link holds: a length or a name that an issuer further up allows is exceeded. */
	tls_verdict_refuse(verdict, TLS_VERDICT_CONSTRAINT, at(path, 0), 0,
	        "a constraint of one of its issuers (path length, names) forbids it");
	return false;
}

static bool check_strength(const struct tls_path *path, unsigned level, struct tls_verdict *verdict)
{
	char weakness[TLS_WEAKNESS_MAX];
	for (unsigned depth = 0; depth <= path->count; depth++) {
		gnutls_x509_crt_t certificate = at(path, depth);
		if (tls_strength_key_is_weak(certificate, level, weakness, sizeof(weakness))) {
			tls_verdict_refuse(verdict,
			        depth == 0 ? TLS_VERDICT_WEAK_KEY : TLS_VERDICT_WEAK_CA_KEY,
			        certificate, depth, "weak key: %s", weakness);
			return false;
		}
		/* Nobody relies on an anchor's own signature. */
		if (depth < path->count && tls_strength_signature_is_weak(certificate, level,
		                                   weakness, sizeof(weakness))) {
			tls_verdict_refuse(verdict, TLS_VERDICT_WEAK_SIGNATURE, certificate, depth,
			        "weak signature: %s", weakness);
			return false;
		}
	}
	return true;
}

static bool check_dates(const struct tls_path *path, int64_t now, int64_t *not_after_out,
        struct tls_verdict *verdict)
{
	char date[TLS_DATE_MAX];
	*not_after_out = INT64_MAX;
	for (unsigned depth = 0; depth <= path->count; depth++) {
		gnutls_x509_crt_t certificate = at(path, depth);
		int64_t not_before = gnutls_x509_crt_get_activation_time(certificate);
		int64_t not_after = gnutls_x509_crt_get_expiration_time(certificate);
		if (not_before > now) {
			tls_verdict_refuse(verdict, TLS_VERDICT_NOT_YET_VALID, certificate, depth,
			        "not valid before %s",
			        tls_date_format(not_before, date, sizeof(date)));
			return false;
		}
		if (not_after < now) {
			tls_verdict_refuse(verdict, TLS_VERDICT_EXPIRED, certificate, depth,
			        "expired on %s", tls_date_format(not_after, date, sizeof(date)));
			return false;
		}
		if (not_after < *not_after_out)
			*not_after_out = not_after;
	}
	return true;
}

/* An issuer that limits what its certificates are for binds those below it, as at OpenSSL. */
static bool check_purpose(
        const struct tls_path *path, enum tls_verify_purpose purpose, struct tls_verdict *verdict)
{
	bool server = purpose == TLS_VERIFY_SERVER;
	const char *wanted = server ? GNUTLS_KP_TLS_WWW_SERVER : GNUTLS_KP_TLS_WWW_CLIENT;
	const char *other = server ? GNUTLS_KP_TLS_WWW_CLIENT : GNUTLS_KP_TLS_WWW_SERVER;
	unsigned end = path->count > 0 ? path->count : 1;
	for (unsigned depth = 0; depth < end; depth++) {
		gnutls_x509_crt_t certificate = at(path, depth);
		if (gnutls_x509_crt_check_key_purpose(certificate, wanted, 0))
			continue;
		bool other_only = gnutls_x509_crt_check_key_purpose(certificate, other, 0);
		tls_verdict_refuse(verdict, TLS_VERDICT_PURPOSE, certificate, depth,
		        "not made for %s: its extended key usage %s",
		        server ? "servers" : "clients",
		        !other_only ? (server ? "lacks serverAuth" : "lacks clientAuth")
		        : server    ? "is for clients only"
		                    : "is for servers only");
		return false;
	}
	return true;
}

static bool check_depth(const struct tls_path *path, const struct tls_verify_settings *settings,
        struct tls_verdict *verdict)
{
	unsigned intermediates = path->count > 0 ? path->count - 1 : 0;
	if (intermediates <= settings->depth)
		return true;
	const char *key = settings->purpose == TLS_VERIFY_SERVER ? "proxy_ssl_verify_depth"
	                                                         : "ssl_verify_depth";
	tls_verdict_refuse(verdict, TLS_VERDICT_DEPTH, at(path, 0), 0,
	        "chain too long: %u intermediate certificate%s, %s is %u; %u would do",
	        intermediates, intermediates == 1 ? "" : "s", key, settings->depth, intermediates);
	return false;
}

bool tls_path_check(const struct tls_path *path, const struct tls_verify_settings *settings,
        struct tls_verdict *verdict_out)
{
	int64_t not_after;
	if (!check_signatures(path, verdict_out) ||
	        !check_strength(path, settings->security_level, verdict_out) ||
	        !check_dates(path, settings->now, &not_after, verdict_out) ||
	        !check_purpose(path, settings->purpose, verdict_out))
		return false;
	if (settings->name && !tls_name_check(at(path, 0), settings->name, verdict_out))
		return false;
	if (!check_depth(path, settings, verdict_out))
		return false;
	tls_verdict_accept(verdict_out, not_after);
	return true;
}
