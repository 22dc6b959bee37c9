/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_strength.h - what a security level (@SECLEVEL) demands of keys and signatures in
 * certificates.
 *
 *      level    RSA, DSA, DH    EC    signatures
 *      0        any             any   any
 *      1        1024            160   no MD5
 *      2        2048            224   no MD5, no SHA-1
 *      3        3072            256   the same
 *      4        7680            384   and no SHA-224, SHA-256
 *      5        15360           512   and no SHA-384
 *
 * As OpenSSL's levels, but that level 1 takes SHA-1, as OpenSSL before 3.0 did.
 */
#ifndef SHARED_TLS_STRENGTH_H
#define SHARED_TLS_STRENGTH_H

#include <gnutls/x509.h>
#include <stdbool.h>
#include <stddef.h>

enum { TLS_WEAKNESS_MAX = 80 };

/* True, with "RSA 1024 bits, level 2 demands 2048" in `text`, when it is. */
bool tls_strength_key_is_weak(
        gnutls_x509_crt_t certificate, unsigned level, char *text, size_t text_size);
/* True, with "RSA-SHA1, which level 2 does not take" in `text`, when it is. */
bool tls_strength_signature_is_weak(
        gnutls_x509_crt_t certificate, unsigned level, char *text, size_t text_size);

#endif
