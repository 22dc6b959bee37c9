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
#include "shared/template.h"

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
	bool unresolved; /* no address, or the one it had before its name ceased to resolve */
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
	uint32_t keepalive; /* idle connections kept per worker; 0: none */
	uint32_t keepalive_timeout_ms;
	uint32_t keepalive_requests;
	uint32_t keepalive_time_ms;
	uint32_t state_index;
};

enum access_log_format { ACCESS_LOG_UPSTREAM_TLS, ACCESS_LOG_COMBINED };

/* One open log file, by its place in config->log_paths. */
struct config_access_log {
	size_t log_index;
	enum access_log_format format;
};

/* proxy_set_header NAME VALUE; an empty template drops the header. */
struct config_header_rule {
	struct slice name;
	struct template value;
};

enum { NEXT_UPSTREAM_ERROR = 1, NEXT_UPSTREAM_TIMEOUT = 2 };

/* What an HTTP server does with the requests below a path. */
struct config_location {
	struct config_origin origin;
	struct slice path; /* "/upstream"; a prefix unless `exact` */
	bool exact;
	/* return: status 0: it proxies instead */
	unsigned return_status;
	struct template return_text; /* the body, or the Location of a 301, 302, 303, 307, 308 */
	/* proxy_pass */
	const struct config_group *group;
	struct tls_client_credentials *upstream_tls; /* NULL: http:// */
	const char *proxy_ssl_name; /* NULL: each endpoint's own */
	struct slice proxy_host; /* as written: "backend.example.com", "10.0.0.1:8443" */
	bool replaces_uri; /* the matched prefix is replaced by `replacement` */
	struct slice replacement;
	const struct config_header_rule *header_rules; /* merged: each name once */
	size_t header_rule_count;
	uint32_t proxy_connect_timeout_ms;
	uint32_t proxy_send_timeout_ms, proxy_read_timeout_ms;
	uint32_t proxy_buffer_size; /* bytes of the largest response head */
	struct config_tcp_keepalive proxy_socket_keepalive;
	unsigned next_upstream; /* NEXT_UPSTREAM_... bits; 0: off */
	uint32_t next_upstream_tries; /* 0: no limit */
	uint32_t next_upstream_timeout_ms; /* 0: no limit */
	uint32_t shutdown_timeout_ms; /* of upgraded connections; 0: none */
	/* towards the client */
	uint32_t client_body_timeout_ms, send_timeout_ms, keepalive_timeout_ms;
	uint64_t client_max_body_size; /* 0: no limit */
	const struct config_access_log *access_logs;
	size_t access_log_count;
};

/* [http NAME]: a virtual server. */
struct config_http {
	const char *name;
	struct config_origin origin;
	const struct slice *server_names; /* lower case; may be none */
	size_t server_name_count;
	/* Exact ones first, then prefixes, longest first: the first that matches is it. */
	const struct config_location *locations;
	size_t location_count;
	const struct config_location *unmatched; /* returns 404, with the server's own settings */
	struct tls_server_credentials *listener_tls; /* NULL: no listener of it has `ssl` */
	uint32_t ssl_handshake_timeout_ms;
	uint32_t client_header_timeout_ms;
	uint32_t keepalive_requests;
	uint32_t client_max_header_size;
};

struct config_server_name {
	struct slice name; /* lower case */
	const struct config_http *http;
};

/* The servers of one address. */
struct config_http_names {
	const struct config_http *standard; /* default_server, else the first */
	const struct config_server_name *names; /* sorted by bytes, each once */
	size_t name_count;
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
	const char *section; /* for logs: "tcp redis"; of HTTP that of the default server */
	const struct config_tcp *tcp; /* NULL: HTTP */
	const struct config_http_names *http; /* NULL: TCP */
	struct tls_server_credentials
	        *tls; /* of `tcp`, or of the default server; NULL without ssl */
	uint32_t ssl_handshake_timeout_ms; /* of the same */
	uint32_t buffer_bytes_max; /* the largest lent buffer of its connections */
	uint32_t shutdown_timeout_ms; /* TCP; 0: none */
};

/* A listen of [admin]. */
struct config_admin_listener {
	const char *text;
	struct config_origin origin;
	struct address address; /* of length 0: */
	const char *unix_path; /* absolute */
	unsigned mode; /* of the unix socket */
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
	const struct config_http *https;
	size_t http_count;
	const struct config_admin_listener *admin_listeners;
	size_t admin_listener_count;
	const struct config_group *groups;
	size_t group_count;
	size_t endpoint_count; /* of all groups */
	const char *const *log_paths; /* every file to open, each once: "stderr" or absolute */
	size_t log_path_count;
	bool names_unresolved; /* some server name is to be looked up again */
	/* Every set of credentials there is, each once; sections share them. */
	struct tls_client_credentials *const *client_tls;
	size_t client_tls_count;
	struct tls_server_credentials *const *server_tls;
	size_t server_tls_count;
};

/* Frees it, its arena and its TLS credentials. No worker may use it any more. NULL is fine. */
void config_destroy(struct config *config);

#endif
