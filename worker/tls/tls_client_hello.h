/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_client_hello.h - what a ClientHello says that has to be known before GnuTLS reads it.
 *
 * GnuTLS decides about the version and about resuming a session by its ID before it calls anybody.
 * So the name that the client asks for is read from the message itself, and all that follows from
 * it is set before.
 */
#ifndef WORKER_TLS_TLS_CLIENT_HELLO_H
#define WORKER_TLS_TLS_CLIENT_HELLO_H

#include "shared/slice.h"

#include <stdbool.h>

enum { TLS_SERVER_NAME_MAX = 255 };

struct tls_client_hello {
	struct slice server_name; /* in the message, as written; empty without */
	bool offers_tls13;
	bool offers_ticket; /* of TLS 1.2 or older */
};

/* The handshake message's body (RFC 8446 4.1.2, RFC 5246 7.4.1.2), without its header. False: it is
 * not well-formed as far as we read, or the name is no host name. */
bool tls_client_hello_parse(struct slice message, struct tls_client_hello *hello_out);

#endif
