/* SPDX-License-Identifier: BSD-2-Clause */
/* connection.c - reads, writes and closes a connection of the upstream, plain or over TLS. */
#include "tests/bench/connection.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static ssize_t plain_result(ssize_t result)
{
	if (result > 0)
		return result;
	return result < 0 && errno == EAGAIN ? 0 : -1;
}

ssize_t connection_tls_result(const struct connection *connection, int result)
{
	if (result > 0)
		return result;
	int error = SSL_get_error(connection->ssl, result);
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

ssize_t connection_read(const struct connection *connection, char *bytes, size_t size)
{
	if (connection->ssl)
		return connection_tls_result(
		        connection, SSL_read(connection->ssl, bytes, (int)size));
	return plain_result(recv(connection->watched.fd, bytes, size, 0));
}

ssize_t connection_write(const struct connection *connection, const char *bytes, size_t size)
{
	if (connection->ssl)
		return connection_tls_result(
		        connection, SSL_write(connection->ssl, bytes, (int)size));
	return plain_result(send(connection->watched.fd, bytes, size, MSG_NOSIGNAL));
}

void connection_close(struct connection *connection)
{
	if (connection->ssl) {
		if (connection->ready)
			SSL_shutdown(connection->ssl);
		SSL_free(connection->ssl);
	}
	close(connection->watched.fd);
}
