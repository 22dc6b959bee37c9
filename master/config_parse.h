/* SPDX-License-Identifier: BSD-2-Clause */
/* config_parse.h - value parsers; each is a config_parse_fn of the schema. */
#ifndef MASTER_CONFIG_PARSE_H
#define MASTER_CONFIG_PARSE_H

#include "master/config_schema.h"
#include "master/config_tree.h"
#include "shared/config.h"

config_parse_fn config_parse_bool; /* number 0 or 1 */
config_parse_fn config_parse_time; /* milliseconds, at most UINT32_MAX */
config_parse_fn config_parse_size; /* bytes */
config_parse_fn config_parse_buffer_size; /* 4k to 16m */
config_parse_fn config_parse_head_size; /* 1k to 128k */
config_parse_fn config_parse_cache_size; /* 256k to 16g */
config_parse_fn config_parse_count; /* 0 to 1000000 */
config_parse_fn config_parse_positive; /* 1 to 1000000 */
config_parse_fn config_parse_auto_count; /* `auto` is 0, else 1 to 128 */
config_parse_fn config_parse_auto_number; /* `auto` is 0, else 1 to 2^30 */
config_parse_fn config_parse_affinity; /* off 0, auto 1 */
config_parse_fn config_parse_resolve; /* lenient 0, required 1 */
config_parse_fn config_parse_truncation; /* close 0, reset 1 */
config_parse_fn config_parse_balance; /* round_robin 0 */
config_parse_fn config_parse_verify; /* off 0, on 1 */
config_parse_fn config_parse_verify_client; /* enum tls_verify_client, off and on only */
config_parse_fn config_parse_verify_client_http; /* enum tls_verify_client */
config_parse_fn config_parse_depth; /* 0 to 100 */
config_parse_fn config_parse_word; /* one word, whatever it is */
config_parse_fn config_parse_words; /* one word or more */
config_parse_fn config_parse_file; /* one path */
config_parse_fn config_parse_file_or_none; /* the same, or `none`: an outer one is taken back */
config_parse_fn config_parse_protocols; /* TLS_PROTOCOL_... bits */
config_parse_fn config_parse_keepalive; /* checked only: see config_read_keepalive */
config_parse_fn config_parse_error_log; /* stderr or a file, then a level */
config_parse_fn config_parse_access_log_tcp; /* off, or a file; enum access_log_format */
config_parse_fn config_parse_access_log_http; /* the same */
config_parse_fn config_parse_user; /* USER [GROUP] */
config_parse_fn config_parse_alpn; /* 1 to 8 protocol names of 1 to 32 bytes, as GnuTLS takes */
config_parse_fn config_parse_tls_name; /* a host name or an IP address */
config_parse_fn config_parse_source_address; /* an IP address */
config_parse_fn config_parse_server; /* checked only: see config_read_server */
config_parse_fn config_parse_listen_tcp; /* checked only: see config_read_listen */
config_parse_fn config_parse_listen_http; /* the same */
config_parse_fn config_parse_listen_admin; /* checked only: see config_read_listen_admin */
config_parse_fn config_parse_target; /* a group, or HOST:PORT */
config_parse_fn config_parse_proxy_pass; /* checked only: see config_read_proxy_pass */
config_parse_fn config_parse_server_name; /* exact names, or "" */
config_parse_fn config_parse_return; /* the status */
config_parse_fn config_parse_set_header; /* NAME VALUE, or `none` */
config_parse_fn config_parse_next_upstream; /* NEXT_UPSTREAM_... bits; off 0 */

/* ---- what the parsers share ---- */

/* Puts the sentence into `fault`; always false. */
bool config_parse_fail(char *fault, size_t fault_size, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
bool config_parse_one_word(const struct config_words *words, char *fault, size_t fault_size);
bool config_read_bool(const char *word, bool *value_out); /* on yes true 1, off no false 0 */
bool config_read_time(const char *word, uint64_t *ms_out, char *fault, size_t fault_size);

/* off, on, or IDLE:INTERVAL:COUNT with times (a bare number is seconds there, as in nginx) and a
 * count; parts may be empty. */
bool config_read_keepalive(const char *word, struct config_tcp_keepalive *keepalive_out);

bool config_is_host(struct slice text); /* letters, digits, '-', '.', '_'; 253 at most */
bool config_read_port(struct slice text, uint16_t *port_out); /* 1 to 65535 */
bool config_read_count(const char *word, uint64_t least, uint64_t most, uint32_t *number_out);
/* false; the fault names the nearest of `known`. */
bool config_refuse_parameter(const char *what, const char *word, const char *const *known,
        size_t count, char *fault, size_t fault_size);

/* HOST[:PORT], [IPv6]:PORT; *port_out is 0 without one. Host and text are copied by the caller. */
bool config_read_host_port(struct slice text, struct slice *host_out, uint16_t *port_out);

struct config_server {
	struct slice host;
	uint16_t port; /* 0: none written */
	const char *tls_name;
	uint32_t weight, max_fails, fail_timeout_ms;
	bool backup, down;
};
bool config_read_server(const struct config_words *words, struct config_server *server_out,
        char *fault, size_t fault_size);

struct config_listen {
	struct config_listener listener; /* without what is known of the section only */
	bool default_server;
};
bool config_read_listen(const struct config_words *words, bool http,
        struct config_listen *listen_out, char *fault, size_t fault_size);
/* Fills all but the origin; the unix path as written. */
bool config_read_listen_admin(const struct config_words *words,
        struct config_admin_listener *listener_out, char *fault, size_t fault_size);

struct config_target { /* http://AUTHORITY[/URI] */
	bool https;
	struct slice authority; /* as written: an [upstream], HOST or HOST:PORT */
	struct slice host; /* of it, without port and brackets */
	uint16_t port; /* 0: none written */
	struct slice uri; /* length 0: none */
};
bool config_read_proxy_pass(
        const char *word, struct config_target *target_out, char *fault, size_t fault_size);

/* A status whose text is where to go. */
bool config_is_redirect(unsigned status);

#endif
