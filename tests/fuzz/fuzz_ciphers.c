/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_ciphers.c - our reading of cipher strings against OpenSSL's.
 *
 * What we accept OpenSSL has to accept, unless nothing is chosen or IANA names are used; our list
 * is then OpenSSL's, in its order, less the suites that the table lacks. The first byte picks the
 * protocols.
 */
#include "shared/tls_ciphers.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 512 };

static _Noreturn void differ(const char *text, const char *what, const char *name)
{
	fprintf(stderr, "\"%s\": %s %s\n", text, what, name);
	abort();
}

static bool in_table(const char *openssl_name, size_t *index_out)
{
	for (size_t i = 0; i < tls_suite_count(); i++) {
		if (strcmp(tls_suite_openssl_name(i), openssl_name) == 0) {
			*index_out = i;
			return true;
		}
	}
	return false;
}

/* The string is read by a session, whose level then hides what it forbids. */
static void compare(SSL *session, const char *text, const struct tls_cipher_list *list)
{
	STACK_OF(SSL_CIPHER) *theirs = SSL_get1_supported_ciphers(session);
	size_t ours = 0, index;
	for (int i = 0; i < sk_SSL_CIPHER_num(theirs); i++) {
		const char *name = SSL_CIPHER_get_name(sk_SSL_CIPHER_value(theirs, i));
		if (!in_table(name, &index))
			continue;
		if (ours == list->suites.count)
			differ(text, "we lack", name);
		if (list->suites.indices[ours] != index)
			differ(text, "we have another suite in place of", name);
		ours++;
	}
	if (ours < list->suites.count)
		differ(text, "OpenSSL lacks", tls_suite_openssl_name(list->suites.indices[ours]));
	sk_SSL_CIPHER_free(theirs);
}

static void check_priority(const char *text, const struct tls_cipher_list *list, unsigned protocols)
{
	char priority[2048];
	if (!tls_ciphers_to_priority(list, protocols, priority, sizeof(priority)))
		differ(text, "its priority string is longer than", "2048 bytes");
	char small[40];
	if (tls_ciphers_to_priority(list, protocols, small, sizeof(small)))
		differ(text, "its priority string is shorter than", "40 bytes");
	for (size_t i = 0; i < list->surplus.count; i++)
		if (tls_suite_set_has(&list->suites, list->surplus.indices[i]))
			differ(text, "surplus and listed:",
			        tls_suite_openssl_name(list->surplus.indices[i]));
}

static const char *word_at(unsigned number)
{
	static const char *const keywords[] = {"ALL", "HIGH", "FIPS", "COMPLEMENTOFDEFAULT", "kRSA",
	        "DHE", "ECDHE", "aRSA", "aECDSA", "RSA", "AES128", "AES256", "AES", "AESGCM",
	        "AESCCM", "AESCCM8", "CAMELLIA", "CAMELLIA128", "CHACHA20", "CBC", "SHA1", "SHA256",
	        "SHA384", "SSLv3", "TLSv1", "TLSv1.2", "MD5", "aNULL", "PSK", "@STRENGTH",
	        "@SECLEVEL=1", "@SECLEVEL=3"};
	enum { KEYWORDS = sizeof(keywords) / sizeof(keywords[0]) };
	number %= KEYWORDS + (unsigned)tls_suite_count();
	return number < KEYWORDS ? keywords[number] : tls_suite_openssl_name(number - KEYWORDS);
}

/* Words with what stands between them; as many as fit. */
static size_t write_words(const uint8_t *data, size_t size, char *text, size_t text_size)
{
	static const char *const joints[] = {":", ":-", ":!", ":+", "+", ":", ",-", "-"};
	size_t used = data[0] & 0x40 ? (size_t)snprintf(text, text_size, "DEFAULT") : 0;
	for (size_t i = 1; i + 1 < size; i += 2) {
		const char *word = word_at(data[i + 1]);
		const char *joint = *word == '@' ? ":" : joints[data[i] & 7];
		if (used == 0)
			joint = "";
		if (used + strlen(joint) + strlen(word) >= text_size)
			break;
		used += (size_t)snprintf(text + used, text_size - used, "%s%s", joint, word);
	}
	return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static SSL_CTX *context;
	if (!context)
		context = SSL_CTX_new(TLS_client_method());
	if (size < 1 || size >= TEXT_MAX)
		return 0;
	unsigned protocols = data[0] & 15;
	char text[TEXT_MAX] = {0};
	size_t length = size - 1;
	if (data[0] & 0x80)
		length = write_words(data, size, text, sizeof(text));
	else
		memcpy(text, data + 1, length);
	struct tls_cipher_list list;
	char fault[256] = "";
	if (!tls_ciphers_parse(
	            (struct slice){text, length}, protocols, &list, fault, sizeof(fault))) {
		if (fault[0] == '\0')
			differ(text, "refused without", "a reason");
		return 0;
	}
	check_priority(text, &list, protocols);

	/* OpenSSL 3.0 takes IANA names of TLS 1.3 suites only, and ignores them here. */
	if (strstr(text, "TLS_"))
		return 0;
	SSL *session = SSL_new(context);
	if (SSL_set_cipher_list(session, text))
		compare(session, text, &list);
	else if (list.suites.count > 0)
		differ(text, "OpenSSL refuses", "it");
	SSL_free(session);
	return 0;
}
