/* SPDX-License-Identifier: BSD-2-Clause */
/* buffer_pool_test.c - lending, the limit, waiting, and a naive model of the counts. */
#include "worker/io/buffer_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
	SMALL = BUFFER_SMALL_BYTES,
	LARGE = 256 * 1024,
	OPERATIONS = 100000,
	HOLDERS = 40,
};

static void lends_empty_buffers_of_at_least_the_size(void **state)
{
	static const struct {
		size_t bytes, capacity;
	} cases[] = {
	        {1, SMALL},
	        {SMALL, SMALL},
	        {SMALL + 1, SMALL + 1},
	        {LARGE, LARGE},
	        {LARGE + 1, LARGE + 1},
	};
	struct buffer_pool *pool = buffer_pool_create(1 << 30, LARGE);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buffer *buffer = buffer_pool_lend(pool, cases[i].bytes);
		assert_non_null(buffer);
		assert_int_equal(buffer->capacity, cases[i].capacity);
		assert_int_equal(buffer_bytes(buffer), 0);
		assert_int_equal(buffer_pool_lent_bytes(pool), cases[i].capacity);
		buffer_filled(buffer, 1); /* a dirty one comes back */
		buffer_pool_return(pool, &buffer);
		assert_null(buffer);
		assert_int_equal(buffer_pool_lent_bytes(pool), 0);
	}
	buffer_pool_destroy(pool);
}

static void a_dirty_buffer_is_lent_empty_again(void **state)
{
	struct buffer_pool *pool = buffer_pool_create(1 << 30, LARGE);
	struct buffer *buffer = buffer_pool_lend(pool, SMALL);

	(void)state;
	buffer_filled(buffer, 100);
	buffer_taken(buffer, 1);
	buffer_pool_return(pool, &buffer);
	buffer = buffer_pool_lend(pool, SMALL);
	assert_int_equal(buffer_bytes(buffer), 0);
	assert_int_equal(buffer_room(buffer), SMALL);
	buffer_pool_return(pool, &buffer);
	buffer_pool_destroy(pool);
}

static void refuses_past_the_limit(void **state)
{
	struct buffer_pool *pool = buffer_pool_create(2 * SMALL, LARGE);
	struct buffer *first = buffer_pool_lend(pool, SMALL);
	struct buffer *second = buffer_pool_lend(pool, SMALL);

	(void)state;
	assert_non_null(second);
	assert_null(buffer_pool_lend(pool, SMALL));
	assert_null(buffer_pool_lend(pool, LARGE));
	buffer_pool_return(pool, &first);
	assert_null(buffer_pool_lend(pool, LARGE));
	first = buffer_pool_lend(pool, SMALL);
	assert_non_null(first);
	buffer_pool_return(pool, &first);
	buffer_pool_return(pool, &second);
	buffer_pool_destroy(pool);
}

static void what_bytes_need_counts_as_much_as_is_lent(void **state)
{
	struct buffer_pool *pool = buffer_pool_create(SMALL + SMALL / 2, LARGE);
	struct buffer *buffer = buffer_pool_lend(pool, SMALL);

	(void)state;
	assert_non_null(buffer);
	assert_null(buffer_pool_lend(pool, 1));
	buffer_pool_return(pool, &buffer);
	buffer_pool_destroy(pool);
}

static void bytes_that_cannot_stay_are_lent_past_the_limit(void **state)
{
	struct buffer_pool *pool = buffer_pool_create(SMALL, LARGE);
	struct buffer *first = buffer_pool_lend(pool, SMALL);
	struct buffer *second = buffer_pool_lend_always(pool, SMALL);

	(void)state;
	assert_int_equal(buffer_pool_lent_bytes(pool), 2 * SMALL);
	buffer_pool_return(pool, &first);
	assert_null(buffer_pool_lend(pool, SMALL));
	buffer_pool_return(pool, &second);
	first = buffer_pool_lend(pool, SMALL);
	assert_non_null(first);
	buffer_pool_return(pool, &first);
	buffer_pool_destroy(pool);
}

static void is_short_from_seven_eighths_on(void **state)
{
	struct buffer_pool *pool = buffer_pool_create(8 * SMALL, LARGE);
	struct buffer *buffers[8];

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(buffer_pool_is_short(pool), i >= 7);
		buffers[i] = buffer_pool_lend(pool, SMALL);
	}
	for (size_t i = 8; i-- > 0;) {
		buffer_pool_return(pool, &buffers[i]);
		assert_int_equal(buffer_pool_is_short(pool), i >= 7);
	}
	buffer_pool_destroy(pool);
}

