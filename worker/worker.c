/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker.c - the whole life of a worker process: start, serve, drain, exit.
 *
 * It drains when the master says so (a reload, a graceful stop) or when the master has died; it
 * exits when nothing is left. Once a second it stamps its row of the scoreboard, looks after the
 * other workers' sockets, and cuts what has outlived its shutdown_timeout.
 */
#include "worker/worker.h"

#include "shared/check.h"
#include "shared/config.h"
#include "shared/fd.h"
#include "shared/log.h"
#include "shared/process_title.h"
#include "shared/scoreboard.h"
#include "shared/tls_session_store.h"
#include "shared/worker_env.h"
#include "worker/acceptor.h"
#include "worker/control.h"
#include "worker/http/http_host.h"
#include "worker/http/http_proxy.h"
#include "worker/session/access_log.h"
#include "worker/tcp/tcp_proxy.h"
#include "worker/tls/tls_server.h"
#include "worker/upstream/idle_pool.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { TICK_MS = 1000, IDLE_TICKS_BEFORE_TRIM = 3 };

struct worker {
	const struct worker_env *env;
	struct event_loop *loop;
	struct event_timer tick;
	struct control control;
	struct session_host host;
	struct tls_client_context tls_client;
	struct tls_server_context tls_server;
	struct tcp_proxy *tcp_proxies; /* of each [tcp NAME] */
	const struct protocol **protocols; /* of each listener */
	struct acceptor *acceptor;
	struct event_task end_check;
	uint64_t drain_started_ms;
	uint64_t bytes_at_tick;
	unsigned idle_ticks;
};

static struct worker *worker_of(struct session_host *host)
{
	return LIST_OBJECT(host, struct worker, host);
}

static void exit_when_drained(struct worker *worker)
{
	if (!worker->host.draining || worker->host.session_count > 0)
		return;
	if (reset_queue_length(worker->host.io.resets) > 0)
		return; /* the next tick looks again */
	control_tell(&worker->control, CONTROL_DRAINED);
	event_loop_stop(worker->loop);
}

static void on_session_end(struct session_host *host)
{
	struct worker *worker = worker_of(host);

	atomic_store_explicit(
	        &host->row->sessions, (uint32_t)host->session_count, memory_order_relaxed);
	acceptor_session_ended(worker->acceptor);
	exit_when_drained(worker);
}

static void close_all(struct worker *worker, enum close_reason reason)
{
	LIST_EACH(link, &worker->host.sessions)
	session_close(LIST_OBJECT(link, struct session, link), reason);
}

/* Every cut is told, by listener. */
static void log_cut(const struct worker *worker, enum close_reason reason)
{
	const struct config *config = worker->env->config;

	for (size_t i = 0; i < config->listener_count; i++) {
		size_t count = 0;
		LIST_EACH(link, &worker->host.sessions)
		count += LIST_OBJECT(link, struct session, link)->listener == &config->listeners[i];
		if (count)
			log_write(LOG_WARN, "%zu connections of listen %s (%s) are cut: %s", count,
			        config->listeners[i].text, config->listeners[i].section,
			        close_reason_text(reason));
	}
}

static void drain(struct worker *worker)
{
	if (worker->host.draining)
		return;
	worker->host.draining = true;
	worker->drain_started_ms = event_loop_now_ms(worker->loop);
	atomic_store(&worker->host.row->state, (uint32_t)WORKER_DRAINING);
	process_title_set("worker %u (draining)", worker->env->slot);
	acceptor_stop(worker->acceptor);
	idle_pool_drain(worker->host.dialer.pool);
	LIST_EACH(link, &worker->host.sessions)
	{
		struct session *session = LIST_OBJECT(link, struct session, link);
		if (session->protocol->drain)
			session->protocol->drain(session);
	}
	exit_when_drained(worker);
}

static void cut(struct worker *worker, enum close_reason reason)
{
	log_cut(worker, reason);
	drain(worker);
	close_all(worker, reason);
}

static void reopen_log(struct worker *worker, uint32_t index, int fd)
{
	if (index < worker->env->config->log_path_count && fd >= 0)
		log_file_replace(&worker->env->log_files[index], fd);
	else if (fd >= 0)
		close(fd);
}

