/* SPDX-License-Identifier: BSD-2-Clause */
/* fd.h - what is done to descriptors in more than one place. */
#ifndef SHARED_FD_H
#define SHARED_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

bool fd_set_nonblocking(int fd);
bool fd_set_cloexec(int fd);
/* Closes and sets to -1; -1 is fine. */
void fd_close(int *fd);

/* Closes every descriptor >= 3 that is not among `kept` (any order). */
void fd_close_all_but(const int *kept, size_t count);

/* A message with at most one descriptor (-1: none) over a unix SOCK_SEQPACKET socket; never blocks.
 * send: true when taken. receive: bytes, 0 at end of file, -1 with errno (EMSGSIZE: longer than
 * `size`, and gone); *fd_out is -1 when none came, else the caller's. */
bool fd_send_message(int socket, const void *message, size_t length, int fd);
ssize_t fd_receive_message(int socket, void *message, size_t size, int *fd_out);

#endif
