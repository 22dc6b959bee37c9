/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_error.h - a GnuTLS error as a close reason and a sentence that says what to do.
 *
 * One line for whoever runs the gateway: who ended it, the alert by name, the likely cause, the
 * setting to look at.
 */
#ifndef WORKER_TLS_TLS_ERROR_H
#define WORKER_TLS_TLS_ERROR_H

#include "shared/close_reason.h"
#include "worker/io/transport.h"

#include <stdbool.h>
#include <stddef.h>

struct tls_transport;

struct tls_error_facts {
	int code; /* GNUTLS_E_..., negative */
	int alert; /* received, if the code says that one was; else any value */
	enum io_side side;
	bool handshake_done;
	bool nothing_received; /* not one byte came from the other side */
	bool certificate_requested; /* the server asked for ours; towards upstreams */
	bool has_certificate; /* one is configured; towards upstreams */
};

enum { TLS_ERROR_TEXT_MAX = 400 };

/* The sentence part goes to `text`, of TLS_ERROR_TEXT_MAX bytes at least. */
enum close_reason tls_error_describe(
        const struct tls_error_facts *facts, char *text, size_t text_size);

/* Sets the fault of a transport whose GnuTLS call failed with `code`, unless one is set: the first
 * cause stays. Chooses the alert to answer with where GnuTLS' own choice misleads. */
void tls_error_explain(struct tls_transport *tls, int code, bool has_certificate);

/* "certificate required", as the RFCs write it; "unknown alert" for others. */
const char *tls_error_alert_name(int alert);

#endif