static void on_control(void *opaque, const struct control_message *message, int fd)
{
	struct worker *worker = opaque;

	if (!message) {
		log_write(LOG_WARN, "the master died; this worker drains");
		acceptor_close(worker->acceptor);
		drain(worker);
		return;
	}
	if (message->type == CONTROL_REOPEN_LOG) {
		reopen_log(worker, message->log_index, fd);
		return;
	}
	if (fd >= 0)
		close(fd);
	if (message->type == CONTROL_DRAIN)
		drain(worker);
	else if (message->type == CONTROL_CUT)
		cut(worker, CLOSE_GENERATION_LIMIT);
	else if (message->type == CONTROL_QUIT)
		cut(worker, CLOSE_FAST_SHUTDOWN);
}

static void log_outlived(size_t count, enum close_reason reason)
{
	if (count)
		log_write(
		        LOG_WARN, "%zu connections are cut: %s", count, close_reason_text(reason));
}

static void cut_outlived(struct worker *worker)
{
	uint64_t drained_ms = event_loop_now_ms(worker->loop) - worker->drain_started_ms;
	size_t tunnels = 0, exchanges = 0;

	LIST_EACH(link, &worker->host.sessions)
	{
		struct session *session = LIST_OBJECT(link, struct session, link);
		bool exchange = session->listener->http && !session->tunnel_settings;
		uint32_t limit_ms = session->shutdown_timeout_ms;
		if (!limit_ms || drained_ms < limit_ms)
			continue;
		tunnels += !exchange;
		exchanges += exchange;
		session_close(
		        session, exchange ? CLOSE_WORKER_SHUTDOWN_TIMEOUT : CLOSE_SHUTDOWN_TIMEOUT);
	}
	log_outlived(tunnels, CLOSE_SHUTDOWN_TIMEOUT);
	log_outlived(exchanges, CLOSE_WORKER_SHUTDOWN_TIMEOUT);
}

/* A worker through which nothing moves gives its free memory back to the system. */
static void trim_when_idle(struct worker *worker)
{
	uint64_t bytes = buffer_pool_lent_bytes(worker->host.io.pool) +
	                 atomic_load_explicit(
	                         &worker->host.row->counters[STAT_ACCEPTED], memory_order_relaxed);

	worker->idle_ticks = bytes == worker->bytes_at_tick ? worker->idle_ticks + 1 : 0;
	worker->bytes_at_tick = bytes;
	if (worker->idle_ticks != IDLE_TICKS_BEFORE_TRIM)
		return;
	buffer_pool_trim(worker->host.io.pool);
	malloc_trim(0);
}

static void on_tick(struct event_timer *timer)
{
	struct worker *worker = LIST_OBJECT(timer, struct worker, tick);

	event_timer_set(timer, TICK_MS);
	atomic_store(&worker->host.row->stamp_ms, event_loop_now_ms(worker->loop));
	atomic_store_explicit(&worker->host.row->sessions, (uint32_t)worker->host.session_count,
	        memory_order_relaxed);
	log_tick();
	acceptor_update(worker->acceptor);
	if (worker->host.draining) {
		cut_outlived(worker);
		exit_when_drained(worker);
	}
	trim_when_idle(worker);
}

static void close_foreign_descriptors(const struct worker_env *env)
{
	const struct config *config = env->config;
	size_t count = 1 + config->log_path_count, used = 0;

	for (size_t i = 0; i < config->listener_count; i++)
		count += env->listeners[i].fd_count;
	int *kept = calloc(count, sizeof(*kept));
	CHECK(kept);
	kept[used++] = env->control_fd;
	for (size_t i = 0; i < config->log_path_count; i++)
		kept[used++] = env->log_files[i].fd;
	for (size_t i = 0; i < config->listener_count; i++)
		for (size_t j = 0; j < env->listeners[i].fd_count; j++)
			kept[used++] = env->listeners[i].fds[j];
	fd_close_all_but(kept, used);
	free(kept);
}

/* GnuTLS allocates and frees 17 to 67 KiB for each record: without this glibc gives them back each
 * time. */
static void tune_malloc(void)
{
	mallopt(M_MMAP_THRESHOLD, 4 << 20);
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
	mallopt(M_TOP_PAD, 256 << 10);
}

static size_t largest_buffer(const struct config *config)
{
	size_t largest = BUFFER_SMALL_BYTES;

	for (size_t i = 0; i < config->listener_count; i++)
		if (config->listeners[i].buffer_bytes_max > largest)
			largest = config->listeners[i].buffer_bytes_max;
	return largest;
}

