/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_pack.c - a source's answers as bytes, and back.
 *
 * Both ends are the same binary on the same machine, a master and its child; the reader checks
 * every length all the same. Layout: a magic number, then records of a kind byte and
 * length-prefixed fields.
 */
#include "master/config_answers.h"

#include "shared/arena.h"
#include "shared/check.h"

#include <stdlib.h>
#include <string.h>

enum { PACK_MAGIC = 0x4b434150, KIND_FILE = 'f', KIND_LIST = 'l', KIND_NAME = 'n' };

struct writer {
	char *bytes;
	size_t length, capacity;
};

static void put(struct writer *writer, const void *bytes, size_t length)
{
	if (writer->capacity - writer->length < length) {
		size_t capacity = (writer->capacity + length) * 2;
		char *larger = malloc(capacity);
		CHECK(larger);
		if (writer->length)
			memcpy(larger, writer->bytes, writer->length);
		if (writer->bytes)
			explicit_bzero(writer->bytes, writer->length);
		free(writer->bytes);
		writer->bytes = larger;
		writer->capacity = capacity;
	}
	if (length)
		memcpy(writer->bytes + writer->length, bytes, length);
	writer->length += length;
}

static void put_number(struct writer *writer, uint64_t number)
{
	put(writer, &number, sizeof(number));
}

static void put_text(struct writer *writer, struct slice text)
{
	put_number(writer, text.length);
	put(writer, text.data, text.length);
}

static void put_string(struct writer *writer, const char *text)
{
	put_text(writer, slice_of(text ? text : ""));
}

void *config_source_pack(const struct config_source *source, size_t *length_out)
{
	struct writer writer = {NULL, 0, 0};

	put_number(&writer, PACK_MAGIC);
	for (const struct file_answer *answer = source->files; answer; answer = answer->next) {
		put_number(&writer, KIND_FILE);
		put_string(&writer, answer->path);
		put_number(&writer, (uint64_t)answer->file.error);
		put_number(&writer, answer->file.mode);
		put_number(&writer, answer->file.uid);
		put_text(&writer, answer->file.text);
	}
	for (const struct list_answer *answer = source->lists; answer; answer = answer->next) {
		put_number(&writer, KIND_LIST);
		put_string(&writer, answer->pattern);
		put_number(&writer, answer->count);
		for (size_t i = 0; i < answer->count; i++)
			put_string(&writer, answer->paths[i]);
	}
	for (const struct name_answer *answer = source->names; answer; answer = answer->next) {
		put_number(&writer, KIND_NAME);
		put_string(&writer, answer->host);
		put_string(&writer, answer->names.error);
		put_text(&writer, (struct slice){(const char *)answer->names.addresses,
		                          answer->names.count * sizeof(struct address)});
	}
	*length_out = writer.length;
	return writer.bytes;
}

struct reader {
	struct slice left;
	bool failed;
};

static struct slice get(struct reader *reader, size_t length)
{
	if (reader->failed || length > reader->left.length) {
		reader->failed = true;
		return (struct slice){NULL, 0};
	}
	struct slice piece = {reader->left.data, length};
	reader->left.data += length;
	reader->left.length -= length;
	return piece;
}

static uint64_t get_number(struct reader *reader)
{
	uint64_t number = 0;
	struct slice piece = get(reader, sizeof(number));

	if (piece.length)
		memcpy(&number, piece.data, sizeof(number));
	return number;
}

static struct slice get_text(struct reader *reader)
{
	return get(reader, (size_t)get_number(reader));
}

static const char *get_string(struct reader *reader, struct config_source *source)
{
	return arena_copy(source->arena, get_text(reader));
}

static void get_file(struct reader *reader, struct config_source *source)
{
	struct file_answer *answer = config_answers_add_file(source, get_string(reader, source));

	answer->file.error = (int)get_number(reader);
	answer->file.mode = (mode_t)get_number(reader);
	answer->file.uid = (uid_t)get_number(reader);
	struct slice text = get_text(reader);
	answer->file.text = (struct slice){arena_copy(source->arena, text), text.length};
}

static void get_list(struct reader *reader, struct config_source *source)
{
	struct list_answer *answer = config_answers_add_list(source, get_string(reader, source));
	uint64_t count = get_number(reader);

	if (count > reader->left.length) {
		reader->failed = true;
		return;
	}
	answer->paths = arena_alloc_array(source->arena, count + 1, sizeof(*answer->paths));
	for (answer->count = 0; answer->count < count && !reader->failed; answer->count++)
		answer->paths[answer->count] = get_string(reader, source);
}

static void get_name(struct reader *reader, struct config_source *source)
{
	const char *host = get_string(reader, source);
	const char *error = get_string(reader, source);
	struct slice bytes = get_text(reader);
	struct config_names names = {
	        .error = error[0] ? error : NULL, .count = bytes.length / sizeof(struct address)};
	struct address *addresses = arena_alloc_array(
	        source->arena, names.count + 1, sizeof(*addresses));

	if (bytes.length)
		memcpy(addresses, bytes.data, names.count * sizeof(*addresses));
	names.addresses = addresses;
	config_answers_add_name(source, host, &names);
}

struct config_source *config_source_unpack(struct slice packed)
{
	struct reader reader = {packed, false};
	struct config_source *source = config_source_create();

	source->live = false;
	if (get_number(&reader) != PACK_MAGIC)
		reader.failed = true;
	while (!reader.failed && reader.left.length) {
		uint64_t kind = get_number(&reader);
		if (kind == KIND_FILE)
			get_file(&reader, source);
		else if (kind == KIND_LIST)
			get_list(&reader, source);
		else if (kind == KIND_NAME)
			get_name(&reader, source);
		else
			reader.failed = true;
	}
	if (!reader.failed)
		return source;
	config_source_destroy(source);
	return NULL;
}
