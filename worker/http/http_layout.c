/* SPDX-License-Identifier: BSD-2-Clause */
/* http_layout.c - the second pair of eyes on each head: where the parser saw fields begin, lines
 * have to begin, and nothing else may stand between them. */
#include "worker/http/http_layout.h"

#include "worker/http/http_syntax.h"

enum {
	VERSION_LENGTH = 8, /* HTTP/1.1 */
	STATUS_END = 12, /* HTTP/1.1 200 */
};

static struct slice between(struct slice text, size_t start, size_t end)
{
	return (struct slice){text.data + start, end - start};
}

/* HTTP/1.0 or 1.1. */
static bool read_version(struct slice version, unsigned *minor_out)
{
	if (version.length != VERSION_LENGTH || !slice_starts_with(version, SLICE("HTTP/1.")))
		return false;
	char minor = version.data[VERSION_LENGTH - 1];
	*minor_out = (unsigned)(minor - '0');
	return minor == '0' || minor == '1';
}

/* METHOD SP target SP HTTP/1.x; that the target has no blanks is looked at with the target. */
static const char *read_request_line(struct http_head *head, struct slice line)
{
	size_t method = http_token_length(line);

	head->request_line = line;
	if (method == 0 || line.length < method + 2 + VERSION_LENGTH || line.data[method] != ' ')
		return "a malformed request line";
	size_t version = line.length - VERSION_LENGTH;
	if (line.data[version - 1] != ' ' ||
	        !read_version(between(line, version, line.length), &head->minor))
		return "a malformed version in the request line";
	head->method_name = between(line, 0, method);
	head->target = between(line, method + 1, version - 1);
	return NULL;
}

/* HTTP/1.x SP 3DIGIT [SP reason]: without a reason some leave the blank out too. */
static const char *read_status_line(struct http_head *head, struct slice line)
{
	uint64_t status;

	if (line.length < STATUS_END || line.data[VERSION_LENGTH] != ' ' ||
	        (line.length > STATUS_END && line.data[STATUS_END] != ' '))
		return "a malformed status line";
	if (!read_version(between(line, 0, VERSION_LENGTH), &head->minor))
		return "a malformed version in the status line";
	if (!slice_to_uint64(between(line, VERSION_LENGTH + 1, STATUS_END), 999, &status))
		return "a malformed status";
	head->status = (unsigned)status;
	if (line.length > STATUS_END)
		head->reason = between(line, STATUS_END + 1, line.length);
	if (!http_is_field_text(head->reason))
		return "a control byte in the reason phrase";
	return NULL;
}

static const char *read_field(struct http_field *field, struct slice line)
{
	size_t name = http_token_length(line);

	if (name == 0)
		return line.length > 0 && (line.data[0] == ' ' || line.data[0] == '\t')
		               ? "a folded field"
		               : "a field without a name";
	if (name == line.length || line.data[name] != ':')
		return "a malformed field name";
	field->name = between(line, 0, name);
	field->value = http_trim(between(line, name + 1, line.length));
	return http_is_field_text(field->value) ? NULL : "a control byte or a fold in a field";
}

/* The line from `start` whose end is CR LF before `next`. */
static bool cut_line(struct slice text, size_t start, size_t next, struct slice *line_out)
{
	if (next > text.length || next < start + 2)
		return false;
	*line_out = between(text, start, next - 2);
	return text.data[next - 2] == '\r' && text.data[next - 1] == '\n';
}

const char *http_layout_read(struct http_head *head, struct slice text, const size_t *field_starts)
{
	static const char bare[] = "a line that does not end with CR LF";
	struct slice line;

	if (text.length < 4 || !slice_ends_with(text, SLICE("\r\n\r\n")))
		return bare;
	size_t end = text.length - 2;
	size_t start = head->field_count > 0 ? field_starts[0] : end;
	if (!cut_line(text, 0, start, &line))
		return bare;
	const char *fault = head->kind == HTTP_REQUEST ? read_request_line(head, line)
	                                               : read_status_line(head, line);
	for (size_t i = 0; i < head->field_count && !fault; i++) {
		size_t next = i + 1 < head->field_count ? field_starts[i + 1] : end;
		if (!cut_line(text, field_starts[i], next, &line))
			return bare;
		fault = read_field(&head->fields[i], line);
	}
	return fault;
}

void http_layout_first_line(struct http_head *head, struct slice text)
{
	struct slice rest;

	slice_split(text, '\n', &head->request_line, &rest);
	if (slice_ends_with(head->request_line, SLICE("\r")))
		head->request_line.length--;
	size_t method = http_token_length(head->request_line);
	if (method < head->request_line.length && head->request_line.data[method] == ' ')
		head->method_name = between(head->request_line, 0, method);
}
