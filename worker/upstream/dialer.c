/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dialer.c - attempts, one after another.
 *
 * Each attempt starts from the loop (a deferred task), so that a group of a thousand dead servers
 * is no deep recursion, and so that all ends of idle connections which this turn brought are known
 * before one is used again. A TLS 1.3 server judges our certificate after our handshake is done, so
 * there READY is no success yet: that is counted when the first byte or a clean end comes
 * (dial_confirm).
 *
 * A handshake that offered a stored session and failed is repeated once without one: the same
 * endpoint, the same deadline, no failure counted. Not after a time-out, and not when the
 * certificate was refused.
 */
#include "worker/upstream/dialer.h"

#include "shared/check.h"
#include "shared/log.h"
#include "shared/tls_credentials.h"
#include "worker/io/plain_transport.h"
#include "worker/upstream/upstream_count.h"
#include "worker/upstream/upstream_socket.h"

#include <string.h>
#include <unistd.h>

enum { DIAL_MAGIC = 0x4449414c };

static uint64_t now_ms(const struct dial *dial)
{
	return event_loop_now_ms(dial->dialer->io->loop);
}

static void count(const struct dial *dial, enum upstream_stat stat)
{
	upstream_count(&dial->dialer->connections, dial->endpoint, stat, 1);
}

static void log_attempt(const struct dial *dial, enum log_level level, const char *text)
{
	char address[ADDRESS_TEXT_MAX];

	log_connection(level, dial->session_number, "upstream %s: %s: %s",
	        dial->settings->group->name,
	        address_format(&dial->endpoint->address, address, sizeof(address)), text);
}

/* An idle connection that the server had closed says nothing against the server. */
static bool is_stale(const struct dial *dial, enum close_reason reason)
{
	return dial->reused && !dial->confirmed && dial_failure_kind(reason) == NEXT_UPSTREAM_ERROR;
}

static bool is_next_allowed(const struct dial *dial, enum close_reason reason)
{
	const struct dial_settings *settings = dial->settings;

	if (!(settings->next_upstream & dial_failure_kind(reason)))
		return false;
	if (settings->tries_max && dial->attempts >= settings->tries_max)
		return false;
	return !settings->tries_timeout_ms ||
	       now_ms(dial) - dial->started_ms < settings->tries_timeout_ms;
}

/* Counts the failure; the endpoint may go out for everybody. */
static void count_failure(struct dial *dial, enum close_reason reason)
{
	scoreboard_count_failed_attempt(dial->dialer->row, reason);
	if (reason == CLOSE_BIND)
		return; /* that is ours, not the server's */
	count(dial, UPSTREAM_STAT_FAILURES);
	balancer_report_failure(
	        dial->dialer->balancer, dial->settings->group, dial->endpoint, now_ms(dial));
}

/* Each attempt starts from the loop: see above. */
static void try_later(struct dial *dial, enum dial_next next)
{
	dial->next = next;
	event_loop_defer(dial->dialer->io->loop, &dial->next_attempt);
}

static void drop_connection(struct dial *dial)
{
	upstream_connection_close(dial->connection);
	dial->connection = NULL;
}

bool dial_failed(struct dial *dial, enum close_reason reason, const char *text, bool may_try_next)
{
	CHECK_OBJ(dial, DIAL_MAGIC);
	log_attempt(dial, LOG_ERROR, text);
	dial->last_reason = reason;
	if (is_stale(dial, reason))
		idle_pool_note_stale(dial->dialer->pool, dial->endpoint, dial->reused_after_ms);
	else
		count_failure(dial, reason);
	if (!may_try_next || !is_next_allowed(dial, reason))
		return false;
	try_later(dial, DIAL_NEXT_SERVER);
	return true;
}

static void attempt_failed(struct dial *dial, enum close_reason reason, const char *text)
{
	bool goes_on = dial_failed(dial, reason, text, true);

	drop_connection(dial);
	if (!goes_on)
		dial->fn(dial, false, reason);
}

static bool is_worth_without_session(const struct dial *dial, enum close_reason reason)
{
	if (dial->without_session || !dial->settings->tls)
		return false;
	if (!tls_client_offered_session(dial->connection->stream.transport))
		return false;
	return reason == CLOSE_UPSTREAM_HANDSHAKE || reason == CLOSE_UPSTREAM_RESET ||
	       reason == CLOSE_UPSTREAM_REFUSED_US || reason == CLOSE_UPSTREAM_PROTOCOL;
}

static void stream_failed(struct dial *dial)
{
	const struct io_fault *fault = dial->connection->stream.transport->fault;
	enum close_reason reason = fault ? fault->reason : CLOSE_UPSTREAM_CONNECT;

	if (is_worth_without_session(dial, reason)) {
		log_attempt(dial, LOG_INFO,
		        "the handshake with a stored session failed; trying without");
		scoreboard_count(dial->dialer->row, STAT_UPSTREAM_SESSION_RETRIES, 1);
		tls_client_forget_sessions(dial->connection->stream.transport);
		drop_connection(dial);
		try_later(dial, DIAL_WITHOUT_SESSION);
		return;
	}
	attempt_failed(dial, reason, fault ? fault->text : close_reason_text(reason));
}

