/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_schema.h - every key there is: where it may stand, how its value is read, its default, its
 * help.
 *
 * The only list of keys: the reader, -T, suggestions and the manual page come from it.
 */
#ifndef MASTER_CONFIG_SCHEMA_H
#define MASTER_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config_words;

enum config_kind {
	CONFIG_MAIN,
	CONFIG_HTTP_DEFAULTS,
	CONFIG_HTTP,
	CONFIG_LOCATION,
	CONFIG_TCP_DEFAULTS,
	CONFIG_TCP,
	CONFIG_UPSTREAM,
	CONFIG_TLS,
	CONFIG_ADMIN,
	CONFIG_KIND_COUNT
};

enum {
	IN_MAIN = 1 << CONFIG_MAIN,
	IN_HTTP = 1 << CONFIG_HTTP,
	IN_HTTP_BOTH = 1 << CONFIG_HTTP | 1 << CONFIG_HTTP_DEFAULTS,
	IN_LOCATION = 1 << CONFIG_LOCATION | 1 << CONFIG_HTTP, /* not inherited */
	IN_LOCATION_ALL = 1 << CONFIG_LOCATION | IN_HTTP_BOTH,
	IN_TCP = 1 << CONFIG_TCP,
	IN_TCP_BOTH = 1 << CONFIG_TCP | 1 << CONFIG_TCP_DEFAULTS,
	IN_UPSTREAM = 1 << CONFIG_UPSTREAM,
	IN_ADMIN = 1 << CONFIG_ADMIN,
	/* a proxy_ssl_* key */
	IN_PROXY_TLS = IN_LOCATION_ALL | IN_TCP_BOTH | 1 << CONFIG_UPSTREAM | 1 << CONFIG_TLS,
};

/* clang-format off */
#define CONFIG_KEYS(X) \
	X(WORKERS, workers) \
	X(WORKER_CPU_AFFINITY, worker_cpu_affinity) \
	X(WORKER_CONNECTIONS, worker_connections) \
	X(WORKER_BUFFERS, worker_buffers) \
	X(WORKER_HANG_TIMEOUT, worker_hang_timeout) \
	X(WORKER_RLIMIT_NOFILE, worker_rlimit_nofile) \
	X(WORKER_SHUTDOWN_TIMEOUT, worker_shutdown_timeout) \
	X(MAX_GENERATIONS, max_generations) \
	X(USER, user) \
	X(PID_FILE, pid_file) \
	X(DAEMON, daemon) \
	X(CORE_DUMPS, core_dumps) \
	X(RESOLVE_AT_START, resolve_at_start) \
	X(ERROR_LOG, error_log) \
	X(INCLUDE, include) \
	X(TLS_SESSION_CACHE_SIZE, tls_session_cache_size) \
	X(LISTEN, listen) \
	X(SERVER_NAME, server_name) \
	X(PROXY_PASS, proxy_pass) \
	X(RETURN, return) \
	X(PROXY_SET_HEADER, proxy_set_header) \
	X(PROXY_CONNECT_TIMEOUT, proxy_connect_timeout) \
	X(PROXY_SEND_TIMEOUT, proxy_send_timeout) \
	X(PROXY_READ_TIMEOUT, proxy_read_timeout) \
	X(PROXY_TIMEOUT, proxy_timeout) \
	X(PROXY_BUFFER_SIZE, proxy_buffer_size) \
	X(PROXY_SOCKET_KEEPALIVE, proxy_socket_keepalive) \
	X(PROXY_NEXT_UPSTREAM, proxy_next_upstream) \
	X(PROXY_NEXT_UPSTREAM_TRIES, proxy_next_upstream_tries) \
	X(PROXY_NEXT_UPSTREAM_TIMEOUT, proxy_next_upstream_timeout) \
	X(PROXY_HALF_CLOSE, proxy_half_close) \
	X(PROXY_SSL_TRUNCATION, proxy_ssl_truncation) \
	X(SHUTDOWN_TIMEOUT, shutdown_timeout) \
	X(CLIENT_HEADER_TIMEOUT, client_header_timeout) \
	X(CLIENT_BODY_TIMEOUT, client_body_timeout) \
	X(SEND_TIMEOUT, send_timeout) \
	X(KEEPALIVE, keepalive) \
	X(KEEPALIVE_TIMEOUT, keepalive_timeout) \
	X(KEEPALIVE_REQUESTS, keepalive_requests) \
	X(KEEPALIVE_TIME, keepalive_time) \
	X(CLIENT_MAX_HEADER_SIZE, client_max_header_size) \
	X(CLIENT_MAX_BODY_SIZE, client_max_body_size) \
	X(ACCESS_LOG, access_log) \
	X(SSL_CERTIFICATE, ssl_certificate) \
	X(SSL_CERTIFICATE_KEY, ssl_certificate_key) \
	X(SSL_PASSWORD_FILE, ssl_password_file) \
	X(SSL_PROTOCOLS, ssl_protocols) \
	X(SSL_CIPHERS, ssl_ciphers) \
	X(SSL_PRIORITY, ssl_priority) \
	X(SSL_CLIENT_CERTIFICATE, ssl_client_certificate) \
	X(SSL_TRUSTED_CERTIFICATE, ssl_trusted_certificate) \
	X(SSL_VERIFY_CLIENT, ssl_verify_client) \
	X(SSL_VERIFY_DEPTH, ssl_verify_depth) \
	X(SSL_SESSION_CACHE, ssl_session_cache) \
	X(SSL_SESSION_TICKETS, ssl_session_tickets) \
	X(SSL_SESSION_TIMEOUT, ssl_session_timeout) \
	X(SSL_HANDSHAKE_TIMEOUT, ssl_handshake_timeout) \
	X(SSL_ALPN, ssl_alpn) \
	X(SERVER, server) \
	X(BALANCE, balance) \
	X(PROXY_BIND, proxy_bind) \
	X(PROXY_TLS, proxy_tls) \
	X(PROXY_SSL, proxy_ssl) \
	X(PROXY_SSL_CERTIFICATE, proxy_ssl_certificate) \
	X(PROXY_SSL_CERTIFICATE_KEY, proxy_ssl_certificate_key) \
	X(PROXY_SSL_PASSWORD_FILE, proxy_ssl_password_file) \
	X(PROXY_SSL_TRUSTED_CERTIFICATE, proxy_ssl_trusted_certificate) \
	X(PROXY_SSL_VERIFY, proxy_ssl_verify) \
	X(PROXY_SSL_VERIFY_DEPTH, proxy_ssl_verify_depth) \
	X(PROXY_SSL_NAME, proxy_ssl_name) \
	X(PROXY_SSL_SERVER_NAME, proxy_ssl_server_name) \
	X(PROXY_SSL_PROTOCOLS, proxy_ssl_protocols) \
	X(PROXY_SSL_CIPHERS, proxy_ssl_ciphers) \
	X(PROXY_SSL_PRIORITY, proxy_ssl_priority) \
	X(PROXY_SSL_ALPN, proxy_ssl_alpn) \
	X(PROXY_SSL_SESSION_REUSE, proxy_ssl_session_reuse)
