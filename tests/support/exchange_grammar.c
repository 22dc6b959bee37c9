/* SPDX-License-Identifier: BSD-2-Clause */
/* exchange_grammar.c - requests and answers, good and bad. */
#include "tests/support/exchange_grammar.h"

#include "shared/check.h"

#include <stdio.h>
#include <string.h>

/* Some messages are longer than a line. NOLINTBEGIN(bugprone-suspicious-missing-comma) */
static const char *const requests[] = {
        "GET /q[%04u] HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /q[%04u] HTTP/1.1\r\nHost: a\r\n\r\n",
        "HEAD /q[%04u] HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /q[%04u] HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabcdefghij",
        "PUT /q[%04u] HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\nabcde\r\n3;x=y\r\nfgh\r\n0\r\nT: t\r\n\r\n",
        "POST /q[%04u] HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4"
        "\r\n\r\nabcd",
        "GET /fine?[%04u] HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /fine?[%04u] HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabcdef",
        "GET /moved?[%04u] HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /q[%04u] HTTP/1.0\r\n\r\n",
        "GET /q[%04u] HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "GET /q[%04u] HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /q[%04u] HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nswitch",
        "\r\n\r\nDELETE /q[%04u] HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "GET /q[%04u] HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "POST /q[%04u] HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
};

static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n[%04u]",
        "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n[%04u]",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
        "chunked\r\n\r\n6\r\n[%04u]\r\n4\r\nmore\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[%04u]",
        "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\n[%04u]",
        "HTTP/1.1 204 No Content\r\nX: [%04u]\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n[%04u]",
        "HTTP/1.1 200 OK\r\nX: [%04u]\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 403 No\r\nX: [%04u]\r\nContent-Length: 2\r\n\r\nno",
        "HTTP/1.1 200 OK\r\nX: [%04u]\r\nContent-Length: 900000\r\n\r\nmuch",
        "HTTP/1.1 200 OK\r\nX: [%04u]\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nX: [%04u]\r\nX: y\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\nX: [%04u]"
        "\r\n\r\nswitched",
};
/* NOLINTEND(bugprone-suspicious-missing-comma) */

/* Whole, with an answer behind it that nobody asked for: said in one piece, as it could not be told
 * from the next request's answer later. */
#define UNASKED "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n!POISON!"
static const char *const poisons[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n[%04u]" UNASKED,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n[%04u]\r\n0\r\n\r\n" UNASKED,
        "HTTP/1.1 204 No Content\r\nX: [%04u]\r\n\r\n" UNASKED,
};

#define TABLE(name)                                      \
	{                                                \
		(name), sizeof(name) / sizeof((name)[0]) \
	}

void exchange_grammar_write(char *out, enum exchange_message kind, uint8_t which, unsigned number)
{
	static const struct {
		const char *const *forms;
		size_t count;
	} tables[] = {
	        [EXCHANGE_REQUEST] = TABLE(requests),
	        [EXCHANGE_ANSWER] = TABLE(answers),
	        [EXCHANGE_POISON] = TABLE(poisons),
	};
	const char *form = tables[kind].forms[which % tables[kind].count];
	const char *place = strstr(form, "%04u");

	CHECK(place);
	snprintf(out, EXCHANGE_TEXT_MAX, "%.*s%04u%s", (int)(place - form), form, number % 10000,
	        place + strlen("%04u"));
}
