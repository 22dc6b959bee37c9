/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_reply.c - answers of our own: pages of errors, and what `return` says.
 *
 * The page is nginx's with another name: people and monitors know it.
 */
#include "worker/http/http_reply.h"

#include "worker/http/http_date.h"
#include "worker/io/text_writer.h"

struct status_words {
	unsigned status, shown;
	const char *text; /* of the status that is shown */
	const char *explanation; /* NULL: the text says it */
};

static const struct status_words status_table[] = {
        {200, 200, "200 OK", NULL},
        {201, 201, "201 Created", NULL},
        {202, 202, "202 Accepted", NULL},
        {204, 204, "204 No Content", NULL},
        {301, 301, "301 Moved Permanently", NULL},
        {302, 302, "302 Found", NULL},
        {303, 303, "303 See Other", NULL},
        {304, 304, "304 Not Modified", NULL},
        {307, 307, "307 Temporary Redirect", NULL},
        {308, 308, "308 Permanent Redirect", NULL},
        {400, 400, "400 Bad Request", NULL},
        {401, 401, "401 Unauthorized", NULL},
        {402, 402, "402 Payment Required", NULL},
        {403, 403, "403 Forbidden", NULL},
        {404, 404, "404 Not Found", NULL},
        {405, 405, "405 Method Not Allowed", NULL},
        {406, 406, "406 Not Acceptable", NULL},
        {408, 408, "408 Request Timeout", NULL},
        {409, 409, "409 Conflict", NULL},
        {410, 410, "410 Gone", NULL},
        {411, 411, "411 Length Required", NULL},
        {412, 412, "412 Precondition Failed", NULL},
        {413, 413, "413 Content Too Large", NULL},
        {414, 414, "414 URI Too Long", NULL},
        {415, 415, "415 Unsupported Media Type", NULL},
        {416, 416, "416 Range Not Satisfiable", NULL},
        {417, 417, "417 Expectation Failed", NULL},
        {418, 418, "418 I'm a teapot", NULL},
        {421, 421, "421 Misdirected Request", NULL},
        {422, 422, "422 Unprocessable Content", NULL},
        {425, 425, "425 Too Early", NULL},
        {426, 426, "426 Upgrade Required", NULL},
        {428, 428, "428 Precondition Required", NULL},
        {429, 429, "429 Too Many Requests", NULL},
        {431, 431, "431 Request Header Fields Too Large", NULL},
        {451, 451, "451 Unavailable For Legal Reasons", NULL},
        {495, 400, "400 Bad Request", "The SSL certificate error"},
        {496, 400, "400 Bad Request", "No required SSL certificate was sent"},
        {497, 400, "400 Bad Request", "The plain HTTP request was sent to HTTPS port"},
        {500, 500, "500 Internal Server Error", NULL},
        {501, 501, "501 Not Implemented", NULL},
        {502, 502, "502 Bad Gateway", NULL},
        {503, 503, "503 Service Unavailable", NULL},
        {504, 504, "504 Gateway Timeout", NULL},
        {505, 505, "505 HTTP Version Not Supported", NULL},
        {507, 507, "507 Insufficient Storage", NULL},
};

static const struct status_words *words_of(unsigned status)
{
	for (size_t i = 0; i < sizeof(status_table) / sizeof(status_table[0]); i++)
		if (status_table[i].status == status)
			return &status_table[i];
	return NULL;
}

const char *http_status_text(unsigned status)
{
	const struct status_words *words = words_of(status);

	return words ? words->text : NULL;
}

unsigned http_status_shown(unsigned status)
{
	const struct status_words *words = words_of(status);

	return words ? words->shown : status;
}

struct slice http_connection_field(bool keep_alive, unsigned client_minor)
{
	if (!keep_alive)
		return SLICE("Connection: close\r\n");
	return client_minor == 0 ? SLICE("Connection: keep-alive\r\n") : SLICE("");
}

