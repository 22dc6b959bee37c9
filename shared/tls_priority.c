/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_priority.c - a list of suites as a GnuTLS priority string.
 *
 * GnuTLS takes three lists, key exchanges, ciphers and MACs, and enables every suite that can be
 * made of them. So a list of suites becomes the three lists of their parts, in the order of first
 * use, and what else can be made of those is the surplus. TLS 1.3 takes its ciphers from the same
 * list: its three stand there whenever it is on, since no cipher string of OpenSSL switches one of
 * them off.
 */
#include "shared/tls_priority.h"

#include "shared/check.h"
#include "shared/tls_suite_table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Parts as bits of a suite's masks; a key exchange counts with its authentication. */
struct parts {
	const struct tls_suite *by_kx[TLS_SUITES_MAX];
	const struct tls_suite *by_cipher[TLS_SUITES_MAX];
	const struct tls_suite *by_mac[TLS_SUITES_MAX];
	uint16_t cipher_steps[TLS_SUITES_MAX];
	size_t kx_count, cipher_count, mac_count;
	bool aead; /* among the MACs */
};

static const struct {
	unsigned protocol;
	const char *name, *token;
	unsigned min_version;
} protocol_table[] = {
        {TLS_PROTOCOL_1_0, "TLSv1", "VERS-TLS1.0", TLS_SUITE_TLS1_0},
        {TLS_PROTOCOL_1_1, "TLSv1.1", "VERS-TLS1.1", TLS_SUITE_TLS1_0},
        {TLS_PROTOCOL_1_2, "TLSv1.2", "VERS-TLS1.2", TLS_SUITE_TLS1_2},
        {TLS_PROTOCOL_1_3, "TLSv1.3", "VERS-TLS1.3", 0},
};
enum { PROTOCOL_COUNT = sizeof(protocol_table) / sizeof(protocol_table[0]) };

unsigned tls_protocol_from_name(struct slice name)
{
	for (size_t i = 0; i < PROTOCOL_COUNT; i++)
		if (slice_equal(name, slice_of(protocol_table[i].name)))
			return protocol_table[i].protocol;
	return 0;
}

const char *tls_protocols_format(unsigned protocols, char *buffer, size_t buffer_size)
{
	CHECK(buffer_size > 0);
	size_t used = 0;
	buffer[0] = '\0';
	for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
		if (!(protocols & protocol_table[i].protocol) || used >= buffer_size)
			continue;
		used += (size_t)snprintf(buffer + used, buffer_size - used, "%s%s",
		        used > 0 ? " " : "", protocol_table[i].name);
	}
	return buffer;
}

/* Of the protocols below TLS 1.3; 0: none is on. */
static unsigned newest_version(unsigned protocols)
{
	unsigned version = 0;
	for (size_t i = 0; i < PROTOCOL_COUNT; i++)
		if (protocols & protocol_table[i].protocol &&
		        protocol_table[i].min_version > version)
			version = protocol_table[i].min_version;
	return version;
}

bool tls_priority_usable(const struct tls_cipher_list *list, unsigned protocols)
{
	unsigned newest = newest_version(protocols);
	for (size_t i = 0; i < list->suites.count; i++)
		if (tls_suite_at(list->suites.indices[i])->min_version <= newest)
			return true;
	return newest == 0;
}

static bool same_kx(const struct tls_suite *a, const struct tls_suite *b)
{
	return a->kx == b->kx && a->auth == b->auth;
}

static bool has_kx(const struct parts *parts, const struct tls_suite *suite)
{
	for (size_t i = 0; i < parts->kx_count; i++)
		if (same_kx(parts->by_kx[i], suite))
			return true;
	return false;
}

static bool has_cipher(const struct parts *parts, uint16_t enc)
{
	for (size_t i = 0; i < parts->cipher_count; i++)
		if (parts->by_cipher[i]->enc == enc)
			return true;
	return false;
}

static bool has_mac(const struct parts *parts, uint16_t mac)
{
	for (size_t i = 0; i < parts->mac_count; i++)
		if (parts->by_mac[i]->mac == mac)
			return true;
	return false;
}

static void add_cipher(struct parts *parts, const struct tls_suite *suite, uint16_t step)
{
	parts->cipher_steps[parts->cipher_count] = step;
	parts->by_cipher[parts->cipher_count++] = suite;
}

/* Any suite with this cipher stands for it. */
static void add_cipher_for_tls13(struct parts *parts, uint16_t enc)
{
	if (has_cipher(parts, enc))
		return;
	size_t i = 0;
	while (tls_suite_at(i)->enc != enc)
		i++;
	add_cipher(parts, tls_suite_at(i), UINT16_MAX);
}

static bool is_aes_gcm(const struct tls_suite *suite)
{
	return suite->enc == TLS_ENC_AES128_GCM || suite->enc == TLS_ENC_AES256_GCM;
}

/* ChaCha20 is several times slower than AES-GCM here, so it goes behind the AES-GCM ciphers that
 * the same step of the string put in place. */