static void trimming_keeps_the_counts(void **state)
{
	struct buffer_pool *pool = buffer_pool_create(1 << 30, LARGE);
	struct buffer *buffer = buffer_pool_lend(pool, SMALL);
	struct buffer *other = buffer_pool_lend(pool, SMALL);

	(void)state;
	buffer_pool_return(pool, &buffer);
	buffer_pool_trim(pool);
	assert_int_equal(buffer_pool_lent_bytes(pool), SMALL);
	buffer = buffer_pool_lend(pool, SMALL);
	assert_non_null(buffer);
	buffer_pool_return(pool, &buffer);
	buffer_pool_return(pool, &other);
	buffer_pool_destroy(pool);
}

/* ---- waiting ---- */

struct holder {
	struct buffer_waiter waiter;
	struct buffer_pool *pool;
	struct buffer *buffer;
	size_t bytes; /* wanted when called; 0: none */
	unsigned calls;
	unsigned *turn; /* counts all calls */
};

static void on_waited(struct buffer_waiter *waiter)
{
	struct holder *holder = LIST_OBJECT(waiter, struct holder, waiter);

	holder->calls++;
	++*holder->turn;
	if (!holder->bytes || holder->buffer)
		return;
	holder->buffer = buffer_pool_lend(holder->pool, holder->bytes);
	if (!holder->buffer) /* as a stream does */
		holder->buffer = buffer_pool_lend(holder->pool, SMALL);
	if (!holder->buffer)
		buffer_pool_wait(holder->pool, waiter);
}

static void holder_init(
        struct holder *holder, struct buffer_pool *pool, size_t bytes, unsigned *turn)
{
	*holder = (struct holder){.pool = pool, .bytes = bytes};
	holder->turn = turn;
	buffer_waiter_init(&holder->waiter, on_waited);
}

static void a_waiter_is_called_once_when_a_buffer_comes_back(void **state)
{
	struct buffer_pool *pool = buffer_pool_create(SMALL, LARGE);
	struct buffer *buffer = buffer_pool_lend(pool, SMALL);
	struct holder holder;
	unsigned turn = 0;

	(void)state;
	holder_init(&holder, pool, 0, &turn);
	buffer_pool_wait(pool, &holder.waiter);
	buffer_pool_wait(pool, &holder.waiter); /* changes nothing */
	assert_int_equal(holder.calls, 0);
	buffer_pool_return(pool, &buffer);
	assert_int_equal(holder.calls, 1);
	buffer = buffer_pool_lend(pool, SMALL);
	buffer_pool_return(pool, &buffer);
	assert_int_equal(holder.calls, 1);
	buffer_pool_destroy(pool);
}

static void no_more_are_called_than_can_have_one(void **state)
{
	struct buffer_pool *pool = buffer_pool_create(2 * SMALL, LARGE);
	struct buffer *first = buffer_pool_lend(pool, SMALL);
	struct buffer *second = buffer_pool_lend(pool, SMALL);
	struct buffer *past = buffer_pool_lend_always(pool, SMALL);
	struct holder holders[3];
	unsigned turn = 0;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		holder_init(&holders[i], pool, 0, &turn); /* takes nothing yet, as a stream */
		buffer_pool_wait(pool, &holders[i].waiter);
	}
	buffer_pool_wait(pool, &holders[0].waiter); /* who waits already keeps its place */
	buffer_pool_return(pool, &past); /* still at the limit */
	assert_int_equal(turn, 0);
	buffer_pool_return(pool, &first);
	assert_int_equal(turn, 1);
	assert_int_equal(holders[0].calls, 1);
	buffer_pool_wake(pool); /* the first says that it wants none */
	assert_int_equal(holders[1].calls, 1);
	assert_int_equal(holders[2].calls, 0);
	buffer_pool_return(pool, &second);
	assert_int_equal(holders[2].calls, 1);
	assert_int_equal(turn, 3);
	buffer_pool_destroy(pool);
}

static void waiters_get_theirs_in_order(void **state)
{
	struct buffer_pool *pool = buffer_pool_create(SMALL, LARGE);
	struct buffer *buffer = buffer_pool_lend(pool, SMALL);
	struct holder holders[3];
	unsigned turn = 0;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		holder_init(&holders[i], pool, SMALL, &turn);
		buffer_pool_wait(pool, &holders[i].waiter);
	}
	buffer_pool_return(pool, &buffer);
	for (size_t i = 0; i < 3; i++) {
		for (size_t j = 0; j < 3; j++)
			assert_int_equal(holders[j].buffer != NULL, i == j);
		buffer_pool_return(pool, &holders[i].buffer);
	}
	buffer_pool_destroy(pool);
}

