/* SPDX-License-Identifier: BSD-2-Clause */
/* config_schema.c - the table of keys, and names near to a wrong one. */
#include "master/config_schema.h"

#include "master/config_parse.h"
#include "shared/check.h"

#include <string.h>

/* In the order of CONFIG_KEYS. */
static const struct config_schema_row rows[CONFIG_KEY_COUNT] = {
        [CONFIG_WORKERS_KEY] = {"workers", IN_MAIN, config_parse_auto_count, "auto", false,
                "N | auto", "Worker processes. auto: one for each CPU in the affinity mask."},
        [CONFIG_WORKER_CPU_AFFINITY_KEY] = {"worker_cpu_affinity", IN_MAIN, config_parse_affinity,
                "off", false, "off | auto", "auto pins worker i to the i-th allowed CPU."},
        [CONFIG_WORKER_CONNECTIONS_KEY] = {"worker_connections", IN_MAIN, config_parse_positive,
                "16384", false, "N",
                "Connections, client and upstream together, of one worker. At the limit it "
                "stops accepting and says so, and another worker accepts from its sockets."},
        [CONFIG_WORKER_BUFFERS_KEY] = {"worker_buffers", IN_MAIN, config_parse_size, "256m", false,
                "SIZE",
                "Lent I/O buffers of one worker. Near the limit accepting pauses; at the "
                "limit connections stop reading until some come back."},
        [CONFIG_WORKER_HANG_TIMEOUT_KEY] = {"worker_hang_timeout", IN_MAIN, config_parse_time,
                "10s", false, "TIME",
                "A worker whose loop has not turned for so long is logged and its sockets are "
                "served by others; after as long again it is killed and replaced. 0: off."},
        [CONFIG_WORKER_RLIMIT_NOFILE_KEY] = {"worker_rlimit_nofile", IN_MAIN,
                config_parse_auto_number, "auto", false, "N | auto",
                "Descriptors of a worker. auto raises the soft limit as far as the workers "
                "need and the hard limit allows."},
        [CONFIG_WORKER_SHUTDOWN_TIMEOUT_KEY] = {"worker_shutdown_timeout", IN_MAIN,
                config_parse_time, "60s", false, "TIME",
                "How long HTTP exchanges of a draining worker may go on. TCP connections have "
                "shutdown_timeout instead."},
        [CONFIG_MAX_GENERATIONS_KEY] = {"max_generations", IN_MAIN, config_parse_positive, "8",
                false, "N",
                "Draining generations kept. When one more starts, the oldest is closed, with "
                "a line that counts its connections by listener."},
        [CONFIG_USER_KEY] = {"user", IN_MAIN, config_parse_user, "sealane", false, "USER [GROUP]",
                "Whom the workers become when started as root."},
        [CONFIG_PID_FILE_KEY] = {"pid_file", IN_MAIN, config_parse_file, NULL, false, "FILE",
                "Locked while Sealane runs. Beside it stands the control socket. Default: "
                "/run/sealane/sealane.pid as root, else none."},
        [CONFIG_DAEMON_KEY] = {"daemon", IN_MAIN, config_parse_bool, "off", false, "on | off",
                "Go into the background once everything is ready."},
        [CONFIG_CORE_DUMPS_KEY] = {"core_dumps", IN_MAIN, config_parse_bool, "off", false,
                "on | off",
                "A worker that hits a bug may leave a core. Session memory is excluded from "
                "it."},
        [CONFIG_RESOLVE_AT_START_KEY] = {"resolve_at_start", IN_MAIN, config_parse_resolve,
                "lenient", false, "lenient | required",
                "required: a server name that does not resolve refuses the start or reload. "
                "lenient: it is down and looked up again every 10 s."},
        [CONFIG_ERROR_LOG_KEY] = {"error_log", IN_MAIN, config_parse_error_log, "stderr notice",
                true, "FILE | stderr [LEVEL]",
                "Where the error log goes, each with its level: debug, info, notice, warn, "
                "error or crit."},
        [CONFIG_INCLUDE_KEY] = {"include", IN_MAIN, config_parse_word, NULL, true, "PATTERN",
                "Files to read, in byte order of their names. Only the main file includes."},
        [CONFIG_TLS_SESSION_CACHE_SIZE_KEY] = {"tls_session_cache_size", IN_MAIN,
                config_parse_cache_size, "16m", false, "SIZE",
                "The shared memory with the TLS sessions of all workers. The server side has "
                "a quarter of it."},
        [CONFIG_LISTEN_KEY] = {"listen", IN_TCP, config_parse_listen, NULL, true,
                "[ADDRESS:]PORT [OPTIONS]",
                "Where clients come in. Options: ssl, backlog=N, ipv6only=on|off, deferred, "
                "so_keepalive=on|off|IDLE:INTERVAL:COUNT, freebind. PORT and *:PORT are any "
                "IPv4 address, [::]:PORT any IPv6 one."},
        [CONFIG_PROXY_PASS_KEY] = {"proxy_pass", IN_TCP, config_parse_target, NULL, false,
                "GROUP | HOST:PORT", "Where connections go: an [upstream] or one server."},
        [CONFIG_PROXY_CONNECT_TIMEOUT_KEY] = {"proxy_connect_timeout", IN_TCP_BOTH,
                config_parse_time, "5s", false, "TIME",
                "TCP connect and TLS handshake together, per attempt."},
        [CONFIG_PROXY_TIMEOUT_KEY] = {"proxy_timeout", IN_TCP_BOTH, config_parse_time, "10m", false,
                "TIME", "Between two operations in either direction."},
        [CONFIG_PROXY_BUFFER_SIZE_KEY] = {"proxy_buffer_size", IN_TCP_BOTH,
                config_parse_buffer_size, "256k", false, "SIZE",
                "The largest lent buffer. A connection holds at most one per direction and "
                "side; one of less than 36k is taken as 36k."},
        [CONFIG_PROXY_SOCKET_KEEPALIVE_KEY] = {"proxy_socket_keepalive", IN_TCP_BOTH,
                config_parse_keepalive, "60s:10s:6", false, "off | on | IDLE:INTERVAL:COUNT",
                "TCP keepalive towards the upstream."},
        [CONFIG_PROXY_NEXT_UPSTREAM_KEY] = {"proxy_next_upstream", IN_TCP_BOTH, config_parse_bool,
                "on", false, "on | off", "Try another server of the group when an attempt fails."},
        [CONFIG_PROXY_NEXT_UPSTREAM_TRIES_KEY] = {"proxy_next_upstream_tries", IN_TCP_BOTH,
                config_parse_count, "0", false, "N", "Most attempts for one client. 0: no limit."},
        [CONFIG_PROXY_NEXT_UPSTREAM_TIMEOUT_KEY] = {"proxy_next_upstream_timeout", IN_TCP_BOTH,
                config_parse_time, "0", false, "TIME",
                "No further attempt after so long. 0: no limit."},
        [CONFIG_PROXY_HALF_CLOSE_KEY] = {"proxy_half_close", IN_TCP_BOTH, config_parse_bool, "on",
                false, "on | off",
                "An end in one direction is passed on and the other direction goes on. off: "
                "it ends both."},
        [CONFIG_PROXY_SSL_TRUNCATION_KEY] = {"proxy_ssl_truncation", IN_TCP_BOTH,
                config_parse_truncation, "reset", false, "reset | close",
                "What the other side sees when a TLS side ends without close_notify."},
        [CONFIG_SHUTDOWN_TIMEOUT_KEY] = {"shutdown_timeout", IN_TCP_BOTH, config_parse_time, "0",
                false, "TIME",
                "How long a connection may outlive the reload that replaced its worker. 0: "
                "until it ends."},
        [CONFIG_ACCESS_LOG_KEY] = {"access_log", IN_TCP_BOTH, config_parse_access_log, "off", true,
                "off | FILE [upstream_tls]", "One line for each connection when it has ended."},
        [CONFIG_SSL_CERTIFICATE_KEY] = {"ssl_certificate", IN_TCP_BOTH, config_parse_file, NULL,
                true, "FILE",
                "PEM certificate chain, leaf first, for listeners with ssl. Several stand in "
                "pairs with their ssl_certificate_key (ECDSA and RSA)."},
        [CONFIG_SSL_CERTIFICATE_KEY_KEY] = {"ssl_certificate_key", IN_TCP_BOTH, config_parse_file,
                NULL, true, "FILE", "PEM private key of the certificate."},
        [CONFIG_SSL_PASSWORD_FILE_KEY] = {"ssl_password_file", IN_TCP_BOTH, config_parse_file, NULL,
                false, "FILE", "Pass phrases of the keys, one a line, tried in order."},
        [CONFIG_SSL_PROTOCOLS_KEY] = {"ssl_protocols", IN_TCP_BOTH, config_parse_protocols,
                "TLSv1.2 TLSv1.3", false, "PROTOCOL ...", "Of TLSv1 TLSv1.1 TLSv1.2 TLSv1.3."},
        [CONFIG_SSL_CIPHERS_KEY] = {"ssl_ciphers", IN_TCP_BOTH, config_parse_word,
                "DEFAULT:!SHA1:!SHA256:!SHA384:!kRSA", false, "STRING",
                "An OpenSSL cipher string for TLS 1.2 and older."},
        [CONFIG_SSL_PRIORITY_KEY] = {"ssl_priority", IN_TCP_BOTH, config_parse_word, NULL, false,
                "STRING", "A GnuTLS priority string in place of protocols and ciphers."},
        [CONFIG_SSL_CLIENT_CERTIFICATE_KEY] = {"ssl_client_certificate", IN_TCP_BOTH,
                config_parse_file_or_none, NULL, false, "FILE | none",
                "PEM of the CAs of client certificates, whose names are sent to clients."},
        [CONFIG_SSL_TRUSTED_CERTIFICATE_KEY] = {"ssl_trusted_certificate", IN_TCP_BOTH,
                config_parse_file, NULL, false, "FILE", "The same, names not sent."},
        [CONFIG_SSL_VERIFY_CLIENT_KEY] = {"ssl_verify_client", IN_TCP_BOTH,
                config_parse_verify_client, "off", false, "off | on",
                "on: a client without a good certificate is refused in the handshake."},
        [CONFIG_SSL_VERIFY_DEPTH_KEY] = {"ssl_verify_depth", IN_TCP_BOTH, config_parse_depth, "4",
                false, "N",
                "How many intermediates may stand between a client's certificate and its "
                "trust anchor."},
        [CONFIG_SSL_SESSION_TICKETS_KEY] = {"ssl_session_tickets", IN_TCP_BOTH, config_parse_bool,
                "on", false, "on | off",
                "Session tickets, whose keys all workers share and which outlive reloads."},
        [CONFIG_SSL_SESSION_TIMEOUT_KEY] = {"ssl_session_timeout", IN_TCP_BOTH, config_parse_time,
                "5m", false, "TIME", "How long a client may resume a session."},
        [CONFIG_SSL_HANDSHAKE_TIMEOUT_KEY] = {"ssl_handshake_timeout", IN_TCP_BOTH,
                config_parse_time, "15s", false, "TIME",
                "The client's whole handshake, from accept."},
        [CONFIG_SSL_ALPN_KEY] = {"ssl_alpn", IN_TCP_BOTH, config_parse_alpn, NULL, false,
                "NAME ...", "Protocols to agree on. A client that offers others only is refused."},
        [CONFIG_SERVER_KEY] = {"server", IN_UPSTREAM, config_parse_server, NULL, true,
                "HOST:PORT [PARAMETERS]",
                "A server: weight=1 max_fails=1 fail_timeout=10s name=NAME backup down. A "
                "name with several addresses is as many servers."},
        [CONFIG_BALANCE_KEY] = {"balance", IN_UPSTREAM, config_parse_balance, "round_robin", false,
                "round_robin", "Smooth weighted round robin; its state is shared by all workers."},
        [CONFIG_PROXY_BIND_KEY] = {"proxy_bind", IN_UPSTREAM, config_parse_source_address, NULL,
                true, "ADDRESS", "Source addresses for connections to the group, used in turn."},
        [CONFIG_PROXY_TLS_KEY] = {"proxy_tls", IN_TCP_BOTH | IN_UPSTREAM, config_parse_word, NULL,
                false, "NAME", "Stands for all keys of [tls NAME]; a key written beside it wins."},
        [CONFIG_PROXY_SSL_KEY] = {"proxy_ssl", IN_TCP_BOTH, config_parse_bool, "off", false,
                "on | off", "TLS towards the upstream."},
        [CONFIG_PROXY_SSL_CERTIFICATE_KEY] = {"proxy_ssl_certificate", IN_PROXY_TLS,
                config_parse_file_or_none, NULL, false, "FILE | none",
                "PEM chain of the client certificate that is shown to the upstream."},
        [CONFIG_PROXY_SSL_CERTIFICATE_KEY_KEY] = {"proxy_ssl_certificate_key", IN_PROXY_TLS,
                config_parse_file, NULL, false, "FILE", "Its PEM private key."},
        [CONFIG_PROXY_SSL_PASSWORD_FILE_KEY] = {"proxy_ssl_password_file", IN_PROXY_TLS,
                config_parse_file, NULL, false, "FILE",
                "Pass phrases of the key, one a line, tried in order."},
        [CONFIG_PROXY_SSL_TRUSTED_CERTIFICATE_KEY] = {"proxy_ssl_trusted_certificate", IN_PROXY_TLS,
                config_parse_words, "system", false, "FILE | system | system FILE",
                "PEM of the CAs that upstream certificates are verified with; system: the "
                "trust of the operating system."},
        [CONFIG_PROXY_SSL_VERIFY_KEY] = {"proxy_ssl_verify", IN_PROXY_TLS, config_parse_verify,
                "on", false, "on | off",
                "Verify the upstream's certificate, inside the handshake."},
        [CONFIG_PROXY_SSL_VERIFY_DEPTH_KEY] = {"proxy_ssl_verify_depth", IN_PROXY_TLS,
                config_parse_depth, "4", false, "N",
                "How many intermediates may stand between the upstream's certificate and its "
                "trust anchor, on the path that was built."},
        [CONFIG_PROXY_SSL_NAME_KEY] = {"proxy_ssl_name", IN_PROXY_TLS, config_parse_tls_name, NULL,
                false, "NAME",
                "The name that is verified and sent as SNI. Default: the host of the server "
                "line, or its name=."},
        [CONFIG_PROXY_SSL_SERVER_NAME_KEY] = {"proxy_ssl_server_name", IN_PROXY_TLS,
                config_parse_bool, "on", false, "on | off", "Send SNI."},
        [CONFIG_PROXY_SSL_PROTOCOLS_KEY] = {"proxy_ssl_protocols", IN_PROXY_TLS,
                config_parse_protocols, "TLSv1.2 TLSv1.3", false, "PROTOCOL ...",
                "Of TLSv1 TLSv1.1 TLSv1.2 TLSv1.3."},
        [CONFIG_PROXY_SSL_CIPHERS_KEY] = {"proxy_ssl_ciphers", IN_PROXY_TLS, config_parse_word,
                "DEFAULT:!SHA1:!SHA256:!SHA384:!kRSA", false, "STRING",
                "An OpenSSL cipher string for TLS 1.2 and older."},
        [CONFIG_PROXY_SSL_PRIORITY_KEY] = {"proxy_ssl_priority", IN_PROXY_TLS, config_parse_word,
                NULL, false, "STRING",
                "A GnuTLS priority string in place of protocols and ciphers."},
        [CONFIG_PROXY_SSL_ALPN_KEY] = {"proxy_ssl_alpn", IN_PROXY_TLS, config_parse_alpn, NULL,
                false, "NAME ...", "Protocols to offer."},
        [CONFIG_PROXY_SSL_SESSION_REUSE_KEY] = {"proxy_ssl_session_reuse", IN_PROXY_TLS,
                config_parse_bool, "on", false, "on | off",
                "Resume the sessions that any worker has had under the same settings."},
};

