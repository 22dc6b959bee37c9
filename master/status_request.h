/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status_request.h - the little of HTTP that the status listener reads.
 *
 * One request on a connection, its head only, strictly: what a gateway could read differently is
 * refused here too, but nothing depends on it, since nothing is passed on.
 */
#ifndef MASTER_STATUS_REQUEST_H
#define MASTER_STATUS_REQUEST_H

#include "shared/slice.h"

#include <stdbool.h>

enum { STATUS_HEAD_MAX = 8192 };

struct status_request {
	struct slice path; /* without the query; within the bytes that were parsed */
	bool without_body; /* HEAD */
};

/* Of all bytes that came so far. 0: more are needed; 200: *request_out is filled in; else the
 * status to refuse with: 400, 405, 431, 505. */
unsigned status_request_parse(struct slice bytes, struct status_request *request_out);

#endif
