/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * upstream.c - the server behind every proxy of the benchmark.
 *
 * bench.py starts it once with all its services, `upstream PKI ADDRESS:PORT=SECURITY,SERVICE...`,
 * SECURITY being plain, tls12 or tls13 (client certificate required) and SERVICE one of
 *
 * - echo: sends back what a small request said (at most ECHO_MAX bytes, so one write takes it);
 * - sink: reads as fast as it can;
 * - source: writes as fast as it can, from the moment the connection stands;
 * - http: answers GET requests, see upstream_http.c.
 *
 * Each line on stdin is answered by one line of counters; the end of stdin ends the program, so
 * that it never outlives the driver. It has to be cheaper than any proxy: one thread,
 * level-triggered epoll, no allocation of its own but one per connection.
 */
#include "tests/bench/connection.h"
#include "tests/bench/socket.h"
#include "tests/bench/tls.h"
#include "tests/bench/upstream_http.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BULK_BYTES ((size_t)256 * 1024)
#define ECHO_MAX ((size_t)4096)
#define EVENTS_MAX 256
/* Turns of one connection before the others are served. */
#define BULK_TURNS 4

struct port {
	struct watched watched;
	enum service service;
	SSL_CTX *context; /* NULL: plain */
};

struct counters {
	uint64_t connections;
	uint64_t full;
	uint64_t resumed;
	uint64_t failed; /* handshakes */
	uint64_t requests;
	uint64_t received;
	uint64_t sent;
};

struct upstream {
	int epoll_fd;
	bool ended;
	struct counters counters;
	char *bulk;
	const struct http_answers *http_answers;
	struct connection *connections; /* by descriptor */
	struct port *ports;
};

static void watch(
        const struct upstream *upstream, struct watched *watched, uint32_t events, int operation)
{
	struct epoll_event event = {.events = events, .data.ptr = watched};

	if (epoll_ctl(upstream->epoll_fd, operation, watched->fd, &event))
		fail("epoll_ctl: %s", strerror(errno));
}

/* False: the connection has ended. The same for the services below. */
static bool serve_echo(struct upstream *upstream, const struct connection *connection)
{
	for (;;) {
		ssize_t got = connection_read(connection, upstream->bulk, ECHO_MAX);
		if (got <= 0)
			return got == 0;
		upstream->counters.received += (uint64_t)got;
		if (connection_write(connection, upstream->bulk, (size_t)got) != got)
			return false;
		upstream->counters.sent += (uint64_t)got;
		if (!connection->ssl)
			return true;
	}
}

/* All that has been decrypted must be read: OpenSSL reads ahead, and epoll does not know. */
static bool serve_sink(struct upstream *upstream, const struct connection *connection)
{
	do {
		ssize_t got = connection_read(connection, upstream->bulk, BULK_BYTES);
		if (got <= 0)
			return got == 0;
		upstream->counters.received += (uint64_t)got;
	} while (connection->ssl && SSL_has_pending(connection->ssl));
	return true;
}

static bool serve_source(
        struct upstream *upstream, const struct connection *connection, uint32_t events)
{
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		char unexpected[ECHO_MAX];
		if (connection_read(connection, unexpected, sizeof(unexpected)) < 0)
			return false;
	}
	for (unsigned turn = 0; turn < BULK_TURNS; turn++) {
		ssize_t put = connection_write(connection, upstream->bulk, BULK_BYTES);
		if (put <= 0)
			return put == 0;
		upstream->counters.sent += (uint64_t)put;
	}
	return true;
}

