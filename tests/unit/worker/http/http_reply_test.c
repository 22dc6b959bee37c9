/* SPDX-License-Identifier: BSD-2-Clause */
/* http_reply_test.c - answers of our own, byte for byte. */
#include "worker/http/http_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OURS "Server: sealane\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define PAGE(title, head, explanation)                                                   \
	"<html>\r\n<head><title>" title "</title></head>\r\n<body>\r\n<center><h1>" head \
	"</h1></center>\r\n" explanation "<hr><center>sealane</center>\r\n</body>\r\n</html>\r\n"

static const struct {
	struct http_reply reply;
	const char *wanted; /* %zu stands for the length of the body */
} rows[] = {
        {{.status = 404, .client_minor = 1},
                "HTTP/1.1 404 Not Found\r\n" OURS "Content-Type: text/html\r\nContent-Length: "
                "%zu\r\nConnection: close\r\n\r\n" PAGE("404 Not Found", "404 Not Found", "")},
        {{.status = 502, .client_minor = 1, .keep_alive = true},
                "HTTP/1.1 502 Bad Gateway\r\n" OURS "Content-Type: text/html\r\nContent-Length: "
                "%zu\r\n\r\n" PAGE("502 Bad Gateway", "502 Bad Gateway", "")},
        {{.status = 405, .client_minor = 0, .keep_alive = true},
                "HTTP/1.1 405 Method Not Allowed\r\n" OURS
                "Content-Type: text/html\r\nContent-Length: %zu\r\n"
                "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"
                "Connection: keep-alive\r\n\r\n" PAGE(
                        "405 Method Not Allowed", "405 Method Not Allowed", "")},
        {{.status = 495, .client_minor = 1},
                "HTTP/1.1 400 Bad Request\r\n" OURS
                "Content-Type: text/html\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n" PAGE(
                        "The SSL certificate error", "400 Bad Request",
                        "<center>The SSL certificate error</center>\r\n")},
        {{.status = 496, .client_minor = 1},
                "HTTP/1.1 400 Bad Request\r\n" OURS
                "Content-Type: text/html\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n" PAGE(
                        "No required SSL certificate was sent", "400 Bad Request",
                        "<center>No required SSL certificate was sent</center>\r\n")},
        {{.status = 497, .client_minor = 1},
                "HTTP/1.1 400 Bad Request\r\n" OURS
                "Content-Type: text/html\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n" PAGE(
                        "The plain HTTP request was sent to HTTPS port", "400 Bad Request",
                        "<center>The plain HTTP request was sent to HTTPS port</center>\r\n")},
        /* `return` */
        {{.status = 200, .body = {"hello\n", 6}, .client_minor = 1, .keep_alive = true},
                "HTTP/1.1 200 OK\r\n" OURS
                "Content-Type: text/plain\r\nContent-Length: %zu\r\n\r\nhello\n"},
        {{.status = 404,
                 .body = {"{}", 2},
                 .content_type = {"application/json", 16},
                 .client_minor = 1,
                 .keep_alive = true},
                "HTTP/1.1 404 Not Found\r\n" OURS
                "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n{}"},
        {{.status = 200, .body = {"", 0}, .client_minor = 1, .keep_alive = true},
                "HTTP/1.1 200 OK\r\n" OURS "Content-Length: %zu\r\n\r\n"},
        {{.status = 200, .client_minor = 1, .keep_alive = true},
                "HTTP/1.1 200 OK\r\n" OURS "Content-Length: %zu\r\n\r\n"},
        {{.status = 404, .body = {"", 0}, .client_minor = 1, .keep_alive = true},
                "HTTP/1.1 404 Not Found\r\n" OURS "Content-Length: %zu\r\n\r\n"},
        {{.status = 599, .client_minor = 1, .keep_alive = true},
                "HTTP/1.1 599 \r\n" OURS "Content-Length: %zu\r\n\r\n"},
        {{.status = 204, .body = {"x", 1}, .client_minor = 1, .keep_alive = true},
                "HTTP/1.1 204 No Content\r\n" OURS "\r\n"},
        {{.status = 304, .client_minor = 1, .keep_alive = true},
                "HTTP/1.1 304 Not Modified\r\n" OURS "\r\n"},
        {{.status = 301,
                 .location = {"https://a/\xc3\xa9\r\nX: y\x7f%20", 22},
                 .client_minor = 1,
                 .keep_alive = true},
                "HTTP/1.1 301 Moved Permanently\r\n" OURS
                "Content-Type: text/html\r\nContent-Length: %zu\r\n"
                "Location: https://a/%%C3%%A9%%0D%%0AX:%%20y%%7F%%20\r\n\r\n" PAGE(
                        "301 Moved Permanently", "301 Moved Permanently", "")},
};

static void expect_reply(const struct http_reply *reply, const char *wanted)
{
	char out[2048];
	size_t length = strlen(wanted);

	memset(out, '#', sizeof(out));
	if (http_write_reply(reply, out, sizeof(out)) != length || memcmp(out, wanted, length) != 0)
		fail_msg("%u:\n%.*s\nnot\n%s", reply->status, (int)sizeof(out), out, wanted);
	for (size_t size = 0; size < length; size++) {
		memset(out, '#', sizeof(out));
		assert_int_equal(http_write_reply(reply, out, size), length);
		assert_int_equal(out[size], '#');
	}
}

static void each_byte_for_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char wanted[2048];
		const char *body = strstr(rows[i].wanted, "\r\n\r\n") + 4;
		struct http_reply reply = rows[i].reply;

		reply.now = 784111777;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(wanted, sizeof(wanted), rows[i].wanted, strlen(body));
#pragma GCC diagnostic pop
		expect_reply(&reply, wanted);
		assert_int_equal(http_reply_body_bytes(&reply), strlen(body));
		reply.head_only = true;
		assert_int_equal(http_reply_body_bytes(&reply), 0);
		*(strstr(wanted, "\r\n\r\n") + 4) = '\0';
		expect_reply(&reply, wanted);
	}
}

static void every_status_of_ours_has_words_and_a_page_that_fits(void **state)
{
	static const unsigned ours[] = {400, 403, 404, 405, 408, 413, 414, 421, 429, 431, 495, 496,
	        497, 500, 501, 502, 503, 504, 505, 301, 302, 303, 307, 308};
	char out[HTTP_REPLY_PAGE_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(ours); i++) {
		struct http_reply reply = {.status = ours[i], .now = 784111777};
		size_t length = http_write_reply(&reply, out, sizeof(out));
		assert_true(length < sizeof(out));
		out[length] = '\0';
		assert_non_null(strstr(out, "\r\n\r\n<html>"));
		const char *text = http_status_text(ours[i]);
		assert_non_null(text);
		assert_int_equal(strtoul(text, NULL, 10), http_status_shown(ours[i]));
	}
	assert_null(http_status_text(599));
	assert_int_equal(http_status_shown(599), 599);
	assert_int_equal(http_status_shown(497), 400);
	assert_string_equal(http_status_text(404), "404 Not Found");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_byte_for_byte),
	        cmocka_unit_test(every_status_of_ours_has_words_and_a_page_that_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
