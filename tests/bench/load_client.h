/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load_client.h - one client connection of the load generator, from connect() to close().
 */
#ifndef BENCH_LOAD_CLIENT_H
#define BENCH_LOAD_CLIENT_H

#include "tests/bench/http_head.h"
#include "tests/bench/load_plan.h"

#include <stddef.h>

/* The size of a request and of its answer, where they are not HTTP. */
#define EXCHANGE_BYTES ((size_t)64)
#define QUESTION_MAX 512

/* What all clients share; the counters only grow. */
struct load_clients {
	const struct load_plan *plan;
	int epoll_fd;
	SSL_CTX *tls; /* NULL: plain */
	SSL_SESSION *session; /* the newest ticket, for the next connection; owned */
	char *bulk; /* BULK_BYTES to send from or receive into */
	char question[QUESTION_MAX]; /* what every exchange begins with */
	size_t question_bytes;
	bool draining; /* nothing new is begun */
	uint64_t opened;
	uint64_t exchanges; /* that are complete */
	uint64_t bytes; /* sent (WORK_UP), received (WORK_DOWN), or of answers' bodies (HTTP) */
	uint64_t handshakes;
	uint64_t resumed;
	uint64_t errors;
};

enum client_state {
	CLIENT_CLOSED,
	CLIENT_CONNECTING,
	CLIENT_WAITING,
	CLIENT_STREAMING,
	CLIENT_HELD
};

struct load_client {
	enum client_state state;
	int fd;
	SSL *ssl;
	size_t got; /* bytes of the answer, where it is not HTTP */
	struct http_head head; /* of the answer */
	uint64_t body_left;
};

/* Ends the program when memory or OpenSSL gives out; `plan` must outlive the result. */
void load_clients_open(struct load_clients *clients, const struct load_plan *plan);

/* Starts a closed client. One that fails at once is counted and stays closed. */
void load_client_open(struct load_clients *clients, struct load_client *client);

/* Goes on after an epoll event; a client that is done or has failed is counted and closed. */
void load_client_continue(struct load_clients *clients, struct load_client *client);

/* Says goodbye where TLS wants it, and closes; nothing on a closed client. */
void load_client_close(struct load_client *client);

#endif
