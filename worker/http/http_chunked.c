/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_chunked.c - a state for each place between two bytes, and no way round any of them.
 *
 * All but data is overhead. Each chunk pays for its own usual framing and, by its data, for a
 * reasonable extension; what exceeds that adds up, and past a limit the body is refused: else a
 * sender could keep us reading for ever without sending anything.
 */
#include "worker/http/http_chunked.h"

#include "worker/http/http_syntax.h"

static const char bare[] = "a line of the chunked body that does not end with CR LF";

/* What a chunk may cost beside its data without being held against the sender. */
enum { CHUNK_CREDIT = 16, SIZE_DIGITS_MAX = 15 };

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static const char *size_byte(struct http_chunked *chunked, char c)
{
	int digit = hex_value(c);

	if (digit >= 0) {
		chunked->size_seen = true;
		if (chunked->digits > 0 || digit > 0)
			chunked->digits++;
		if (chunked->digits > SIZE_DIGITS_MAX)
			return "a chunk size that is too big";
		chunked->size = chunked->size * 16 + (uint64_t)digit;
		return NULL;
	}
	if (!chunked->size_seen || (c != ';' && c != '\r'))
		return "a malformed chunk size";
	chunked->extended = false;
	chunked->state = c == ';' ? CHUNKED_EXTENSION_NAME : CHUNKED_SIZE_LF;
	return NULL;
}

/* Behind a name, a value or a closing quote. */
static const char *end_extension_part(struct http_chunked *chunked, char c)
{
	if (c != ';' && c != '\r')
		return "a malformed chunk extension";
	chunked->extended = false;
	chunked->state = c == ';' ? CHUNKED_EXTENSION_NAME : CHUNKED_SIZE_LF;
	return NULL;
}

/* A token, then '=' and a value, ';' and the next, or the end of the line. */
static const char *extension_byte(struct http_chunked *chunked, char c)
{
	bool in_name = chunked->state == CHUNKED_EXTENSION_NAME;

	if (http_is_token_byte(c)) {
		chunked->extended = true;
		return NULL;
	}
	if (!in_name && c == '"' && !chunked->extended) {
		chunked->state = CHUNKED_QUOTED;
		return NULL;
	}
	if (!chunked->extended)
		return "a malformed chunk extension";
	if (in_name && c == '=') {
		chunked->extended = false;
		chunked->state = CHUNKED_EXTENSION_VALUE;
		return NULL;
	}
	return end_extension_part(chunked, c);
}

static const char *quoted_byte(struct http_chunked *chunked, char c)
{
	if (!http_is_field_text((struct slice){&c, 1}))
		return "a control byte in a chunk extension";
	if (chunked->state == CHUNKED_QUOTED_ESCAPE)
		chunked->state = CHUNKED_QUOTED;
	else if (c == '\\')
		chunked->state = CHUNKED_QUOTED_ESCAPE;
	else if (c == '"')
		chunked->state = CHUNKED_QUOTED_END;
	return NULL;
}

static void begin_data(struct http_chunked *chunked)
{
	chunked->left = chunked->size;
	chunked->state = chunked->size > 0 ? CHUNKED_DATA : CHUNKED_TRAILER_START;
	chunked->name_length = 0;
}

/* What the chunk's data is worth is taken off what its framing cost. */
static void end_chunk(struct http_chunked *chunked)
{
	uint64_t credit = CHUNK_CREDIT + chunked->size;

	chunked->overhead = chunked->overhead > credit ? chunked->overhead - (size_t)credit : 0;
	chunked->size = 0;
	chunked->digits = 0;
	chunked->size_seen = false;
	chunked->state = CHUNKED_SIZE;
}

static const char *expect(
        struct http_chunked *chunked, char c, char wanted, enum http_chunked_state next)
{
	if (c != wanted)
		return bare;
	chunked->state = next;
	return NULL;
}

/* Fields that would say how a message is read after it was read (RFC 9110 6.5.1). */
static bool is_forbidden_trailer(const struct http_chunked *chunked)
{
	static const struct slice forbidden[] = {
	        {"content-length", 14}, {"transfer-encoding", 17}, {"host", 4}, {"trailer", 7}};
	struct slice name = {chunked->name, chunked->name_length};

	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		if (name.length == forbidden[i].length && slice_equal_nocase(name, forbidden[i]))
			return true;
	return false;
}

