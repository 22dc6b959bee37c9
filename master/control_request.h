/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control_request.h - what `sealane -s` and the master say to each other over the control socket.
 *
 * A SOCK_SEQPACKET connection: one request, then answers, each a packet of a kind and a text. The
 * master and the client may be of different versions, so it is text, and unknown kinds are skipped.
 */
#ifndef MASTER_CONTROL_REQUEST_H
#define MASTER_CONTROL_REQUEST_H

#include "shared/slice.h"

#include <stdbool.h>

enum control_request { REQUEST_RELOAD, REQUEST_QUIT, REQUEST_STOP, REQUEST_REOPEN };
enum { CONTROL_REQUEST_COUNT = REQUEST_REOPEN + 1, CONTROL_TEXT_MAX = 4096 };

struct control_order {
	enum control_request request;
	bool warnings_are_errors; /* -W */
};

/* "reload", "reload -W", ...; false when it is no such thing. */
bool control_order_parse(struct slice text, struct control_order *order_out);
const char *control_request_name(enum control_request request);

/* First byte of an answer. */
enum control_answer {
	ANSWER_PROGRESS = 'p', /* what is being waited for; shown only when the time is over */
	ANSWER_MESSAGE = 'm', /* a line to print */
	ANSWER_DONE = 'd', /* the exit status in digits: the last one */
};

#endif
