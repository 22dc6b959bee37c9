/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_file.c - opening log files, and writes that never wait.
 *
 * A pipe or terminal is opened anew through /proc, so that O_NONBLOCK holds for our descriptor only
 * and not for the shell that shares it. A socket can't be opened anew, but takes MSG_DONTWAIT per
 * call. Where neither works the descriptor is asked by poll() first: a pipe that polls writable
 * takes PIPE_BUF bytes, which is as long as a line can be.
 *
 * A plain file that stderr was redirected to is not opened anew: its offset has to be the one of
 * everybody who writes through descriptor 2, or what one wrote the other would overwrite.
 */
#include "shared/log_file.h"

#include "shared/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { LOG_FILE_FLAGS = O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY };

/* systemd sets JOURNAL_STREAM to "device:inode" of the socket it gave us. */
static bool is_journal(const struct stat *status)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char name[64];

	snprintf(name, sizeof(name), "%llu:%llu", (unsigned long long)status->st_dev,
	        (unsigned long long)status->st_ino);
	return stream && strcmp(stream, name) == 0;
}

static void look_at_descriptor(struct log_file *file)
{
	struct stat status;
	int flags = fcntl(file->fd, F_GETFL);

	file->kind = LOG_FILE_STREAM;
	file->journal = false;
	file->cut = false;
	if (fstat(file->fd, &status) == 0) {
		if (S_ISREG(status.st_mode))
			file->kind = LOG_FILE_REGULAR;
		else if (S_ISSOCK(status.st_mode))
			file->kind = LOG_FILE_SOCKET;
		file->journal = file->kind == LOG_FILE_SOCKET && is_journal(&status);
	}
	file->may_block = file->kind == LOG_FILE_STREAM && flags >= 0 && !(flags & O_NONBLOCK);
}

static int dup_stderr(void)
{
	return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

/* Made to append, which holds for all who share it, as with the shell's ">>": so a second opening
 * of the file, by its path, is not overwritten either. */
static int share_stderr(void)
{
	int flags = fcntl(STDERR_FILENO, F_GETFL);

	if (flags >= 0)
		fcntl(STDERR_FILENO, F_SETFL, flags | O_APPEND);
	return dup_stderr();
}

static int open_stderr(void)
{
	struct stat status;

	if (fstat(STDERR_FILENO, &status) == 0 && S_ISREG(status.st_mode))
		return share_stderr();
	int fd = open("/proc/self/fd/2", LOG_FILE_FLAGS);
	return fd >= 0 ? fd : dup_stderr();
}

/* Mode and group are given only to a file that this call creates: an existing one keeps its own. */
static int open_path(const char *path, gid_t group)
{
	int fd = open(path, LOG_FILE_FLAGS | O_CREAT | O_EXCL, 0640);

	if (fd >= 0) {
		if (fchmod(fd, 0640) == 0 &&
		        (group == (gid_t)-1 || fchown(fd, (uid_t)-1, group) == 0))
			return fd;
		int error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	if (errno != EEXIST)
		return -1;
	fd = open(path, LOG_FILE_FLAGS);
	if (fd < 0 && errno == ENXIO) /* a named pipe that nobody reads yet */
		fd = open(path, (LOG_FILE_FLAGS & ~O_WRONLY) | O_RDWR);
	return fd;
}

int log_file_open(struct log_file *file, const char *path, gid_t group)
{
	*file = (struct log_file){.path = path, .fd = -1};
	file->fd = strcmp(path, "stderr") == 0 ? open_stderr() : open_path(path, group);
	if (file->fd < 0)
		return errno;
	look_at_descriptor(file);
	return 0;
}

void log_file_replace(struct log_file *file, int fd)
{
	if (file->fd < 0) {
		file->fd = fd;
	} else if (file->fd != fd) {
		if (dup3(fd, file->fd, O_CLOEXEC) < 0) {
			close(fd);
			return; /* lines go on into the old file */
		}
		close(fd);
	}
	look_at_descriptor(file);
}

void log_file_close(struct log_file *file)
{
	fd_close(&file->fd);
}

static bool writable_now(int fd)
{
	struct pollfd poller = {.fd = fd, .events = POLLOUT};

	return poll(&poller, 1, 0) == 1 && (poller.revents & POLLOUT);
}

static ssize_t write_parts(const struct log_file *file, struct iovec *parts, size_t count)
{
	struct msghdr packet = {.msg_iov = parts, .msg_iovlen = count};
	ssize_t put;

	if (file->may_block && !writable_now(file->fd)) {
		errno = EAGAIN;
		return -1;
	}
	do {
		if (file->kind == LOG_FILE_SOCKET)
			put = sendmsg(file->fd, &packet, MSG_DONTWAIT | MSG_NOSIGNAL);
		else
			put = writev(file->fd, parts, (int)count);
	} while (put < 0 && errno == EINTR);
	return put;
}

bool log_file_write(struct log_file *file, const char *line, size_t length)
{
	char newline = '\n';
	struct iovec parts[] = {{&newline, 1}, {(void *)(uintptr_t)line, length}};
	size_t skipped = file->cut ? 0 : 1;
	size_t wanted = length + 1 - skipped;
	int error = errno;

	errno = EBADF;
	ssize_t put = file->fd < 0 ? -1 : write_parts(file, parts + skipped, 2 - skipped);
	file->error = put < 0 ? errno : ENOSPC;
	errno = error;
	if (put == (ssize_t)wanted) {
		file->cut = false;
		return true;
	}
	if (put > 0)
		file->cut = (size_t)put > 1 - skipped; /* the newline alone heals the cut */
	file->lines_dropped++;
	return false;
}
