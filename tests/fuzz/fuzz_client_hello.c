/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_client_hello.c - any bytes as a ClientHello, read by us and by GnuTLS.
 *
 * Whatever both accept, both read alike: the name, and whether TLS 1.3 is on offer. Else a client
 * could show one name to the choice of the server and another to GnuTLS.
 */
#include "worker/tls/tls_client_hello.h"

#include "shared/check.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORD_MAX = 16384, HEADERS = 5 + 4 };

struct input {
	gnutls_session_t session;
	unsigned char bytes[RECORD_MAX + HEADERS];
	size_t read, size;
	struct tls_client_hello hello;
};

static ssize_t pull(gnutls_transport_ptr_t pointer, void *room, size_t size)
{
	struct input *input = pointer;

	if (size > input->size - input->read)
		size = input->size - input->read;
	if (size == 0) {
		gnutls_transport_set_errno(input->session, EAGAIN);
		return -1;
	}
	memcpy(room, input->bytes + input->read, size);
	input->read += size;
	return (ssize_t)size;
}

static int pull_timeout(gnutls_transport_ptr_t pointer, unsigned ms)
{
	(void)pointer;
	(void)ms;
	return 1;
}

static ssize_t push(gnutls_transport_ptr_t pointer, const void *bytes, size_t size)
{
	(void)pointer;
	(void)bytes;
	return (ssize_t)size;
}

static int before(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
        const gnutls_datum_t *message)
{
	struct input *input = gnutls_session_get_ptr(session);
	struct slice body = {(const char *)message->data, message->size};

	(void)type;
	(void)when;
	(void)incoming;
	return tls_client_hello_parse(body, &input->hello) ? 0 : GNUTLS_E_UNEXPECTED_PACKET_LENGTH;
}

/* GnuTLS has read the hello. */
static int after(gnutls_session_t session)
{
	struct input *input = gnutls_session_get_ptr(session);
	char name[TLS_SERVER_NAME_MAX + 1];
	size_t length = sizeof(name);
	unsigned type;

	if (gnutls_server_name_get(session, name, &length, &type, 0) != 0)
		length = 0;
	CHECK(slice_equal((struct slice){name, length}, input->hello.server_name));
	CHECK((gnutls_protocol_get_version(session) == GNUTLS_TLS1_3) == input->hello.offers_tls13);
	return GNUTLS_E_UNEXPECTED_PACKET; /* that is all */
}

static void frame(struct input *input, const uint8_t *data, size_t size)
{
	const unsigned char headers[HEADERS] = {22, 3, 1, (unsigned char)((size + 4) >> 8),
	        (unsigned char)(size + 4), 1, 0, (unsigned char)(size >> 8), (unsigned char)size};

	memcpy(input->bytes, headers, HEADERS);
	memcpy(input->bytes + HEADERS, data, size);
	input->size = HEADERS + size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	gnutls_certificate_credentials_t credentials;
	struct input *input = calloc(1, sizeof(*input));

	CHECK(input);
	if (size > RECORD_MAX - 4)
		size = RECORD_MAX - 4;
	frame(input, data, size);
	CHECK(gnutls_init(&input->session, GNUTLS_SERVER | GNUTLS_NONBLOCK) == 0);
	CHECK(gnutls_certificate_allocate_credentials(&credentials) == 0);
	gnutls_set_default_priority(input->session);
	gnutls_credentials_set(input->session, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_session_set_ptr(input->session, input);
	gnutls_transport_set_ptr(input->session, input);
	gnutls_transport_set_pull_function(input->session, pull);
	gnutls_transport_set_pull_timeout_function(input->session, pull_timeout);
	gnutls_transport_set_push_function(input->session, push);
	gnutls_handshake_set_hook_function(
	        input->session, GNUTLS_HANDSHAKE_CLIENT_HELLO, GNUTLS_HOOK_PRE, before);
	gnutls_handshake_set_post_client_hello_function(input->session, after);
	gnutls_handshake(input->session);
	gnutls_deinit(input->session);
	gnutls_certificate_free_credentials(credentials);
	free(input);
	return 0;
}