/* clang-format on */

#define CONFIG_KEY_ENUM(upper, lower) CONFIG_##upper##_KEY,
enum config_key { CONFIG_KEYS(CONFIG_KEY_ENUM) CONFIG_KEY_COUNT };
#undef CONFIG_KEY_ENUM

/* What a value came to; which member counts is the parser's affair. */
struct config_value {
	uint64_t number; /* bytes, milliseconds, counts, booleans, indices of choices */
};

/* false with a sentence part in `fault` that starts with what is wrong. */
typedef bool config_parse_fn(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size);

enum {
	CONFIG_ONCE = 0,
	CONFIG_REPEATABLE = 1,
	CONFIG_OWN = 2, /* not inherited */
};

/* A key means the same wherever it stands. Where HTTP and TCP differ in what they take or in the
 * default, it has a row for each. */
struct config_schema_row {
	const char *key;
	unsigned where; /* IN_... bits */
	config_parse_fn *parse;
	const char *default_text; /* a value as it could be written; NULL: none */
	unsigned traits; /* CONFIG_... bits */
	const char *value_help; /* "TIME", "on | off": for the manual */
	const char *help; /* sentences, for the manual */
	const struct config_schema_row *elsewhere; /* the key's row for other kinds, or NULL */
};

/* The first of its rows. */
const struct config_schema_row *config_schema_row(enum config_key key);
/* NULL when it may not stand in `kind`. */
const struct config_schema_row *config_schema_row_in(enum config_key key, enum config_kind kind);
unsigned config_schema_where(enum config_key key); /* IN_... bits of all its rows */
const char *config_key_name(enum config_key key);
/* false when no key has this name. */
bool config_schema_find(const char *name, enum config_key *key_out);
/* The nearest name by edits among keys that may stand in `kind`, or NULL where none is near. */
const char *config_schema_suggest(const char *name, enum config_kind kind);
/* The same among `count` words. */
const char *config_suggest(const char *word, const char *const *words, size_t count);

/* What stands between the brackets of a kind of section. */
struct config_kind_words {
	const char *word; /* "main", "http", "location" */
	const char *names; /* " NAME", " NAME PATH", or "" */
};
const struct config_kind_words *config_kind_words(enum config_kind kind);
/* "[http], [http NAME]" for IN_... bits. */
enum { CONFIG_SECTIONS_TEXT_MAX = 160 };
const char *config_schema_sections(unsigned where, char text[CONFIG_SECTIONS_TEXT_MAX]);

#endif
