/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stats_table.h - every counter and every distribution there is: enum, metric, label, help.
 *
 * Neighbours of one metric differ by their label, and have the same help; the status listener shows
 * them as sealane_METRIC_total{LABEL="VALUE"}, and as METRIC_VALUE in JSON. A worker writes the
 * counters of its own scoreboard row. The close reasons have counters besides, in the order of
 * close_reason.h.
 */
#ifndef SHARED_STATS_TABLE_H
#define SHARED_STATS_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define STATS_TABLE(X)                                                                          \
	X(STAT_ACCEPTED, "connections_accepted", "", "", "Client connections accepted.")        \
	X(STAT_ACCEPT_PAUSES, "accept_pauses", "", "",                                          \
	        "Times a worker stopped accepting because it had reached a limit.")             \
	X(STAT_CLIENT_BYTES_IN, "client_bytes", "direction", "in",                              \
	        "Bytes exchanged with clients, before encryption.")                             \
	X(STAT_CLIENT_BYTES_OUT, "client_bytes", "direction", "out",                            \
	        "Bytes exchanged with clients, before encryption.")                             \
	X(STAT_CLIENT_HANDSHAKES_FULL, "client_handshakes", "kind", "full",                     \
	        "TLS handshakes with clients that succeeded.")                                  \
	X(STAT_CLIENT_HANDSHAKES_RESUMED, "client_handshakes", "kind", "resumed",               \
	        "TLS handshakes with clients that succeeded.")                                  \
	X(STAT_HTTP_REQUESTS, "http_requests", "", "", "HTTP requests whose head was read.")    \
	X(STAT_HTTP_1XX, "http_responses", "class", "1xx",                                      \
	        "HTTP responses sent to clients, by class of their status.")                    \
	X(STAT_HTTP_2XX, "http_responses", "class", "2xx",                                      \
	        "HTTP responses sent to clients, by class of their status.")                    \
	X(STAT_HTTP_3XX, "http_responses", "class", "3xx",                                      \
	        "HTTP responses sent to clients, by class of their status.")                    \
	X(STAT_HTTP_4XX, "http_responses", "class", "4xx",                                      \
	        "HTTP responses sent to clients, by class of their status.")                    \
	X(STAT_HTTP_5XX, "http_responses", "class", "5xx",                                      \
	        "HTTP responses sent to clients, by class of their status.")                    \
	X(STAT_HTTP_STALE_RETRIES, "http_stale_retries", "", "",                                \
	        "Requests sent again because the upstream had closed their pooled connection.") \
	X(STAT_UPSTREAM_ATTEMPTS, "upstream_attempts", "", "",                                  \
	        "Connection attempts to upstreams.")                                            \
	X(STAT_UPSTREAM_FAILURES, "upstream_failures", "", "",                                  \
	        "Failed attempts that count against an upstream server.")                       \
	X(STAT_UPSTREAM_REQUESTS, "upstream_requests", "", "",                                  \
	        "HTTP requests and TCP connections that upstreams were given.")                 \
	X(STAT_UPSTREAM_REUSED, "upstream_reused", "", "",                                      \
	        "Times a pooled connection to an upstream was used again.")                     \
	X(STAT_UPSTREAM_BYTES_IN, "upstream_bytes", "direction", "in",                          \
	        "Bytes exchanged with upstreams, before encryption.")                           \
	X(STAT_UPSTREAM_BYTES_OUT, "upstream_bytes", "direction", "out",                        \
	        "Bytes exchanged with upstreams, before encryption.")                           \
	X(STAT_UPSTREAM_HANDSHAKES_FULL, "upstream_handshakes", "kind", "full",                 \
	        "TLS handshakes with upstreams that succeeded.")                                \
	X(STAT_UPSTREAM_HANDSHAKES_RESUMED, "upstream_handshakes", "kind", "resumed",           \
	        "TLS handshakes with upstreams that succeeded.")                                \
	X(STAT_UPSTREAM_SESSION_RETRIES, "upstream_session_retries", "", "",                    \
	        "Attempts repeated without a session that the upstream choked on.")             \
	X(STAT_UPSTREAM_TRUNCATED, "upstream_truncated", "", "",                                \
	        "Upstream TLS connections that ended without close_notify.")

