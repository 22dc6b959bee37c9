/* SPDX-License-Identifier: BSD-2-Clause */
/* config_nginx_words.c - the table. Only what a configuration that is carried over really holds. */
#include "master/config_nginx_words.h"

#include <stddef.h>
#include <string.h>

static const char not_yet[] = "it is not there yet";

static const struct {
	const char *word, *hint;
} rows[] = {
        {"worker_processes", "write 'workers'"},
        {"nbthread", "write 'workers'"},
        {"maxconn", "write 'worker_connections' in [main]"},
        {"pid", "write 'pid_file'"},
        {"pidfile", "write 'pid_file'"},
        {"bind", "write 'listen'"},
        {"ssl", "write it behind the port: 'listen = 443 ssl'"},
        {"zone", "leave it out: workers share the state of every group"},
        {"proxy_http_version", "leave it out: upstreams get HTTP/1.1 and connections are kept"},
        {"proxy_ssl_conf_command", "'proxy_ssl_priority' is what sets more than protocols and "
                                   "ciphers"},
        {"proxy_buffering", "leave it out: answers are passed on as they come"},
        {"proxy_request_buffering", "leave it out: bodies are passed on as they come"},
        {"large_client_header_buffers", "'client_max_header_size' limits the whole head"},
        {"client_header_buffer_size", "'client_max_header_size' limits the whole head"},
        {"ssl_prefer_server_ciphers", "leave it out: the server's order counts"},
        {"tcp_nodelay", "leave it out: it is on"},
        {"reuseport", "leave it out: each worker has its socket"},
        {"least_conn", "'balance = round_robin' is all there is yet"},
        {"ip_hash", "'balance = round_robin' is all there is yet"},
        {"hash", "'balance = round_robin' is all there is yet"},
        {"random", "'balance = round_robin' is all there is yet"},
        {"log_format", "the formats are combined and upstream_tls"},
        {"proxy_redirect", not_yet},
        {"add_header", not_yet},
        {"proxy_hide_header", not_yet},
        {"proxy_ssl_crl", not_yet},
        {"ssl_crl", not_yet},
        {"proxy_protocol", not_yet},
        {"health_check", not_yet},
        {"resolver", "names are looked up by the system's resolver, at start and reload"},
};

const char *config_nginx_hint(const char *word)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].word, word) == 0)
			return rows[i].hint;
	return NULL;
}
