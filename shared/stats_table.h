/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stats_table.h - every counter there is: enum, name, help.
 *
 * A worker writes the counters of its own scoreboard row; the master adds up. The close reasons
 * have a counter each behind these, in the order of close_reason.h.
 */
#ifndef SHARED_STATS_TABLE_H
#define SHARED_STATS_TABLE_H

#define STATS_TABLE(X)                                                                           \
	X(STAT_ACCEPTED, "connections_accepted", "client connections accepted")                  \
	X(STAT_ACCEPT_PAUSES, "accept_pauses", "times accepting was paused")                     \
	X(STAT_CLIENT_BYTES_IN, "client_bytes_in", "plain bytes from clients")                   \
	X(STAT_CLIENT_BYTES_OUT, "client_bytes_out", "plain bytes to clients")                   \
	X(STAT_CLIENT_HANDSHAKES_FULL, "client_handshakes_full", "full handshakes with clients") \
	X(STAT_CLIENT_HANDSHAKES_RESUMED, "client_handshakes_resumed",                           \
	        "resumed handshakes with clients")                                               \
	X(STAT_UPSTREAM_ATTEMPTS, "upstream_attempts", "connection attempts to upstreams")       \
	X(STAT_UPSTREAM_FAILURES, "upstream_failures", "failed attempts")                        \
	X(STAT_UPSTREAM_HANDSHAKES_FULL, "upstream_handshakes_full",                             \
	        "full handshakes with upstreams")                                                \
	X(STAT_UPSTREAM_HANDSHAKES_RESUMED, "upstream_handshakes_resumed",                       \
	        "resumed handshakes with upstreams")                                             \
	X(STAT_UPSTREAM_SESSION_RETRIES, "upstream_session_retries",                             \
	        "attempts repeated without a session that the upstream choked on")               \
	X(STAT_UPSTREAM_REUSED, "upstream_reused",                                               \
	        "kept-alive connections to upstreams used again")                                \
	X(STAT_UPSTREAM_STALE, "upstream_stale",                                                 \
	        "of these, those that the upstream had closed; a fresh one took their place")    \
	X(STAT_UPSTREAM_TRUNCATED, "upstream_truncated", "TLS ends without close_notify")

#define STATS_ENUM(name, word, help) name,
enum stat_counter { STATS_TABLE(STATS_ENUM) STAT_COUNT };
#undef STATS_ENUM

#endif
