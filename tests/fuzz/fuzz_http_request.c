/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_http_request.c - heads of requests, in random cuts.
 *
 * The first byte picks the limits and how the rest is cut. The verdict may not depend on the cuts;
 * an accepted head has to be read alike by a strict reader and by a careless one; what routing
 * relies on (path, host) has to hold.
 */
#include "shared/check.h"
#include "tests/support/http_feeder.h"
#include "tests/support/http_readers.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *framing_of(const struct http_reading *reading)
{
	CHECK(reading->readable && reading->lengths + reading->codings <= 1);
	if (reading->codings > 0) {
		CHECK(reading->chunked);
		return "chunked";
	}
	CHECK(reading->lengths == 0 || reading->length_valid);
	return reading->length > 0 ? "sized" : "none";
}

/* "GET /a 1.1 host FRAMING keep ... | name=value | ..." */
static void compare(const struct http_reading *reading, const char *words)
{
	size_t length = strlen(reading->fields), all = strlen(words);
	const char *framing = words;

	CHECK(all >= length && strcmp(words + all - length, reading->fields) == 0);
	for (int i = 0; i < 4; i++) {
		framing = strchr(framing, ' ');
		CHECK(framing);
		framing++;
	}
	const char *expected = framing_of(reading);
	CHECK(strncmp(framing, expected, strlen(expected)) == 0);
}

static void check_accepted(struct slice bytes, const struct http_verdict *verdict)
{
	struct slice head = {bytes.data, verdict->used};

	while (slice_starts_with(head, SLICE("\r\n"))) {
		head.data += 2;
		head.length -= 2;
	}
	/* The words end at a NUL, which an accepted head has none of. */
	CHECK(memchr(head.data, '\0', head.length) == NULL);
	struct http_reading strict = http_read_strictly(
	        (struct slice){head.data, bytes.length - (size_t)(head.data - bytes.data)});
	CHECK(strict.used == head.length);
	compare(&strict, verdict->head);
	free(strict.fields);
	struct http_reading lax = http_read_laxly(head);
	compare(&lax, verdict->head);
	free(lax.fields);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > 20000)
		return 0;
	bool roomy = data[0] & 1;
	const struct http_feed feed = {
	        HTTP_REQUEST, HTTP_METHOD_OTHER, {roomy ? 16384 : 200, roomy ? 8192 : 60}};
	struct slice bytes = {(const char *)data + 1, size - 1};
	struct http_verdict whole = http_feed_cut(&feed, bytes, SIZE_MAX, SIZE_MAX);
	struct http_verdict cut = http_feed_randomly(&feed, bytes, data[0]);

	CHECK(http_verdict_equal(&whole, &cut));
	if (whole.progress == HTTP_COMPLETE)
		check_accepted(bytes, &whole);
	free(whole.head);
	free(cut.head);
	return 0;
}
