/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_parser.c - llhttp reads each head byte by byte as it comes; what it lets through is read
 * again.
 *
 * A head's bytes are copied once, into the arena, as far as llhttp took them. Of what llhttp saw
 * only the places where fields begin are kept. When the head is whole, http_layout takes the lines
 * apart, http_check says what they mean, and what llhttp thinks of the body has to be the same: a
 * head that two readers read in two ways is refused.
 *
 * The verdict never depends on how the bytes were cut: each fault has its place, limits are places
 * too, and llhttp is not shown a byte behind a limit.
 */
#include "worker/http/http_parser.h"

#include "shared/arena.h"
#include "shared/check.h"
#include "worker/http/http_check.h"
#include "worker/http/http_chunked.h"
#include "worker/http/http_layout.h"
#include "worker/http/http_text.h"

/* llhttp has enumerators of these names too. */
#define HTTP_REQUEST LLHTTP_REQUEST
#define HTTP_RESPONSE LLHTTP_RESPONSE
#include <llhttp.h>
#undef HTTP_REQUEST
#undef HTTP_RESPONSE

enum {
	HTTP_PARSER_MAGIC = 0x48545450,
	FIELDS_FIRST = 32,
	/* RFC 9112 2.2 asks for one. */
	EMPTY_LINES_MAX = 16,
};

enum parser_state { EMPTY_LINES, EMPTY_LINE_LF, FIRST_LINE, FIELD_LINES, CHUNKS, DONE, REFUSED };

struct http_parser {
	unsigned magic;
	struct arena *arena;
	enum parser_state state;
	unsigned empty_lines;
	struct http_limits limits;
	enum http_method method; /* of the request that a response answers */
	struct http_text text; /* the head as far as it was read */
	const char *fed; /* what llhttp is reading; follows text */
	/* Where in text each field begins. */
	size_t *starts;
	size_t start_capacity;
	bool in_name;
	size_t starts_first[FIELDS_FIRST];
	struct http_head head;
	struct http_refusal refusal;
	struct http_chunked chunked;
	llhttp_t llhttp;
};

static enum http_progress refuse(struct http_parser *parser, unsigned status, const char *text)
{
	parser->state = REFUSED;
	parser->refusal.status = parser->head.kind == HTTP_RESPONSE ? 502 : status;
	parser->refusal.text = text;
	return HTTP_REFUSED;
}

/* In llhttp's callbacks. */
static int refuse_here(struct http_parser *parser, unsigned status, const char *text)
{
	refuse(parser, status, text);
	return HPE_USER;
}

static void grow_starts(struct http_parser *parser)
{
	size_t *starts = arena_alloc_array(
	        parser->arena, parser->start_capacity * 2, sizeof(parser->starts[0]));

	memcpy(starts, parser->starts, parser->start_capacity * sizeof(parser->starts[0]));
	parser->starts = starts;
	parser->start_capacity *= 2;
}

/* May come several times for one name. */
static int on_field(llhttp_t *llhttp, const char *at, size_t length)
{
	struct http_parser *parser = llhttp->data;

	(void)length;
	if (parser->in_name)
		return HPE_OK;
	parser->in_name = true;
	if (parser->head.field_count == parser->start_capacity)
		grow_starts(parser);
	parser->starts[parser->head.field_count] = parser->text.length + (size_t)(at - parser->fed);
	return HPE_OK;
}

static int on_field_complete(llhttp_t *llhttp)
{
	struct http_parser *parser = llhttp->data;

	if (!parser->in_name)
		return refuse_here(parser, 400, "a field without a name");
	parser->in_name = false;
	if (++parser->head.field_count > HTTP_FIELDS_MAX)
		return refuse_here(parser, 431, "too many fields");
	return HPE_OK;
}

/* Without a version, llhttp has by now set 0.9. */
static int on_url_complete(llhttp_t *llhttp)
{
	if (llhttp_get_http_minor(llhttp) == 9)
		return refuse_here(llhttp->data, 400, "a request of HTTP/0.9");
	return HPE_OK;
}

