/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * upstream_http.c - answers GET requests from memory.
 *
 * An answer's head and body are one piece, made at the start: /small takes one write and one TLS
 * record. While an answer is being sent nothing is read, so requests wait in the socket, and a
 * connection needs no buffer of its own.
 */
#include "tests/bench/upstream_http.h"

#include "tests/bench/socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_BYTES ((size_t)4096)
#define HEAD_MAX 512
/* Records of one answer before the other connections are served. */
#define WRITE_TURNS 16

struct answer {
	char *bytes;
	size_t size;
};

struct http_answers {
	struct answer small[2]; /* the second with "Connection: close" */
	struct answer large[2];
};

static struct answer answer_create(size_t body_bytes, bool close)
{
	struct answer answer = {.bytes = malloc(HEAD_MAX + body_bytes)};

	if (!answer.bytes)
		fail("start: out of memory");
	int head = snprintf(answer.bytes, HEAD_MAX,
	        "HTTP/1.1 200 OK\r\n"
	        "Server: upstream\r\n"
	        "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
	        "Content-Type: text/plain\r\n"
	        "Content-Length: %zu\r\n"
	        "%s\r\n",
	        body_bytes, close ? "Connection: close\r\n" : "");
	memset(answer.bytes + head, 'x', body_bytes);
	answer.size = (size_t)head + body_bytes;
	return answer;
}

const struct http_answers *http_answers_create(void)
{
	struct http_answers *answers = malloc(sizeof(*answers));

	if (!answers)
		fail("start: out of memory");
	for (int close = 0; close < 2; close++) {
		answers->small[close] = answer_create(1024, close);
		answers->large[close] = answer_create((size_t)1024 * 1024, close);
	}
	return answers;
}

/* NULL: a request that this service does not know. */
static const struct answer *answer_for(
        const struct http_answers *answers, const struct http_head *head)
{
	if (head->chunked || head->content_length)
		return NULL;
	if (!strncmp(head->first_line, "GET /small ", strlen("GET /small ")))
		return &answers->small[head->close];
	if (!strncmp(head->first_line, "GET /large ", strlen("GET /large ")))
		return &answers->large[head->close];
	return NULL;
}

static enum http_progress send_answer(struct connection *connection, uint64_t *sent)
{
	struct http_state *http = &connection->http;

	for (unsigned turn = 0; http->answer_left; turn++) {
		if (turn == WRITE_TURNS)
			return HTTP_YIELDED;
		ssize_t put = connection_write(connection, http->answer, http->answer_left);
		if (put <= 0)
			return put == 0 ? HTTP_WRITING : HTTP_ENDED;
		http->answer += put;
		http->answer_left -= (size_t)put;
		*sent += (uint64_t)put;
	}
	return http->close ? HTTP_ENDED : HTTP_READING;
}

/* A client that sends a request before it has the answer to the last one is cut off: no proxy does.
 */
static enum http_progress take(const struct http_answers *answers, struct connection *connection,
        const char *bytes, size_t size, uint64_t *requests)
{
	struct http_state *http = &connection->http;
	size_t taken = http_head_take(&http->head, bytes, size);

	if (!http->head.complete)
		return HTTP_READING;
	const struct answer *answer = answer_for(answers, &http->head);
	if (!answer || taken < size)
		return HTTP_ENDED;
	http->answer = answer->bytes;
	http->answer_left = answer->size;
	http->close = http->head.close;
	http_head_reset(&http->head);
	(*requests)++;
	return HTTP_WRITING;
}

/* All that has been decrypted must be read: OpenSSL reads ahead, and epoll does not know. */
static enum http_progress read_request(
        const struct http_answers *answers, struct connection *connection, uint64_t *requests)
{
	enum http_progress progress = HTTP_READING;
	char bytes[REQUEST_BYTES];

	do {
		ssize_t got = connection_read(connection, bytes, sizeof(bytes));
		if (got <= 0)
			return got == 0 ? HTTP_READING : HTTP_ENDED;
		progress = take(answers, connection, bytes, (size_t)got, requests);
	} while (progress == HTTP_READING && connection->ssl && SSL_has_pending(connection->ssl));
	return progress;
}

enum http_progress http_serve(const struct http_answers *answers, struct connection *connection,
        uint64_t *requests, uint64_t *sent)
{
	if (!connection->http.answer_left) {
		enum http_progress progress = read_request(answers, connection, requests);
		if (progress != HTTP_WRITING)
			return progress;
	}
	return send_answer(connection, sent);
}
