/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * variable_table.h - every $variable there is: enum, name, whether a name follows in its own.
 *
 * The master compiles texts with variables into templates (shared/template.h), the workers evaluate
 * them (worker/http/http_variables). Names are nginx's. A prefix variable ($http_NAME) carries the
 * rest of its name as the part's text, with '_' as '-'.
 */
#ifndef SHARED_VARIABLE_TABLE_H
#define SHARED_VARIABLE_TABLE_H

/*      enum                            name                          is a prefix */
#define VARIABLE_TABLE(X)                                                         \
	X(VARIABLE_HOST, "host", false)                                           \
	X(VARIABLE_PROXY_HOST, "proxy_host", false)                               \
	X(VARIABLE_REMOTE_ADDR, "remote_addr", false)                             \
	X(VARIABLE_REMOTE_PORT, "remote_port", false)                             \
	X(VARIABLE_SCHEME, "scheme", false)                                       \
	X(VARIABLE_REQUEST_URI, "request_uri", false)                             \
	X(VARIABLE_REQUEST_METHOD, "request_method", false)                       \
	X(VARIABLE_URI, "uri", false)                                             \
	X(VARIABLE_ARGS, "args", false)                                           \
	X(VARIABLE_SERVER_NAME, "server_name", false)                             \
	X(VARIABLE_SERVER_PORT, "server_port", false)                             \
	X(VARIABLE_PID, "pid", false)                                             \
	X(VARIABLE_HTTP, "http_", true)                                           \
	X(VARIABLE_PROXY_ADD_X_FORWARDED_FOR, "proxy_add_x_forwarded_for", false) \
	X(VARIABLE_SSL_PROTOCOL, "ssl_protocol", false)                           \
	X(VARIABLE_SSL_CIPHER, "ssl_cipher", false)                               \
	X(VARIABLE_SSL_SESSION_REUSED, "ssl_session_reused", false)               \
	X(VARIABLE_SSL_SERVER_NAME, "ssl_server_name", false)                     \
	X(VARIABLE_SSL_CLIENT_VERIFY, "ssl_client_verify", false)                 \
	X(VARIABLE_SSL_CLIENT_S_DN, "ssl_client_s_dn", false)                     \
	X(VARIABLE_SSL_CLIENT_I_DN, "ssl_client_i_dn", false)                     \
	X(VARIABLE_SSL_CLIENT_SERIAL, "ssl_client_serial", false)                 \
	X(VARIABLE_UPSTREAM_ADDR, "upstream_addr", false)                         \
	X(VARIABLE_UPSTREAM_STATUS, "upstream_status", false)                     \
	X(VARIABLE_STATUS, "status", false)

#define VARIABLE_ENUM(name, word, prefix) name,
enum variable { VARIABLE_NONE, VARIABLE_TABLE(VARIABLE_ENUM) VARIABLE_COUNT };
#undef VARIABLE_ENUM

#endif
