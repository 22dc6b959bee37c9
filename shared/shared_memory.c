/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shared_memory.c - a memfd, sized, sealed, mapped.
 *
 * The size is sealed because a segment that somebody shrinks kills whoever touches its end. Pages
 * come into being when they are first touched, so that a generous size costs nothing by itself.
 */
#include "shared/shared_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t whole_pages(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

static void *map_segment(int fd, size_t size)
{
	if (ftruncate(fd, (off_t)size) != 0)
		return MAP_FAILED;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
		return MAP_FAILED;
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED)
		return MAP_FAILED;
	if (madvise(base, size, MADV_DONTDUMP) != 0) {
		int error = errno;
		munmap(base, size);
		errno = error;
		return MAP_FAILED;
	}
	return base;
}

bool shared_memory_create(struct shared_memory *memory, const char *name, size_t size,
        uint32_t magic, uint32_t version)
{
	*memory = (struct shared_memory){.fd = -1};
	if (size < sizeof(struct shared_header) || size > SIZE_MAX / 2) {
		errno = EINVAL;
		return false;
	}
	size = whole_pages(size);
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return false;
	void *base = map_segment(fd, size);
	if (base == MAP_FAILED) {
		int error = errno;
		close(fd);
		errno = error;
		return false;
	}
	*memory = (struct shared_memory){.base = base, .size = size, .fd = fd};
	*(struct shared_header *)base = (struct shared_header){magic, version, size};
	return true;
}

void shared_memory_destroy(struct shared_memory *memory)
{
	if (!memory->base)
		return;
	munmap(memory->base, memory->size);
	close(memory->fd);
	*memory = (struct shared_memory){.fd = -1};
}
