/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load_client.c - the states of a client connection in the load generator.
 *
 * It must cost less than the proxy under test, so it spares what it can: over loopback a connect()
 * is done by the time it returns, so the request follows at once and EPOLLOUT is asked for only
 * where that fails. A client that closes does so after the whole answer, so no proxy ever sees a
 * reset from here.
 */
#include "tests/bench/load_client.h"

#include "tests/bench/socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BULK_BYTES ((size_t)256 * 1024)

enum progress { PROGRESS_DONE, PROGRESS_WAIT, PROGRESS_FAILED };

/* The bytes that an exchange begins with. */
static void make_question(struct load_clients *clients)
{
	const struct load_plan *plan = clients->plan;

	if (!work_is_http(plan->work)) {
		clients->question_bytes = EXCHANGE_BYTES;
		return;
	}
	int length = snprintf(clients->question, QUESTION_MAX,
	        "GET %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: load\r\nAccept: */*\r\n%s\r\n",
	        plan->path, work_reconnects(plan->work) ? "Connection: close\r\n" : "");
	if (length < 0 || length >= QUESTION_MAX)
		fail("--path: too long");
	clients->question_bytes = (size_t)length;
}

void load_clients_open(struct load_clients *clients, const struct load_plan *plan)
{
	*clients = (struct load_clients){.plan = plan,
	        .epoll_fd = epoll_create1(EPOLL_CLOEXEC),
	        .bulk = calloc(1, BULK_BYTES)};
	if (clients->epoll_fd < 0 || !clients->bulk)
		fail("start: %s", strerror(errno));
	make_question(clients);
	if (plan->tls != TLS_NONE)
		clients->tls = tls_context_create(TLS_client_method(), plan->tls);
}

void load_client_close(struct load_client *client)
{
	if (client->state == CLIENT_CLOSED)
		return;
	if (client->ssl) {
		if (SSL_is_init_finished(client->ssl))
			SSL_shutdown(client->ssl);
		SSL_free(client->ssl);
	}
	close(client->fd);
	*client = (struct load_client){.state = CLIENT_CLOSED};
}

static void client_failed(struct load_clients *clients, struct load_client *client)
{
	clients->errors++;
	load_client_close(client);
}

static void watch(const struct load_clients *clients, struct load_client *client, uint32_t events,
        int operation)
{
	struct epoll_event event = {.events = events, .data.ptr = client};

	if (epoll_ctl(clients->epoll_fd, operation, client->fd, &event))
		fail("epoll_ctl: %s", strerror(errno));
}

static enum progress tls_progress(const struct load_client *client, int result)
{
	int error = SSL_get_error(client->ssl, result);

	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? PROGRESS_WAIT
	                                                                     : PROGRESS_FAILED;
}

static enum progress plain_progress(ssize_t result)
{
	return result < 0 && errno == EAGAIN ? PROGRESS_WAIT : PROGRESS_FAILED;
}

static enum progress handshake(struct load_clients *clients, const struct load_client *client)
{
	if (SSL_is_init_finished(client->ssl))
		return PROGRESS_DONE;
	int result = SSL_connect(client->ssl);
	if (result != 1)
		return tls_progress(client, result);
	clients->handshakes++;
	if (SSL_session_reused(client->ssl))
		clients->resumed++;
	return PROGRESS_DONE;
}

static enum progress ask(struct load_clients *clients, const struct load_client *client)
{
	if (!client->ssl) {
		ssize_t put = send(
		        client->fd, clients->question, clients->question_bytes, MSG_NOSIGNAL);
		return put == (ssize_t)clients->question_bytes ? PROGRESS_DONE
		                                               : plain_progress(put);
	}
	enum progress progress = handshake(clients, client);
	if (progress != PROGRESS_DONE)
		return progress;
	int put = SSL_write(client->ssl, clients->question, (int)clients->question_bytes);
	return put == (int)clients->question_bytes ? PROGRESS_DONE : tls_progress(client, put);
}

static ssize_t read_some(
        struct load_clients *clients, const struct load_client *client, size_t size)
{
	return client->ssl ? SSL_read(client->ssl, clients->bulk, (int)size)
	                   : recv(client->fd, clients->bulk, size, 0);
}

/* What has arrived of an answer; it must be a 200 with a length, and nothing may follow it. */
static enum progress take_answer(
        struct load_clients *clients, struct load_client *client, size_t size)
{
	size_t head_bytes = 0;

	if (!client->head.complete) {
		head_bytes = http_head_take(&client->head, clients->bulk, size);
		if (!client->head.complete)
			return PROGRESS_WAIT;
		if (strncmp(client->head.first_line, "HTTP/1.1 200 ", strlen("HTTP/1.1 200 ")) !=
		                0 ||
		        !client->head.has_length || client->head.chunked)
			return PROGRESS_FAILED;
		client->body_left = client->head.content_length;
	}
	size_t body_bytes = size - head_bytes;
	if (body_bytes > client->body_left)
		return PROGRESS_FAILED;
	client->body_left -= body_bytes;
	clients->bytes += body_bytes;
	return client->body_left ? PROGRESS_WAIT : PROGRESS_DONE;
}