/* What the master counts. */
#define MASTER_STATS_TABLE(X)                                                                   \
	X(MASTER_STAT_RELOADS_DONE, "reloads", "outcome", "done", "Reloads, by their outcome.") \
	X(MASTER_STAT_RELOADS_REFUSED, "reloads", "outcome", "refused",                         \
	        "Reloads, by their outcome.")                                                   \
	X(MASTER_STAT_WORKERS_LOST, "workers_lost", "", "",                                     \
	        "Workers that died without having been told to.")

/* What all workers count of each server of an upstream group: see upstream_state_count. */
#define UPSTREAM_STATS_TABLE(X)                                                     \
	X(UPSTREAM_STAT_ATTEMPTS, "server_attempts", "", "",                        \
	        "Connection attempts to this server.")                              \
	X(UPSTREAM_STAT_FAILURES, "server_failures", "", "",                        \
	        "Failed attempts that count against this server.")                  \
	X(UPSTREAM_STAT_REQUESTS, "server_requests", "", "",                        \
	        "HTTP requests and TCP connections that this server was given.")    \
	X(UPSTREAM_STAT_REUSED, "server_reused", "", "",                            \
	        "Times a pooled connection to this server was used again.")         \
	X(UPSTREAM_STAT_BYTES_IN, "server_bytes", "direction", "in",                \
	        "Bytes exchanged with this server, before encryption.")             \
	X(UPSTREAM_STAT_BYTES_OUT, "server_bytes", "direction", "out",              \
	        "Bytes exchanged with this server, before encryption.")             \
	X(UPSTREAM_STAT_HANDSHAKES_FULL, "server_handshakes", "kind", "full",       \
	        "TLS handshakes with this server that succeeded.")                  \
	X(UPSTREAM_STAT_HANDSHAKES_RESUMED, "server_handshakes", "kind", "resumed", \
	        "TLS handshakes with this server that succeeded.")

/* How long things took, counted by bucket. */
#define HISTOGRAM_TABLE(X)                                                             \
	X(HISTOGRAM_REQUEST_SECONDS, "http_request_duration_seconds",                  \
	        "From the first byte of an HTTP request to the last of its response.") \
	X(HISTOGRAM_UPSTREAM_HANDSHAKE_SECONDS, "upstream_handshake_duration_seconds", \
	        "From the start of a connection to an upstream to the end of its TLS " \
	        "handshake.")

/* The buckets' upper bounds, in microseconds and in seconds; one more is for all that is longer. */
#define HISTOGRAM_BOUNDS(X) \
	X(500, "0.0005")    \
	X(1000, "0.001")    \
	X(2500, "0.0025")   \
	X(5000, "0.005")    \
	X(10000, "0.01")    \
	X(25000, "0.025")   \
	X(50000, "0.05")    \
	X(100000, "0.1")    \
	X(250000, "0.25")   \
	X(500000, "0.5")    \
	X(1000000, "1")     \
	X(2500000, "2.5")   \
	X(5000000, "5")     \
	X(10000000, "10")   \
	X(30000000, "30")   \
	X(60000000, "60")

#define STATS_ENUM(name, metric, label, value, help) name,
enum stat_counter { STATS_TABLE(STATS_ENUM) STAT_COUNT };
enum master_stat { MASTER_STATS_TABLE(STATS_ENUM) MASTER_STAT_COUNT };
enum upstream_stat { UPSTREAM_STATS_TABLE(STATS_ENUM) UPSTREAM_STAT_COUNT };
#undef STATS_ENUM

#define HISTOGRAM_ENUM(name, metric, help) name,
enum histogram { HISTOGRAM_TABLE(HISTOGRAM_ENUM) HISTOGRAM_COUNT };
#undef HISTOGRAM_ENUM

#define HISTOGRAM_ONE(us, seconds) +1
enum { HISTOGRAM_BOUND_COUNT = 0 HISTOGRAM_BOUNDS(HISTOGRAM_ONE) };
#undef HISTOGRAM_ONE
enum { HISTOGRAM_BUCKET_COUNT = HISTOGRAM_BOUND_COUNT + 1 };

/* The class of a status: 100 to 199 is STAT_HTTP_1XX, and so on; anything above 599 counts as an
 * error of ours. */
static inline enum stat_counter stat_of_http_status(unsigned status)
{
	if (status < 200)
		return STAT_HTTP_1XX;
	return status < 500 ? (enum stat_counter)(STAT_HTTP_1XX + status / 100 - 1) : STAT_HTTP_5XX;
}

#endif
