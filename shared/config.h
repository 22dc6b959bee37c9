/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config.h - a checked configuration as plain data.
 *
 * One arena holds all of it, sealed before the workers are forked; a worker's configuration never
 * changes. What stands here has passed every check: readers of it have no error paths. Parsing,
 * defaults and checking are the master's (config_read, config_schema, config_check).
 */
#ifndef SHARED_CONFIG_H
#define SHARED_CONFIG_H

#include "shared/address.h"
#include "shared/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct config_tree;
struct tls_client_credentials;
struct tls_server_credentials;

/* Where a thing was written; line 0: nowhere, a default. */
struct config_origin {
	const char *file;
	unsigned line;
};

struct config_tcp_keepalive {
	bool on;
	unsigned idle_s, interval_s, count; /* 0: the system's value */
};

struct config_endpoint {
	struct address address; /* length 0: the name did not resolve, the endpoint is down */
	const char *server; /* as written: "backend1.example.com:12345" */
	const char *host; /* of it, without port: default for the name to verify */
	const char *tls_name; /* name=, or NULL */
	struct config_origin origin;
	uint32_t weight; /* at least 1 */
	uint32_t max_fails; /* 0: failures are not counted */
	uint32_t fail_timeout_ms;
	bool backup, down;
	uint32_t state_index; /* of upstream_state, unique in the configuration, from 0 */
};

struct config_group {
	const char *name; /* of [upstream NAME], or "host:port" where proxy_pass names a server */
	struct config_origin origin;
	const struct config_endpoint *endpoints;
	size_t endpoint_count; /* at least 1 */
	const struct address *bind_addresses; /* proxy_bind, used in turn; port 0 */
	size_t bind_address_count;
	uint32_t state_index;
};

/* One open log file, by its place in config->log_paths. */
struct config_access_log {
	size_t log_index; /* the format is upstream_tls, the only one there is so far */
};

struct config_tcp {
	const char *name;
	struct config_origin origin;
	const struct config_group *group;
	struct tls_client_credentials *upstream_tls; /* NULL: proxy_ssl off */
	const char *proxy_ssl_name; /* NULL: each endpoint's own */
	struct tls_server_credentials *listener_tls; /* NULL: no listener of it has `ssl` */
	uint32_t ssl_handshake_timeout_ms;
	uint32_t proxy_connect_timeout_ms;
	uint32_t proxy_timeout_ms;
	uint32_t proxy_buffer_size; /* bytes of the largest lent buffer */
	struct config_tcp_keepalive proxy_socket_keepalive;
	bool proxy_next_upstream;
	uint32_t proxy_next_upstream_tries; /* 0: no limit */
	uint32_t proxy_next_upstream_timeout_ms; /* 0: no limit */
	bool proxy_half_close;
	bool truncation_resets; /* proxy_ssl_truncation = reset */
	uint32_t shutdown_timeout_ms; /* 0: none */
	const struct config_access_log *access_logs;
	size_t access_log_count;
};

struct config_listener {
	struct address address;
	const char *text; /* as written, without options */
	struct config_origin origin;
	bool ssl, ipv6only, deferred, freebind;
	int backlog;
	struct config_tcp_keepalive so_keepalive;
	const struct config_tcp *tcp;
};

struct config_error_log {
	size_t log_index;
	enum log_level level;
};

struct config_main {
	unsigned workers; /* never 0: `auto` is settled */
	bool worker_cpu_affinity;
	uint32_t worker_connections;
	uint64_t worker_buffers; /* bytes */
	uint32_t worker_hang_timeout_ms;
	uint64_t worker_rlimit_nofile; /* 0: auto */
	uint32_t worker_shutdown_timeout_ms;
	unsigned max_generations;
	const char *user_name; /* NULL: not started as root, nothing to give up */
	uid_t uid;
	gid_t gid;
	const char *pid_file; /* NULL: none */
	bool daemon;
	bool core_dumps;
	bool resolve_required;
	uint64_t tls_session_cache_size; /* bytes */
	const struct config_error_log *error_logs;
	size_t error_log_count;
};

struct config {
	struct arena *arena;
	const char *main_file;
	const struct config_tree *tree; /* what the files say, for the master's -T */
	struct config_main main;
	const struct config_listener *listeners;
	size_t listener_count;
	const struct config_tcp *tcps;
	size_t tcp_count;
	const struct config_group *groups;
	size_t group_count;
	size_t endpoint_count; /* of all groups */
	const char *const *log_paths; /* every file to open, each once: "stderr" or absolute */
	size_t log_path_count;
	bool names_unresolved; /* some server name is to be looked up again */
};

/* Frees it, its arena and its TLS credentials. No worker may use it any more. NULL is fine. */
void config_destroy(struct config *config);

#endif
