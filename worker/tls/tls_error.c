/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_error.c - tables from errors and alerts to words.
 *
 * In TLS 1.3 a server judges our certificate after our side of the handshake is done, in TLS 1.2
 * within it, and then mostly by a handshake_failure that could mean anything: whether it had asked
 * for a certificate and we had none is what tells the two apart.
 */
#include "worker/tls/tls_error.h"

#include "worker/tls/tls_transport.h"

#include <gnutls/gnutls.h>
#include <stdio.h>

/* ---- alerts ---- */

struct alert_row {
	int alert;
	const char *name;
	bool about_certificate; /* the other side does not like ours */
	const char *upstream_hint; /* NULL: none */
	const char *client_hint;
};

static const struct alert_row alert_rows[] = {
        {GNUTLS_A_UNEXPECTED_MESSAGE, "unexpected message", false, NULL, NULL},
        {GNUTLS_A_BAD_RECORD_MAC, "bad record mac", false, NULL, NULL},
        {GNUTLS_A_RECORD_OVERFLOW, "record overflow", false, NULL, NULL},
        {GNUTLS_A_HANDSHAKE_FAILURE, "handshake failure", false,
                "no protocol or cipher suite in common (proxy_ssl_protocols, proxy_ssl_ciphers), a "
                "client certificate that it wants "
                "(proxy_ssl_certificate), or a name that it does not know (proxy_ssl_name)",
                "it takes none of what was offered (ssl_ciphers, ssl_certificate)"},
        {GNUTLS_A_BAD_CERTIFICATE, "bad certificate", true, NULL, NULL},
        {GNUTLS_A_UNSUPPORTED_CERTIFICATE, "unsupported certificate", true,
                "is it made for clients?", "is it made for servers?"},
        {GNUTLS_A_CERTIFICATE_REVOKED, "certificate revoked", true, NULL, NULL},
        {GNUTLS_A_CERTIFICATE_EXPIRED, "certificate expired", true, NULL, NULL},
        {GNUTLS_A_CERTIFICATE_UNKNOWN, "certificate unknown", true, NULL, NULL},
        {GNUTLS_A_ILLEGAL_PARAMETER, "illegal parameter", false, NULL, NULL},
        {GNUTLS_A_UNKNOWN_CA, "unknown ca", true,
                "its trusted CAs did not issue it, or an intermediate is missing in it",
                "it does not trust who issued it, or an intermediate is missing in it"},
        {GNUTLS_A_ACCESS_DENIED, "access denied", true, NULL, NULL},
        {GNUTLS_A_DECODE_ERROR, "decode error", false, NULL, NULL},
        {GNUTLS_A_DECRYPT_ERROR, "decrypt error", false, NULL, NULL},
        {GNUTLS_A_PROTOCOL_VERSION, "protocol version", false,
                "no protocol version in common, see proxy_ssl_protocols",
                "no protocol version in common, see ssl_protocols"},
        {GNUTLS_A_INSUFFICIENT_SECURITY, "insufficient security", false,
                "it wants stronger ciphers or keys, see proxy_ssl_ciphers",
                "it wants stronger ciphers or keys, see ssl_ciphers"},
        {GNUTLS_A_INTERNAL_ERROR, "internal error", false, NULL, NULL},
        {GNUTLS_A_INAPPROPRIATE_FALLBACK, "inappropriate fallback", false, NULL, NULL},
        {GNUTLS_A_USER_CANCELED, "user canceled", false, NULL, NULL},
        {GNUTLS_A_NO_RENEGOTIATION, "no renegotiation", false, NULL, NULL},
        {GNUTLS_A_MISSING_EXTENSION, "missing extension", false, NULL, NULL},
        {GNUTLS_A_UNSUPPORTED_EXTENSION, "unsupported extension", false, NULL, NULL},
        {GNUTLS_A_UNRECOGNIZED_NAME, "unrecognized name", false,
                "it does not serve the name that was sent to it, see proxy_ssl_name and "
                "proxy_ssl_server_name",
                NULL},
        {113, "bad certificate status response", false, NULL, NULL},
        {GNUTLS_A_UNKNOWN_PSK_IDENTITY, "unknown psk identity", false, NULL, NULL},
        {GNUTLS_A_CERTIFICATE_REQUIRED, "certificate required", true, NULL, NULL},
        {GNUTLS_A_NO_APPLICATION_PROTOCOL, "no application protocol", false,
                "it speaks none of the protocols of proxy_ssl_alpn", NULL},
};

