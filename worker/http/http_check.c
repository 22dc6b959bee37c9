/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_check.c - method, target and Host, framing, Connection, Expect.
 *
 * The fields that decide about a message are picked out in one pass; all later questions are asked
 * of that table. A field that may stand once and stands twice is refused, even with equal values:
 * some readers take the first, some the last, some both.
 */
#include "worker/http/http_check.h"

#include "shared/arena.h"
#include "worker/http/http_authority.h"
#include "worker/http/http_syntax.h"
#include "worker/http/http_target.h"

enum deciding { HOST, CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION, UPGRADE, EXPECT, DECIDING };

struct found {
	unsigned count;
	struct slice value; /* the first; the whole list where the field is one */
};

static bool refuse(struct http_refusal *refusal_out, unsigned status, const char *text)
{
	*refusal_out = (struct http_refusal){status, text};
	return false;
}

/* No two names have the same length, which tells most other fields apart. */
static enum deciding deciding_of(struct slice name)
{
	static const struct slice names[] = {[HOST] = {"host", 4},
	        [CONTENT_LENGTH] = {"content-length", 14},
	        [TRANSFER_ENCODING] = {"transfer-encoding", 17},
	        [CONNECTION] = {"connection", 10},
	        [UPGRADE] = {"upgrade", 7},
	        [EXPECT] = {"expect", 6}};
	enum deciding field;

	switch (name.length) {
	case 4:
		field = HOST;
		break;
	case 6:
		field = EXPECT;
		break;
	case 7:
		field = UPGRADE;
		break;
	case 10:
		field = CONNECTION;
		break;
	case 14:
		field = CONTENT_LENGTH;
		break;
	case 17:
		field = TRANSFER_ENCODING;
		break;
	default:
		return DECIDING;
	}
	return slice_equal_nocase(names[field], name) ? field : DECIDING;
}

/* The values of all fields of that kind, joined by ", ". */
static struct slice join(const struct http_head *head, enum deciding field, struct arena *arena)
{
	size_t size = 0, length = 0;

	for (size_t i = 0; i < head->field_count; i++)
		if (deciding_of(head->fields[i].name) == field)
			size += head->fields[i].value.length + 2;
	char *text = arena_alloc(arena, size);
	for (size_t i = 0; i < head->field_count; i++) {
		struct slice value = head->fields[i].value;
		if (value.length == 0 || deciding_of(head->fields[i].name) != field)
			continue;
		if (length > 0) {
			text[length++] = ',';
			text[length++] = ' ';
		}
		memcpy(text + length, value.data, value.length);
		length += value.length;
	}
	return (struct slice){text, length};
}

static void find(const struct http_head *head, struct arena *arena, struct found *found)
{
	for (size_t i = 0; i < head->field_count; i++) {
		enum deciding field = deciding_of(head->fields[i].name);
		if (field != DECIDING && found[field].count++ == 0)
			found[field].value = head->fields[i].value;
	}
	static const enum deciding lists[] = {CONNECTION, UPGRADE, EXPECT};
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (found[lists[i]].count > 1)
			found[lists[i]].value = join(head, lists[i], arena);
}

/* RFC 9112 9.3, and 9110 7.8 about upgrades. */
static void take_connection(struct http_head *head, const struct found *found)
{
	head->connection = found[CONNECTION].value;
	if (http_list_has(head->connection, SLICE("close")))
		head->keep_alive = false;
	else
		head->keep_alive = head->minor > 0 ||
		                   http_list_has(head->connection, SLICE("keep-alive"));
	if (head->minor > 0 && http_list_has(head->connection, SLICE("upgrade")))
		head->upgrade = found[UPGRADE].value;
}

/* An unknown coding is not implemented (RFC 9112 6.1); the rest is an error in what we do know. */
static bool check_coding(struct slice value, struct http_refusal *refusal_out)
{
	struct slice list = value, coding;
	bool chunked = false, other = false;

	if (slice_equal_nocase(value, SLICE("chunked")))
		return true;
	while (http_list_next(&list, &coding)) {
		if (chunked)
			return refuse(refusal_out, 400, "chunked is not the last transfer coding");
		if (slice_equal_nocase(coding, SLICE("chunked")))
			chunked = true;
		else
			other = true;
	}
	if (other)
		return refuse(refusal_out, 501, "a transfer coding other than chunked");
	return refuse(refusal_out, 400, "a malformed Transfer-Encoding");
}

/* Sets the framing of Transfer-Encoding or Content-Length; leaves it where there is neither. */
static bool check_framing(
        struct http_head *head, const struct found *found, struct http_refusal *refusal_out)
{
	const struct found *length = &found[CONTENT_LENGTH], *coding = &found[TRANSFER_ENCODING];

	if (coding->count > 0 && length->count > 0)
		return refuse(refusal_out, 400, "both Transfer-Encoding and Content-Length");
	if (coding->count > 1)
		return refuse(refusal_out, 400, "more than one Transfer-Encoding field");
	if (length->count > 1)
		return refuse(refusal_out, 400, "more than one Content-Length field");
	if (coding->count > 0) {
		if (head->minor == 0)
			return refuse(refusal_out, 400, "Transfer-Encoding in HTTP/1.0");
		head->framing = HTTP_BODY_CHUNKED;
		return check_coding(coding->value, refusal_out);
	}
	if (length->count > 0) {
		if (!slice_to_uint64(length->value, INT64_MAX, &head->content_length))
			return refuse(refusal_out, 400, "a malformed Content-Length");
		head->has_content_length = true;
		head->framing = head->content_length > 0 ? HTTP_BODY_SIZED : HTTP_NO_BODY;
	}
	return true;
}

