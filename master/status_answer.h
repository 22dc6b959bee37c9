/* SPDX-License-Identifier: BSD-2-Clause */
/* status_answer.h - what the status listener says: /metrics, /status, /healthz, and refusals. */
#ifndef MASTER_STATUS_ANSWER_H
#define MASTER_STATUS_ANSWER_H

#include <stddef.h>

struct status_request;
struct status_view;

struct status_answer {
	char *bytes; /* the caller's to free */
	size_t length;
};

/* `verdict`: what status_request_parse said of `request`. Lack of memory stops the
 * process. */
struct status_answer status_answer_make(
        const struct status_view *view, unsigned verdict, const struct status_request *request);

#endif
