/* SPDX-License-Identifier: BSD-2-Clause */
/* http_write_test.c - heads byte for byte, and in a buffer of every size that is too small. */
#include "worker/http/http_write.h"

#include "shared/arena.h"
#include "tests/support/http_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { HEAD_MAX = 4096 };

typedef size_t write_fn(void *opaque, char *out, size_t size);

/* Nothing is written behind the buffer's end, and the length is always the whole's. */
static void expect_head(const char *what, write_fn *fn, void *opaque, const char *wanted)
{
	char head[HEAD_MAX];
	size_t length = strlen(wanted);

	memset(head, '#', sizeof(head));
	if (fn(opaque, head, sizeof(head)) != length || memcmp(head, wanted, length) != 0)
		fail_msg("%s:\n%.*s", what, (int)sizeof(head), head);
	for (size_t size = 0; size < length; size++) {
		memset(head, '#', sizeof(head));
		assert_int_equal(fn(opaque, head, size), length);
		assert_int_equal(head[size], '#');
	}
}

struct request_case {
	struct http_rig rig;
	struct http_request_form form;
};

static size_t write_request(void *opaque, char *out, size_t size)
{
	struct request_case *one = opaque;

	return http_write_request(&one->rig.facts, &one->form, one->rig.arena, out, size);
}

static const struct {
	const char *name;
	const char *fields;
	const char *rules[3][2]; /* name, value */
	const char *wanted; /* behind the first Host field */
} request_rows[] = {
        {"fields go on in order, as they were spelled",
                "Host: example.com\nUser-Agent: curl/8\nACCEPT: */*\nX-Empty:\nX-A: 1\nx-a: 2",
                {{0}}, "User-Agent: curl/8\r\nACCEPT: */*\r\nX-Empty: \r\nX-A: 1\r\nx-a: 2\r\n"},
        {"hop-by-hop fields stay behind",
                "Connection: keep-alive, X-Hop\nKeep-Alive: timeout=5\nProxy-Connection: close\n"
                "TE: trailers\nTrailer: X\nTransfer-Encoding: chunked\nUpgrade: websocket\n"
                "Proxy-Authorization: Basic eA==\nX-Hop: 1\nX-Stays: 1",
                {{0}}, "X-Stays: 1\r\n"},
        {"Connection strips nothing that the gateway sets",
                "Connection: Host, Content-Length, X-Real-IP, Transfer-Encoding\n"
                "X-Real-IP: forged\nContent-Length: 5",
                {{"X-Real-IP", "192.0.2.7"}}, "X-Real-IP: 192.0.2.7\r\n"},
        {"forwarding fields go on unchanged",
                "X-Forwarded-For: 10.0.0.1\nX-Forwarded-Proto: https\nForwarded: for=10.0.0.1",
                {{0}},
                "X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: https\r\n"
                "Forwarded: for=10.0.0.1\r\n"},
        {"names with '_' are dropped", "X_Real_IP: forged\n_: 1\nX-A: 1", {{0}}, "X-A: 1\r\n"},
        {"a rule replaces every field of its name, by any spelling, behind the client's",
                "x-real-ip: forged\nX-A: 1\nX-REAL-IP: forged\nX_Real_IP: forged",
                {{"X-Real-IP", "192.0.2.7"}, {"X-B", "2"}},
                "X-A: 1\r\nX-Real-IP: 192.0.2.7\r\nX-B: 2\r\n"},
        {"an empty rule drops the field", "Accept-Encoding: gzip\nX-A: 1",
                {{"Accept-Encoding", ""}}, "X-A: 1\r\n"},
        {"a rule's value ends no line", "", {{"X-A", "1\r\nX-B: 2\x7f\tc"}},
                "X-A: 1  X-B: 2  c\r\n"},
        {"Expect is the form's", "Expect: 100-continue\nX-A: 1", {{0}}, "X-A: 1\r\n"},
        {"Content-Length is the form's", "Content-Length: 7\nX-A: 1", {{0}}, "X-A: 1\r\n"},
};

static void init_request(struct request_case *one)
{
	http_rig_init(&one->rig);
	one->form = (struct http_request_form){.target = SLICE("/t?a"),
	        .default_host = SLICE("backend.example.com:8443"),
	        .keep_alive = true};
}