static void note_handshake(struct dial *dial)
{
	struct upstream_connection *connection = dial->connection;

	tls_transport_facts(tls_transport_of(connection->stream.transport), &connection->tls);
	upstream_count_handshake(&dial->dialer->connections, dial->endpoint,
	        connection->tls.resumed, dial->attempt_started_us);
}

static void stream_ready(struct dial *dial)
{
	struct upstream_connection *connection = dial->connection;

	dial->confirmed = false;
	count(dial, UPSTREAM_STAT_REQUESTS);
	connection->opened_ms = now_ms(dial);
	connection->exchanges = 1;
	if (dial->settings->tls)
		note_handshake(dial);
	bool judged = !dial->settings->tls || strcmp(connection->tls.protocol, "TLSv1.3") != 0;
	if (judged && !dial->settings->answer_confirms)
		dial_confirm(dial);
	dial->fn(dial, true, CLOSE_DONE);
}

static void on_stream(struct stream *stream, enum stream_event event)
{
	struct dial *dial = stream->owner;

	CHECK_OBJ(dial, DIAL_MAGIC);
	switch (event) {
	case STREAM_READY:
		stream_ready(dial);
		break;
	case STREAM_FAILED:
		stream_failed(dial);
		break;
	case STREAM_DATA:
	case STREAM_DRAINED:
	case STREAM_EOF:
		break; /* after READY, told to the new owner */
	}
}

const char *dial_name(const struct dial_settings *settings, const struct config_endpoint *endpoint)
{
	if (endpoint->tls_name)
		return endpoint->tls_name;
	return settings->tls_name ? settings->tls_name : endpoint->host;
}

static struct transport *open_transport(struct dial *dial, int fd)
{
	struct tls_client_target target = {
	        .credentials = dial->settings->tls,
	        .address = &dial->endpoint->address,
	        .name = dial_name(dial->settings, dial->endpoint),
	        .without_session = dial->without_session,
	};

	if (!dial->settings->tls)
		return plain_transport_create(fd, IO_UPSTREAM);
	return tls_client_create(dial->dialer->tls, &target, fd);
}

/* A lack of our own (descriptors, memory) is no failure of the server and no other server would
 * help. */
static void out_of_resources(struct dial *dial, const char *text)
{
	log_attempt(dial, LOG_ERROR, text);
	scoreboard_count_failed_attempt(dial->dialer->row, CLOSE_RESOURCES);
	dial->fn(dial, false, CLOSE_RESOURCES);
}

/* -1 after the attempt was ended. */
static int open_socket(struct dial *dial)
{
	struct dialer *dialer = dial->dialer;
	struct upstream_socket_target target = {
	        .group = dial->settings->group,
	        .address = &dial->endpoint->address,
	        .keepalive = &dial->settings->keepalive,
	};
	struct upstream_socket_fault fault;

	int fd = upstream_socket_open(&target, &dialer->bind_turn, dialer->pool, &fault);
	if (fd >= 0)
		return fd;
	if (fault.reason == CLOSE_RESOURCES)
		out_of_resources(dial, fault.text);
	else
		attempt_failed(dial, fault.reason, fault.text);
	return -1;
}

static uint64_t time_left_ms(const struct dial *dial)
{
	uint64_t spent_ms = now_ms(dial) - dial->attempt_started_ms;
	uint64_t limit_ms = dial->settings->connect_timeout_ms;

	return spent_ms < limit_ms ? limit_ms - spent_ms : 1;
}

/* Takes `fd`. NULL without memory. */
static struct upstream_connection *open_connection(struct dial *dial, int fd)
{
	const struct dial_settings *settings = dial->settings;
	struct transport *transport = open_transport(dial, fd);
	struct upstream_connection *connection = upstream_connection_create(
	        &dial->dialer->connections, settings->group, dial->endpoint, settings->identity);

	if (transport && connection) {
		stream_open(&connection->stream, fd, transport, true, settings->buffer_bytes_max,
		        time_left_ms(dial));
		return connection;
	}
	if (transport)
		transport->ops->close(transport, false);
	upstream_connection_close(connection);
	close(fd);
	return NULL;
}

static void connect_to_endpoint(struct dial *dial)
{
	dial->reused = false;
	int fd = open_socket(dial);
	if (fd < 0)
		return;
	dial->connection = open_connection(dial, fd);
	if (!dial->connection) {
		out_of_resources(dial, "no memory for a connection");
		return;
	}
	stream_give(&dial->connection->stream, on_stream, dial);
	stream_start(&dial->connection->stream, false);
}

