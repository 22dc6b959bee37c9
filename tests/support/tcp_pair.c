/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_pair.c - two ends of a TCP connection over the loopback. */
#include "tests/support/tcp_pair.h"

#include "shared/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

void tcp_pair(int *ours_out, int *theirs_out, int receive_bytes)
{
	struct sockaddr_in address = {
	        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0);
	CHECK(listen(listener, 1) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&address, &size) == 0);
	*theirs_out = socket(AF_INET, SOCK_STREAM, 0);
	if (receive_bytes)
		setsockopt(
		        *theirs_out, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
	/* Who waits in vain fails. */
	setsockopt(*theirs_out, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = 10},
	        sizeof(struct timeval));
	CHECK(connect(*theirs_out, (struct sockaddr *)&address, sizeof(address)) == 0);
	*ours_out = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	CHECK(*ours_out >= 0);
	close(listener);
}