static void open_host(struct worker *worker)
{
	const struct worker_env *env = worker->env;
	struct session_host *host = &worker->host;

	host->io.loop = worker->loop;
	host->io.pool = buffer_pool_create(
	        env->config->main.worker_buffers, largest_buffer(env->config));
	host->io.resets = reset_queue_create(worker->loop);
	struct tls_wire *wire = host->io.pool ? tls_wire_create(worker->loop, host->io.pool) : NULL;
	CHECK(host->io.resets && wire);
	tls_session_store_attach(env->session_store);
	worker->tls_client = (struct tls_client_context){.wire = wire, .store = env->session_store};
	worker->tls_server = (struct tls_server_context){
	        .wire = wire, .ticket_key = env->ticket_key, .store = env->session_store};
	host->row = scoreboard_row(env->scoreboard, env->scoreboard_row);
	host->dialer = (struct dialer){
	        .io = &host->io,
	        .balancer = balancer_create(env->config, env->upstream_state),
	        .tls = &worker->tls_client,
	        .row = host->row,
	};
	CHECK(host->dialer.balancer);
	upstream_connections_init(
	        &host->dialer.connections, &host->io, host->row, env->upstream_state);
	host->dialer.pool = idle_pool_create(env->config, &host->io);
	CHECK(host->dialer.pool);
	host->tls_server = &worker->tls_server;
	host->http = http_host_create(env->config);
	host->log_files = env->log_files;
	host->slot = env->slot;
	list_init(&host->sessions);
	list_init(&host->spare);
	host->on_session_end = on_session_end;
}

static void open_proxies(struct worker *worker)
{
	const struct config *config = worker->env->config;

	worker->tcp_proxies = calloc(config->tcp_count + 1, sizeof(*worker->tcp_proxies));
	worker->protocols = calloc(config->listener_count + 1, sizeof(*worker->protocols));
	CHECK(worker->tcp_proxies && worker->protocols);
	for (size_t i = 0; i < config->tcp_count; i++)
		tcp_proxy_init(&worker->tcp_proxies[i], &config->tcps[i]);
	for (size_t i = 0; i < config->listener_count; i++) {
		const struct config_listener *listener = &config->listeners[i];
		worker->protocols[i] =
		        listener->tcp ? &worker->tcp_proxies[listener->tcp - config->tcps].protocol
		                      : &http_protocol;
	}
}

static void start(struct worker *worker)
{
	process_title_set("worker %u", worker->env->slot);
	open_host(worker);
	open_proxies(worker);
	worker->acceptor = acceptor_create(worker->env, &worker->host, worker->protocols);
	control_open(&worker->control, worker->loop, worker->env->control_fd, on_control, worker);
	event_timer_init(&worker->tick, worker->loop, on_tick);
	atomic_store(&worker->host.row->state, (uint32_t)WORKER_RUNNING);
	on_tick(&worker->tick);
	control_tell(&worker->control, CONTROL_READY);
}

static void stop(struct worker *worker)
{
	event_timer_stop(&worker->tick);
	control_close(&worker->control);
	close_all(worker, CLOSE_FAST_SHUTDOWN);
	idle_pool_destroy(worker->host.dialer.pool);
	event_loop_run_tasks(worker->loop); /* the ends of the sessions */
	acceptor_destroy(worker->acceptor);
	reset_queue_destroy(worker->host.io.resets);
	event_loop_destroy(worker->loop);
	session_host_destroy(&worker->host);
	upstream_connections_destroy(&worker->host.dialer.connections);
	balancer_destroy(worker->host.dialer.balancer);
	tls_wire_destroy(worker->tls_client.wire);
	buffer_pool_destroy(worker->host.io.pool);
	http_host_destroy(worker->host.http);
	free(worker->protocols);
	free(worker->tcp_proxies);
	log_tick();
	access_log_tell_dropped(worker->env->log_files, worker->env->config->log_path_count);
}

int worker_main(const struct worker_env *env)
{
	struct worker worker = {.env = env};

	close_foreign_descriptors(env);
	signal(SIGPIPE, SIG_IGN);
	tune_malloc();
	log_after_fork();
	worker.loop = event_loop_create();
	CHECK(worker.loop);
	start(&worker);
	event_loop_run(worker.loop);
	stop(&worker);
	return 0;
}
