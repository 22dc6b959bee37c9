/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_server.h - a TLS session with a client: the certificate that the name it asked for has, the
 * client's own certificate judged, and sessions that every worker can resume.
 */
#ifndef WORKER_TLS_TLS_SERVER_H
#define WORKER_TLS_TLS_SERVER_H

#include "shared/slice.h"
#include "worker/tls/tls_client_certificate.h"
#include "worker/tls/tls_ticket_key.h"
#include "worker/tls/tls_transport.h"
#include "worker/tls/tls_verified.h"

#include <stdbool.h>

struct ticket_key;
struct tls_server_credentials;
struct tls_session_store;

/* One per worker. What is not set is zero: without a store no session IDs are remembered. */
struct tls_server_context {
	struct tls_wire *wire;
	const struct ticket_key *ticket_key;
	struct tls_session_store *store;
	/* Memory of what was computed before; all zero at first. */
	struct tls_ticket_key_cache ticket_keys;
	struct tls_verified verified;
};

/* Which credentials a listener shows to whom. */
struct tls_server_choice {
	const struct tls_server_credentials *standard; /* without SNI, and for names nobody has */
	/* NULL: always `standard`. Called while the ClientHello is read; `name`, in lower case and
	 * without a last dot, lives during the call. May return NULL: standard. */
	const struct tls_server_credentials *(*for_name)(const void *opaque, struct slice name);
	const void *opaque;
};

/* `fd` stays the caller's; the credentials stay in use; `choice` is copied, `opaque` is used until
 * the ClientHello was read. NULL without memory. */
struct transport *tls_server_create(
        struct tls_server_context *context, const struct tls_server_choice *choice, int fd);

struct tls_server_facts {
	const struct tls_server_credentials *credentials; /* chosen */
	const char *server_name; /* SNI as for_name was given it; "" without */
	enum tls_client_verdict verdict;
	const char *verify; /* $ssl_client_verify: "NONE", "SUCCESS", "FAILED:reason" */
	/* REFUSED only for want of an issuer that is trusted: fine for OPTIONAL_NO_CA. */
	bool only_issuer_unknown;
	const char *refusal; /* why, in full, for the log; "" unless REFUSED */
	/* Of the client's certificate, as nginx writes them: RFC 2253, upper-case hex; "" without.
	 */
	const char *subject, *issuer, *serial;
	const char *alpn; /* "" without */
};

/* The strings live as long as the transport. False: `transport` is no TLS transport towards a
 * client, or its handshake is not done. */
bool tls_server_facts(struct transport *transport, struct tls_server_facts *facts_out);

#endif
