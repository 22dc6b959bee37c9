/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_pem_reader.h - the blocks of a PEM text, one by one.
 *
 * Finding the blocks ourselves lets a message say which certificate of a bundle is broken, and on
 * which line it starts; decoding is GnuTLS's.
 */
#ifndef SHARED_TLS_PEM_READER_H
#define SHARED_TLS_PEM_READER_H

#include "shared/slice.h"

#include <stdbool.h>

struct tls_pem_reader {
	struct slice rest;
	unsigned line; /* of the first byte of `rest` */
};

struct tls_pem_block {
	struct slice label; /* "CERTIFICATE", "ENCRYPTED PRIVATE KEY" */
	struct slice text; /* from its BEGIN line to its END line, or to the end of an unfinished
	                      block */
	unsigned line; /* of its BEGIN */
	bool finished;
};

void tls_pem_reader_init(struct tls_pem_reader *reader, struct slice text);
/* The next block; text outside of blocks is passed over. false at the end. */
bool tls_pem_reader_next(struct tls_pem_reader *reader, struct tls_pem_block *block_out);

bool tls_pem_block_is_certificate(const struct tls_pem_block *block);
bool tls_pem_block_is_key(const struct tls_pem_block *block);
/* PKCS #8, or the older form of OpenSSL. */
bool tls_pem_block_is_encrypted(const struct tls_pem_block *block);

#endif