static void requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(request_rows); i++) {
		struct request_case one;
		char wanted[HEAD_MAX];

		init_request(&one);
		http_rig_fields(&one.rig, request_rows[i].fields);
		for (size_t j = 0; j < 3; j++)
			http_rig_rule(
			        &one.rig, request_rows[i].rules[j][0], request_rows[i].rules[j][1]);
		snprintf(wanted, sizeof(wanted),
		        "GET /t?a HTTP/1.1\r\nHost: backend.example.com:8443\r\n%s\r\n",
		        request_rows[i].wanted);
		expect_head(request_rows[i].name, write_request, &one, wanted);
		http_rig_destroy(&one.rig);
	}
}

static void host_is_the_rules_else_the_forms(void **state)
{
	static const struct {
		const char *name, *value, *wanted;
	} rows[] = {
	        {"Host", "www.example.com", "www.example.com"},
	        {"hOST", "www.example.com", "www.example.com"},
	        {"Host", "a\r\nX: b", "a  X: b"},
	        {"Host", "", "backend.example.com:8443"}, /* never without */
	        {"X-Host", "x", "backend.example.com:8443\r\nX-Host: x"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct request_case one;
		char wanted[HEAD_MAX];

		init_request(&one);
		http_rig_fields(&one.rig, "Host: attacker.example\nhost: again");
		http_rig_rule(&one.rig, rows[i].name, rows[i].value);
		snprintf(wanted, sizeof(wanted), "GET /t?a HTTP/1.1\r\nHost: %s\r\n\r\n",
		        rows[i].wanted);
		expect_head(rows[i].name, write_request, &one, wanted);
		http_rig_destroy(&one.rig);
	}
}

static const struct {
	const char *name;
	enum http_method method;
	bool has_content_length;
	struct http_request_form form;
	const char *wanted;
} request_forms[] = {
        {"kept alive, no body", HTTP_METHOD_GET, false, {.keep_alive = true}, ""},
        {"closed", HTTP_METHOD_GET, false, {.keep_alive = false}, "Connection: close\r\n"},
        {"sized", HTTP_METHOD_POST, true,
                {.framing = HTTP_BODY_SIZED, .content_length = UINT64_MAX, .keep_alive = true},
                "Content-Length: 18446744073709551615\r\n"},
        {"chunked", HTTP_METHOD_POST, false,
                {.framing = HTTP_BODY_CHUNKED, .content_length = 9, .keep_alive = true},
                "Transfer-Encoding: chunked\r\n"},
        {"an empty body that was told", HTTP_METHOD_OTHER, true, {.keep_alive = true},
                "Content-Length: 0\r\n"},
        {"an empty POST", HTTP_METHOD_POST, false, {.keep_alive = true}, "Content-Length: 0\r\n"},
        {"an empty PUT", HTTP_METHOD_PUT, false, {.keep_alive = true}, "Content-Length: 0\r\n"},
        {"expecting", HTTP_METHOD_POST, true,
                {.framing = HTTP_BODY_SIZED,
                        .content_length = 5,
                        .expect_continue = true,
                        .keep_alive = true},
                "Expect: 100-continue\r\nContent-Length: 5\r\n"},
        {"upgrading", HTTP_METHOD_GET, false, {.upgrade = true, .keep_alive = true},
                "Connection: Upgrade\r\nUpgrade: websocket\r\n"},
        {"upgrading a connection that would be closed", HTTP_METHOD_GET, false, {.upgrade = true},
                "Connection: Upgrade\r\nUpgrade: websocket\r\n"},
};

static void framing_and_connection_are_the_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(request_forms); i++) {
		struct request_case one;
		char wanted[HEAD_MAX];

		init_request(&one);
		one.form = request_forms[i].form;
		one.form.target = SLICE("*");
		one.form.default_host = SLICE("h");
		one.rig.head.method = request_forms[i].method;
		one.rig.head.method_name = SLICE("VERB");
		one.rig.head.has_content_length = request_forms[i].has_content_length;
		one.rig.head.upgrade = SLICE("websocket");
		http_rig_fields(&one.rig, "Connection: upgrade\nUpgrade: websocket\nExpect: "
		                          "100-continue\nContent-Length: 1");
		snprintf(wanted, sizeof(wanted), "VERB * HTTP/1.1\r\nHost: h\r\n%s\r\n",
		        request_forms[i].wanted);
		expect_head(request_forms[i].name, write_request, &one, wanted);
		http_rig_destroy(&one.rig);
	}
}

