/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_names.c - RFC 2253 with OpenSSL's words and escapes.
 *
 * A character that is special anywhere, at the beginning or at the end has a backslash before it;
 * whatever is not printable ASCII is '\' and two hex digits for each byte of its UTF-8. An
 * attribute without a word of its own is its number and, as one of a type that is no text, "#" and
 * the hex of its DER.
 */
#include "worker/tls/tls_names.h"

#include "shared/check.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* OpenSSL's short names. */
static const struct {
	const char *oid, *word;
} words[] = {
        {"2.5.4.3", "CN"},
        {"2.5.4.4", "SN"},
        {"2.5.4.5", "serialNumber"},
        {"2.5.4.6", "C"},
        {"2.5.4.7", "L"},
        {"2.5.4.8", "ST"},
        {"2.5.4.9", "street"},
        {"2.5.4.10", "O"},
        {"2.5.4.11", "OU"},
        {"2.5.4.12", "title"},
        {"2.5.4.13", "description"},
        {"2.5.4.15", "businessCategory"},
        {"2.5.4.17", "postalCode"},
        {"2.5.4.18", "postOfficeBox"},
        {"2.5.4.20", "telephoneNumber"},
        {"2.5.4.41", "name"},
        {"2.5.4.42", "GN"},
        {"2.5.4.43", "initials"},
        {"2.5.4.44", "generationQualifier"},
        {"2.5.4.45", "x500UniqueIdentifier"},
        {"2.5.4.46", "dnQualifier"},
        {"2.5.4.65", "pseudonym"},
        {"2.5.4.97", "organizationIdentifier"},
        {"0.9.2342.19200300.100.1.1", "UID"},
        {"0.9.2342.19200300.100.1.3", "mail"},
        {"0.9.2342.19200300.100.1.25", "DC"},
        {"1.2.840.113549.1.9.1", "emailAddress"},
        {"1.2.840.113549.1.9.2", "unstructuredName"},
        {"1.2.840.113549.1.9.8", "unstructuredAddress"},
        {"1.3.6.1.4.1.311.60.2.1.1", "jurisdictionL"},
        {"1.3.6.1.4.1.311.60.2.1.2", "jurisdictionST"},
        {"1.3.6.1.4.1.311.60.2.1.3", "jurisdictionC"},
};

/* How a string type of ASN.1 encodes its characters. */
enum encoding { ENCODING_NONE, ENCODING_UTF8, ENCODING_LATIN1, ENCODING_UCS2, ENCODING_UCS4 };

static enum encoding encoding_of(unsigned long tag)
{
	switch (tag) {
	case 12: /* UTF8String */
		return ENCODING_UTF8;
	case 18: /* NumericString */
	case 19: /* PrintableString */
	case 20: /* T61String, which everybody takes for Latin-1 */
	case 22: /* IA5String */
	case 23: /* UTCTime */
	case 24: /* GeneralizedTime */
	case 26: /* VisibleString */
		return ENCODING_LATIN1;
	case 28: /* UniversalString */
		return ENCODING_UCS4;
	case 30: /* BMPString */
		return ENCODING_UCS2;
	default:
		return ENCODING_NONE;
	}
}

static const char *word_of(const char *oid)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].oid, oid) == 0)
			return words[i].word;
	return NULL;
}

/* ---- text ---- */

static void put_character(FILE *text, uint32_t character, bool at_an_end)
{
	unsigned char utf8[4];
	size_t count = 0;

	if (character >= 0x20 && character < 0x7f) {
		bool special = strchr(",+\"\\<>;", (int)character) != NULL ||
		               (at_an_end && (character == ' ' || character == '#'));
		if (special)
			fputc('\\', text);
		fputc((int)character, text);
		return;
	}
	if (character < 0x80) {
		utf8[count++] = (unsigned char)character;
	} else if (character < 0x800) {
		utf8[count++] = (unsigned char)(0xc0 | character >> 6);
	} else if (character < 0x10000) {
		utf8[count++] = (unsigned char)(0xe0 | character >> 12);
		utf8[count++] = (unsigned char)(0x80 | (character >> 6 & 0x3f));
	} else {
		utf8[count++] = (unsigned char)(0xf0 | (character >> 18 & 7));
		utf8[count++] = (unsigned char)(0x80 | (character >> 12 & 0x3f));
		utf8[count++] = (unsigned char)(0x80 | (character >> 6 & 0x3f));
	}
	if (character >= 0x80)
		utf8[count++] = (unsigned char)(0x80 | (character & 0x3f));
	for (size_t i = 0; i < count; i++)
		fprintf(text, "\\%02X", utf8[i]);
}

/* `width` bytes for each character, big endian. */
static void put_wide(FILE *text, const gnutls_datum_t *value, unsigned width)
{
	for (unsigned i = 0; i < value->size; i += width) {
		uint32_t character = 0;
		for (unsigned j = 0; j < width; j++)
			character = character << 8 | value->data[i + j];
		put_character(text, character, i == 0 || i + width == value->size);
	}
}