static void a_cancelled_waiter_is_not_called(void **state)
{
	struct buffer_pool *pool = buffer_pool_create(SMALL, LARGE);
	struct buffer *buffer = buffer_pool_lend(pool, SMALL);
	struct holder holder;
	unsigned turn = 0;

	(void)state;
	holder_init(&holder, pool, SMALL, &turn);
	buffer_waiter_cancel(&holder.waiter); /* fine when it does not wait */
	buffer_pool_wait(pool, &holder.waiter);
	buffer_waiter_cancel(&holder.waiter);
	buffer_pool_return(pool, &buffer);
	assert_int_equal(holder.calls, 0);
	buffer_pool_destroy(pool);
}

/* As a callback that closes another stream: the next in line is gone when its turn comes. */
static void on_waited_cancel_next(struct buffer_waiter *waiter)
{
	struct holder *holder = LIST_OBJECT(waiter, struct holder, waiter);

	holder->calls++;
	buffer_waiter_cancel(&holder[1].waiter);
}

static void a_waiter_may_cancel_the_next_one_in_its_call(void **state)
{
	struct buffer_pool *pool = buffer_pool_create(2 * SMALL, LARGE);
	struct buffer *buffer = buffer_pool_lend(pool, SMALL + 1);
	struct holder holders[2];
	unsigned turn = 0;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		holder_init(&holders[i], pool, 0, &turn);
	buffer_waiter_init(&holders[0].waiter, on_waited_cancel_next);
	buffer_pool_wait(pool, &holders[0].waiter);
	buffer_pool_wait(pool, &holders[1].waiter);
	buffer_pool_return(pool, &buffer);
	assert_int_equal(holders[0].calls, 1);
	assert_int_equal(holders[1].calls, 0);
	buffer_pool_destroy(pool);
}

/* ---- the model: what is lent is the sum of what the holders have ---- */

static uint64_t held_bytes(const struct holder *holders)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < HOLDERS; i++)
		sum += holders[i].buffer ? holders[i].buffer->capacity : 0;
	return sum;
}

static bool anybody_could_have_one(
        const struct holder *holders, const struct buffer_pool *pool, uint64_t limit)
{
	for (size_t i = 0; i < HOLDERS; i++) {
		const struct holder *holder = &holders[i];
		bool waits = !list_is_empty(&holder->waiter.link);
		if (waits && buffer_pool_lent_bytes(pool) + SMALL <= limit)
			return true;
	}
	return false;
}

static void act_at_random(struct buffer_pool *pool, struct holder *holder)
{
	if (holder->buffer) {
		buffer_pool_return(pool, &holder->buffer);
		return;
	}
	if (!list_is_empty(&holder->waiter.link)) {
		if (rand() % 4 == 0)
			buffer_waiter_cancel(&holder->waiter);
		return;
	}
	holder->bytes = rand() % 3 ? SMALL : LARGE;
	on_waited(&holder->waiter);
}

static void random_operations_agree_with_the_model(void **state)
{
	uint64_t limit = 12 * SMALL + 2 * LARGE;
	struct buffer_pool *pool = buffer_pool_create(limit, LARGE);
	struct holder holders[HOLDERS];
	unsigned turn = 0;

	(void)state;
	srand(2);
	for (size_t i = 0; i < HOLDERS; i++)
		holder_init(&holders[i], pool, 0, &turn);
	for (int i = 0; i < OPERATIONS; i++) {
		act_at_random(pool, &holders[rand() % HOLDERS]);
		if (rand() % 1000 == 0)
			buffer_pool_trim(pool);
		assert_int_equal(buffer_pool_lent_bytes(pool), held_bytes(holders));
		assert_true(buffer_pool_lent_bytes(pool) <= limit);
		assert_false(anybody_could_have_one(holders, pool, limit));
	}
	for (size_t i = 0; i < HOLDERS; i++)
		buffer_waiter_cancel(&holders[i].waiter);
	for (size_t i = 0; i < HOLDERS; i++)
		buffer_pool_return(pool, &holders[i].buffer);
	assert_int_equal(buffer_pool_lent_bytes(pool), 0);
	buffer_pool_destroy(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(lends_empty_buffers_of_at_least_the_size),
	        cmocka_unit_test(a_dirty_buffer_is_lent_empty_again),
	        cmocka_unit_test(refuses_past_the_limit),
	        cmocka_unit_test(what_bytes_need_counts_as_much_as_is_lent),
	        cmocka_unit_test(bytes_that_cannot_stay_are_lent_past_the_limit),
	        cmocka_unit_test(is_short_from_seven_eighths_on),
	        cmocka_unit_test(trimming_keeps_the_counts),
	        cmocka_unit_test(a_waiter_is_called_once_when_a_buffer_comes_back),
	        cmocka_unit_test(no_more_are_called_than_can_have_one),
	        cmocka_unit_test(waiters_get_theirs_in_order),
	        cmocka_unit_test(a_cancelled_waiter_is_not_called),
	        cmocka_unit_test(a_waiter_may_cancel_the_next_one_in_its_call),
	        cmocka_unit_test(random_operations_agree_with_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
