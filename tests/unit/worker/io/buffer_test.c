/* SPDX-License-Identifier: BSD-2-Clause */
/* buffer_test.c - a buffer behaves as a naive queue of bytes does. */
#include "worker/io/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CAPACITY = 61, OPERATIONS = 200000 };

/* The bytes in order, moved to the front each time: slow and surely right. */
struct model {
	unsigned char bytes[CAPACITY];
	size_t count;
};

static struct buffer *make_buffer(size_t capacity)
{
	struct buffer *buffer = malloc(sizeof(*buffer) + capacity);

	assert_non_null(buffer);
	*buffer = (struct buffer){.capacity = capacity};
	return buffer;
}

static void no_buffer_holds_nothing(void **state)
{
	(void)state;
	assert_int_equal(buffer_bytes(NULL), 0);
}

static void room_is_all_of_it_after_the_last_byte_was_taken(void **state)
{
	struct buffer *buffer = make_buffer(CAPACITY);

	(void)state;
	buffer_filled(buffer, CAPACITY);
	assert_int_equal(buffer_room(buffer), 0);
	buffer_taken(buffer, CAPACITY - 1);
	assert_int_equal(buffer_room(buffer), 0);
	buffer_taken(buffer, 1);
	assert_int_equal(buffer_room(buffer), CAPACITY);
	free(buffer);
}

static void compacting_moves_all_room_to_the_end(void **state)
{
	struct buffer *buffer = make_buffer(CAPACITY);

	(void)state;
	memcpy(buffer->data, "abcdef", 6);
	buffer_filled(buffer, 6);
	buffer_taken(buffer, 4);
	buffer_compact(buffer);
	assert_int_equal(buffer->start, 0);
	assert_int_equal(buffer_room(buffer), CAPACITY - 2);
	assert_memory_equal(buffer->data, "ef", 2);
	free(buffer);
}

static void fill_both(struct buffer *buffer, struct model *model)
{
	size_t count = (size_t)rand() % (buffer_room(buffer) + 1);

	for (size_t i = 0; i < count; i++) {
		unsigned char byte = (unsigned char)rand();
		buffer->data[buffer->end + i] = byte;
		model->bytes[model->count + i] = byte;
	}
	buffer_filled(buffer, count);
	model->count += count;
}

static void take_from_both(struct buffer *buffer, struct model *model)
{
	size_t count = (size_t)rand() % (buffer_bytes(buffer) + 1);

	buffer_taken(buffer, count);
	memmove(model->bytes, model->bytes + count, model->count - count);
	model->count -= count;
}

static void random_operations_agree_with_the_model(void **state)
{
	struct buffer *buffer = make_buffer(CAPACITY);
	struct model model = {.count = 0};

	(void)state;
	srand(1);
	for (int i = 0; i < OPERATIONS; i++) {
		switch (rand() % 3) {
		case 0:
			fill_both(buffer, &model);
			break;
		case 1:
			take_from_both(buffer, &model);
			break;
		case 2:
			buffer_compact(buffer);
			assert_int_equal(buffer_room(buffer), CAPACITY - model.count);
			break;
		}
		assert_int_equal(buffer_bytes(buffer), model.count);
		assert_memory_equal(buffer->data + buffer->start, model.bytes, model.count);
	}
	free(buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(no_buffer_holds_nothing),
	        cmocka_unit_test(room_is_all_of_it_after_the_last_byte_was_taken),
	        cmocka_unit_test(compacting_moves_all_room_to_the_end),
	        cmocka_unit_test(random_operations_agree_with_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
