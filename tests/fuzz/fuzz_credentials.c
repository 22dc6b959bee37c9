/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_credentials.c - any bytes as certificate, key, pass phrases and trust.
 *
 * Whatever they are, credentials come exactly when no error was reported.
 */
#include "shared/tls_credentials.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	bool error;
};

static void report(void *opaque, enum tls_severity severity, enum tls_setting setting, size_t pair,
        const char *text)
{
	struct seen *seen = opaque;
	(void)setting;
	(void)pair;
	if (severity == TLS_ERROR)
		seen->error = true;
	if (!*text)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tls_pem pem = {{(const char *)data, size}, "input"};
	struct tls_client_settings settings = {
	        .own = {pem, pem},
	        .passwords = pem,
	        .trusted = pem,
	        .verify = true,
	        .policy = {TLS_PROTOCOLS_DEFAULT, "DEFAULT", NULL},
	};
	struct seen seen = {false};
	struct tls_client_credentials *credentials = tls_client_credentials_create(
	        &settings, report, &seen);
	if ((credentials != NULL) == seen.error)
		abort();
	tls_client_credentials_destroy(credentials);
	return 0;
}
