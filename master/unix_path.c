/* SPDX-License-Identifier: BSD-2-Clause */
/* unix_path.c - long paths by way of /proc/self/fd. */
#include "master/unix_path.h"

#include "shared/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool unix_path_beside(const char *pid_file, char *path, size_t size)
{
	size_t length = strlen(pid_file);

	if (length > 4 && strcmp(pid_file + length - 4, ".pid") == 0)
		length -= 4;
	int used = snprintf(path, size, "%.*s.sock", (int)length, pid_file);
	return used > 0 && (size_t)used < size;
}

static int open_directory(const char *path, const char *slash)
{
	char *directory = strndup(path, (size_t)(slash - path));
	int fd = directory ? open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	free(directory);
	return fd;
}

bool unix_path_address(const char *path, struct sockaddr_un *address_out, int *directory_out)
{
	const char *slash = strrchr(path, '/');
	size_t room = sizeof(address_out->sun_path);

	*address_out = (struct sockaddr_un){.sun_family = AF_UNIX};
	*directory_out = -1;
	if (strlen(path) < room) {
		memcpy(address_out->sun_path, path, strlen(path));
		return true;
	}
	errno = ENAMETOOLONG;
	if (!slash || slash == path)
		return false;
	*directory_out = open_directory(path, slash);
	if (*directory_out < 0)
		return false;
	int used = snprintf(
	        address_out->sun_path, room, "/proc/self/fd/%d/%s", *directory_out, slash + 1);
	return used > 0 && (size_t)used < room;
}

int unix_path_listen(const char *path, int type, mode_t mode, int backlog)
{
	struct sockaddr_un address;
	int directory = -1;
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	mode_t before = umask(0777 & ~mode);
	bool done = unix_path_address(path, &address, &directory) &&
	            bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	            listen(fd, backlog) == 0;
	int error = errno;
	umask(before);
	fd_close(&directory);
	if (done)
		return fd;
	close(fd);
	errno = error;
	return -1;
}