/* After an answer nothing that OpenSSL has read ahead is left: see upstream_http.c. */
static bool serve_http(struct upstream *upstream, struct connection *connection)
{
	enum http_progress progress = http_serve(upstream->http_answers, connection,
	        &upstream->counters.requests, &upstream->counters.sent);
	bool blocked = progress == HTTP_WRITING || progress == HTTP_YIELDED;

	if (progress == HTTP_ENDED)
		return false;
	if (blocked != connection->http.blocked) {
		connection->http.blocked = blocked;
		watch(upstream, &connection->watched, blocked ? EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
	}
	return true;
}

/* False: the handshake has failed. */
static bool become_ready(struct upstream *upstream, struct connection *connection)
{
	if (connection->ssl) {
		int result = SSL_accept(connection->ssl);
		if (result != 1)
			return connection_tls_result(connection, result) == 0;
		if (SSL_session_reused(connection->ssl))
			upstream->counters.resumed++;
		else
			upstream->counters.full++;
	}
	connection->ready = true;
	if (connection->service == SERVICE_SOURCE)
		watch(upstream, &connection->watched, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
	return true;
}

static bool serve(struct upstream *upstream, struct connection *connection, uint32_t events)
{
	if (!connection->ready && !become_ready(upstream, connection)) {
		upstream->counters.failed++;
		return false;
	}
	if (!connection->ready)
		return true;
	switch (connection->service) {
	case SERVICE_ECHO:
		return serve_echo(upstream, connection);
	case SERVICE_SINK:
		return serve_sink(upstream, connection);
	case SERVICE_SOURCE:
		return serve_source(upstream, connection, events);
	case SERVICE_HTTP:
		return serve_http(upstream, connection);
	}
	return false;
}

static SSL *accept_tls(const struct port *port, int fd)
{
	SSL *ssl = SSL_new(port->context);

	if (!ssl || !SSL_set_fd(ssl, fd))
		tls_fail("a new connection");
	SSL_set_accept_state(ssl);
	if (port->service == SERVICE_SINK || port->service == SERVICE_HTTP) {
		SSL_set_read_ahead(ssl, 1);
		if (port->service == SERVICE_SINK)
			SSL_set_default_read_buffer_len(ssl, BULK_BYTES);
	}
	return ssl;
}

static void accept_some(struct upstream *upstream, const struct port *port)
{
	for (;;) {
		int fd = accept4(port->watched.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EAGAIN || errno == ECONNABORTED))
			return;
		if (fd < 0)
			fail("accept: %s", strerror(errno));
		struct connection *connection = &upstream->connections[fd];
		*connection = (struct connection){
		        .watched = {WATCHED_CONNECTION, fd}, .service = port->service};
		if (port->context)
			connection->ssl = accept_tls(port, fd);
		upstream->counters.connections++;
		watch(upstream, &connection->watched, EPOLLIN, EPOLL_CTL_ADD);
		if (!port->context && !serve(upstream, connection, 0))
			connection_close(connection);
	}
}

static void answer(struct upstream *upstream, int fd)
{
	char line[64];
	const struct counters *counters = &upstream->counters;

	if (read(fd, line, sizeof(line)) <= 0) {
		upstream->ended = true;
		return;
	}
	printf("connections=%" PRIu64 " full=%" PRIu64 " resumed=%" PRIu64 " failed=%" PRIu64
	       " requests=%" PRIu64 " received=%" PRIu64 " sent=%" PRIu64 "\n",
	        counters->connections, counters->full, counters->resumed, counters->failed,
	        counters->requests, counters->received, counters->sent);
	fflush(stdout);
}

static void dispatch(struct upstream *upstream, struct watched *watched, uint32_t events)
{
	switch (watched->kind) {
	case WATCHED_CONTROL:
		answer(upstream, watched->fd);
		break;
	case WATCHED_PORT:
		accept_some(upstream, (const struct port *)watched);
		break;
	case WATCHED_CONNECTION:
		if (!serve(upstream, (struct connection *)watched, events))
			connection_close((struct connection *)watched);
		break;
	}
}

static enum service service_parse(const char *word)
{
	static const char *const words[] = {"echo", "sink", "source", "http"};

	for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(word, words[i]))
			return (enum service)i;
	fail("'%s': write echo, sink, source or http", word);
}

/* Fills `port` from ADDRESS:PORT=SECURITY,SERVICE. */
static void port_open(struct port *port, const char *pki, char *text)
{
	const char *address_text = strtok(text, "=");
	const char *security = strtok(NULL, ",");
	const char *service = strtok(NULL, "");

	if (!address_text || !security || !service)
		fail("write ADDRESS:PORT=SECURITY,SERVICE");
	struct sockaddr_in address = address_parse(address_text);
	enum tls_version version = tls_version_parse(security);
	port->watched = (struct watched){WATCHED_PORT, socket_listen(&address)};
	port->service = service_parse(service);
	if (version == TLS_NONE)
		return;
	port->context = tls_context_create(TLS_server_method(), version);
	tls_context_serve(port->context, pki);
	if (port->service == SERVICE_ECHO)
		SSL_CTX_set_mode(port->context, SSL_MODE_RELEASE_BUFFERS);
}

static void start(struct upstream *upstream, const char *pki, unsigned port_count, char **texts)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		fail("start: %s", strerror(errno));
	*upstream = (struct upstream){.epoll_fd = epoll_create1(EPOLL_CLOEXEC),
	        .bulk = calloc(1, BULK_BYTES),
	        .http_answers = http_answers_create(),
	        .connections = calloc(files.rlim_cur, sizeof(*upstream->connections)),
	        .ports = calloc(port_count, sizeof(*upstream->ports))};
	if (upstream->epoll_fd < 0 || !upstream->bulk || !upstream->connections || !upstream->ports)
		fail("start: %s", strerror(errno));
	for (unsigned i = 0; i < port_count; i++) {
		port_open(&upstream->ports[i], pki, texts[i]);
		watch(upstream, &upstream->ports[i].watched, EPOLLIN, EPOLL_CTL_ADD);
	}
}

int main(int argc, char **argv)
{
	struct upstream upstream;
	struct watched control = {WATCHED_CONTROL, STDIN_FILENO};

	if (argc < 3)
		fail("usage: upstream PKI ADDRESS:PORT=SECURITY,SERVICE...");
	signal(SIGPIPE, SIG_IGN);
	start(&upstream, argv[1], (unsigned)argc - 2, argv + 2);
	watch(&upstream, &control, EPOLLIN, EPOLL_CTL_ADD);

	while (!upstream.ended) {
		struct epoll_event events[EVENTS_MAX];
		int count = epoll_wait(upstream.epoll_fd, events, EVENTS_MAX, -1);
		for (int i = 0; i < count; i++)
			dispatch(&upstream, events[i].data.ptr, events[i].events);
	}
	free(upstream.ports);
	free(upstream.connections);
	free(upstream.bulk);
	return 0;
}
