/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_client_hello_test.c - what is read of a ClientHello, and that GnuTLS' own are read. */
#include "worker/tls/tls_client_hello.h"

#include "shared/check.h"

#include <gnutls/gnutls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A hello up to its extensions: version, random, a session ID of four, two suites, no compression.
 */
#define HEAD                                   \
	"\x03\x03"                             \
	"0123456789abcdef0123456789abcdef\x04" \
	"abcd\x00\x04\x13\x01\x00\x2f\x01\x00"
#define NAME_A                                 \
	"\x00\x00\x00\x0e\x00\x0c\x00\x00\x09" \
	"a.example"
#define VERSIONS_13 "\x00\x2b\x00\x05\x04\x03\x04\x03\x03"
#define VERSIONS_12 "\x00\x2b\x00\x03\x02\x03\x03"
#define TICKET "\x00\x23\x00\x02xy"
#define NO_TICKET "\x00\x23\x00\x00"
#define OTHER "\x00\x17\x00\x00"

struct row {
	struct slice message;
	const char *name; /* NULL: refused */
	bool tls13, ticket;
};

#define GOOD(length, extensions, name, tls13, ticket)              \
	{                                                          \
		SLICE(HEAD length extensions), name, tls13, ticket \
	}
#define BAD(length, extensions)                                   \
	{                                                         \
		SLICE(HEAD length extensions), NULL, false, false \
	}

static void extensions_are_read(void **state)
{
	(void)state;
	static const char name_after_another[] = HEAD
	        "\x00\x16\x00\x00\x00\x12\x00\x10\x05\x00\x01?\x00\x00\x09"
	        "a.example";
	const struct row rows[] = {
	        GOOD("", "", "", false, false),
	        GOOD("\x00\x00", "", "", false, false),
	        GOOD("\x00\x04", OTHER, "", false, false),
	        GOOD("\x00\x12", NAME_A, "a.example", false, false),
	        GOOD("\x00\x16", OTHER NAME_A, "a.example", false, false),
	        GOOD("\x00\x21", NAME_A TICKET VERSIONS_13, "a.example", true, true),
	        GOOD("\x00\x0b", VERSIONS_12 NO_TICKET, "", false, false),
	        {SLICE(name_after_another), "a.example", false, false},
	        GOOD("\x00\x0a", "\x00\x00\x00\x06\x00\x04\x05\x00\x01?", "", false, false),
	        /* twice, or two names */
	        BAD("\x00\x24", NAME_A NAME_A),
	        BAD("\x00\x12", VERSIONS_13 VERSIONS_13),
	        BAD("\x00\x08", NO_TICKET NO_TICKET),
	        BAD("\x00\x0e", "\x00\x00\x00\x0a\x00\x08\x00\x00\x01"
	                        "a\x00\x00\x01"
	                        "b"),
	        /* names that are none */
	        BAD("\x00\x0a", "\x00\x00\x00\x06\x00\x04\x00\x00\x01 "),
	        BAD("\x00\x0b", "\x00\x00\x00\x07\x00\x05\x00\x00\x02"
	                        "a\x00"),
	        BAD("\x00\x0a", "\x00\x00\x00\x06\x00\x04\x00\x00\x01\xc3"),
	        BAD("\x00\x09", "\x00\x00\x00\x05\x00\x03\x00\x00\x00"),
	        BAD("\x00\x06", "\x00\x00\x00\x02\x00\x00"),
	        BAD("\x00\x04", "\x00\x00\x00\x00"),
	        /* lengths that do not fit */
	        BAD("\x00\x03", OTHER),
	        BAD("\x00\x05", OTHER),
	        BAD("\x00", ""),
	        BAD("\x00\x0b", "\x00\x00\x00\x07\x00\x04\x00\x00\x01"
	                        "ab"),
	        BAD("\x00\x0a", "\x00\x00\x00\x06\x00\x04\x00\x00\x02"
	                        "a"),
	        BAD("\x00\x08", "\x00\x2b\x00\x04\x03\x03\x04\x03"),
	        BAD("\x00\x05", "\x00\x2b\x00\x01\x00"),
	        BAD("\x00\x08", "\x00\x2b\x00\x04\x02\x03\x04\x00"),
	};
	struct tls_client_hello hello;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool good = tls_client_hello_parse(rows[i].message, &hello);
		if (good != (rows[i].name != NULL))
			fail_msg("row %zu: %d", i, good);
		if (!good)
			continue;
		assert_true(slice_equal(hello.server_name, slice_of(rows[i].name)));
		assert_int_equal(hello.offers_tls13, rows[i].tls13);
		assert_int_equal(hello.offers_ticket, rows[i].ticket);
	}
}