static enum http_progress refuse_version(struct http_parser *parser)
{
	unsigned major = llhttp_get_http_major(&parser->llhttp);
	unsigned minor = llhttp_get_http_minor(&parser->llhttp);

	if (major > 1 || (major == 1 && minor > 1))
		return refuse(parser, 505, "a version later than HTTP/1.1");
	return refuse(parser, 400, "a malformed or ancient HTTP version");
}

static int on_version_complete(llhttp_t *llhttp)
{
	if (llhttp_get_http_major(llhttp) == 1 && llhttp_get_http_minor(llhttp) <= 1)
		return HPE_OK;
	refuse_version(llhttp->data);
	return HPE_USER;
}

static int on_head_complete(llhttp_t *llhttp)
{
	(void)llhttp;
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
        .on_url_complete = on_url_complete,
        .on_version_complete = on_version_complete,
        .on_header_field = on_field,
        .on_header_field_complete = on_field_complete,
        .on_headers_complete = on_head_complete,
};

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

struct http_parser *http_parser_create(struct arena *arena, enum http_kind kind,
        enum http_method method, const struct http_limits *limits)
{
	struct http_parser *parser = arena_alloc(arena, sizeof(*parser));
	bool request = kind == HTTP_REQUEST;

	parser->magic = HTTP_PARSER_MAGIC;
	parser->arena = arena;
	parser->state = request ? EMPTY_LINES : FIRST_LINE;
	parser->limits.head_bytes_max = smaller(limits->head_bytes_max, SIZE_MAX / 4);
	parser->limits.line_bytes_max = request ? smaller(limits->line_bytes_max, SIZE_MAX / 4)
	                                        : SIZE_MAX / 4;
	parser->method = method;
	parser->starts = parser->starts_first;
	parser->start_capacity = FIELDS_FIRST;
	parser->head.kind = kind;
	llhttp_init(&parser->llhttp, request ? LLHTTP_REQUEST : LLHTTP_RESPONSE, &settings);
	parser->llhttp.data = parser;
	return parser;
}

/* Skips CR LF pairs before a request; *used_out is where it begins, or all. */
static enum http_progress skip_empty_lines(
        struct http_parser *parser, struct slice bytes, size_t *used_out)
{
	size_t i = 0;

	for (; i < bytes.length && parser->state != FIRST_LINE; i++) {
		char c = bytes.data[i];
		if (parser->state == EMPTY_LINE_LF) {
			if (c != '\n')
				return refuse(parser, 400, "a CR before the request");
			parser->state = EMPTY_LINES;
		} else if (c == '\r') {
			if (++parser->empty_lines > EMPTY_LINES_MAX)
				return refuse(parser, 400, "too many empty lines before a request");
			parser->state = EMPTY_LINE_LF;
		} else {
			parser->state = FIRST_LINE;
			break;
		}
	}
	*used_out = i;
	return HTTP_MORE;
}

/* How many more bytes the head may have, as far as `bytes` show where its first line ends. */
static size_t room(struct http_parser *parser, struct slice bytes)
{
	size_t limit = parser->limits.head_bytes_max;

	if (parser->state == FIRST_LINE) {
		size_t line_max = smaller(limit, parser->limits.line_bytes_max + 2);
		size_t left = line_max - parser->text.length;
		if (memchr(bytes.data, '\n', smaller(bytes.length, left)))
			parser->state = FIELD_LINES;
		else
			limit = line_max;
	}
	return limit - parser->text.length;
}

static enum http_progress refuse_size(struct http_parser *parser)
{
	if (parser->head.kind == HTTP_RESPONSE)
		return refuse(parser, 502, "a head that is too big for proxy_buffer_size");
	if (parser->state == FIRST_LINE)
		return refuse(parser, 414, "a request line that is too long");
	return refuse(parser, 431, "a head that is too big for client_max_header_size");
}