static void a_rule_for_expect_is_the_only_one(void **state)
{
	struct request_case one;

	(void)state;
	init_request(&one);
	one.form.expect_continue = true;
	http_rig_rule(&one.rig, "Expect", "");
	expect_head("Expect", write_request, &one,
	        "GET /t?a HTTP/1.1\r\nHost: backend.example.com:8443\r\n\r\n");
	http_rig_destroy(&one.rig);
}

struct response_case {
	struct http_head head;
	struct http_response_form form;
};

static size_t write_response(void *opaque, char *out, size_t size)
{
	struct response_case *one = opaque;

	return http_write_response(&one->head, &one->form, out, size);
}

static const struct {
	const char *name;
	unsigned status;
	const char *reason;
	const char *fields;
	struct http_response_form form;
	const char *wanted;
} response_rows[] = {
        {"fields go on in order; the upstream's Date and Server too", 200, "OK",
                "Server: nginx\nDate: today\nSet-Cookie: a\nset-cookie: b\nX_A: 1\nExpect: x",
                {.framing = HTTP_BODY_SIZED,
                        .content_length = 5,
                        .keep_alive = true,
                        .client_minor = 1},
                "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: today\r\nSet-Cookie: a\r\n"
                "set-cookie: b\r\nX_A: 1\r\nExpect: x\r\nContent-Length: 5\r\n\r\n"},
        {"hop-by-hop and framing fields stay behind", 404, "Nope",
                "Connection: close, X-Hop\nX-Hop: 1\nKeep-Alive: 5\nTransfer-Encoding: chunked\n"
                "Trailer: a\nUpgrade: h2c\nContent-Length: 7\nProxy-Authenticate: Basic\nA: b",
                {.framing = HTTP_BODY_CHUNKED, .keep_alive = true, .client_minor = 1},
                "HTTP/1.1 404 Nope\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {"a reason ends no line", 200, "a\r\nb\x7f\tc", "", {.keep_alive = true, .client_minor = 1},
                "HTTP/1.1 200 a  b  c\r\n\r\n"},
        {"no reason", 299, "", "", {.keep_alive = true, .client_minor = 1},
                "HTTP/1.1 299 \r\n\r\n"},
        {"the length of what HEAD does not get", 200, "OK", "",
                {.framing = HTTP_NO_BODY,
                        .has_content_length = true,
                        .content_length = 1 << 20,
                        .keep_alive = true,
                        .client_minor = 1},
                "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n"},
        {"an empty body", 200, "OK", "",
                {.has_content_length = true, .keep_alive = true, .client_minor = 1},
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
        {"until the end", 200, "OK", "",
                {.framing = HTTP_BODY_UNTIL_CLOSE, .content_length = 5, .client_minor = 1},
                "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"},
        {"HTTP/1.0 is told that the connection stays", 200, "OK", "",
                {.has_content_length = true, .keep_alive = true, .client_minor = 0},
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"},
        {"HTTP/1.0 is told that it goes", 200, "OK", "",
                {.has_content_length = true, .client_minor = 0},
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
        {"an interim answer frames nothing and closes nothing", 103, "Early Hints",
                "Link: </a>\nContent-Length: 5",
                {.framing = HTTP_BODY_SIZED, .content_length = 5, .client_minor = 1},
                "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"},
        {"switching", 101, "Switching Protocols",
                "Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Accept: x",
                {.upgrade = true, .client_minor = 1},
                "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n"
                "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"},
};

static void responses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(response_rows); i++) {
		struct http_rig rig;
		struct response_case one = {.form = response_rows[i].form};

		http_rig_init(&rig);
		http_rig_fields(&rig, response_rows[i].fields);
		one.head = (struct http_head){.kind = HTTP_RESPONSE,
		        .fields = rig.fields,
		        .field_count = rig.head.field_count,
		        .connection = rig.head.connection,
		        .upgrade = SLICE("websocket"),
		        .status = response_rows[i].status,
		        .reason = slice_of(response_rows[i].reason)};
		expect_head(response_rows[i].name, write_response, &one, response_rows[i].wanted);
		http_rig_destroy(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(requests),
	        cmocka_unit_test(host_is_the_rules_else_the_forms),
	        cmocka_unit_test(framing_and_connection_are_the_forms),
	        cmocka_unit_test(a_rule_for_expect_is_the_only_one),
	        cmocka_unit_test(responses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
