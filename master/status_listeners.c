/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status_listeners.c - loopback addresses and unix sockets.
 *
 * Whether a unix socket's file is left over from a master that was killed is found out by
 * connecting: only one that refuses is removed. What is there and is no such socket stays, and is
 * an error. A file that has been replaced by somebody else's is not removed at the end.
 */
#include "master/status_listeners.h"

#include "master/loop.h"
#include "master/unix_path.h"
#include "shared/check.h"
#include "shared/config.h"
#include "shared/fd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BACKLOG = 64, RETRY_MS = 20 };

struct item {
	char *unix_path; /* NULL: an address */
	struct address address;
	int fd;
	dev_t device; /* of the unix socket's file */
	ino_t inode;
	bool staged;
};

struct status_listeners {
	struct item *items;
	int *fds; /* of the items */
	size_t count;
};

struct status_listeners *status_listeners_create(void)
{
	struct status_listeners *listeners = calloc(1, sizeof(*listeners));

	CHECK(listeners);
	return listeners;
}

/* ---- opening ---- */

static int open_address(const struct address *address)
{
	int on = 1;
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	        bind(fd, &address->any, address->length) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* Removes the file if it is a socket that nobody listens at. */
static bool make_way(const char *path)
{
	struct sockaddr_un address;
	struct stat status;
	int directory;

	if (lstat(path, &status) != 0)
		return errno == ENOENT;
	errno = EEXIST;
	if (!S_ISSOCK(status.st_mode))
		return false;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || !unix_path_address(path, &address, &directory)) {
		fd_close(&fd);
		return false;
	}
	bool refused = connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 &&
	               errno == ECONNREFUSED;
	fd_close(&directory);
	close(fd);
	errno = EADDRINUSE;
	return refused && unlink(path) == 0;
}

static int open_unix(const struct config *config, const struct config_admin_listener *wanted)
{
	if (!make_way(wanted->unix_path))
		return -1;
	int fd = unix_path_listen(wanted->unix_path, SOCK_STREAM, wanted->mode, BACKLOG);
	/* As log files: workers' user and group may be given to who is to read it. */
	if (fd >= 0 && config->main.user_name &&
	        lchown(wanted->unix_path, (uid_t)-1, config->main.gid) != 0)
		fd_close(&fd);
	return fd;
}

static int open_one(
        const struct config *config, const struct config_admin_listener *wanted, uint64_t until_ms)
{
	for (;;) {
		int fd = wanted->unix_path ? open_unix(config, wanted)
		                           : open_address(&wanted->address);
		if (fd >= 0 || errno != EADDRINUSE || loop_clock_ms() >= until_ms)
			return fd;
		usleep(RETRY_MS * 1000);
	}
}

/* ---- what is held ---- */

static bool is_same(const struct item *item, const struct config_admin_listener *wanted)
{
	if (item->unix_path || wanted->unix_path)
		return item->unix_path && wanted->unix_path &&
		       strcmp(item->unix_path, wanted->unix_path) == 0;
	return address_equal(&item->address, &wanted->address);
}

static struct item *held(
        struct status_listeners *listeners, const struct config_admin_listener *wanted)
{
	for (size_t i = 0; i < listeners->count; i++)
		if (is_same(&listeners->items[i], wanted))
			return &listeners->items[i];
	return NULL;
}

static bool is_wanted(const struct item *item, const struct config *config)
{
	for (size_t i = 0; i < config->admin_listener_count; i++)
		if (is_same(item, &config->admin_listeners[i]))
			return true;
	return false;
}

static void add(
        struct status_listeners *listeners, const struct config_admin_listener *wanted, int fd)
{
	size_t size = listeners->count + 1;
	struct item item = {.address = wanted->address, .fd = fd, .staged = true};
	struct stat status;

	listeners->items = realloc(listeners->items, size * sizeof(*listeners->items));
	listeners->fds = realloc(listeners->fds, size * sizeof(*listeners->fds));
	CHECK(listeners->items && listeners->fds);
	if (wanted->unix_path) {
		item.unix_path = strdup(wanted->unix_path);
		CHECK(item.unix_path);
		if (lstat(item.unix_path, &status) == 0) {
			item.device = status.st_dev;
			item.inode = status.st_ino;
		}
	}
	listeners->items[listeners->count] = item;
	listeners->fds[listeners->count] = fd;
	listeners->count = size;
}

static void let_go(struct status_listeners *listeners, size_t index)
{
	struct item *item = &listeners->items[index];
	struct stat status;

	shutdown(item->fd, SHUT_RD); /* a status process may hold it for a moment yet */
	close(item->fd);
	if (item->unix_path && lstat(item->unix_path, &status) == 0 &&
	        status.st_dev == item->device && status.st_ino == item->inode)
		unlink(item->unix_path);
	free(item->unix_path);
	listeners->count--;
	listeners->items[index] = listeners->items[listeners->count];
	listeners->fds[index] = listeners->fds[listeners->count];
}

void status_listeners_destroy(struct status_listeners *listeners)
{
	if (!listeners)
		return;
	while (listeners->count > 0)
		let_go(listeners, 0);
	free(listeners->items);
	free(listeners->fds);
	free(listeners);
}

static const char *describe(int error)
{
	if (error == EEXIST)
		return "there is a file that is no socket; remove it, or listen elsewhere";
	if (error == EADDRINUSE)
		return "in use by another process; stop it, or listen elsewhere";
	return strerror(error);
}

bool status_listeners_stage(struct status_listeners *listeners, const struct config *config,
        uint64_t patience_ms, char fault[STATUS_LISTENERS_FAULT_MAX])
{
	uint64_t until_ms = loop_clock_ms() + patience_ms;

	for (size_t i = 0; i < config->admin_listener_count; i++) {
		const struct config_admin_listener *wanted = &config->admin_listeners[i];
		if (held(listeners, wanted))
			continue;
		int fd = open_one(config, wanted, until_ms);
		if (fd >= 0) {
			add(listeners, wanted, fd);
			continue;
		}
		snprintf(fault, STATUS_LISTENERS_FAULT_MAX, "listen %s (%s:%u): %s", wanted->text,
		        wanted->origin.file, wanted->origin.line, describe(errno));
		status_listeners_roll_back(listeners);
		return false;
	}
	return true;
}

void status_listeners_commit(struct status_listeners *listeners, const struct config *config)
{
	for (size_t i = listeners->count; i-- > 0;) {
		listeners->items[i].staged = false;
		if (!is_wanted(&listeners->items[i], config))
			let_go(listeners, i);
	}
	for (size_t i = 0; i < config->admin_listener_count; i++)
		if (config->admin_listeners[i].unix_path)
			chmod(config->admin_listeners[i].unix_path,
			        config->admin_listeners[i].mode);
}

void status_listeners_roll_back(struct status_listeners *listeners)
{
	for (size_t i = listeners->count; i-- > 0;)
		if (listeners->items[i].staged)
			let_go(listeners, i);
}

const int *status_listeners_fds(const struct status_listeners *listeners, size_t *count_out)
{
	*count_out = listeners->count;
	return listeners->fds;
}
