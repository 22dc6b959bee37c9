/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * close_reason.h - every way a connection can end, in one table.
 *
 * A row yields the enum, the word in the access log (end=...), the counter's name and whether it
 * counts as an error. session_close(session, reason) takes one of these and nothing else.
 */
#ifndef SHARED_CLOSE_REASON_H
#define SHARED_CLOSE_REASON_H

#include <stdbool.h>

/*      enum                       word                       error  text */
#define CLOSE_REASON_TABLE(X)                                                                      \
	X(CLOSE_DONE, "done", false, "both sides ended cleanly")                                   \
	X(CLOSE_CLIENT_RESET, "client_reset", false, "the client reset the connection")            \
	X(CLOSE_CLIENT_TRUNCATED, "client_truncated", true,                                        \
	        "the client ended TLS without close_notify")                                       \
	X(CLOSE_CLIENT_HANDSHAKE, "client_handshake", true, "the client's TLS handshake failed")   \
	X(CLOSE_CLIENT_HANDSHAKE_TIMEOUT, "client_handshake_timeout", true,                        \
	        "the client's TLS handshake took too long")                                        \
	X(CLOSE_CLIENT_CERTIFICATE, "client_certificate", true,                                    \
	        "the client's certificate was missing or refused")                                 \
	X(CLOSE_CLIENT_CLEAR_TEXT, "client_clear_text", true,                                      \
	        "the client spoke clear text to TLS")                                              \
	X(CLOSE_CLIENT_PROTOCOL, "client_protocol", true, "the client broke the TLS protocol")     \
	X(CLOSE_CLIENT_ABORTED, "client_aborted", false,                                           \
	        "the client ended in the middle of its request")                                   \
	X(CLOSE_CLIENT_BAD_REQUEST, "client_bad_request", true, "the request was refused")         \
	X(CLOSE_CLIENT_TIMEOUT, "client_timeout", true,                                            \
	        "the client was too slow in sending or reading")                                   \
	X(CLOSE_UPSTREAM_CONNECT, "upstream_connect", true, "the upstream refused the connection") \
	X(CLOSE_UPSTREAM_CONNECT_TIMEOUT, "upstream_connect_timeout", true,                        \
	        "connecting to the upstream took too long")                                        \
	X(CLOSE_UPSTREAM_HANDSHAKE, "upstream_handshake", true,                                    \
	        "the TLS handshake with the upstream failed")                                      \
	X(CLOSE_UPSTREAM_HANDSHAKE_TIMEOUT, "upstream_handshake_timeout", true,                    \
	        "the TLS handshake with the upstream took too long")                               \
	X(CLOSE_UPSTREAM_VERIFY, "upstream_verify", true,                                          \
	        "the upstream's certificate was refused")                                          \
	X(CLOSE_UPSTREAM_REFUSED_US, "upstream_refused_us", true,                                  \
	        "the upstream refused our certificate or its absence")                             \
	X(CLOSE_UPSTREAM_CLEAR_TEXT, "upstream_clear_text", true,                                  \
	        "the upstream answered in clear text")                                             \
	X(CLOSE_UPSTREAM_SUITE, "upstream_suite", true,                                            \
	        "the upstream chose a suite that is not allowed")                                  \
	X(CLOSE_UPSTREAM_RESET, "upstream_reset", true, "the upstream reset the connection")       \
	X(CLOSE_UPSTREAM_TRUNCATED, "upstream_truncated", true,                                    \
	        "the upstream ended TLS without close_notify")                                     \
	X(CLOSE_UPSTREAM_PROTOCOL, "upstream_protocol", true,                                      \
	        "the upstream broke the TLS protocol")                                             \
	X(CLOSE_UPSTREAM_TIMEOUT, "upstream_timeout", true,                                        \
	        "the upstream was too slow in reading or answering")                               \
	X(CLOSE_UPSTREAM_CLOSED, "upstream_closed", true,                                          \
	        "the upstream closed before its answer was whole")                                 \
	X(CLOSE_UPSTREAM_BAD_RESPONSE, "upstream_bad_response", true,                              \
	        "the upstream's answer was refused")                                               \
	X(CLOSE_NO_UPSTREAM, "no_upstream", true, "no server of the group can be used")            \
	X(CLOSE_BIND, "bind", true, "no proxy_bind address could be used")                         \
	X(CLOSE_IDLE_TIMEOUT, "idle_timeout", true, "no byte moved for proxy_timeout")             \
	X(CLOSE_SHUTDOWN_TIMEOUT, "shutdown_timeout", true, "outlived shutdown_timeout")           \
	X(CLOSE_WORKER_SHUTDOWN_TIMEOUT, "worker_shutdown_timeout", true,                          \
	        "outlived worker_shutdown_timeout")                                                \
	X(CLOSE_GENERATION_LIMIT, "generation_limit", true, "outlived max_generations")            \
	X(CLOSE_FAST_SHUTDOWN, "fast_shutdown", true, "the gateway was stopped")                   \
	X(CLOSE_RESOURCES, "resources", true, "no descriptor, buffer or memory was left")

#define CLOSE_REASON_ENUM(name, word, error, text) name,
enum close_reason { CLOSE_REASON_TABLE(CLOSE_REASON_ENUM) CLOSE_REASON_COUNT };
#undef CLOSE_REASON_ENUM

const char *close_reason_word(enum close_reason reason);
const char *close_reason_text(enum close_reason reason);
bool close_reason_is_error(enum close_reason reason);

#endif
