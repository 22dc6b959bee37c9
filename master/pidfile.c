/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pidfile.c - open, lock, make sure that the name still leads to what was locked, write.
 *
 * fcntl locks are not inherited by forked workers, which would keep a dead master's file locked.
 * They are lost when any descriptor of the file is closed in this process, so it is opened once.
 */
#include "master/pidfile.h"

#include "shared/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pid_t lock_holder(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid;
}

pid_t pidfile_holder(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return 0;
	pid_t pid = lock_holder(fd);
	close(fd);
	return pid;
}

static void make_directory_of(const char *path)
{
	char *directory = strdup(path);
	char *slash = directory ? strrchr(directory, '/') : NULL;

	if (slash && slash != directory) {
		*slash = '\0';
		mkdir(directory, 0755); /* if it fails, so does what comes next, with a reason */
	}
	free(directory);
}

static int open_file(const char *path)
{
	int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	int fd = open(path, flags, 0644);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	make_directory_of(path);
	return open(path, flags, 0644);
}

/* A master that ended between our open and our lock has unlinked what we hold. */
static bool is_still_named(int fd, const char *path)
{
	struct stat held, named;

	return fstat(fd, &held) == 0 && lstat(path, &named) == 0 && held.st_dev == named.st_dev &&
	       held.st_ino == named.st_ino;
}

static bool lock(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_SETLK, &lock) == 0;
}

/* A locked descriptor of what `path` names, or -1. */
static int open_locked(const char *path, char *fault, size_t fault_size)
{
	for (;;) {
		int fd = open_file(path);
		if (fd < 0) {
			snprintf(fault, fault_size, "pid file %s: %s", path, strerror(errno));
			return -1;
		}
		if (!lock(fd)) {
			int error = errno;
			pid_t holder = lock_holder(fd);
			close(fd);
			if (holder)
				snprintf(fault, fault_size, "already running, pid %d", (int)holder);
			else if (error != EACCES && error != EAGAIN)
				snprintf(fault, fault_size, "pid file %s: locking: %s", path,
				        strerror(error));
			else
				continue; /* its holder has just gone */
			return -1;
		}
		if (is_still_named(fd, path))
			return fd;
		close(fd);
	}
}

bool pidfile_take(struct pidfile *file, const char *path, char *fault, size_t fault_size)
{
	char text[32];
	int length = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	*file = (struct pidfile){.path = path, .fd = open_locked(path, fault, fault_size)};
	if (file->fd < 0)
		return false;
	if (ftruncate(file->fd, 0) == 0 && write(file->fd, text, (size_t)length) == length)
		return true;
	snprintf(fault, fault_size, "pid file %s: %s", path, strerror(errno));
	pidfile_drop(file);
	return false;
}

void pidfile_drop(struct pidfile *file)
{
	if (file->fd < 0)
		return;
	unlink(file->path); /* before the lock goes, or a new master's file could be hit */
	fd_close(&file->fd);
}