static void connect_afresh(struct dial *dial)
{
	dial->attempt_started_ms = now_ms(dial);
	dial->attempt_started_us = upstream_clock_us();
	count(dial, UPSTREAM_STAT_ATTEMPTS);
	connect_to_endpoint(dial);
}

static bool reuse_connection(struct dial *dial)
{
	const struct dial_settings *settings = dial->settings;

	if (!settings->pooled)
		return false;
	struct upstream_connection *connection = idle_pool_take(
	        dial->dialer->pool, dial->endpoint, settings->identity, dial->sure);
	if (!connection)
		return false;
	count(dial, UPSTREAM_STAT_REUSED);
	count(dial, UPSTREAM_STAT_REQUESTS);
	stream_give(&connection->stream, on_stream, dial);
	stream_set_buffer_limit(&connection->stream, settings->buffer_bytes_max);
	dial->connection = connection;
	dial->reused = true;
	dial->reused_after_ms = now_ms(dial) - connection->idle_since_ms;
	dial->confirmed = false; /* it may be closed already */
	dial->fn(dial, true, CLOSE_DONE);
	return true;
}

static void begin_attempt(struct dial *dial)
{
	const struct config_endpoint *endpoint = balancer_choose(
	        dial->dialer->balancer, dial->settings->group, &dial->tries, now_ms(dial));
	if (!endpoint) {
		if (dial->attempts == 0)
			log_connection(LOG_ERROR, dial->session_number,
			        "upstream %s: no server can be used: all are down or did not "
			        "resolve",
			        dial->settings->group->name);
		dial->fn(dial, false, dial->attempts ? dial->last_reason : CLOSE_NO_UPSTREAM);
		return;
	}
	dial->endpoint = endpoint;
	if (dial->attempts < DIAL_ATTEMPTS_SHOWN)
		dial->shown[dial->attempts] = endpoint;
	dial->attempts++;
	if (!reuse_connection(dial))
		connect_afresh(dial);
}

static void run_next_attempt(struct event_task *task)
{
	struct dial *dial = LIST_OBJECT(task, struct dial, next_attempt);

	CHECK_OBJ(dial, DIAL_MAGIC);
	dial->without_session = dial->next == DIAL_WITHOUT_SESSION;
	switch (dial->next) {
	case DIAL_NEXT_SERVER:
		begin_attempt(dial);
		break;
	case DIAL_WITHOUT_SESSION:
		connect_to_endpoint(dial);
		break;
	case DIAL_AFRESH:
		connect_afresh(dial);
		break;
	}
}

void dial_init(struct dial *dial, struct dialer *dialer)
{
	memset(dial, 0, sizeof(*dial));
	dial->magic = DIAL_MAGIC;
	dial->dialer = dialer;
	event_task_init(&dial->next_attempt, run_next_attempt);
}

void dial_start(struct dial *dial, const struct dial_settings *settings, uint64_t session_number,
        bool sure, dial_fn *fn)
{
	CHECK_OBJ(dial, DIAL_MAGIC);
	CHECK(!dial->connection);
	dial->settings = settings;
	dial->session_number = session_number;
	dial->fn = fn;
	dial->sure = sure;
	dial->reused = false;
	memset(&dial->tries, 0, sizeof(dial->tries));
	dial->endpoint = NULL;
	dial->attempts = 0;
	dial->started_ms = now_ms(dial);
	dial->last_reason = CLOSE_NO_UPSTREAM;
	try_later(dial, DIAL_NEXT_SERVER);
}

void dial_cancel(struct dial *dial)
{
	CHECK_OBJ(dial, DIAL_MAGIC);
	list_remove(&dial->next_attempt.link);
	drop_connection(dial);
}

struct upstream_connection *dial_take_connection(struct dial *dial)
{
	struct upstream_connection *connection = dial->connection;

	CHECK_OBJ(dial, DIAL_MAGIC);
	CHECK(connection && connection->stream.state == STREAM_OPEN);
	dial->connection = NULL;
	return connection;
}

void dial_confirm(struct dial *dial)
{
	if (dial->confirmed)
		return;
	dial->confirmed = true;
	balancer_report_success(
	        dial->dialer->balancer, dial->settings->group, dial->endpoint, now_ms(dial));
}

void dial_again(struct dial *dial)
{
	CHECK_OBJ(dial, DIAL_MAGIC);
	CHECK(dial->reused && !dial->connection);
	log_attempt(dial, LOG_DEBUG,
	        "the server had closed this idle connection; a fresh one is tried");
	scoreboard_count(dial->dialer->row, STAT_HTTP_STALE_RETRIES, 1);
	idle_pool_note_stale(dial->dialer->pool, dial->endpoint, dial->reused_after_ms);
	try_later(dial, DIAL_AFRESH);
}
