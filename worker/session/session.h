/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session.h - an accepted connection: two streams, owner of both, and one way to end.
 *
 * The client's stream is embedded; the upstream's comes from the dial and may go, to be followed by
 * another, while the session lives.
 *
 * Only session_close ends a session. It marks: the memory goes after the callbacks of this turn
 * have unwound, so whoever called anything that may close looks at `closed` afterwards.
 */
#ifndef WORKER_SESSION_SESSION_H
#define WORKER_SESSION_SESSION_H

#include "shared/close_reason.h"
#include "shared/config.h"
#include "worker/io/stream.h"
#include "worker/session/access_log.h"
#include "worker/session/protocol.h"
#include "worker/upstream/dialer.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct http_exchange;
struct http_host;
struct tls_server_context;
struct tunnel_settings;

/* What a worker's sessions share. */
struct session_host {
	struct io_context io;
	struct dialer dialer;
	struct tls_server_context *tls_server;
	struct scoreboard_row *row;
	struct log_file *log_files;
	struct access_log_clock access_log_clock;
	struct list sessions; /* all open ones */
	struct list spare; /* free list */
	size_t session_count;
	size_t spare_count;
	struct http_host *http; /* worker/http's; NULL: no HTTP listener */
	uint64_t last_number;
	unsigned slot;
	bool draining;
	/* A session ended: descriptors and buffers came back. */
	void (*on_session_end)(struct session_host *host);
};

/* The sides of a session as its log lines tell of them, kept beyond the streams. */
struct session_facts {
	struct tls_facts upstream_tls; /* protocol NULL: none */
	struct tls_facts client_tls;
};

struct session {
	unsigned magic;
	struct list link;
	struct session_host *host;
	const struct protocol *protocol;
	const struct config_listener *listener;
	const struct dial_settings *dial_settings; /* NULL: nothing was dialled yet */
	uint64_t number;
	struct address client_address;
	struct timespec accepted_at;
	uint64_t accepted_ms;
	struct stream client;
	struct stream *upstream; /* of an upstream_connection that is the session's; NULL: none */
	struct dial dial;
	const struct tunnel_settings *tunnel_settings;
	struct event_timer idle; /* the tunnel's; of HTTP between exchanges */
	uint32_t shutdown_timeout_ms; /* how long it may outlive the worker's drain; 0: no limit */
	/* HTTP */
	struct http_exchange *exchange; /* NULL: between two */
	uint32_t exchange_count;
	uint32_t keepalive_timeout_ms; /* after the last exchange */
	uint64_t linger_from; /* bytes read when it began to linger */
	bool running, run_again;
	uint64_t bytes_at_touch;
	bool attempt_logged; /* the log has the words of the upstream's failure already */
	struct session_facts facts;
	bool closed;
	struct event_task free_task;
};

void session_host_destroy(struct session_host *host); /* no session is open */

/* Takes `fd`, which is closed when memory is out. `readable`: the client's first bytes are there
 * (deferred accept). */
void session_open(struct session_host *host, int fd, const struct address *client_address,
        const struct config_listener *listener, const struct protocol *protocol, bool readable);

/* Ends both sides as the reason demands, counts, logs. The first reason stays. */
void session_close(struct session *session, enum close_reason reason);

/* For the reason of the stream's failure, whose words go into the log. `clean`: the other side has
 * been finished and is not to be reset. */
void session_close_failed(struct session *session, struct stream *stream, bool clean);

/* From now on the client's bytes wait in its buffer, and only its failure ends the session. */
void session_wait_for_upstream(struct session *session);

/* The dial has connected: its connection is the session's from now on, its facts are kept for the
 * log. Who wants its events calls stream_give at once. */
void session_take_upstream(struct session *session);
/* Ends the upstream's connection before the session does; fine when there is none. */
void session_drop_upstream(struct session *session);
/* The same after a whole exchange: into the idle pool if it is `reusable`, else with a goodbye. */
void session_release_upstream(struct session *session, bool reusable);

#endif
