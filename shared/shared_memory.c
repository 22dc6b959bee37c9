/* SPDX-License-Identifier: BSD-2-Clause */
/* shared_memory.c - memfd_create, mmap, MADV_DONTDUMP. */
#include "shared/shared_memory.h"

#include "shared/fd.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

bool shared_memory_create(struct shared_memory *memory, const char *name, size_t size,
        uint32_t magic, uint32_t version)
{
	*memory = (struct shared_memory){.size = size, .fd = memfd_create(name, MFD_CLOEXEC)};
	if (memory->fd < 0)
		return false;
	if (ftruncate(memory->fd, (off_t)size) != 0)
		goto fail;
	memory->base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd, 0);
	if (memory->base == MAP_FAILED)
		goto fail;
	madvise(memory->base, size, MADV_DONTDUMP);
	*(struct shared_header *)memory->base = (struct shared_header){
	        .magic = magic, .version = version, .size = size};
	return true;
fail:;
	int error = errno;
	fd_close(&memory->fd);
	memory->base = NULL;
	errno = error;
	return false;
}

void shared_memory_destroy(struct shared_memory *memory)
{
	if (memory->base)
		munmap(memory->base, memory->size);
	memory->base = NULL;
	fd_close(&memory->fd);
}