static const struct {
	const char *name;
	bool has_name;
} kinds[CONFIG_KIND_COUNT] = {
        [CONFIG_MAIN] = {"main", false},
        [CONFIG_TCP_DEFAULTS] = {"tcp", false},
        [CONFIG_TCP] = {"tcp", true},
        [CONFIG_UPSTREAM] = {"upstream", true},
        [CONFIG_TLS] = {"tls", true},
};

const struct config_schema_row *config_schema_row(enum config_key key)
{
	CHECK(key < CONFIG_KEY_COUNT);
	return &rows[key];
}

bool config_schema_find(const char *name, enum config_key *key_out)
{
	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
		if (strcmp(rows[i].key, name) == 0) {
			*key_out = (enum config_key)i;
			return true;
		}
	}
	return false;
}

const char *config_kind_name(enum config_kind kind)
{
	return kinds[kind].name;
}

bool config_kind_has_name(enum config_kind kind)
{
	return kinds[kind].has_name;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

enum { WORD_MAX = 48 };

/* Insertions, deletions, replacements and swaps of neighbours that make one word of the other. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t rows_of[3][WORD_MAX + 1];
	size_t *before = rows_of[0], *previous = rows_of[1], *present = rows_of[2];
	size_t a_length = strlen(a), b_length = strlen(b);

	if (a_length > WORD_MAX || b_length > WORD_MAX)
		return WORD_MAX;
	memset(rows_of, 0, sizeof(rows_of));
	for (size_t j = 0; j <= b_length; j++)
		previous[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		present[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t replace = previous[j - 1] + (a[i - 1] != b[j - 1]);
			present[j] = least(replace, least(previous[j], present[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				present[j] = least(present[j], before[j - 2] + 1);
		}
		size_t *oldest = before;
		before = previous;
		previous = present;
		present = oldest;
	}
	return previous[b_length];
}

/* A name is near when little of it is wrong: of a short one a single letter. */
static bool is_nearer(const char *word, const char *candidate, size_t *best)
{
	size_t distance = edit_distance(word, candidate);

	if (distance > 1 + strlen(word) / 6 || distance >= *best)
		return false;
	*best = distance;
	return true;
}

const char *config_schema_suggest(const char *name, enum config_kind kind)
{
	const char *nearest = NULL;
	size_t best = WORD_MAX;

	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++)
		if (rows[i].where & 1U << kind && is_nearer(name, rows[i].key, &best))
			nearest = rows[i].key;
	return nearest;
}

const char *config_suggest(const char *word, const char *const *words, size_t count)
{
	const char *nearest = NULL;
	size_t best = WORD_MAX;

	for (size_t i = 0; i < count; i++)
		if (is_nearer(word, words[i], &best))
			nearest = words[i];
	return nearest;
}