static void move_chacha_back(struct parts *parts)
{
	for (size_t i = 0; i + 1 < parts->cipher_count; i++) {
		const struct tls_suite *chacha = parts->by_cipher[i];
		if (chacha->enc != TLS_ENC_CHACHA20)
			continue;
		uint16_t step = parts->cipher_steps[i];
		size_t last = i;
		for (size_t j = i + 1; j < parts->cipher_count; j++)
			if (is_aes_gcm(parts->by_cipher[j]) && parts->cipher_steps[j] == step)
				last = j;
		for (size_t j = i; j < last; j++) {
			parts->by_cipher[j] = parts->by_cipher[j + 1];
			parts->cipher_steps[j] = parts->cipher_steps[j + 1];
		}
		parts->by_cipher[last] = chacha;
		parts->cipher_steps[last] = step;
		return;
	}
}

static void take_apart(
        const struct tls_cipher_list *list, unsigned protocols, struct parts *parts_out)
{
	*parts_out = (struct parts){.aead = (protocols & TLS_PROTOCOL_1_3) != 0};
	unsigned newest = newest_version(protocols);
	for (size_t i = 0; i < list->suites.count; i++) {
		const struct tls_suite *suite = tls_suite_at(list->suites.indices[i]);
		if (suite->min_version > newest)
			continue;
		if (!has_kx(parts_out, suite))
			parts_out->by_kx[parts_out->kx_count++] = suite;
		if (!has_cipher(parts_out, suite->enc))
			add_cipher(parts_out, suite, list->steps[i]);
		if (suite->mac == TLS_MAC_AEAD)
			parts_out->aead = true;
		else if (!has_mac(parts_out, suite->mac))
			parts_out->by_mac[parts_out->mac_count++] = suite;
	}
	if (protocols & TLS_PROTOCOL_1_3) {
		add_cipher_for_tls13(parts_out, TLS_ENC_AES256_GCM);
		add_cipher_for_tls13(parts_out, TLS_ENC_AES128_GCM);
		add_cipher_for_tls13(parts_out, TLS_ENC_CHACHA20);
	}
	move_chacha_back(parts_out);
}

void tls_priority_surplus(
        const struct tls_cipher_list *list, unsigned protocols, struct tls_suite_set *surplus_out)
{
	struct parts parts;
	take_apart(list, protocols, &parts);
	unsigned newest = newest_version(protocols);
	surplus_out->count = 0;
	for (size_t i = 0; i < tls_suite_count(); i++) {
		const struct tls_suite *suite = tls_suite_at(i);
		bool mac = suite->mac == TLS_MAC_AEAD ? parts.aead : has_mac(&parts, suite->mac);
		if (suite->min_version <= newest && mac && has_kx(&parts, suite) &&
		        has_cipher(&parts, suite->enc) && !tls_suite_set_has(&list->suites, i))
			surplus_out->indices[surplus_out->count++] = (uint8_t)i;
	}
}

struct text {
	char *buffer;
	size_t size, used;
	bool cut;
};

static void append(struct text *text, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

static void append(struct text *text, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(
	        text->buffer + text->used, text->size - text->used, format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= text->size - text->used)
		text->cut = true;
	else
		text->used += (size_t)length;
}

/* Floors for DH groups and the like; chains are checked by our own code. A string that starts with
 * NONE has no floor of its own. */
static const char *profile(unsigned security_level)
{
	static const char *const profiles[] = {
	        "VERY_WEAK", "LOW", "MEDIUM", "HIGH", "ULTRA", "FUTURE"};
	CHECK(security_level < sizeof(profiles) / sizeof(profiles[0]));
	return profiles[security_level];
}

bool tls_ciphers_to_priority(
        const struct tls_cipher_list *list, unsigned protocols, char *buffer, size_t buffer_size)
{
	struct parts parts;
	take_apart(list, protocols, &parts);
	struct text text = {.size = buffer_size, .cut = buffer_size == 0};
	text.buffer = buffer;
	if (text.cut)
		return false;
	append(&text, "NONE");
	for (size_t i = PROTOCOL_COUNT; i-- > 0;)
		if (protocols & protocol_table[i].protocol)
			append(&text, ":+%s", protocol_table[i].token);
	append(&text, ":+CTYPE-X509");
	for (size_t i = 0; i < parts.kx_count; i++)
		append(&text, ":+%s", tls_suite_kx_token(parts.by_kx[i]));
	for (size_t i = 0; i < parts.cipher_count; i++)
		append(&text, ":+%s", tls_suite_cipher_token(parts.by_cipher[i]));
	if (parts.aead)
		append(&text, ":+AEAD");
	for (size_t i = 0; i < parts.mac_count; i++)
		append(&text, ":+%s", tls_suite_mac_token(parts.by_mac[i]));
	append(&text,
	        ":+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+GROUP-SECP521R1:+GROUP-X448");
	append(&text, ":+SIGN-ALL%s:%%PROFILE_%s",
	        list->security_level >= 2 ? ":-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1" : "",
	        profile(list->security_level));
	return !text.cut;
}
