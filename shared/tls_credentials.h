/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_credentials.h - PEM text and settings made into what a TLS session is opened with.
 *
 * Made once by the master while it reads a configuration (so that -t finds every fault), inherited
 * by the workers through fork, never changed afterwards: GnuTLS credentials are not locked. Nothing
 * here opens a file: the caller hands in what the files held, with the names to use in messages.
 */
#ifndef SHARED_TLS_CREDENTIALS_H
#define SHARED_TLS_CREDENTIALS_H

#include "shared/slice.h"
#include "shared/tls_ciphers.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_trust;

struct tls_pem {
	struct slice text; /* the file's content; data NULL: not set */
	const char *name; /* its path, for messages */
};

struct tls_key_pair {
	struct tls_pem certificate; /* leaf first, then intermediates */
	struct tls_pem key;
};

struct tls_alpn_list {
	const char *const *names;
	size_t count;
};

/* Protocols, ciphers and priority, as written. */
struct tls_policy_settings {
	unsigned protocols; /* TLS_PROTOCOL_... bits of tls_ciphers.h */
	const char *ciphers; /* an OpenSSL cipher string; ignored when `priority` is set */
	const char *priority; /* a GnuTLS priority string, or NULL */
};

struct tls_client_settings { /* towards an upstream */
	struct tls_key_pair own; /* certificate.text.data NULL: no client certificate */
	struct tls_pem passwords; /* pass phrases, one a line */
	struct tls_pem trusted;
	bool trust_system;
	bool verify;
	unsigned verify_depth;
	bool send_server_name;
	bool session_reuse;
	struct tls_alpn_list alpn;
	struct tls_policy_settings policy;
};

/* ssl_verify_client. */
enum tls_verify_client {
	TLS_VERIFY_CLIENT_OFF,
	TLS_VERIFY_CLIENT_ON,
	TLS_VERIFY_CLIENT_OPTIONAL, /* none is fine, a bad one is not */
	TLS_VERIFY_CLIENT_OPTIONAL_NO_CA, /* asked for, whoever issued it */
};

struct tls_server_settings { /* towards clients */
	const struct tls_key_pair *pairs;
	size_t pair_count; /* at least 1 */
	struct tls_pem passwords;
	struct tls_pem client_ca; /* names are sent to clients */
	struct tls_pem trusted_ca; /* names are not sent */
	enum tls_verify_client verify_client;
	/* HTTP: a missing or bad certificate does not end the handshake; the protocol answers. */
	bool verdict_after_handshake;
	unsigned verify_depth;
	bool session_tickets;
	bool session_cache; /* sessions of TLS 1.2 clients in the shared store */
	uint32_t session_timeout_s;
	struct tls_alpn_list alpn;
	struct tls_policy_settings policy;
	const char *name; /* of the listener's section: two sections never share ticket keys by
	                     accident */
};

/* Which setting a message is about, so that the caller can name the file and line that set it. */
enum tls_setting {
	TLS_SETTING_CERTIFICATE,
	TLS_SETTING_KEY,
	TLS_SETTING_PASSWORDS,
	TLS_SETTING_TRUST, /* proxy_ssl_trusted_certificate, ssl_trusted_certificate */
	TLS_SETTING_CLIENT_CA, /* ssl_client_certificate */
	TLS_SETTING_PROTOCOLS,
	TLS_SETTING_CIPHERS,
	TLS_SETTING_PRIORITY,
	TLS_SETTING_VERIFY, /* proxy_ssl_verify, ssl_verify_client */
	TLS_SETTING_ALPN, /* stays the last */
};
enum tls_severity { TLS_NOTICE, TLS_WARNING, TLS_ERROR };

/* Called once per finding; `pair` is the index of the key pair it is about (0 for client settings).
 * `text` is a whole sentence without file:line and is valid during the call only. */
typedef void tls_report_fn(void *opaque, enum tls_severity severity, enum tls_setting setting,
        size_t pair, const char *text);

/* What protocols and ciphers came to. Shared read-only by all sessions. */
struct tls_policy {
	gnutls_priority_t priority;
	gnutls_priority_t priority_tls12; /* the same without TLS 1.3, to offer with a stored 1.2
	                                   * session; NULL unless both versions are on */
	char *priority_text;
	unsigned protocols;
	unsigned security_level; /* @SECLEVEL, 0 to 5: floor for chains as well */
	struct tls_suite_set
	        allowed; /* checked after each handshake below TLS 1.3; empty: anything */
};

enum { TLS_ALPN_MAX = 8, TLS_FINGERPRINT_BYTES = 32 };

struct tls_client_credentials {
	unsigned magic;
	gnutls_certificate_credentials_t certificate; /* own certificate, or empty */
	bool has_certificate;
	struct tls_trust *trust; /* tls_trust.h; NULL only while it is made */
	struct tls_policy policy;
	bool verify;
	unsigned verify_depth;
	bool send_server_name;
	bool session_reuse;
	gnutls_datum_t alpn[TLS_ALPN_MAX];
	unsigned alpn_count;
	int64_t own_not_after; /* earliest in the own chain, Unix seconds; INT64_MAX without one */
	/* SHA-256 over all of the above that decides whether a session may be used again: verify,
	 * depth, level, the content of the trust anchors, the own chain, priority text, suites,
	 * ALPN, whether SNI is sent. Address and names are the session's and are added by
	 * tls_identity. No section names, no paths. */
	uint8_t fingerprint[TLS_FINGERPRINT_BYTES];
};

struct tls_server_credentials {
	unsigned magic;
	gnutls_certificate_credentials_t certificate;
	struct tls_trust *trust; /* tls_trust.h; may be empty */
	struct tls_policy policy;
	enum tls_verify_client verify_client;
	bool verdict_after_handshake;
	unsigned verify_depth;
	bool session_tickets;
	bool session_cache;
	uint32_t session_timeout_s;
	gnutls_datum_t alpn[TLS_ALPN_MAX];
	unsigned alpn_count;
	int64_t own_not_after;
	/* SHA-256 over what decides about client certificates: mode, content of the CAs, depth,
	 * level; of OFF the mode alone. */
	uint8_t client_policy[TLS_FINGERPRINT_BYTES];
	/* Goes into the derivation of the ticket key: protocols, CAs, verify mode, when the verdict
	 * counts, depth, level, section name. A ticket made under one fingerprint is unknown under
	 * another. */
	uint8_t fingerprint[TLS_FINGERPRINT_BYTES];
};

enum { TLS_CLIENT_CREDENTIALS_MAGIC = 0x544c4343, TLS_SERVER_CREDENTIALS_MAGIC = 0x544c5343 };

/* Reports everything that is wrong, not only the first thing. NULL when an error was reported. */
struct tls_client_credentials *tls_client_credentials_create(
        const struct tls_client_settings *settings, tls_report_fn *report, void *opaque);
struct tls_server_credentials *tls_server_credentials_create(
        const struct tls_server_settings *settings, tls_report_fn *report, void *opaque);
void tls_client_credentials_destroy(struct tls_client_credentials *credentials); /* NULL is fine */
void tls_server_credentials_destroy(struct tls_server_credentials *credentials);

#endif