static const struct alert_row *find_alert(int alert)
{
	for (size_t i = 0; i < sizeof(alert_rows) / sizeof(alert_rows[0]); i++)
		if (alert_rows[i].alert == alert)
			return &alert_rows[i];
	return NULL;
}

const char *tls_error_alert_name(int alert)
{
	const struct alert_row *row = find_alert(alert);
	return row ? row->name : "unknown alert";
}

static enum close_reason plain_reason(const struct tls_error_facts *facts)
{
	if (facts->side == IO_UPSTREAM)
		return facts->handshake_done ? CLOSE_UPSTREAM_PROTOCOL : CLOSE_UPSTREAM_HANDSHAKE;
	return facts->handshake_done ? CLOSE_CLIENT_PROTOCOL : CLOSE_CLIENT_HANDSHAKE;
}

/* What servers answer when they asked for a certificate and got none: OpenSSL in TLS 1.2
 * handshake_failure, GnuTLS decode_error, others something about certificates. */
static bool may_miss_certificate(int alert, const struct alert_row *row)
{
	return alert == GNUTLS_A_HANDSHAKE_FAILURE || alert == GNUTLS_A_DECODE_ERROR ||
	       (row && row->about_certificate);
}

static enum close_reason describe_upstream_alert(const struct tls_error_facts *facts,
        const struct alert_row *row, char *text, size_t text_size)
{
	const char *name = tls_error_alert_name(facts->alert);
	bool none = !facts->has_certificate;
	bool wants_ours = facts->alert == GNUTLS_A_CERTIFICATE_REQUIRED ||
	                  (none && facts->certificate_requested &&
	                          may_miss_certificate(facts->alert, row));
	if (wants_ours) {
		snprintf(text, text_size,
		        "the server requires a client certificate (alert %d, %s): %s", facts->alert,
		        name,
		        none ? "none is configured, see proxy_ssl_certificate"
		             : "it did not take ours, see proxy_ssl_certificate");
		return CLOSE_UPSTREAM_REFUSED_US;
	}
	const char *hint = row && row->upstream_hint ? row->upstream_hint : "";
	if (row && row->about_certificate) {
		snprintf(text, text_size,
		        "the server refused our certificate (alert %d, %s)%s%s; see "
		        "proxy_ssl_certificate",
		        facts->alert, name, *hint ? ": " : "", hint);
		return CLOSE_UPSTREAM_REFUSED_US;
	}
	snprintf(text, text_size, "the server ended the %s with alert %d, %s%s%s",
	        facts->handshake_done ? "connection" : "TLS handshake", facts->alert, name,
	        *hint ? ": " : "", hint);
	return plain_reason(facts);
}

static enum close_reason describe_client_alert(const struct tls_error_facts *facts,
        const struct alert_row *row, char *text, size_t text_size)
{
	const char *hint = row && row->client_hint ? row->client_hint : "";
	const char *deed = facts->handshake_done           ? "ended the connection"
	                   : row && row->about_certificate ? "refused our certificate"
	                                                   : "ended the TLS handshake";
	snprintf(text, text_size, "the client %s with alert %d, %s%s%s", deed, facts->alert,
	        tls_error_alert_name(facts->alert), *hint ? ": " : "", hint);
	return plain_reason(facts);
}

/* ---- errors of our own library ---- */

