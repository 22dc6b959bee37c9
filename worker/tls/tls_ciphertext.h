/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_ciphertext.h - ciphertext between a socket, the worker's wire buffers, and GnuTLS. */
#ifndef WORKER_TLS_TLS_CIPHERTEXT_H
#define WORKER_TLS_TLS_CIPHERTEXT_H

#include "worker/tls/tls_transport.h"

#include <stdbool.h>
#include <stddef.h>

/* Gives the session's pull and push to the wire. */
void tls_ciphertext_attach(struct tls_transport *tls);

/* The wire is this transport's until it is released: its tails are loaded, but for one that the
 * socket refused. */
void tls_ciphertext_claim(struct tls_transport *tls);
/* What is left becomes the transport's tails. */
void tls_ciphertext_release(struct tls_transport *tls);

/* One recv into the empty wire. False when it brought nothing: the socket is empty, ended or
 * failed, or what came is no TLS (then the fault is set). */
bool tls_ciphertext_receive(struct tls_transport *tls, size_t count_max);

/* The tail that the socket refused before. IO_OK when it is gone. */
enum io_result tls_ciphertext_send_tail(struct tls_transport *tls);
/* What has been pushed, in one send, behind a tail if there is one; the rest becomes the tail. */
enum io_result tls_ciphertext_send(struct tls_transport *tls);
/* Sets the fault of a failed recv or send; IO_ERROR. */
enum io_result tls_ciphertext_failed(struct tls_transport *tls);

#endif
