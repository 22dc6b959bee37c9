/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_pem_reader.c - walks a PEM text line by line; LF and CRLF, any text between blocks. */
#include "shared/tls_pem_reader.h"

#define BEGIN SLICE("-----BEGIN ")
#define END SLICE("-----END ")
#define DASHES SLICE("-----")

void tls_pem_reader_init(struct tls_pem_reader *reader, struct slice text)
{
	*reader = (struct tls_pem_reader){.rest = text, .line = 1};
}

/* The next line without its end and without blanks around it; false at the end of the text. */
static bool next_line(struct tls_pem_reader *reader, struct slice *line_out)
{
	if (reader->rest.length == 0)
		return false;
	struct slice tail;
	slice_split(reader->rest, '\n', line_out, &tail);
	reader->rest = tail;
	reader->line++;
	*line_out = slice_trim(*line_out);
	return true;
}

/* What stands between `start` and the closing dashes of `line`. */
static bool label_after(struct slice line, struct slice start, struct slice *label_out)
{
	if (line.length < start.length + DASHES.length || !slice_starts_with(line, start) ||
	        !slice_ends_with(line, DASHES))
		return false;
	*label_out = (struct slice){
	        line.data + start.length, line.length - start.length - DASHES.length};
	return true;
}

bool tls_pem_reader_next(struct tls_pem_reader *reader, struct tls_pem_block *block_out)
{
	struct slice line, label;
	unsigned number;
	do {
		number = reader->line;
		if (!next_line(reader, &line))
			return false;
	} while (!label_after(line, BEGIN, &label));

	const char *start = line.data, *end = line.data + line.length;
	*block_out = (struct tls_pem_block){.label = label, .line = number};
	while (!block_out->finished) {
		struct tls_pem_reader before = *reader;
		if (!next_line(reader, &line))
			break;
		if (label_after(line, BEGIN, &label)) { /* the last one has no end */
			*reader = before;
			break;
		}
		end = line.data + line.length;
		block_out->finished = label_after(line, END, &label);
	}
	block_out->text = (struct slice){start, (size_t)(end - start)};
	return true;
}

bool tls_pem_block_is_certificate(const struct tls_pem_block *block)
{
	return slice_equal(block->label, SLICE("CERTIFICATE")) ||
	       slice_equal(block->label, SLICE("X509 CERTIFICATE"));
}

bool tls_pem_block_is_key(const struct tls_pem_block *block)
{
	return slice_ends_with(block->label, SLICE("PRIVATE KEY"));
}

bool tls_pem_block_is_encrypted(const struct tls_pem_block *block)
{
	if (slice_starts_with(block->label, SLICE("ENCRYPTED ")))
		return true;
	struct tls_pem_reader lines = {.rest = block->text};
	struct slice line;
	while (next_line(&lines, &line))
		if (slice_starts_with(line, SLICE("Proc-Type:")) &&
		        slice_ends_with(line, SLICE("ENCRYPTED")))
			return true;
	return false;
}
