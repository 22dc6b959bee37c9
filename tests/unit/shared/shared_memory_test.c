/* SPDX-License-Identifier: BSD-2-Clause */
/* shared_memory_test.c - a segment says what it is, is empty, shared, and of a size that stays. */
#include "shared/shared_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { MAGIC = 0x1234, VERSION = 3, SIZE = 10000 };

static int create(void **state)
{
	static struct shared_memory memory;

	*state = &memory;
	return shared_memory_create(&memory, "sealane-test", SIZE, MAGIC, VERSION) ? 0 : -1;
}

static int destroy(void **state)
{
	shared_memory_destroy(*state);
	return 0;
}

static void a_segment_starts_with_what_it_is_and_is_zero_behind(void **state)
{
	struct shared_memory *memory = *state;
	const struct shared_header *header = memory->base;
	const uint8_t *bytes = memory->base;

	assert_int_equal(header->magic, MAGIC);
	assert_int_equal(header->version, VERSION);
	assert_int_equal(header->size, memory->size);
	assert_true(memory->size >= SIZE);
	assert_int_equal(memory->size % (size_t)sysconf(_SC_PAGESIZE), 0);
	for (size_t i = sizeof(*header); i < memory->size; i++)
		assert_int_equal(bytes[i], 0);
}

static void a_child_writes_what_its_parent_reads(void **state)
{
	struct shared_memory *memory = *state;
	int status;

	pid_t child = fork();
	if (child == 0) {
		((uint8_t *)memory->base)[SIZE - 1] = 7;
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(((uint8_t *)memory->base)[SIZE - 1], 7);
}

static void nobody_changes_its_size(void **state)
{
	struct shared_memory *memory = *state;

	assert_int_equal(ftruncate(memory->fd, 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(memory->fd, 1 << 20), -1);
	assert_true(fcntl(memory->fd, F_GETFD) & FD_CLOEXEC);
}

static void destroying_leaves_nothing_open(void **state)
{
	struct shared_memory memory;

	(void)state;
	assert_true(shared_memory_create(&memory, "sealane-test", SIZE, MAGIC, VERSION));
	int fd = memory.fd;
	void *base = memory.base;
	shared_memory_destroy(&memory);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(msync(base, SIZE, MS_ASYNC), -1);
	assert_int_equal(errno, ENOMEM);
	shared_memory_destroy(&memory);
}

static void impossible_sizes_are_refused(void **state)
{
	static const size_t sizes[] = {0, 1, sizeof(struct shared_header) - 1, SIZE_MAX};
	struct shared_memory memory;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_false(shared_memory_create(&memory, "sealane-test", sizes[i], 1, 1));
		assert_int_equal(errno, EINVAL);
		assert_null(memory.base);
		shared_memory_destroy(&memory);
	}
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, create, destroy)
	const struct CMUnitTest tests[] = {
	        TEST(a_segment_starts_with_what_it_is_and_is_zero_behind),
	        TEST(a_child_writes_what_its_parent_reads),
	        TEST(nobody_changes_its_size),
	        cmocka_unit_test(destroying_leaves_nothing_open),
	        cmocka_unit_test(impossible_sizes_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
