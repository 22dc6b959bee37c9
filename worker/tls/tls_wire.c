/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_wire.c - made once per worker. */
#include "worker/tls/tls_wire.h"

#include <stdlib.h>

struct tls_wire *tls_wire_create(struct event_loop *loop, struct buffer_pool *pool)
{
	struct tls_wire *wire = calloc(1, sizeof(*wire));

	if (!wire)
		return NULL;
	wire->in = malloc(TLS_WIRE_IN_BYTES);
	wire->out = malloc(TLS_WIRE_OUT_BYTES);
	wire->pool = pool;
	wire->loop = loop;
	if (!wire->in || !wire->out) {
		tls_wire_destroy(wire);
		return NULL;
	}
	return wire;
}

void tls_wire_destroy(struct tls_wire *wire)
{
	if (!wire)
		return;
	free(wire->in);
	free(wire->out);
	free(wire);
}
