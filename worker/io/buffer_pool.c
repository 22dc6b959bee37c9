/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buffer_pool.c - free lists of the two sizes, newest first: the one returned last is warm in the
 * cache.
 */
#include "worker/io/buffer_pool.h"

#include "shared/check.h"

#include <stdlib.h>

enum { KEPT_SMALL_MAX = 64, KEPT_LARGE_MAX = 12 };

struct free_list {
	size_t bytes;
	struct buffer *first;
	unsigned kept, kept_max;
};

struct buffer_pool {
	uint64_t limit_bytes, lent_bytes;
	struct free_list small, large;
	struct list waiters;
};

struct buffer_pool *buffer_pool_create(uint64_t limit_bytes, size_t large_bytes)
{
	struct buffer_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->limit_bytes = limit_bytes;
	pool->small = (struct free_list){.bytes = BUFFER_SMALL_BYTES, .kept_max = KEPT_SMALL_MAX};
	pool->large = (struct free_list){.bytes = large_bytes, .kept_max = KEPT_LARGE_MAX};
	list_init(&pool->waiters);
	return pool;
}

static void free_kept(struct free_list *list)
{
	while (list->first) {
		struct buffer *buffer = list->first;
		list->first = buffer->next_free;
		free(buffer);
	}
	list->kept = 0;
}

void buffer_pool_destroy(struct buffer_pool *pool)
{
	if (!pool)
		return;
	CHECK(pool->lent_bytes == 0);
	free_kept(&pool->small);
	free_kept(&pool->large);
	free(pool);
}

static struct free_list *list_for(struct buffer_pool *pool, size_t bytes)
{
	if (bytes <= pool->small.bytes)
		return &pool->small;
	return bytes == pool->large.bytes ? &pool->large : NULL;
}

static size_t capacity_for(struct buffer_pool *pool, size_t bytes)
{
	const struct free_list *list = list_for(pool, bytes);

	return list ? list->bytes : bytes;
}

static struct buffer *lend(struct buffer_pool *pool, size_t bytes)
{
	struct free_list *list = list_for(pool, bytes);
	size_t capacity = capacity_for(pool, bytes);
	struct buffer *buffer = list ? list->first : NULL;

	if (buffer) {
		list->first = buffer->next_free;
		list->kept--;
	} else {
		buffer = malloc(sizeof(*buffer) + capacity);
		if (!buffer)
			return NULL;
	}
	buffer->next_free = NULL;
	buffer->capacity = capacity;
	buffer->start = buffer->end = 0;
	pool->lent_bytes += capacity;
	return buffer;
}

struct buffer *buffer_pool_lend(struct buffer_pool *pool, size_t bytes)
{
	if (pool->lent_bytes + capacity_for(pool, bytes) > pool->limit_bytes)
		return NULL;
	return lend(pool, bytes);
}

struct buffer *buffer_pool_lend_always(struct buffer_pool *pool, size_t bytes)
{
	struct buffer *buffer = lend(pool, bytes);

	CHECK(buffer);
	return buffer;
}

void buffer_pool_wake(struct buffer_pool *pool)
{
	uint64_t lent = pool->lent_bytes, limit = pool->limit_bytes;
	uint64_t fits = lent < limit ? (limit - lent) / pool->small.bytes : 0;

	/* No more than can have one: were all called, each return would cost as much as there are
	 * connections. */
	for (; fits > 0 && !list_is_empty(&pool->waiters); fits--) {
		struct buffer_waiter *waiter = LIST_OBJECT(
		        pool->waiters.next, struct buffer_waiter, link);
		list_remove(&waiter->link);
		waiter->fn(waiter);
	}
}

void buffer_pool_return(struct buffer_pool *pool, struct buffer **buffer_at)
{
	struct buffer *buffer = *buffer_at;

	if (!buffer)
		return;
	*buffer_at = NULL;
	CHECK(pool->lent_bytes >= buffer->capacity);
	pool->lent_bytes -= buffer->capacity;
	struct free_list *list = list_for(pool, buffer->capacity);
	if (list && list->kept < list->kept_max) {
		buffer->next_free = list->first;
		list->first = buffer;
		list->kept++;
	} else {
		free(buffer);
	}
	buffer_pool_wake(pool);
}

bool buffer_pool_is_short(const struct buffer_pool *pool)
{
	return pool->lent_bytes >= pool->limit_bytes - pool->limit_bytes / 8;
}

uint64_t buffer_pool_lent_bytes(const struct buffer_pool *pool)
{
	return pool->lent_bytes;
}

void buffer_waiter_init(struct buffer_waiter *waiter, buffer_waiter_fn *fn)
{
	list_init(&waiter->link);
	waiter->fn = fn;
}

void buffer_pool_wait(struct buffer_pool *pool, struct buffer_waiter *waiter)
{
	if (list_is_empty(&waiter->link))
		list_append(&pool->waiters, &waiter->link);
}

void buffer_waiter_cancel(struct buffer_waiter *waiter)
{
	list_remove(&waiter->link);
}

void buffer_pool_trim(struct buffer_pool *pool)
{
	free_kept(&pool->small);
}
