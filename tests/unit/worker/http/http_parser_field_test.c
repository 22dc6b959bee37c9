/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_parser_field_test.c - fields and framing of requests.
 *
 * Each case is fed whole, in two pieces with the cut at every place, and byte by byte, with the
 * next request's first bytes behind it: the verdict may not change, and those bytes stay unused.
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
        /* fields */
        {S("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n"), 0, "GET / 1.1 a none keep | Host=a | A=b"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA:b\r\n\r\n"), 0, "GET / 1.1 a none keep | Host=a | A=b"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA:\r\n\r\n"), 0, "GET / 1.1 a none keep | Host=a | A="},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA: \r\n\r\n"), 0, "GET / 1.1 a none keep | Host=a | A="},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA:\tb\t \r\n\r\n"), 0,
                "GET / 1.1 a none keep | Host=a | A=b"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA: b c\r\n\r\n"), 0,
                "GET / 1.1 a none keep | Host=a | A=b c"},
        {S("GET / HTTP/1.1\r\nHost: a\r\na!#$%&'*+-.^_`|~9: b\r\n\r\n"), 0,
                "GET / 1.1 a none keep | Host=a | a!#$%&'*+-.^_`|~9=b"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n"), 400, "a malformed field name"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA\t: b\r\n\r\n"), 400, "a malformed field"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA b: c\r\n\r\n"), 400, "a malformed field name"},
        {S("GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"), 400, "a field without a name"},
        {S("GET / HTTP/1.1\r\nHost: a\r\n A: b\r\n\r\n"), 400,
                "a control byte or a fold in a field"},
        {S("GET / HTTP/1.1\r\nHost: a\r\n\tA: b\r\n\r\n"), 400,
                "a control byte or a fold in a field"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n"), 400,
                "a control byte or a fold in a field"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\tc\r\n\r\n"), 400,
                "a control byte or a fold in a field"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA:\r\n b\r\n\r\n"), 400,
                "a control byte or a fold in a field"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n \r\nB: c\r\n\r\n"), 400,
                "a control byte or a fold in a field"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA\r\n\r\n"), 400, "a malformed field"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA=b\r\n\r\n"), 400, "a malformed field"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA(b): c\r\n\r\n"), 400, "a malformed field"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA\000: b\r\n\r\n"), 400, "a malformed field"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA: \000\r\n\r\n"), 400, "a malformed field"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA: b\001\r\n\r\n"), 400, "a malformed field"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA: b\177\r\n\r\n"), 400, "a malformed field"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA: \377\303\r\n\r\n"), 0,
                "GET / 1.1 a none keep | Host=a | A=\377\303"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA: b\rc\r\n\r\n"), 400,
                "a line that does not end with CR LF"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA: b\013c\r\n\r\n"), 400, "a malformed field"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA: b\nB: c\r\n\r\n"), 400, "a malformed field"},
        {S("GET / HTTP/1.1\r\nHost: a\r\n\303: a\r\n\r\n"), 400, "a malformed field"},
        {S("GET / HTTP/1.1\r\nHost: a\r\n\"a\": b\r\n\r\n"), 400, "a malformed field"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nA: c\r\n\r\n"), 0,
                "GET / 1.1 a none keep | Host=a | A=b | A=c"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA@b: c\r\n\r\n"), 400, "a malformed field"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA[b]: c\r\n\r\n"), 400, "a malformed field"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA/b: c\r\n\r\n"), 400, "a malformed field"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA: abcdefgh\tij\r\n\r\n"), 0,
                "GET / 1.1 a none keep | Host=a | A=abcdefgh\tij"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA: abcdefghijklmno\001p\r\n\r\n"), 400,
                "a malformed field"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nA_b: c\r\n\r\n"), 0,
                "GET / 1.1 a none keep | Host=a | A_b=c"},
        /* Content-Length */
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"), 0,
                "POST / 1.1 a none keep once length=0 | Host=a | Content-Length=0"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"), 0,
                "POST / 1.1 a sized keep once length=5 | Host=a | Content-Length=5"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 05\r\n\r\n"), 0,
                "POST / 1.1 a sized keep once length=5 | Host=a | Content-Length=05"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n"), 0,
                "POST / 1.1 a sized keep once length=9223372036854775807 | Host=a | "
                "Content-Length=9223372036854775807"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n\r\n"), 400,
                "a malformed Content-Length"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n"), 400,
                "a malformed Content-Length"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n"), 400,
                "a malformed Content-Length"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n"), 400,
                "a malformed Content-Length"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n"), 400,
                "a malformed Content-Length"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n"), 400,
                "a malformed Content-Length"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n"), 400,
                "a malformed Content-Length"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5 5\r\n\r\n"), 400,
                "a malformed Content-Length"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n"), 400,
                "a malformed Content-Length"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5,5\r\n\r\n"), 400,
                "a malformed Content-Length"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n"), 400,
                "a malformed Content-Length"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: a\r\n\r\n"), 400,
                "a malformed Content-Length"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5a\r\n\r\n"), 400,
                "a malformed Content-Length"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length:  5 \r\n\r\n"), 0,
                "POST / 1.1 a sized keep once length=5 | Host=a | Content-Length=5"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5.0\r\n\r\n"), 400,
                "a malformed Content-Length"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1e1\r\n\r\n"), 400,
                "a malformed Content-Length"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \t5\r\n\r\n"), 0,
                "POST / 1.1 a sized keep once length=5 | Host=a | Content-Length=5"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5;a\r\n\r\n"), 400,
                "a malformed Content-Length"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \"5\"\r\n\r\n"), 400,
                "a malformed Content-Length"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \262\r\n\r\n"), 400,
                "a malformed Content-Length"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"), 400,
                "a second length of the body"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\ncontent-length: 6\r\n\r\n"), 400,
                "a second length of the body"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\n"), 400, "a malformed field"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent_Length: 5\r\n\r\n"), 0,
                "POST / 1.1 a none keep once | Host=a | Content_Length=5"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n 5\r\n\r\n"), 400,
                "a control byte or a fold in a field"},
        {S("GET / HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\n\r\n"), 0,
                "GET / 1.0 a sized close length=5 | Host=a | Content-Length=5"},
        {S("POST / HTTP/1.1\r\nHost: a\r\n\r\n"), 0, "POST / 1.1 a none keep once | Host=a"},
        /* Transfer-Encoding */
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), 0,
                "POST / 1.1 a chunked keep once | Host=a | Transfer-Encoding=chunked"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n"), 0,
                "POST / 1.1 a chunked keep once | Host=a | Transfer-Encoding=CHUNKED"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:  chunked \r\n\r\n"), 0,
                "POST / 1.1 a chunked keep once | Host=a | Transfer-Encoding=chunked"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \tchunked\r\n\r\n"), 0,
                "POST / 1.1 a chunked keep once | Host=a | Transfer-Encoding=chunked"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n"), 400,
                "a malformed Transfer-Encoding"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked,\r\n\r\n"), 400,
                "a malformed Transfer-Encoding"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"), 501,
                "a transfer coding other than chunked"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"), 501,
                "a transfer coding other than chunked"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"), 501,
                "a transfer coding other than chunked"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity, chunked\r\n\r\n"), 501,
                "a transfer coding other than chunked"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n"), 400,
                "a malformed Transfer-Encoding"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n"), 400,
                "a malformed Transfer-Encoding"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n"), 501,
                "a transfer coding other than chunked"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunkedx\r\n\r\n"), 501,
                "a transfer coding other than chunked"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n"), 501,
                "a transfer coding other than chunked"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n"), 501,
                "a transfer coding other than chunked"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \r\n\r\n"), 400,
                "a malformed Transfer-Encoding"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunk\r\n\r\n"), 501,
                "a transfer coding other than chunked"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chu nked\r\n\r\n"), 501,
                "a transfer coding other than chunked"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: , chunked\r\n\r\n"), 400,
                "a malformed Transfer-Encoding"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \013chunked\r\n\r\n"), 400,
                "a malformed field"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\000\r\n\r\n"), 400,
                "a malformed field"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: trailers\r\n\r\n"), 501,
                "a transfer coding other than chunked"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n \r\n\r\n"), 400,
                "a control byte or a fold in a field"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
           "chunked\r\n\r\n"),
                400, "a malformed Transfer-Encoding"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
           "identity\r\n\r\n"),
                400, "a malformed Transfer-Encoding"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: "
           "chunked\r\n\r\n"),
                400, "more than one Transfer-Encoding field"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"),
                400, "a second length of the body"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
                400, "a second length of the body"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"),
                400, "a second length of the body"},
        {S("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), 400,
                "Transfer-Encoding in HTTP/1.0"},
        {S("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"), 400,
                "Transfer-Encoding in HTTP/1.0"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\n\r\n"), 0,
                "POST / 1.1 a none keep once | Host=a | Transfer_Encoding=chunked"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n"), 400,
                "a malformed field"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n"), 400,
                "a control byte or a fold in a field"},
        {S("POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding:chunked\r\n\r\n"), 0,
                "POST / 1.1 a chunked keep once | Host=a | transfer-encoding=chunked"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), 0,
                "GET / 1.1 a chunked keep | Host=a | Transfer-Encoding=chunked"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\n"),
                400, "a second length of the body"},
        /* Connection, Upgrade, Expect */
        {S("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), 0,
                "GET / 1.1 a none close connection=close | Host=a | Connection=close"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"), 0,
                "GET / 1.1 a none keep connection=keep-alive | Host=a | Connection=keep-alive"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nconnection: CLOSE\r\n\r\n"), 0,
                "GET / 1.1 a none close connection=CLOSE | Host=a | connection=CLOSE"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n"), 0,
                "GET / 1.1 a none close connection=keep-alive, close | Host=a | "
                "Connection=keep-alive, close"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, close ,y\r\n\r\n"), 0,
                "GET / 1.1 a none close connection=x, close ,y | Host=a | Connection=x, close ,y"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n"), 0,
                "GET / 1.1 a none keep connection=closed | Host=a | Connection=closed"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nConnection: a\r\nConnection: close\r\n\r\n"), 0,
                "GET / 1.1 a none close connection=a, close | Host=a | Connection=a | "
                "Connection=close"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nConnection: a\r\nConnection:\r\nConnection: b,c\r\n\r\n"),
                0,
                "GET / 1.1 a none keep connection=a, b,c | Host=a | Connection=a | Connection= | "
                "Connection=b,c"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nConnection: ,,\r\n\r\n"), 0,
                "GET / 1.1 a none keep connection=,, | Host=a | Connection=,,"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nConnection:\r\n\r\n"), 0,
                "GET / 1.1 a none keep | Host=a | Connection="},
        {S("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"), 0,
                "GET / 1.0 a none keep connection=keep-alive | Host=a | Connection=keep-alive"},
        {S("GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive, close\r\n\r\n"), 0,
                "GET / 1.0 a none close connection=Keep-Alive, close | Host=a | "
                "Connection=Keep-Alive, close"},
        {S("GET / HTTP/1.0\r\nHost: a\r\nA: b\r\n\r\n"), 0,
                "GET / 1.0 a none close | Host=a | A=b"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nProxy-Connection: close\r\n\r\n"), 0,
                "GET / 1.1 a none keep | Host=a | Proxy-Connection=close"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"), 0,
                "GET / 1.1 a none keep connection=Upgrade upgrade=websocket | Host=a | "
                "Connection=Upgrade | Upgrade=websocket"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n"), 0,
                "GET / 1.1 a none keep | Host=a | Upgrade=websocket"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n\r\n"), 0,
                "GET / 1.1 a none keep connection=upgrade | Host=a | Connection=upgrade"},
        {S("GET / HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"), 0,
                "GET / 1.0 a none close connection=Upgrade | Host=a | Connection=Upgrade | "
                "Upgrade=websocket"},
        {S("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: "
           "h2c\r\nUpgrade: websocket\r\n\r\n"),
                0,
                "GET / 1.1 a none keep connection=keep-alive, Upgrade upgrade=h2c, websocket | "
                "Host=a | Connection=keep-alive, Upgrade | Upgrade=h2c | Upgrade=websocket"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: "
           "websocket\r\nContent-Length: 5\r\n\r\n"),
                0,
                "POST / 1.1 a sized keep once length=5 connection=Upgrade upgrade=websocket | "
                "Host=a | Connection=Upgrade | Upgrade=websocket | Content-Length=5"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: "
           "websocket\r\nTransfer-Encoding: chunked\r\n\r\n"),
                0,
                "POST / 1.1 a chunked keep once connection=Upgrade upgrade=websocket | Host=a | "
                "Connection=Upgrade | Upgrade=websocket | Transfer-Encoding=chunked"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"), 0,
                "POST / 1.1 a sized keep expect once length=5 | Host=a | Expect=100-continue | "
                "Content-Length=5"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nTransfer-Encoding: "
           "chunked\r\n\r\n"),
                0,
                "POST / 1.1 a chunked keep expect once | Host=a | Expect=100-Continue | "
                "Transfer-Encoding=chunked"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"), 0,
                "POST / 1.1 a none keep once | Host=a | Expect=100-continue"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 5\r\n\r\n"), 417,
                "an expectation other than 100-continue"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue, a\r\nContent-Length: 5\r\n\r\n"),
                417, "an expectation other than 100-continue"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nExpect: "
           "100-continue\r\nContent-Length: 5\r\n\r\n"),
                0,
                "POST / 1.1 a sized keep expect once length=5 | Host=a | Expect=100-continue | "
                "Expect=100-continue | Content-Length=5"},
        {S("POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"), 0,
                "POST / 1.0 a sized close once length=5 | Host=a | Expect=100-continue | "
                "Content-Length=5"},
        {S("POST / HTTP/1.0\r\nHost: a\r\nExpect: a\r\nContent-Length: 5\r\n\r\n"), 0,
                "POST / 1.0 a sized close once length=5 | Host=a | Expect=a | Content-Length=5"},
        {S("POST / HTTP/1.1\r\nHost: a\r\nExpect:\r\nContent-Length: 5\r\n\r\n"), 0,
                "POST / 1.1 a sized keep once length=5 | Host=a | Expect= | Content-Length=5"},
};

static void every_case_in_every_cut(void **state)
{
	const struct http_feed feed = {HTTP_REQUEST, HTTP_METHOD_OTHER, {8192, 2000}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		http_case_check(&feed, &cases[i], SLICE("GET /next HTTP/1.1\r\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_case_in_every_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
