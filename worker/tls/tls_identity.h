/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_identity.h - what must be equal for an upstream TLS session to be used again.
 *
 * Nothing is verified again when a session is resumed. So all that decided the verdict of the full
 * handshake, and all that decided what the server thinks of us, is part of the identity.
 */
#ifndef WORKER_TLS_TLS_IDENTITY_H
#define WORKER_TLS_TLS_IDENTITY_H

#include "shared/tls_session_store.h"

struct address;
struct tls_client_credentials;

/* `verify_name` is the name to verify, also where verify is off; `sni` NULL: none is sent. Equal
 * arguments give equal keys in all processes, across reloads. */
void tls_identity_compute(const struct tls_client_credentials *credentials,
        const struct address *address, const char *verify_name, const char *sni,
        struct tls_session_key *key_out);

/* The part of it that does not depend on the endpoint: what a section says about TLS. Equal keys: a
 * connection that one section opened to an endpoint may serve the other. `verify_name` NULL: each
 * endpoint's own. */
void tls_identity_of_settings(const struct tls_client_credentials *credentials,
        const char *verify_name, struct tls_session_key *key_out);

#endif
