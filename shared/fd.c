/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fd.c - descriptor flags, closing, and passing a descriptor to another process.
 *
 * Called by the master and by workers right after the fork, so nothing here allocates.
 */
#include "shared/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

bool fd_set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

bool fd_set_cloexec(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	return flags >= 0 && fcntl(fd, F_SETFD, flags | FD_CLOEXEC) == 0;
}

void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Kernels before 5.9, and some sandboxes, know no close_range. */
static void close_one_by_one(int first, int last)
{
	long limit = sysconf(_SC_OPEN_MAX);

	for (int fd = first; fd <= last && fd < limit; fd++)
		close(fd);
}

static void close_between(int first, int last)
{
	if (first > last)
		return;
	if (close_range((unsigned)first, (unsigned)last, 0) != 0)
		close_one_by_one(first, last);
}

static int lowest_from(const int *kept, size_t count, int first)
{
	int lowest = -1;

	for (size_t i = 0; i < count; i++)
		if (kept[i] >= first && (lowest < 0 || kept[i] < lowest))
			lowest = kept[i];
	return lowest;
}

void fd_close_all_but(const int *kept, size_t count)
{
	int first = STDERR_FILENO + 1;

	for (;;) {
		int next = lowest_from(kept, count, first);
		if (next < 0)
			break;
		close_between(first, next - 1);
		first = next + 1;
	}
	close_between(first, INT_MAX);
}

/* Room for one descriptor, aligned as the kernel's header wants it. */
union rights {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

bool fd_send_message(int socket, const void *message, size_t length, int fd)
{
	struct iovec part = {(void *)(uintptr_t)message, length};
	struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
	union rights rights = {0};

	if (fd >= 0) {
		packet.msg_control = &rights;
		packet.msg_controllen = sizeof(rights);
		rights.header.cmsg_level = SOL_SOCKET;
		rights.header.cmsg_type = SCM_RIGHTS;
		rights.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&rights.header), &fd, sizeof(fd));
	}
	return sendmsg(socket, &packet, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length;
}

/* Keeps the first descriptor that came and closes any other: alignment leaves room for a second. */
static void take_descriptors(struct msghdr *packet, int *fd_out)
{
	for (struct cmsghdr *header = CMSG_FIRSTHDR(packet); header;
	        header = CMSG_NXTHDR(packet, header)) {
		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(header) + i * sizeof(fd), sizeof(fd));
			if (*fd_out < 0)
				*fd_out = fd;
			else
				close(fd);
		}
	}
}

ssize_t fd_receive_message(int socket, void *message, size_t size, int *fd_out)
{
	struct iovec part = {message, size};
	union rights rights = {0};
	struct msghdr packet = {
	        .msg_iov = &part,
	        .msg_iovlen = 1,
	        .msg_control = &rights,
	        .msg_controllen = sizeof(rights),
	};

	*fd_out = -1;
	ssize_t got = recvmsg(socket, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (got < 0)
		return -1;
	take_descriptors(&packet, fd_out);
	if (packet.msg_flags & MSG_TRUNC) {
		fd_close(fd_out);
		errno = EMSGSIZE;
		return -1;
	}
	return got;
}
