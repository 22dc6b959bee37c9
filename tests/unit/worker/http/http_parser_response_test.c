/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_parser_response_test.c - heads of responses.
 *
 * Each case is fed whole, in two pieces with the cut at every place, and byte by byte, with
 * bytes of a body or a next answer behind it: the verdict may not change, and those stay unused.
 */
#include "tests/support/http_feeder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S(literal)                             \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}

/* `words` of the accepted head (see http_head_words), or why it is refused with `status`. */
static const struct http_case cases[] = {
        /* status lines */
        {S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), 0,
                "200 1.1 sized keep reason=OK length=2 | Content-Length=2"},
        {S("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n"), 0,
                "200 1.0 sized close reason=OK length=2 | Content-Length=2"},
        {S("HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n"), 0,
                "200 1.1 sized keep length=2 | Content-Length=2"},
        {S("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n"), 0,
                "200 1.1 sized keep length=2 | Content-Length=2"},
        {S("HTTP/1.1 404 Not Found, at all\r\nContent-Length: 2\r\n\r\n"), 0,
                "404 1.1 sized keep reason=Not Found, at all length=2 | Content-Length=2"},
        {S("HTTP/1.1 200 \303\244\tb\r\nContent-Length: 2\r\n\r\n"), 0,
                "200 1.1 sized keep reason=\303\244\tb length=2 | Content-Length=2"},
        {S("HTTP/1.1 599 x\r\nContent-Length: 2\r\n\r\n"), 0,
                "599 1.1 sized keep reason=x length=2 | Content-Length=2"},
        {S("HTTP/1.1 600 x\r\nContent-Length: 2\r\n\r\n"), 502,
                "a status that is not from 100 to 599"},
        {S("HTTP/1.1 999 x\r\nContent-Length: 2\r\n\r\n"), 502,
                "a status that is not from 100 to 599"},
        {S("HTTP/1.1 099 x\r\nContent-Length: 2\r\n\r\n"), 502,
                "a status that is not from 100 to 599"},
        {S("HTTP/1.1 000 x\r\nContent-Length: 2\r\n\r\n"), 502,
                "a status that is not from 100 to 599"},
        {S("HTTP/1.1 1000 x\r\nContent-Length: 2\r\n\r\n"), 502, "a malformed status"},
        {S("HTTP/1.1 0200 OK\r\nContent-Length: 2\r\n\r\n"), 502, "a malformed status line"},
        {S("HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\n"), 502, "a malformed status line"},
        {S("HTTP/1.1 2 OK\r\nContent-Length: 2\r\n\r\n"), 502, "a malformed status line"},
        {S("HTTP/1.1 2x0 OK\r\nContent-Length: 2\r\n\r\n"), 502, "a malformed status"},
        {S("HTTP/1.1 -20 OK\r\nContent-Length: 2\r\n\r\n"), 502, "a malformed status"},
        {S("HTTP/1.1  200 OK\r\nContent-Length: 2\r\n\r\n"), 502, "a malformed status line"},
        {S("HTTP/1.1\t200 OK\r\nContent-Length: 2\r\n\r\n"), 502,
                "a malformed or ancient HTTP version"},
        {S("HTTP/1.1 200\tOK\r\nContent-Length: 2\r\n\r\n"), 502, "a malformed status"},
        {S("HTTP/1.1 200OK\r\nContent-Length: 2\r\n\r\n"), 502, "a malformed status"},
        {S("HTTP/1.1 200  OK\r\nContent-Length: 2\r\n\r\n"), 0,
                "200 1.1 sized keep reason= OK length=2 | Content-Length=2"},
        {S("HTTP/1.1 200 a\000b\r\nContent-Length: 2\r\n\r\n"), 502,
                "a control byte in the reason phrase"},
        {S("HTTP/1.1 200 a\001b\r\nContent-Length: 2\r\n\r\n"), 502,
                "a control byte in the reason phrase"},
        {S("HTTP/1.1 200 a\177b\r\nContent-Length: 2\r\n\r\n"), 502,
                "a control byte in the reason phrase"},
        {S("HTTP/1.1 200 a\rb\r\nContent-Length: 2\r\n\r\n"), 502,
                "a line that does not end with CR LF"},
        {S("HTTP/1.1 200 OK\r\r\nContent-Length: 2\r\n\r\n"), 502,
                "a line that does not end with CR LF"},
        {S("HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\n"), 502, "a version later than HTTP/1.1"},
        {S("HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\n"), 502, "a version later than HTTP/1.1"},
        {S("HTTP/0.9 200 OK\r\nContent-Length: 2\r\n\r\n"), 502,
                "a malformed or ancient HTTP version"},
        {S("HTTP/1 200 OK\r\nContent-Length: 2\r\n\r\n"), 502,
                "a malformed or ancient HTTP version"},
        {S("HTTP/2 200\r\nContent-Length: 2\r\n\r\n"), 502, "a version later than HTTP/1.1"},
        {S("HTTP/1.10 200 OK\r\nContent-Length: 2\r\n\r\n"), 502,
                "a malformed or ancient HTTP version"},
        {S("HTTP/11.1 200 OK\r\nContent-Length: 2\r\n\r\n"), 502,
                "a malformed or ancient HTTP version"},
        {S("http/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), 502, "a malformed first line"},
        {S("ICY 200 OK\r\nContent-Length: 2\r\n\r\n"), 502, "a malformed first line"},
        {S("HTTP 200 OK\r\nContent-Length: 2\r\n\r\n"), 502, "a malformed first line"},
        {S("RTSP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n"), 502, "a malformed first line"},
        {S(" HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), 502, "a malformed first line"},
        {S("HTTP/ 1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), 502,
                "a malformed or ancient HTTP version"},
        {S("200 OK\r\nContent-Length: 2\r\n\r\n"), 502, "a malformed first line"},
        {S("hello\r\nContent-Length: 2\r\n\r\n"), 502, "a malformed first line"},
        {S("GET / HTTP/1.1\r\nContent-Length: 2\r\n\r\n"), 502, "a malformed first line"},
        {S("\r\nContent-Length: 2\r\n\r\n"), 502, "an empty line before the head"},
        {S("\000\r\nContent-Length: 2\r\n\r\n"), 502, "a malformed first line"},
        {S("\025\003\001\000\002\002\026\r\nContent-Length: 2\r\n\r\n"), 502,
                "a malformed first line"},
        /* lines */
        {S("HTTP/1.1 200 OK\nA: b\r\n\r\n"), 502, "a line that does not end with CR LF"},
        {S("HTTP/1.1 200 OK\n\n"), 502, "a line that does not end with CR LF"},
        {S("HTTP/1.1 200 OK\r\nA: b\n\r\n"), 502, "a malformed field"},
        {S("HTTP/1.1 200 OK\r\nA: b\r\n\n"), 502, "a line that does not end with CR LF"},
        {S("HTTP/1.1 200 OK\r\nA: b\r\n\rX"), 502, "a line that does not end with CR LF"},
        {S("HTTP/1.1 200 OK\rXA: b\r\nC: d\r\n\r\n"), 502, "a line that does not end with CR LF"},
        {S("\nHTTP/1.1 200 OK\r\n\r\n"), 502, "an empty line before the head"},
        {S("HTTP/1.1 200 OK\r\n\r\n"), 0, "200 1.1 until-close close reason=OK"},
        /* fields */
        {S("HTTP/1.1 200 OK\r\nA: b\r\n\r\n"), 0, "200 1.1 until-close close reason=OK | A=b"},
        {S("HTTP/1.1 200 OK\r\nA:\r\n\r\n"), 0, "200 1.1 until-close close reason=OK | A="},
        {S("HTTP/1.1 200 OK\r\nA : b\r\n\r\n"), 502, "a malformed field name"},
        {S("HTTP/1.1 200 OK\r\nA b: c\r\n\r\n"), 502, "a malformed field name"},
        {S("HTTP/1.1 200 OK\r\n: b\r\n\r\n"), 502, "a field without a name"},
        {S("HTTP/1.1 200 OK\r\n A: b\r\n\r\n"), 502, "a malformed head"},
        {S("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"), 502, "a control byte or a fold in a field"},
        {S("HTTP/1.1 200 OK\r\nA\r\n\r\n"), 502, "a malformed field"},
        {S("HTTP/1.1 200 OK\r\nA\000: b\r\n\r\n"), 502, "a malformed field"},
        {S("HTTP/1.1 200 OK\r\nA: \000\r\n\r\n"), 502, "a malformed field"},
        {S("HTTP/1.1 200 OK\r\nA: b\001\r\n\r\n"), 502, "a malformed field"},
        {S("HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n"), 502, "a line that does not end with CR LF"},
        {S("HTTP/1.1 200 OK\r\nA: \377\r\n\r\n"), 0,
                "200 1.1 until-close close reason=OK | A=\377"},
        {S("HTTP/1.1 200 OK\r\n\"a\": b\r\n\r\n"), 502, "a malformed field"},
        {S("HTTP/1.1 200 OK\r\nA_b: c\r\n\r\n"), 0, "200 1.1 until-close close reason=OK | A_b=c"},
        {S("HTTP/1.1 200 OK\r\nSet-Cookie: a=b; c\r\nSet-Cookie: d=e\r\n\r\n"), 0,
                "200 1.1 until-close close reason=OK | Set-Cookie=a=b; c | Set-Cookie=d=e"},
        /* framing */
        {S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), 0,
                "200 1.1 none keep reason=OK length=0 | Content-Length=0"},
        {S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), 0,
                "200 1.1 sized keep reason=OK length=5 | Content-Length=5"},
        {S("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n"), 0,
                "200 1.1 sized keep reason=OK length=9223372036854775807 | "
                "Content-Length=9223372036854775807"},
        {S("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n"), 502,
                "a malformed Content-Length"},
        {S("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n"), 502,
                "a malformed Content-Length"},
        {S("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), 502, "a malformed Content-Length"},
        {S("HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n"), 502, "a malformed Content-Length"},
        {S("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n"), 502, "a malformed Content-Length"},
        {S("HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n"), 502, "a malformed Content-Length"},
        {S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"), 502,
                "a second length of the body"},
        {S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"), 502,
                "a second length of the body"},
        {S("HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\n"), 502, "a malformed Content-Length"},
        {S("HTTP/1.1 200 OK\r\nContent-Length: 5 5\r\n\r\n"), 502, "a malformed Content-Length"},
        {S("HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n"), 502, "a malformed field"},
        {S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), 0,
                "200 1.1 chunked keep reason=OK | Transfer-Encoding=chunked"},
        {S("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"), 0,
                "200 1.1 chunked keep reason=OK | Transfer-Encoding=Chunked"},
        {S("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"), 502,
                "a transfer coding other than chunked"},
        {S("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"), 502,
                "a transfer coding other than chunked"},
        {S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n"), 502,
                "chunked is not the last transfer coding"},
        {S("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n"), 502,
                "a transfer coding other than chunked"},
        {S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n"), 502,
                "chunked is not the last transfer coding"},
        {S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
                502, "more than one Transfer-Encoding field"},
        {S("HTTP/1.1 200 OK\r\nTransfer-Encoding: \r\n\r\n"), 502, "a malformed Transfer-Encoding"},
        {S("HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n"), 502,
                "a transfer coding other than chunked"},
        {S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"), 502,
                "a second length of the body"},
        {S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"), 502,
                "a second length of the body"},
        {S("HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\n"), 502,
                "a control byte or a fold in a field"},
        {S("HTTP/1.1 200 OK\r\nTransfer_Encoding: chunked\r\n\r\n"), 0,
                "200 1.1 until-close close reason=OK | Transfer_Encoding=chunked"},
        {S("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), 502,
                "Transfer-Encoding in HTTP/1.0"},
        {S("HTTP/1.0 200 OK\r\nTransfer-Encoding: identity\r\n\r\n"), 502,
                "Transfer-Encoding in HTTP/1.0"},
        {S("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n"), 0,
                "200 1.0 sized close reason=OK length=5 | Content-Length=5"},
        {S("HTTP/1.0 200 OK\r\n\r\n"), 0, "200 1.0 until-close close reason=OK"},
        /* no body, whatever the fields say */
        {S("HTTP/1.1 100 Continue\r\n\r\n"), 0, "100 1.1 none keep reason=Continue"},
        {S("HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n"), 0,
                "100 1.1 none keep reason=Continue | Content-Length=5"},
        {S("HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n"), 0,
                "100 1.1 none keep reason=Continue | Transfer-Encoding=chunked"},
        {S("HTTP/1.1 101 Switching Protocols\r\n\r\n"), 0,
                "101 1.1 none keep reason=Switching Protocols"},
        {S("HTTP/1.1 101 Switching Protocols\r\nContent-Length: 5\r\n\r\n"), 0,
                "101 1.1 none keep reason=Switching Protocols | Content-Length=5"},
        {S("HTTP/1.1 101 Switching Protocols\r\nTransfer-Encoding: chunked\r\n\r\n"), 0,
                "101 1.1 none keep reason=Switching Protocols | Transfer-Encoding=chunked"},
        {S("HTTP/1.1 103 Early Hints\r\n\r\n"), 0, "103 1.1 none keep reason=Early Hints"},
        {S("HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n"), 0,
                "103 1.1 none keep reason=Early Hints | Content-Length=5"},
        {S("HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n"), 0,
                "103 1.1 none keep reason=Early Hints | Transfer-Encoding=chunked"},
        {S("HTTP/1.1 199 x\r\n\r\n"), 0, "199 1.1 none keep reason=x"},
        {S("HTTP/1.1 199 x\r\nContent-Length: 5\r\n\r\n"), 0,
                "199 1.1 none keep reason=x | Content-Length=5"},
        {S("HTTP/1.1 199 x\r\nTransfer-Encoding: chunked\r\n\r\n"), 0,
                "199 1.1 none keep reason=x | Transfer-Encoding=chunked"},
        {S("HTTP/1.1 204 No Content\r\n\r\n"), 0, "204 1.1 none keep reason=No Content"},
        {S("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"), 0,
                "204 1.1 none keep reason=No Content | Content-Length=5"},
        {S("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"), 0,
                "204 1.1 none keep reason=No Content | Transfer-Encoding=chunked"},
        {S("HTTP/1.1 304 Not Modified\r\n\r\n"), 0, "304 1.1 none keep reason=Not Modified"},
        {S("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"), 0,
                "304 1.1 none keep reason=Not Modified length=5 | Content-Length=5"},
        {S("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"), 0,
                "304 1.1 none keep reason=Not Modified | Transfer-Encoding=chunked"},
        {S("HTTP/1.1 205 Reset Content\r\nContent-Length: 5\r\n\r\n"), 0,
                "205 1.1 sized keep reason=Reset Content length=5 | Content-Length=5"},
        {S("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
                502, "a second length of the body"},
        {S("HTTP/1.1 204 No Content\r\nContent-Length: x\r\n\r\n"), 502,
                "a malformed Content-Length"},
        {S("HTTP/1.0 304 x\r\nTransfer-Encoding: chunked\r\n\r\n"), 502,
                "Transfer-Encoding in HTTP/1.0"},
        /* Connection and Upgrade */
        {S("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n"), 0,
                "200 1.1 sized close reason=OK length=5 connection=close | Connection=close | "
                "Content-Length=5"},
        {S("HTTP/1.1 200 OK\r\nConnection: keep-alive, Close\r\nContent-Length: 5\r\n\r\n"), 0,
                "200 1.1 sized close reason=OK length=5 connection=keep-alive, Close | "
                "Connection=keep-alive, Close | Content-Length=5"},
        {S("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n"), 0,
                "200 1.0 sized keep reason=OK length=5 connection=keep-alive | "
                "Connection=keep-alive | Content-Length=5"},
        {S("HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\nContent-Length: 5\r\n\r\n"), 0,
                "200 1.0 sized close reason=OK length=5 connection=keep-alive, close | "
                "Connection=keep-alive, close | Content-Length=5"},
        {S("HTTP/1.0 200 OK\r\nKeep-Alive: timeout=5\r\nContent-Length: 5\r\n\r\n"), 0,
                "200 1.0 sized close reason=OK length=5 | Keep-Alive=timeout=5 | Content-Length=5"},
        {S("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n"), 0,
                "200 1.1 until-close close reason=OK connection=keep-alive | "
                "Connection=keep-alive"},
        {S("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
                0,
                "101 1.1 none keep reason=Switching Protocols connection=Upgrade upgrade=websocket "
                "| Upgrade=websocket | Connection=Upgrade"},
        {S("HTTP/1.0 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"), 0,
                "101 1.0 none close reason=x connection=Upgrade | Upgrade=websocket | "
                "Connection=Upgrade"},
        {S("HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n"), 0,
                "101 1.1 none keep reason=x | Upgrade=websocket"},
        {S("HTTP/1.1 101 x\r\nUpgrade: websocket\r\nContent-Length: 5\r\nConnection: "
           "upgrade\r\n\r\n"),
                0,
                "101 1.1 none keep reason=x connection=upgrade upgrade=websocket | "
                "Upgrade=websocket | Content-Length=5 | Connection=upgrade"},
        {S("HTTP/1.1 426 x\r\nContent-Length: 0\r\nUpgrade: websocket\r\nConnection: "
           "Upgrade\r\n\r\n"),
                0,
                "426 1.1 none keep reason=x length=0 connection=Upgrade upgrade=websocket | "
                "Content-Length=0 | Upgrade=websocket | Connection=Upgrade"},
        {S("HTTP/1.1 200 x\r\nContent-Length: 7\r\nUpgrade: websocket\r\nConnection: "
           "Upgrade\r\n\r\n"),
                0,
                "200 1.1 sized keep reason=x length=7 connection=Upgrade upgrade=websocket | "
                "Content-Length=7 | Upgrade=websocket | Connection=Upgrade"},
};

/* Answers to HEAD. */
static const struct http_case head_cases[] = {
        {S("HTTP/1.1 200 OK\r\n\r\n"), 0, "200 1.1 none keep reason=OK"},
        {S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), 0,
                "200 1.1 none keep reason=OK length=5 | Content-Length=5"},
        {S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), 0,
                "200 1.1 none keep reason=OK | Transfer-Encoding=chunked"},
        {S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), 0,
                "200 1.1 none keep reason=OK length=0 | Content-Length=0"},
        {S("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"), 502,
                "a transfer coding other than chunked"},
};

static void every_case_in_every_cut(void **state)
{
	const struct http_feed feed = {HTTP_RESPONSE, HTTP_METHOD_GET, {8192, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		http_case_check(&feed, &cases[i], SLICE("HTTP/1.1 200 OK\r\n"));
}

static void every_answer_to_head_in_every_cut(void **state)
{
	const struct http_feed feed = {HTTP_RESPONSE, HTTP_METHOD_HEAD, {8192, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(head_cases) / sizeof(head_cases[0]); i++)
		http_case_check(&feed, &head_cases[i], SLICE("HTTP/1.1 200 OK\r\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_case_in_every_cut),
	        cmocka_unit_test(every_answer_to_head_in_every_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
