/* SPDX-License-Identifier: BSD-2-Clause */
/* http_date.h - the date of an answer of our own: IMF-fixdate (RFC 9110 5.6.7). */
#ifndef WORKER_HTTP_HTTP_DATE_H
#define WORKER_HTTP_HTTP_DATE_H

#include <time.h>

enum { HTTP_DATE_LENGTH = 29 };

/* "Sun, 06 Nov 1994 08:49:37 GMT", not terminated. `time` is not before 1970. */
void http_date_format(time_t time, char out[HTTP_DATE_LENGTH]);

#endif
