/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_name_check.c - names by subject alternative name.
 *
 * GnuTLS compares; what it would do beyond that is kept from it: it falls back to the CN of a
 * certificate without DNS names.
 */
#include "worker/tls/tls_name_check.h"

#include "shared/log.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 256, LIST_MAX = 256, SAN_BYTES_MAX = 512 };

/* The next alternative name of any kind; false after the last. *length_out is 0 for one that is not
 * shown. */
static bool next_san(gnutls_x509_crt_t certificate, unsigned index, char *bytes_out,
        size_t *length_out, int *kind_out)
{
	*length_out = SAN_BYTES_MAX;
	*kind_out = gnutls_x509_crt_get_subject_alt_name(
	        certificate, index, bytes_out, length_out, NULL);
	if (*kind_out == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return false;
	if (*kind_out < 0)
		*length_out = 0;
	return true;
}

static bool has_dns_name(gnutls_x509_crt_t certificate)
{
	char bytes[SAN_BYTES_MAX];
	size_t length;
	int kind;
	for (unsigned i = 0; next_san(certificate, i, bytes, &length, &kind); i++)
		if (kind == GNUTLS_SAN_DNSNAME)
			return true;
	return false;
}

static void format_san(int kind, const char *bytes, size_t length, char *text, size_t text_size)
{
	char escaped[NAME_MAX_BYTES], ip[INET6_ADDRSTRLEN];
	if (kind == GNUTLS_SAN_DNSNAME)
		snprintf(text, text_size, "DNS:%s",
		        log_escape((struct slice){bytes, length}, escaped, sizeof(escaped)));
	else if (kind == GNUTLS_SAN_IPADDRESS && (length == 4 || length == 16))
		snprintf(text, text_size, "IP:%s",
		        inet_ntop(length == 4 ? AF_INET : AF_INET6, bytes, ip, sizeof(ip)));
	else
		text[0] = '\0';
}

/* "DNS:a.example DNS:b.example IP:10.0.0.1", cut with "..."; false when there is none. */
static bool list_names(gnutls_x509_crt_t certificate, char *list, size_t list_size)
{
	char bytes[SAN_BYTES_MAX], text[NAME_MAX_BYTES + 8];
	size_t length, used = 0;
	int kind;
	list[0] = '\0';
	for (unsigned i = 0; next_san(certificate, i, bytes, &length, &kind); i++) {
		format_san(kind, bytes, length, text, sizeof(text));
		if (!text[0])
			continue;
		if (used + strlen(text) + sizeof(" ...") > list_size) {
			snprintf(list + used, list_size - used, " ...");
			return true;
		}
		used += (size_t)snprintf(
		        list + used, list_size - used, "%s%s", used ? " " : "", text);
	}
	return used > 0;
}

static bool bears_name(gnutls_x509_crt_t certificate, const char *name)
{
	unsigned char ip[sizeof(struct in6_addr)];
	if (inet_pton(AF_INET, name, ip) == 1)
		return gnutls_x509_crt_check_ip(certificate, ip, sizeof(struct in_addr), 0);
	if (inet_pton(AF_INET6, name, ip) == 1)
		return gnutls_x509_crt_check_ip(certificate, ip, sizeof(struct in6_addr), 0);
	return has_dns_name(certificate) && gnutls_x509_crt_check_hostname2(certificate, name, 0);
}

bool tls_name_check(
        gnutls_x509_crt_t certificate, const char *name, struct tls_verdict *verdict_out)
{
	char wanted[NAME_MAX_BYTES], list[LIST_MAX];
	size_t length = strlen(name);
	if (length > 0 && name[length - 1] == '.')
		length--;
	if (length > 0 && length < sizeof(wanted)) {
		memcpy(wanted, name, length);
		wanted[length] = '\0';
		if (bears_name(certificate, wanted))
			return true;
	}
	if (list_names(certificate, list, sizeof(list)))
		tls_verdict_refuse(verdict_out, TLS_VERDICT_WRONG_NAME, certificate, 0,
		        "wrong name: '%.255s' was asked for, it is for %s", name, list);
	else
		tls_verdict_refuse(verdict_out, TLS_VERDICT_WRONG_NAME, certificate, 0,
		        "wrong name: '%.255s' was asked for, it has no subject alternative name, "
		        "and a CN "
		        "is not honoured",
		        name);
	return false;
}