/* Once with a writer of size 0 for its length, once for its bytes. */
static void put_page(struct text_writer *writer, const struct status_words *words)
{
	struct slice title = slice_of(words->text);

	text_put(writer, SLICE("<html>\r\n<head><title>"));
	text_put(writer, words->explanation ? slice_of(words->explanation) : title);
	text_put(writer, SLICE("</title></head>\r\n<body>\r\n<center><h1>"));
	text_put(writer, title);
	text_put(writer, SLICE("</h1></center>\r\n"));
	if (words->explanation) {
		text_put(writer, SLICE("<center>"));
		text_put(writer, slice_of(words->explanation));
		text_put(writer, SLICE("</center>\r\n"));
	}
	text_put(writer, SLICE("<hr><center>sealane</center>\r\n</body>\r\n</html>\r\n"));
}

static size_t page_length(const struct status_words *words)
{
	struct text_writer counter = {.out = NULL, .size = 0};

	put_page(&counter, words);
	return counter.used;
}

/* As a URI: what cannot stand in one is escaped, so that no value can end the line. */
static void put_location(struct text_writer *writer, struct slice location)
{
	static const char hex[] = "0123456789ABCDEF";

	text_put(writer, SLICE("Location: "));
	for (size_t i = 0; i < location.length; i++) {
		unsigned char c = (unsigned char)location.data[i];
		if (c > ' ' && c < 0x7f)
			text_put_char(writer, (char)c);
		else
			text_put(
			        writer, (struct slice){(char[]){'%', hex[c >> 4], hex[c & 15]}, 3});
	}
	text_put(writer, SLICE("\r\n"));
}

static void put_status_line(struct text_writer *writer, unsigned status)
{
	const struct status_words *words = words_of(status);

	text_put(writer, SLICE("HTTP/1.1 "));
	if (words) {
		text_put(writer, slice_of(words->text));
	} else {
		text_put_uint(writer, status);
		text_put_char(writer, ' ');
	}
	text_put(writer, SLICE("\r\nServer: sealane\r\nDate: "));
}

static bool may_have_body(unsigned status)
{
	return status >= 200 && status != 204 && status != 304;
}

/* The words of its page; NULL: it has none, but the body that is given. */
static const struct status_words *page_of(const struct http_reply *reply)
{
	return !reply->body.data && reply->status >= 300 ? words_of(reply->status) : NULL;
}

/* Also of what HEAD does not get. */
static size_t body_length(const struct http_reply *reply)
{
	const struct status_words *page = page_of(reply);

	if (!may_have_body(reply->status))
		return 0;
	return page ? page_length(page) : reply->body.length;
}

size_t http_reply_body_bytes(const struct http_reply *reply)
{
	return reply->head_only ? 0 : body_length(reply);
}

static void put_body_fields(struct text_writer *writer, const struct http_reply *reply)
{
	size_t length = body_length(reply);
	struct slice type = reply->content_type.length ? reply->content_type : SLICE("text/plain");

	if (!may_have_body(reply->status))
		return;
	if (length) {
		text_put(writer, SLICE("Content-Type: "));
		text_put(writer, page_of(reply) ? SLICE("text/html") : type);
		text_put(writer, SLICE("\r\n"));
	}
	text_put(writer, SLICE("Content-Length: "));
	text_put_uint(writer, length);
	text_put(writer, SLICE("\r\n"));
}

static void put_body(struct text_writer *writer, const struct http_reply *reply)
{
	const struct status_words *page = page_of(reply);

	if (reply->head_only || !may_have_body(reply->status))
		return;
	if (page)
		put_page(writer, page);
	else
		text_put(writer, reply->body);
}

size_t http_write_reply(const struct http_reply *reply, char *out, size_t size)
{
	struct text_writer writer = {.out = out, .size = size};
	char date[HTTP_DATE_LENGTH];

	http_date_format(reply->now, date);
	put_status_line(&writer, reply->status);
	text_put(&writer, (struct slice){date, sizeof(date)});
	text_put(&writer, SLICE("\r\n"));
	put_body_fields(&writer, reply);
	if (reply->location.length)
		put_location(&writer, reply->location);
	if (reply->status == 405)
		text_put(&writer, SLICE("Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"));
	text_put(&writer, http_connection_field(reply->keep_alive, reply->client_minor));
	text_put(&writer, SLICE("\r\n"));
	put_body(&writer, reply);
	return writer.used;
}