static const struct {
	int code;
	const char *upstream_text,
	        *client_text; /* of the same fault, by who is on the other side */
} error_rows[] = {
        {GNUTLS_E_UNSUPPORTED_VERSION_PACKET,
                "the server chose a protocol version that is off, see proxy_ssl_protocols",
                "no protocol version in common with the client, see ssl_protocols"},
        {GNUTLS_E_NO_CIPHER_SUITES, "no cipher suite in common, see proxy_ssl_ciphers",
                "no protocol version or cipher suite in common with the client, see ssl_protocols "
                "and ssl_ciphers"},
        {GNUTLS_E_UNKNOWN_CIPHER_SUITE,
                "the server chose a cipher suite that was not offered, see proxy_ssl_ciphers",
                "no protocol version or cipher suite in common with the client, see ssl_protocols "
                "and ssl_ciphers"},
        {GNUTLS_E_NO_COMMON_KEY_SHARE, "no key exchange group in common with the server",
                "no key exchange group in common with the client"},
        {GNUTLS_E_INSUFFICIENT_CREDENTIALS, "no cipher suite in common, see proxy_ssl_ciphers",
                "our certificate fits no cipher suite of the client, see ssl_certificate and "
                "ssl_ciphers"},
        {GNUTLS_E_DH_PRIME_UNACCEPTABLE,
                "the server's DH group is weaker than the security level allows, see @SECLEVEL in "
                "proxy_ssl_ciphers",
                "the client's DH group is weaker than the security level allows, see @SECLEVEL in "
                "ssl_ciphers"},
        {GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM,
                "the server signs with an algorithm that the security level does not allow, see "
                "@SECLEVEL in proxy_ssl_ciphers",
                "no signature algorithm in common with the client"},
        {GNUTLS_E_PK_SIG_VERIFY_FAILED, "the server does not hold the key of its certificate",
                "the client does not hold the key of its certificate"},
        {GNUTLS_E_KEY_USAGE_VIOLATION,
                "the key usage of the server's certificate forbids this cipher suite",
                "the key usage of the certificate forbids this cipher suite"},
        {GNUTLS_E_NO_APPLICATION_PROTOCOL,
                "the server speaks none of the protocols of proxy_ssl_alpn",
                "the client offers none of the protocols of ssl_alpn"},
        {GNUTLS_E_SAFE_RENEGOTIATION_FAILED,
                "the server does not know safe renegotiation (RFC 5746)",
                "the client does not know safe renegotiation (RFC 5746)"},
        {GNUTLS_E_REHANDSHAKE, "the server asked for renegotiation, which is refused",
                "the client asked for renegotiation, which is refused"},
        {GNUTLS_E_DECRYPTION_FAILED, "a record of the server cannot be decrypted",
                "a record of the client cannot be decrypted"},
        {GNUTLS_E_RECORD_OVERFLOW, "the server sent a record that is too long",
                "the client sent a record that is too long"},
        {GNUTLS_E_HANDSHAKE_TOO_LARGE, "the server sent a handshake message that is too long",
                "the client sent a handshake message that is too long"},
        {GNUTLS_E_UNEXPECTED_PACKET, "the server sent a TLS message that was not due",
                "the client sent a TLS message that was not due"},
        {GNUTLS_E_UNEXPECTED_HANDSHAKE_PACKET, "the server sent a TLS message that was not due",
                "the client sent a TLS message that was not due"},
        {GNUTLS_E_UNEXPECTED_PACKET_LENGTH, "the server sent a TLS message of a wrong length",
                "the client sent a TLS message of a wrong length"},
};

static bool is_about_memory(int code)
{
	return code == GNUTLS_E_MEMORY_ERROR || code == GNUTLS_E_SHORT_MEMORY_BUFFER;
}

static enum close_reason describe_end(
        const struct tls_error_facts *facts, char *text, size_t text_size)
{
	const char *who = facts->side == IO_UPSTREAM ? "server" : "client";
	if (facts->handshake_done)
		snprintf(text, text_size, "the %s ended TLS without close_notify", who);
	else
		snprintf(text, text_size, "the %s closed the connection %s%s", who,
		        facts->nothing_received ? "before it sent anything"
		                                : "in the TLS handshake",
		        facts->certificate_requested && !facts->has_certificate
		                ? ": it had asked for a client certificate, and none is "
		                  "configured, see "
		                  "proxy_ssl_certificate"
		                : "");
	if (!facts->handshake_done)
		return plain_reason(facts);
	return facts->side == IO_UPSTREAM ? CLOSE_UPSTREAM_TRUNCATED : CLOSE_CLIENT_TRUNCATED;
}

