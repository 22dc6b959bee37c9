/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load_plan.h - what one run of the load generator is to do, as its command line says.
 */
#ifndef BENCH_LOAD_PLAN_H
#define BENCH_LOAD_PLAN_H

#include "tests/bench/tls.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define PROXY_PIDS_MAX 16

enum work {
	WORK_CONNECTIONS, /* connect, 64 bytes each way, close; again */
	WORK_UP, /* send without end */
	WORK_DOWN, /* receive without end */
	WORK_IDLE, /* connect, 64 bytes each way, then stay */
	WORK_REQUESTS, /* GET, its whole answer; again on the same connection */
	WORK_REQUEST_CONNECTIONS, /* connect, GET, its whole answer, close; again */
};

struct load_plan {
	enum work work;
	struct sockaddr_in address;
	enum tls_version tls;
	const char *path; /* of the requests */
	bool resume;
	unsigned at_once; /* connections in flight; for WORK_IDLE: still being opened */
	uint64_t limit; /* exchanges or bytes after which the run ends; 0: at its time */
	double warmup_s; /* before the measured window opens */
	double measured_s; /* the window; with a limit, the longest wait for it */
	clockid_t proxy_clocks[PROXY_PIDS_MAX]; /* CPU clocks of the proxy's processes */
	unsigned proxy_clock_count;
};

/* Work that is made of exchanges, not of a stream. */
bool work_is_exchanges(enum work work);

/* Work whose connections carry one exchange each. */
bool work_reconnects(enum work work);

/* Work that speaks HTTP. */
bool work_is_http(enum work work);

/* Ends the program with its usage when the command line makes no sense. */
struct load_plan load_plan_parse(int argc, char **argv);

#endif
