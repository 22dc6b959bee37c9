/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_pair.h - two ends of a TCP connection over the loopback. */
#ifndef TESTS_SUPPORT_TCP_PAIR_H
#define TESTS_SUPPORT_TCP_PAIR_H

/* `*ours_out` does not block; `*theirs_out` does, and takes about `receive_bytes` before it is read
 * (0: as the system likes). Both are the caller's to close. */
void tcp_pair(int *ours_out, int *theirs_out, int receive_bytes);

#endif