static enum close_reason describe_certificate(
        const struct tls_error_facts *facts, char *text, size_t text_size)
{
	if (facts->side == IO_UPSTREAM) {
		snprintf(text, text_size, "certificate verification failed: %s",
		        facts->code == GNUTLS_E_NO_CERTIFICATE_FOUND
		                ? "no certificate was sent"
		                : gnutls_strerror(facts->code));
		return CLOSE_UPSTREAM_VERIFY;
	}
	bool none = facts->code == GNUTLS_E_NO_CERTIFICATE_FOUND ||
	            facts->code == GNUTLS_E_CERTIFICATE_REQUIRED;
	snprintf(text, text_size, "%s",
	        none ? "the client sent no certificate, and ssl_verify_client is on"
	             : "the client's certificate was refused");
	return CLOSE_CLIENT_CERTIFICATE;
}

static enum close_reason describe_other(
        const struct tls_error_facts *facts, char *text, size_t text_size)
{
	bool upstream = facts->side == IO_UPSTREAM;
	for (size_t i = 0; i < sizeof(error_rows) / sizeof(error_rows[0]); i++) {
		if (error_rows[i].code != facts->code)
			continue;
		snprintf(text, text_size, "%s",
		        upstream ? error_rows[i].upstream_text : error_rows[i].client_text);
		return plain_reason(facts);
	}
	const char *name = gnutls_strerror_name(facts->code);
	snprintf(text, text_size, "TLS with the %s failed: %s (%s)", upstream ? "server" : "client",
	        gnutls_strerror(facts->code), name ? name : "unknown error");
	return is_about_memory(facts->code) ? CLOSE_RESOURCES : plain_reason(facts);
}

enum close_reason tls_error_describe(
        const struct tls_error_facts *facts, char *text, size_t text_size)
{
	switch (facts->code) {
	case GNUTLS_E_FATAL_ALERT_RECEIVED:
	case GNUTLS_E_WARNING_ALERT_RECEIVED:
		return (facts->side == IO_UPSTREAM ? describe_upstream_alert
		                                   : describe_client_alert)(
		        facts, find_alert(facts->alert), text, text_size);
	case GNUTLS_E_PREMATURE_TERMINATION:
		return describe_end(facts, text, text_size);
	case GNUTLS_E_CERTIFICATE_ERROR:
	case GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR:
	case GNUTLS_E_NO_CERTIFICATE_FOUND:
	case GNUTLS_E_CERTIFICATE_REQUIRED:
		return describe_certificate(facts, text, text_size);
	default:
		return describe_other(facts, text, text_size);
	}
}

/* GnuTLS answers a TLS 1.2 client without a certificate by decode_error. */
static void choose_alert(struct tls_transport *tls, int code)
{
	if (tls->alert >= 0 || tls->transport.side != IO_CLIENT)
		return;
	if (code == GNUTLS_E_NO_CERTIFICATE_FOUND || code == GNUTLS_E_CERTIFICATE_REQUIRED)
		tls->alert = gnutls_protocol_get_version(tls->session) == GNUTLS_TLS1_3
		                     ? (int)GNUTLS_A_CERTIFICATE_REQUIRED
		                     : (int)GNUTLS_A_HANDSHAKE_FAILURE;
}

void tls_error_explain(struct tls_transport *tls, int code, bool has_certificate)
{
	char text[TLS_ERROR_TEXT_MAX];
	bool upstream = tls->transport.side == IO_UPSTREAM;
	struct tls_error_facts facts = {
	        .code = code,
	        .alert = (int)gnutls_alert_get(tls->session),
	        .side = tls->transport.side,
	        .handshake_done = tls->handshake_done,
	        .nothing_received = !tls->first_byte_seen,
	        .certificate_requested = upstream && gnutls_certificate_client_get_request_status(
	                                                     tls->session) != 0,
	        .has_certificate = has_certificate,
	};
	choose_alert(tls, code);
	enum close_reason reason = tls_error_describe(&facts, text, sizeof(text));
	transport_fault(&tls->transport, reason, "%s", text);
}
