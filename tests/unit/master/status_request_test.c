/* SPDX-License-Identifier: BSD-2-Clause */
/* status_request_test.c - what is read, what is refused, and that it does not matter how it comes.
 */
#include "master/status_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define END "Host: a\r\n\r\n"

static const struct {
	const char *text;
	unsigned verdict;
	const char *path; /* where the verdict is 200 */
	bool without_body;
} cases[] = {
        {"GET /metrics HTTP/1.1\r\n" END, 200, "/metrics", false},
        {"GET / HTTP/1.0\r\n\r\n", 200, "/", false},
        {"HEAD /status?x=1?2 HTTP/1.1\r\n" END, 200, "/status", true},
        {"GET /a HTTP/1.1\r\nAccept: a, b;q=0.5\r\nX:\r\nY: \t\xc3\xa9\r\n\r\n", 200, "/a", false},
        {"POST /metrics HTTP/1.1\r\n" END, 405, NULL, false},
        {"OPTIONS /metrics HTTP/1.1\r\n" END, 405, NULL, false},
        {"get /metrics HTTP/1.1\r\n" END, 405, NULL, false},
        {"GET /metrics HTTP/2.0\r\n" END, 505, NULL, false},
        {"GET /metrics HTTP/1.2\r\n" END, 505, NULL, false},
        {"GET /metrics HTTP/1.10\r\n" END, 400, NULL, false},
        {"GET /metrics http/1.1\r\n" END, 400, NULL, false},
        {"GET /metrics\r\n" END, 400, NULL, false},
        {"GET  /metrics HTTP/1.1\r\n" END, 400, NULL, false},
        {"GET /me trics HTTP/1.1\r\n" END, 400, NULL, false},
        {"GET /metrics HTTP/1.1 \r\n" END, 400, NULL, false},
        {"GET http://a/metrics HTTP/1.1\r\n" END, 400, NULL, false},
        {"GET * HTTP/1.1\r\n" END, 400, NULL, false},
        {"GET /\xc3\xa9 HTTP/1.1\r\n" END, 400, NULL, false},
        {"G(T / HTTP/1.1\r\n" END, 400, NULL, false},
        {"(ET / HTTP/1.1\r\n" END, 400, NULL, false},
        {" GET / HTTP/1.1\r\n" END, 400, NULL, false},
        {"\r\nGET / HTTP/1.1\r\n" END, 400, NULL, false},
        {"GET / HTTP/1.1\n", 400, NULL, false},
        {"GET / HTTP/1.1\rX", 400, NULL, false},
        {"GET / HTTP/1.1\r\nno colon\r\n", 400, NULL, false},
        {"GET / HTTP/1.1\r\nName : a\r\n", 400, NULL, false},
        {"GET / HTTP/1.1\r\n: a\r\n", 400, NULL, false},
        {"GET / HTTP/1.1\r\nX: a\r\n folded\r\n", 400, NULL, false},
        {"GET / HTTP/1.1\r\nX: a\x01", 400, NULL, false},
        {"GET / HTTP/1.1\r\nX: a\x7f", 400, NULL, false},
        {"\x16\x03\x01", 400, NULL, false},
};
enum { CASE_COUNT = sizeof(cases) / sizeof(cases[0]) };

/* In memory that ends where the text does, for the sanitizer. */
static unsigned parse(const char *text, size_t length, struct status_request *request, char **copy)
{
	*copy = length ? malloc(length) : NULL;
	assert_true(*copy || !length);
	if (length)
		memcpy(*copy, text, length);
	return status_request_parse((struct slice){*copy, length}, request);
}

static void requests_are_read_or_refused(void **state)
{
	struct status_request request;
	char *copy;

	(void)state;
	for (size_t i = 0; i < CASE_COUNT; i++) {
		unsigned verdict = parse(cases[i].text, strlen(cases[i].text), &request, &copy);
		if (verdict != cases[i].verdict)
			fail_msg("%u, not %u: %s", verdict, cases[i].verdict, cases[i].text);
		if (verdict == 200) {
			assert_true(slice_equal(request.path, slice_of(cases[i].path)));
			assert_int_equal(request.without_body, cases[i].without_body);
		}
		free(copy);
	}
}

/* A beginning is incomplete, or is refused already as the whole is. */
static void beginnings_need_more(void **state)
{
	struct status_request request;
	char *copy;

	(void)state;
	for (size_t i = 0; i < CASE_COUNT; i++) {
		for (size_t length = 0; length < strlen(cases[i].text); length++) {
			unsigned verdict = parse(cases[i].text, length, &request, &copy);
			if (verdict != 0 && (verdict != cases[i].verdict || verdict == 200))
				fail_msg("%u after %zu bytes: %s", verdict, length, cases[i].text);
			free(copy);
		}
	}
}

static void a_head_has_a_limit(void **state)
{
	static char head[STATUS_HEAD_MAX];
	static const char start[] = "GET / HTTP/1.1\r\nX: ";
	struct status_request request;

	(void)state;
	memset(head, 'a', sizeof(head));
	memcpy(head, start, sizeof(start) - 1);
	assert_int_equal(status_request_parse((struct slice){head, sizeof(head) - 1}, &request), 0);
	assert_int_equal(status_request_parse((struct slice){head, sizeof(head)}, &request), 431);
	memcpy(head + sizeof(head) - 4, "\r\n\r\n", 4);
	assert_int_equal(status_request_parse((struct slice){head, sizeof(head)}, &request), 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(requests_are_read_or_refused),
	        cmocka_unit_test(beginnings_need_more),
	        cmocka_unit_test(a_head_has_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
