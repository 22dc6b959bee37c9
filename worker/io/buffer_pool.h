/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buffer_pool.h - lends buffers, counts them, and refuses past the limit.
 *
 * Two sizes: small ones for whoever has something to move, large ones for streams that filled a
 * small one. Near the limit accepting pauses (buffer_pool_is_short); at the limit a stream that
 * wants to read has to wait until a buffer comes back. A few free buffers are kept, so that bulk
 * does not go through malloc.
 */
#ifndef WORKER_IO_BUFFER_POOL_H
#define WORKER_IO_BUFFER_POOL_H

#include "shared/list.h"
#include "worker/io/buffer.h"

#include <stdbool.h>
#include <stdint.h>

/* Room for one whole TLS record beside the one that GnuTLS may hold in part. */
enum { BUFFER_SMALL_BYTES = 36 * 1024 };

struct buffer_pool;

/* `large_bytes`: the usual size of large buffers, of which free ones are kept. */
struct buffer_pool *buffer_pool_create(uint64_t limit_bytes, size_t large_bytes);
void buffer_pool_destroy(struct buffer_pool *pool); /* all buffers are back */

/* Empty, of at least `bytes`; NULL at the limit or without memory. */
struct buffer *buffer_pool_lend(struct buffer_pool *pool, size_t bytes);
/* The same past the limit: for bytes that cannot stay where they are. Stops the process without
 * memory. */
struct buffer *buffer_pool_lend_always(struct buffer_pool *pool, size_t bytes);
/* Takes the buffer back, with whatever is in it, and lets those go on who wait. *buffer becomes
 * NULL. */
void buffer_pool_return(struct buffer_pool *pool, struct buffer **buffer);

/* Seven eighths of the limit are lent. */
bool buffer_pool_is_short(const struct buffer_pool *pool);
uint64_t buffer_pool_lent_bytes(const struct buffer_pool *pool);

/* Called once when a small buffer can be had, first come, first served; waits for one call only.
 * Who does not take one after the call says so by buffer_pool_wake. */
struct buffer_waiter;
typedef void buffer_waiter_fn(struct buffer_waiter *waiter);
struct buffer_waiter {
	struct list link;
	buffer_waiter_fn *fn;
};
void buffer_waiter_init(struct buffer_waiter *waiter, buffer_waiter_fn *fn);
void buffer_pool_wait(struct buffer_pool *pool, struct buffer_waiter *waiter);
void buffer_waiter_cancel(struct buffer_waiter *waiter); /* fine when it does not wait */
/* Calls as many as could have a small buffer now. */
void buffer_pool_wake(struct buffer_pool *pool);

/* Gives kept free buffers back to malloc, for an idle worker. */
void buffer_pool_trim(struct buffer_pool *pool);

#endif