/* "FOO / HTTP/1.1" asks for something that may exist; what has no method is no request. */
static enum http_progress refuse_method(struct http_parser *parser, char c)
{
	bool method_like = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
	                   c == '_' || (c == ' ' && parser->text.length > 0);

	return refuse(parser, method_like ? 501 : 400,
	        method_like ? "a method that is not known" : "a malformed method");
}

/* llhttp stopped at `rest`; it tells by numbers, and in words that differ between its versions. */
static enum http_progress refuse_fault(
        struct http_parser *parser, llhttp_errno_t fault, struct slice rest)
{
	static const char no_end[] = "a line that does not end with CR LF";
	static const struct {
		llhttp_errno_t fault;
		const char *text;
	} texts[] = {
	        {HPE_INVALID_CONSTANT, "a malformed first line"},
	        {HPE_INVALID_URL, "a malformed target"},
	        {HPE_INVALID_STATUS, "a malformed status"},
	        {HPE_INVALID_HEADER_TOKEN, "a malformed field"},
	        {HPE_INVALID_CONTENT_LENGTH, "a malformed Content-Length"},
	        {HPE_INVALID_TRANSFER_ENCODING, "a malformed Transfer-Encoding"},
	        {HPE_UNEXPECTED_CONTENT_LENGTH, "a second length of the body"},
	        {HPE_LF_EXPECTED, no_end},
	        {HPE_CR_EXPECTED, no_end},
	        {HPE_STRICT, no_end},
	};

	if (fault == HPE_INVALID_METHOD)
		return refuse_method(parser, rest.length > 0 ? rest.data[0] : '\0');
	if (fault == HPE_INVALID_VERSION)
		return refuse_version(parser);
	if (fault == HPE_INVALID_CONSTANT && llhttp_get_method(&parser->llhttp) > HTTP_PRI)
		return refuse(parser, 501, "a method that is not HTTP's");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].fault == fault)
			return refuse(parser, 400, texts[i].text);
	return refuse(parser, 400, "a malformed head");
}

/* Whether llhttp would read the body as we shall. Where there is none whatever the fields say, it
 * is not asked. */
static bool bodies_agree(const struct http_parser *parser)
{
	const llhttp_t *llhttp = &parser->llhttp;
	bool chunked = (llhttp->flags & F_CHUNKED) != 0;

	switch (parser->head.framing) {
	case HTTP_BODY_CHUNKED:
		return chunked;
	case HTTP_BODY_SIZED:
		return !chunked && llhttp->content_length == parser->head.content_length;
	case HTTP_BODY_UNTIL_CLOSE:
		return !chunked && (llhttp->flags & F_CONTENT_LENGTH) == 0;
	case HTTP_NO_BODY:
		return parser->head.kind == HTTP_RESPONSE ||
		       (!chunked && llhttp->content_length == 0);
	}
	return false;
}

static enum http_progress finish_head(struct http_parser *parser)
{
	struct http_head *head = &parser->head;
	struct http_refusal refusal;

	head->fields = arena_alloc_array(parser->arena, head->field_count, sizeof(head->fields[0]));
	const char *fault = http_layout_read(head, http_text_slice(&parser->text), parser->starts);
	if (fault)
		return refuse(parser, 400, fault);
	bool accepted = head->kind == HTTP_REQUEST
	                        ? http_check_request(head, parser->arena, &refusal)
	                        : http_check_response(
	                                  head, parser->method, parser->arena, &refusal);
	if (!accepted)
		return refuse(parser, refusal.status, refusal.text);
	if (!bodies_agree(parser))
		return refuse(parser, 400, "a head that can be read in two ways");
	parser->state = head->framing == HTTP_BODY_CHUNKED ? CHUNKS : DONE;
	return HTTP_COMPLETE;
}

/* Lets llhttp read and keeps what it took. */
static enum http_progress read_head(
        struct http_parser *parser, struct slice bytes, size_t limit, size_t *used_out)
{
	size_t used = smaller(bytes.length, limit);