static const char *trailer_name_byte(struct http_chunked *chunked, char c)
{
	if (http_is_token_byte(c)) {
		if (chunked->name_length < sizeof(chunked->name))
			chunked->name[chunked->name_length] = c;
		chunked->name_length++;
		chunked->state = CHUNKED_TRAILER_NAME;
		return NULL;
	}
	if (c != ':' || chunked->name_length == 0)
		return "a malformed trailer field";
	if (is_forbidden_trailer(chunked))
		return "a trailer field that is forbidden there";
	chunked->state = CHUNKED_TRAILER_VALUE;
	return NULL;
}

static const char *trailer_value_byte(struct http_chunked *chunked, char c)
{
	if (c == '\r')
		chunked->state = CHUNKED_TRAILER_LF;
	else if (!http_is_field_text((struct slice){&c, 1}))
		return "a control byte in a trailer field";
	return NULL;
}

static const char *byte(struct http_chunked *chunked, char c)
{
	switch (chunked->state) {
	case CHUNKED_SIZE:
		return size_byte(chunked, c);
	case CHUNKED_EXTENSION_NAME:
	case CHUNKED_EXTENSION_VALUE:
		return extension_byte(chunked, c);
	case CHUNKED_QUOTED:
	case CHUNKED_QUOTED_ESCAPE:
		return quoted_byte(chunked, c);
	case CHUNKED_QUOTED_END:
		return end_extension_part(chunked, c);
	case CHUNKED_SIZE_LF:
		if (c != '\n')
			return bare;
		begin_data(chunked);
		return NULL;
	case CHUNKED_DATA_CR:
		return expect(chunked, c, '\r', CHUNKED_DATA_LF);
	case CHUNKED_DATA_LF:
		if (c != '\n')
			return bare;
		end_chunk(chunked);
		return NULL;
	case CHUNKED_TRAILER_START:
		if (c == '\r')
			return expect(chunked, c, '\r', CHUNKED_END_LF);
		return trailer_name_byte(chunked, c);
	case CHUNKED_TRAILER_NAME:
		return trailer_name_byte(chunked, c);
	case CHUNKED_TRAILER_VALUE:
		return trailer_value_byte(chunked, c);
	case CHUNKED_TRAILER_LF:
		chunked->name_length = 0;
		return expect(chunked, c, '\n', CHUNKED_TRAILER_START);
	case CHUNKED_END_LF:
		return expect(chunked, c, '\n', CHUNKED_END_LF);
	case CHUNKED_DATA:
		break;
	}
	return NULL; /* data does not come here */
}

/* How many of the bytes are the current chunk's; they are handed on. */
static size_t pass_data(
        struct http_chunked *chunked, struct slice bytes, http_data_fn *fn, void *opaque)
{
	size_t length = bytes.length < chunked->left ? bytes.length : (size_t)chunked->left;

	fn(opaque, (struct slice){bytes.data, length});
	chunked->left -= length;
	if (chunked->left == 0)
		chunked->state = CHUNKED_DATA_CR;
	return length;
}

enum http_progress http_chunked_bytes(struct http_chunked *chunked, struct slice bytes,
        size_t *used_out, http_data_fn *fn, void *opaque, struct http_refusal *refusal_out)
{
	size_t used = 0;

	while (used < bytes.length) {
		if (chunked->state == CHUNKED_DATA) {
			struct slice rest = {bytes.data + used, bytes.length - used};
			used += pass_data(chunked, rest, fn, opaque);
			continue;
		}
		bool last = chunked->state == CHUNKED_END_LF;
		const char *fault = byte(chunked, bytes.data[used++]);
		if (!fault && ++chunked->overhead > HTTP_CHUNK_OVERHEAD_MAX)
			fault = "chunk extensions or trailers that are too long";
		*used_out = used;
		if (fault) {
			*refusal_out = (struct http_refusal){400, fault};
			return HTTP_REFUSED;
		}
		if (last)
			return HTTP_COMPLETE;
	}
	*used_out = used;
	return HTTP_MORE;
}
