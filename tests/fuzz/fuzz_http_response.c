/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_http_response.c - heads of responses, in random cuts; the first byte is the method of the
 * request, the limits and the cuts. The oracle is that of fuzz_http_request.c.
 */
#include "shared/check.h"
#include "tests/support/http_feeder.h"
#include "tests/support/http_readers.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *framing_of(
        const struct http_reading *reading, unsigned long status, enum http_method method)
{
	CHECK(reading->readable && reading->lengths + reading->codings <= 1);
	CHECK(reading->codings == 0 || reading->chunked);
	CHECK(reading->lengths == 0 || reading->length_valid);
	if (method == HTTP_METHOD_HEAD || status < 200 || status == 204 || status == 304)
		return "none";
	if (reading->codings > 0)
		return "chunked";
	if (reading->lengths == 0)
		return "until-close";
	return reading->length > 0 ? "sized" : "none";
}

/* "200 1.1 FRAMING keep ... | name=value | ..." */
static void compare(const struct http_reading *reading, const char *words, enum http_method method)
{
	size_t length = strlen(reading->fields), all = strlen(words);
	char *version;
	unsigned long status = strtoul(words, &version, 10);

	CHECK(all >= length && strcmp(words + all - length, reading->fields) == 0);
	const char *expected = framing_of(reading, status, method);
	const char *framing = strchr(version + 1, ' ');
	CHECK(framing && strncmp(framing + 1, expected, strlen(expected)) == 0);
}

static void check_accepted(
        struct slice bytes, const struct http_verdict *verdict, enum http_method method)
{
	CHECK(memchr(bytes.data, '\0', verdict->used) == NULL);
	struct http_reading strict = http_read_strictly(bytes);
	CHECK(strict.used == verdict->used);
	compare(&strict, verdict->head, method);
	free(strict.fields);
	struct http_reading lax = http_read_laxly((struct slice){bytes.data, verdict->used});
	compare(&lax, verdict->head, method);
	free(lax.fields);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > 20000)
		return 0;
	enum http_method method = data[0] & 2 ? HTTP_METHOD_HEAD : HTTP_METHOD_GET;
	const struct http_feed feed = {HTTP_RESPONSE, method, {data[0] & 1 ? 16384 : 100, 0}};
	struct slice bytes = {(const char *)data + 1, size - 1};
	struct http_verdict whole = http_feed_cut(&feed, bytes, SIZE_MAX, SIZE_MAX);
	struct http_verdict cut = http_feed_randomly(&feed, bytes, data[0]);

	CHECK(http_verdict_equal(&whole, &cut));
	CHECK(whole.progress != HTTP_REFUSED || whole.status == 502);
	if (whole.progress == HTTP_COMPLETE)
		check_accepted(bytes, &whole, method);
	free(whole.head);
	free(cut.head);
	return 0;
}