/* One read a turn where that is all there can be: epoll tells of the rest. */
static enum progress hear_http(struct load_clients *clients, struct load_client *client)
{
	enum progress progress = PROGRESS_WAIT;

	do {
		ssize_t got = read_some(clients, client, BULK_BYTES);
		if (got <= 0)
			return client->ssl ? tls_progress(client, (int)got) : plain_progress(got);
		progress = take_answer(clients, client, (size_t)got);
	} while (progress == PROGRESS_WAIT && client->ssl && SSL_pending(client->ssl));
	return progress;
}

static enum progress hear(struct load_clients *clients, struct load_client *client)
{
	while (client->got < EXCHANGE_BYTES) {
		ssize_t got = read_some(clients, client, EXCHANGE_BYTES - client->got);
		if (got <= 0)
			return client->ssl ? tls_progress(client, (int)got) : plain_progress(got);
		client->got += (size_t)got;
	}
	return PROGRESS_DONE;
}

/* One move a turn, so that all streams of a bulk run advance alike. */
static enum progress stream(struct load_clients *clients, const struct load_client *client)
{
	ssize_t moved = clients->plan->work == WORK_UP
	                        ? send(client->fd, clients->bulk, BULK_BYTES, MSG_NOSIGNAL)
	                        : recv(client->fd, clients->bulk, BULK_BYTES, 0);
	if (moved <= 0)
		return plain_progress(moved);
	clients->bytes += (uint64_t)moved;
	return PROGRESS_WAIT;
}

/*
 * After the answer, when the tickets sent before it have been read. OpenSSL's callback for new
 * sessions would need its client cache, which forbids a TLS 1.3 ticket to be offered by two
 * connections that overlap.
 */
static void keep_session(struct load_clients *clients, const struct load_client *client)
{
	SSL_SESSION_free(clients->session);
	clients->session = SSL_get1_session(client->ssl);
}

/* The socket has nothing in it, so it takes all of a request. */
static void ask_again(struct load_clients *clients, struct load_client *client)
{
	http_head_reset(&client->head);
	if (ask(clients, client) != PROGRESS_DONE)
		client_failed(clients, client);
}

static void exchange_done(struct load_clients *clients, struct load_client *client)
{
	enum work work = clients->plan->work;

	clients->exchanges++;
	if (client->ssl && clients->plan->resume)
		keep_session(clients, client);
	if (work == WORK_IDLE)
		client->state = CLIENT_HELD;
	else if (work == WORK_REQUESTS && !client->head.close && !clients->draining)
		ask_again(clients, client);
	else
		load_client_close(client);
}

void load_client_open(struct load_clients *clients, struct load_client *client)
{
	enum work work = clients->plan->work;

	clients->opened++;
	*client = (struct load_client){.state = CLIENT_CONNECTING};
	client->fd = socket_connect(&clients->plan->address);
	if (client->fd < 0) {
		client->state = CLIENT_CLOSED;
		clients->errors++;
		return;
	}
	if (work == WORK_UP || work == WORK_DOWN) {
		client->state = CLIENT_STREAMING;
		watch(clients, client, work == WORK_UP ? EPOLLOUT : EPOLLIN, EPOLL_CTL_ADD);
		return;
	}
	if (clients->tls) {
		client->ssl = SSL_new(clients->tls);
		if (!client->ssl || !SSL_set_fd(client->ssl, client->fd))
			tls_fail("a new connection");
		SSL_set_connect_state(client->ssl);
		if (clients->session)
			SSL_set_session(client->ssl, clients->session);
	}
	enum progress progress = ask(clients, client);
	if (progress == PROGRESS_FAILED) {
		client_failed(clients, client);
		return;
	}
	if (progress == PROGRESS_DONE)
		client->state = CLIENT_WAITING;
	bool blocked = progress == PROGRESS_WAIT && !(client->ssl && SSL_want_read(client->ssl));
	watch(clients, client, blocked ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_ADD);
}

void load_client_continue(struct load_clients *clients, struct load_client *client)
{
	enum progress progress = PROGRESS_FAILED;

	switch (client->state) {
	case CLIENT_CONNECTING:
		progress = ask(clients, client);
		if (progress == PROGRESS_DONE) {
			client->state = CLIENT_WAITING;
			watch(clients, client, EPOLLIN, EPOLL_CTL_MOD);
			progress = PROGRESS_WAIT;
		}
		break;
	case CLIENT_WAITING:
		progress = work_is_http(clients->plan->work) ? hear_http(clients, client)
		                                             : hear(clients, client);
		break;
	case CLIENT_STREAMING:
		progress = stream(clients, client);
		break;
	case CLIENT_HELD:
		break; /* nothing is due on an idle connection: the proxy has closed it */
	case CLIENT_CLOSED:
		return;
	}
	if (progress == PROGRESS_FAILED)
		client_failed(clients, client);
	else if (progress == PROGRESS_DONE)
		exchange_done(clients, client);
}
