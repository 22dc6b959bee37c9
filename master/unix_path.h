/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unix_path.h - unix sockets in the file system, of whatever length their path is.
 */
#ifndef MASTER_UNIX_PATH_H
#define MASTER_UNIX_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

/* Beside the pid file: "sealane.pid" has "sealane.sock", any other name has ".sock" after it. false
 * when `size` does not do. */
bool unix_path_beside(const char *pid_file, char *path, size_t size);

/* A path of more than 107 bytes fits no sockaddr_un; it is then named through its directory, which
 * stays open as *directory_out (else -1) until the address was used. false with errno. */
bool unix_path_address(const char *path, struct sockaddr_un *address_out, int *directory_out);

/* A non-blocking socket of `type` that listens at `path`, which must not exist; `mode` are its
 * permissions from the first moment on. -1 with errno. */
int unix_path_listen(const char *path, int type, mode_t mode, int backlog);

#endif