static bool check_host(struct http_head *head, const struct found *host, struct slice received,
        struct slice target_authority, struct arena *arena, struct http_refusal *refusal_out)
{
	struct http_authority named, targeted;

	if (host->count > 1)
		return refuse(refusal_out, 400, "more than one Host field");
	if (host->count == 0 && head->minor > 0)
		return refuse(refusal_out, 400, "no Host field");
	if (host->count > 0 && !http_authority_read(host->value, &named))
		return refuse(refusal_out, 400, "a malformed Host");
	if (target_authority.data) {
		if (!http_authority_read(target_authority, &targeted))
			return refuse(refusal_out, 400, "a malformed host in the target");
		if (host->count > 0 && !http_authority_equal(&targeted, &named,
		                               http_target_default_port(received)))
			return refuse(refusal_out, 400, "Host differs from the target's");
		named = targeted;
	}
	if (host->count > 0 || target_authority.data)
		http_authority_write(&named, arena, &head->authority, &head->host);
	return true;
}

/* In HTTP/1.0 it has no meaning (RFC 9110 10.1.1). */
static bool check_expect(
        struct http_head *head, const struct found *expect, struct http_refusal *refusal_out)
{
	struct slice list = expect->value, each;

	if (head->minor == 0)
		return true;
	while (http_list_next(&list, &each)) {
		if (!slice_equal_nocase(each, SLICE("100-continue")))
			return refuse(refusal_out, 417, "an expectation other than 100-continue");
		head->expect_continue = head->framing != HTTP_NO_BODY;
	}
	return true;
}

void http_check_method(struct http_head *head)
{
	static const struct {
		struct slice name;
		enum http_method method;
		bool idempotent; /* RFC 9110 9.2.2, and IANA's registry for what WebDAV adds */
	} methods[] = {
	        {{"GET", 3}, HTTP_METHOD_GET, true},
	        {{"POST", 4}, HTTP_METHOD_POST, false},
	        {{"HEAD", 4}, HTTP_METHOD_HEAD, true},
	        {{"PUT", 3}, HTTP_METHOD_PUT, true},
	        {{"DELETE", 6}, HTTP_METHOD_DELETE, true},
	        {{"OPTIONS", 7}, HTTP_METHOD_OPTIONS, true},
	        {{"CONNECT", 7}, HTTP_METHOD_CONNECT, false},
	        {{"TRACE", 5}, HTTP_METHOD_TRACE, true},
	        {{"PROPFIND", 8}, HTTP_METHOD_OTHER, true},
	        {{"PROPPATCH", 9}, HTTP_METHOD_OTHER, true},
	        {{"MKCOL", 5}, HTTP_METHOD_OTHER, true},
	        {{"COPY", 4}, HTTP_METHOD_OTHER, true},
	        {{"MOVE", 4}, HTTP_METHOD_OTHER, true},
	        {{"UNLOCK", 6}, HTTP_METHOD_OTHER, true},
	        {{"SEARCH", 6}, HTTP_METHOD_OTHER, true},
	        {{"REPORT", 6}, HTTP_METHOD_OTHER, true},
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (slice_equal(methods[i].name, head->method_name)) {
			head->method = methods[i].method;
			head->idempotent = methods[i].idempotent;
			return;
		}
	}
}

bool http_check_request(
        struct http_head *head, struct arena *arena, struct http_refusal *refusal_out)
{
	struct found found[DECIDING] = {0};
	struct slice received = head->target, authority;

	http_check_method(head);
	if (head->method == HTTP_METHOD_CONNECT || head->method == HTTP_METHOD_TRACE)
		return refuse(refusal_out, 405, "a method that is not served here");
	const char *fault = http_target_read(head, received, arena, &authority);
	if (fault)
		return refuse(refusal_out, 400, fault);
	find(head, arena, found);
	take_connection(head, found);
	return check_host(head, &found[HOST], received, authority, arena, refusal_out) &&
	       check_framing(head, found, refusal_out) &&
	       check_expect(head, &found[EXPECT], refusal_out);
}

/* RFC 9112 6.3, 1: whatever the fields say. */
static bool is_bodyless(unsigned status, enum http_method method)
{
	return method == HTTP_METHOD_HEAD || status < 200 || status == 204 || status == 304;
}

bool http_check_response(struct http_head *head, enum http_method method, struct arena *arena,
        struct http_refusal *refusal_out)
{
	struct found found[DECIDING] = {0};

	if (head->status < 100 || head->status > 599)
		return refuse(refusal_out, 502, "a status that is not from 100 to 599");
	find(head, arena, found);
	take_connection(head, found);
	head->framing = HTTP_BODY_UNTIL_CLOSE;
	if (!check_framing(head, found, refusal_out)) {
		refusal_out->status = 502;
		return false;
	}
	if (is_bodyless(head->status, method)) {
		head->framing = HTTP_NO_BODY;
		if (method != HTTP_METHOD_HEAD && head->status != 304) {
			head->has_content_length = false;
			head->content_length = 0;
		}
	}
	if (head->framing == HTTP_BODY_UNTIL_CLOSE)
		head->keep_alive = false;
	return true;
}