	parser->fed = bytes.data;
	llhttp_errno_t fault = used > 0 ? llhttp_execute(&parser->llhttp, bytes.data, used)
	                                : HPE_OK;
	if (fault != HPE_OK)
		used = (size_t)(llhttp_get_error_pos(&parser->llhttp) - bytes.data);
	http_text_add(
	        &parser->text, parser->arena, (struct slice){bytes.data, used}, fault != HPE_OK);
	*used_out = used;
	if (fault == HPE_OK)
		return used < bytes.length ? refuse_size(parser) : HTTP_MORE;
	if (parser->state == REFUSED)
		return HTTP_REFUSED;
	if (fault == HPE_PAUSED)
		return finish_head(parser);
	return refuse_fault(parser, fault, (struct slice){bytes.data + used, bytes.length - used});
}

/* For the logs: the first line as far as it has come, of which llhttp may have taken a part. */
static void keep_first_line(struct http_parser *parser, struct slice rest)
{
	struct http_head *head = &parser->head;
	struct slice line, more;
	size_t line_max = parser->limits.line_bytes_max;

	if (head->kind == HTTP_RESPONSE)
		return;
	if (!slice_split(http_text_slice(&parser->text), '\n', &line, &more) &&
	        parser->text.length < line_max) {
		slice_split(rest, '\n', &line, &more);
		line.length = smaller(line.length, line_max - parser->text.length);
		http_text_add(&parser->text, parser->arena, line, true);
	}
	http_layout_first_line(head, http_text_slice(&parser->text));
	http_check_method(head);
}

enum http_progress http_parser_head_bytes(
        struct http_parser *parser, struct slice bytes, size_t *used_out)
{
	CHECK_OBJ(parser, HTTP_PARSER_MAGIC);
	CHECK(parser->state <= FIELD_LINES);
	size_t skipped = 0, used = 0;
	enum http_progress progress = HTTP_MORE;

	if (parser->state < FIRST_LINE)
		progress = skip_empty_lines(parser, bytes, &skipped);
	struct slice rest = {bytes.data + skipped, bytes.length - skipped};
	/* llhttp would skip these. */
	if (rest.length > 0 && parser->text.length == 0 && progress == HTTP_MORE &&
	        (rest.data[0] == '\r' || rest.data[0] == '\n'))
		progress = refuse(parser, 400, "an empty line before the head");
	else if (progress == HTTP_MORE && rest.length > 0)
		progress = read_head(parser, rest, room(parser, rest), &used);
	if (progress == HTTP_REFUSED)
		keep_first_line(parser, (struct slice){rest.data + used, rest.length - used});
	*used_out = skipped + used;
	return progress;
}

const struct http_head *http_parser_head(const struct http_parser *parser)
{
	CHECK_OBJ(parser, HTTP_PARSER_MAGIC);
	return &parser->head;
}

enum http_progress http_parser_chunked_bytes(struct http_parser *parser, struct slice bytes,
        size_t *used_out, http_data_fn *fn, void *opaque)
{
	CHECK_OBJ(parser, HTTP_PARSER_MAGIC);
	CHECK(parser->state == CHUNKS);
	struct http_refusal refusal;
	enum http_progress progress = http_chunked_bytes(
	        &parser->chunked, bytes, used_out, fn, opaque, &refusal);

	if (progress == HTTP_REFUSED)
		return refuse(parser, refusal.status, refusal.text);
	if (progress == HTTP_COMPLETE)
		parser->state = DONE;
	return progress;
}

bool http_parser_has_begun(const struct http_parser *parser)
{
	CHECK_OBJ(parser, HTTP_PARSER_MAGIC);
	return parser->text.length > 0 || parser->state > FIRST_LINE;
}

const struct http_refusal *http_parser_refusal(const struct http_parser *parser)
{
	CHECK_OBJ(parser, HTTP_PARSER_MAGIC);
	return &parser->refusal;
}
