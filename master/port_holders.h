/* SPDX-License-Identifier: BSD-2-Clause */
/* port_holders.h - whose sockets listen on a TCP port of this host. */
#ifndef MASTER_PORT_HOLDERS_H
#define MASTER_PORT_HOLDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Some socket that is not among `own` (inode numbers) listens on `port`, at whatever address; also
 * true when the kernel does not tell. */
bool port_has_other_holder(uint16_t port, const ino_t *own, size_t own_count);

#endif