/* Cut anywhere it is refused, but where extensions would begin: there were none once. */
static void a_cut_message_is_refused(void **state)
{
	(void)state;
	static const char message[] = HEAD "\x00\x21" NAME_A TICKET VERSIONS_13;
	struct tls_client_hello hello;

	for (size_t length = 0; length < sizeof(message) - 1; length++) {
		char *copy = malloc(length + 1);
		CHECK(copy);
		memcpy(copy, message, length);
		assert_int_equal(tls_client_hello_parse((struct slice){copy, length}, &hello),
		        length == sizeof(HEAD) - 1);
		free(copy);
	}
	static const char longer[] = HEAD "\x00\x21" NAME_A TICKET VERSIONS_13 "x";
	assert_false(tls_client_hello_parse(SLICE(longer), &hello));
}

static void a_session_id_has_32_bytes_at_most(void **state)
{
	(void)state;
	char message[200];
	struct tls_client_hello hello;

	for (unsigned count = 30; count < 35; count++) {
		memset(message, 1, sizeof(message));
		message[34] = (char)count;
		char *rest = message + 35 + count;
		memcpy(rest, "\x00\x02\x13\x01\x01\x00", 6);
		struct slice whole = {message, 35 + count + 6};
		assert_int_equal(tls_client_hello_parse(whole, &hello), count <= 32);
	}
}

/* ---- what GnuTLS sends ---- */

struct seen {
	struct tls_client_hello hello;
	bool good;
	char name[TLS_SERVER_NAME_MAX + 1];
};

static int look(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
        const gnutls_datum_t *message)
{
	struct seen *seen = gnutls_session_get_ptr(session);

	(void)type;
	(void)when;
	(void)incoming;
	seen->good = tls_client_hello_parse(
	        (struct slice){(const char *)message->data, message->size}, &seen->hello);
	memcpy(seen->name, seen->hello.server_name.data ? seen->hello.server_name.data : "",
	        seen->hello.server_name.length);
	return 0;
}

static ssize_t swallow(gnutls_transport_ptr_t pointer, const void *bytes, size_t count)
{
	(void)pointer;
	(void)bytes;
	return (ssize_t)count;
}

static ssize_t nothing(gnutls_transport_ptr_t pointer, void *bytes, size_t count)
{
	gnutls_session_t session = pointer;

	(void)bytes;
	(void)count;
	gnutls_transport_set_errno(session, 11);
	return -1;
}

static void real_hellos_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *priority, *name;
		bool tls13;
	} rows[] = {
	        {"NORMAL", "www.example.com", true},
	        {"NORMAL", "", true},
	        {"NORMAL:-VERS-TLS1.3", "a.b.c", false},
	        {"NORMAL:-VERS-ALL:+VERS-TLS1.3", "x", true},
	        {"NORMAL:-VERS-ALL:+VERS-TLS1.0", "", false},
	        {"NORMAL:-VERS-ALL:+VERS-TLS1.2:%NO_EXTENSIONS", "", false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		gnutls_session_t session;
		gnutls_certificate_credentials_t credentials;
		struct seen seen = {.good = false};
		assert_int_equal(gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NONBLOCK), 0);
		gnutls_certificate_allocate_credentials(&credentials);
		gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
		assert_int_equal(gnutls_priority_set_direct(session, rows[i].priority, NULL), 0);
		if (rows[i].name[0])
			gnutls_server_name_set(
			        session, GNUTLS_NAME_DNS, rows[i].name, strlen(rows[i].name));
		gnutls_session_set_ptr(session, &seen);
		gnutls_transport_set_ptr(session, session);
		gnutls_transport_set_push_function(session, swallow);
		gnutls_transport_set_pull_function(session, nothing);
		gnutls_handshake_set_hook_function(
		        session, GNUTLS_HANDSHAKE_CLIENT_HELLO, GNUTLS_HOOK_POST, look);
		assert_int_equal(gnutls_handshake(session), GNUTLS_E_AGAIN);
		assert_true(seen.good);
		assert_string_equal(seen.name, rows[i].name);
		assert_int_equal(seen.hello.offers_tls13, rows[i].tls13);
		assert_false(seen.hello.offers_ticket);
		gnutls_deinit(session);
		gnutls_certificate_free_credentials(credentials);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(extensions_are_read),
	        cmocka_unit_test(a_cut_message_is_refused),
	        cmocka_unit_test(a_session_id_has_32_bytes_at_most),
	        cmocka_unit_test(real_hellos_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