/* UTF-8 is not looked at: its bytes are escaped as they come. */
static void put_utf8(FILE *text, const gnutls_datum_t *value)
{
	for (unsigned i = 0; i < value->size; i++) {
		if (value->data[i] < 0x80)
			put_character(text, value->data[i], i == 0 || i + 1 == value->size);
		else
			fprintf(text, "\\%02X", value->data[i]);
	}
}

static void put_der(FILE *text, const gnutls_x509_ava_st *attribute)
{
	unsigned size = attribute->value.size;

	fprintf(text, "#%02lX", attribute->value_tag);
	if (size < 0x80)
		fprintf(text, "%02X", size);
	else if (size < 0x100)
		fprintf(text, "81%02X", size);
	else
		fprintf(text, "82%04X", size & 0xffff);
	for (unsigned i = 0; i < size; i++)
		fprintf(text, "%02X", attribute->value.data[i]);
}

static void put_value(FILE *text, const gnutls_x509_ava_st *attribute)
{
	const gnutls_datum_t *value = &attribute->value;

	switch (encoding_of(attribute->value_tag)) {
	case ENCODING_UTF8:
		put_utf8(text, value);
		return;
	case ENCODING_LATIN1:
		put_wide(text, value, 1);
		return;
	case ENCODING_UCS2:
		if (value->size % 2 == 0) {
			put_wide(text, value, 2);
			return;
		}
		break;
	case ENCODING_UCS4:
		if (value->size % 4 == 0) {
			put_wide(text, value, 4);
			return;
		}
		break;
	case ENCODING_NONE:
		break;
	}
	put_der(text, attribute);
}

/* ---- names ---- */

static void put_attribute(FILE *text, const gnutls_x509_ava_st *attribute)
{
	char oid[128];

	snprintf(oid, sizeof(oid), "%.*s", (int)attribute->oid.size,
	        (const char *)attribute->oid.data);
	const char *word = word_of(oid);
	fprintf(text, "%s=", word ? word : oid);
	if (word)
		put_value(text, attribute);
	else
		put_der(text, attribute);
}

static int count_parts(gnutls_x509_dn_t name)
{
	gnutls_x509_ava_st attribute;
	int count = 0;

	while (gnutls_x509_dn_get_rdn_ava(name, count, 0, &attribute) == 0)
		count++;
	return count;
}

/* The last comes first, within a part as well. */
static void put_name(FILE *text, gnutls_x509_dn_t name)
{
	gnutls_x509_ava_st attribute;
	const char *separator = "";

	for (int part = count_parts(name) - 1; part >= 0; part--) {
		int count = 0;
		while (gnutls_x509_dn_get_rdn_ava(name, part, count, &attribute) == 0)
			count++;
		for (int i = count - 1; i >= 0; i--) {
			CHECK(gnutls_x509_dn_get_rdn_ava(name, part, i, &attribute) == 0);
			fputs(separator, text);
			put_attribute(text, &attribute);
			separator = i > 0 ? "+" : ",";
		}
		separator = ",";
	}
}

static char *format(int code, gnutls_x509_dn_t name)
{
	char *bytes = NULL;
	size_t size;
	FILE *text = open_memstream(&bytes, &size);

	CHECK(text);
	if (code == 0)
		put_name(text, name);
	CHECK(fclose(text) == 0);
	return bytes;
}

char *tls_names_subject(gnutls_x509_crt_t certificate)
{
	gnutls_x509_dn_t name = NULL;
	int code = gnutls_x509_crt_get_subject(certificate, &name);

	return format(code, name);
}

char *tls_names_issuer(gnutls_x509_crt_t certificate)
{
	gnutls_x509_dn_t name = NULL;
	int code = gnutls_x509_crt_get_issuer(certificate, &name);

	return format(code, name);
}

/* ---- the serial number ---- */

/* A negative number becomes its amount. */
static void negate(unsigned char *bytes, size_t size)
{
	unsigned carry = 1;

	for (size_t i = size; i > 0; i--) {
		carry += (unsigned char)~bytes[i - 1];
		bytes[i - 1] = (unsigned char)carry;
		carry >>= 8;
	}
}

char *tls_names_serial(gnutls_x509_crt_t certificate)
{
	unsigned char bytes[128];
	size_t size = sizeof(bytes), first = 0;

	if (gnutls_x509_crt_get_serial(certificate, bytes, &size) != 0 || size == 0)
		return strdup("");
	bool negative = bytes[0] & 0x80;
	if (negative)
		negate(bytes, size);
	while (first + 1 < size && bytes[first] == 0)
		first++;
	char *text = malloc(2 * size + 2);
	CHECK(text);
	size_t used = 0;
	if (negative)
		text[used++] = '-';
	for (size_t i = first; i < size; i++)
		used += (size_t)snprintf(text + used, 3, "%02X", bytes[i]);
	return text;
}
