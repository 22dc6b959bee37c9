/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_session_store.c - bytes flipped in the segment, then operations.
 *
 * The input is a program: each step damages the segment or uses it. What comes out must be what was
 * put in under that key, however little of it survives. The checksum is no secret, so an input
 * might forge an entry; none has been seen to.
 */
#include "shared/tls_session_store.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1000 };

struct input {
	const uint8_t *data;
	size_t size;
};

static uint32_t next(struct input *input, size_t bytes)
{
	uint32_t value = 0;

	for (; bytes > 0 && input->size > 0; bytes--, input->data++, input->size--)
		value = value << 8 | *input->data;
	return value;
}

/* A session tells its key and its length. */
static void fill(uint8_t *bytes, size_t length, uint8_t key)
{
	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)(length * 3 + i + key);
}

static void take(struct tls_session_store *store, enum tls_session_side side,
        const struct tls_session_key *key, int64_t now)
{
	static uint8_t buffer[TLS_SESSION_BYTES_MAX], wanted[TLS_SESSION_BYTES_MAX];
	struct tls_session_info info;

	size_t length = tls_session_store_take(
	        store, side, key, now, buffer, sizeof(buffer), &info);
	if (length > sizeof(buffer))
		abort();
	fill(wanted, length, key->bytes[0]);
	if (memcmp(buffer, wanted, length) != 0 || (length && info.expires_at <= now))
		abort();
}

static void put(struct tls_session_store *store, enum tls_session_side side,
        const struct tls_session_key *key, struct input *input)
{
	static uint8_t bytes[TLS_SESSION_BYTES_MAX + 8];
	size_t length = next(input, 2) % (sizeof(bytes) + 1);
	struct tls_session_info info = {
	        .expires_at = NOW + next(input, 1), .single_use = next(input, 1) & 1};

	fill(bytes, length, key->bytes[0]);
	tls_session_store_put(store, side, key, &info, (struct slice){(const char *)bytes, length});
}

/* Offsets up to the first set's descriptors come up most: there is what others trust. */
static void damage(struct tls_session_store *store, struct input *input)
{
	size_t size;
	uint8_t *memory = tls_session_store_memory(store, &size);
	uint32_t where = next(input, 1) % 2 ? next(input, 2) % 4096 : next(input, 3);
	uint32_t count = 1 + next(input, 1) % 16;

	for (uint32_t i = 0; i < count; i++)
		memory[(where + i) % size] ^= (uint8_t)next(input, 1);
}

static void copy_to_another(struct tls_session_store **store, struct input *input)
{
	struct tls_session_store *to = tls_session_store_create((next(input, 1) % 4) << 19, "1");

	if (!to)
		abort();
	tls_session_store_copy(to, *store, NOW);
	tls_session_store_destroy(*store);
	*store = to;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	struct tls_session_store *store = tls_session_store_create(0, "1");

	if (!store)
		abort();
	while (input.size > 0) {
		uint32_t step = next(&input, 1);
		enum tls_session_side side = step & 0x80 ? TLS_SESSION_SERVER_SIDE
		                                         : TLS_SESSION_CLIENT_SIDE;
		struct tls_session_key key = {{(uint8_t)(step >> 4 & 7)}};
		switch (step & 15) {
		case 0:
			tls_session_store_drop(store, side, &key);
			break;
		case 1:
			copy_to_another(&store, &input);
			break;
		case 2:
			tls_session_store_release_locks_of(store, getpid());
			break;
		case 3:
		case 4:
		case 5:
			damage(store, &input);
			break;
		case 6:
		case 7:
		case 8:
		case 9:
			take(store, side, &key, NOW + next(&input, 1));
			break;
		default:
			put(store, side, &key, &input);
		}
	}
	tls_session_store_destroy(store);
	return 0;
}
