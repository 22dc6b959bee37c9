/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load_plan.c - the command line of the load generator.
 *
 * bench.py is its only caller, so it is checked just as far as a typing error there would go
 * unnoticed.
 */
#include "tests/bench/load_plan.h"

#include "tests/bench/socket.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static enum work work_parse(const char *word)
{
	static const char *const words[] = {
	        "connections", "up", "down", "idle", "requests", "request-connections"};

	for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(word, words[i]))
			return (enum work)i;
	fail("'%s': write connections, up, down, idle, requests or request-connections", word);
}

bool work_is_exchanges(enum work work)
{
	return work != WORK_UP && work != WORK_DOWN;
}

bool work_reconnects(enum work work)
{
	return work == WORK_CONNECTIONS || work == WORK_REQUEST_CONNECTIONS;
}

bool work_is_http(enum work work)
{
	return work == WORK_REQUESTS || work == WORK_REQUEST_CONNECTIONS;
}

static double number_parse(const char *option, const char *text)
{
	char *end;
	double number = strtod(text, &end);

	if (end == text || *end || number < 0)
		fail("--%s %s: not a number", option, text);
	return number;
}

static void add_proxy_clock(struct load_plan *plan, const char *text)
{
	pid_t pid = (pid_t)number_parse("pid", text);

	if (plan->proxy_clock_count == PROXY_PIDS_MAX)
		fail("more than %d --pid", PROXY_PIDS_MAX);
	if (clock_getcpuclockid(pid, &plan->proxy_clocks[plan->proxy_clock_count++]))
		fail("--pid %s: no such process", text);
}

struct load_plan load_plan_parse(int argc, char **argv)
{
	static const struct option options[] = {
	        {"at-once", required_argument, NULL, 'a'},
	        {"limit", required_argument, NULL, 'l'},
	        {"warmup", required_argument, NULL, 'w'},
	        {"seconds", required_argument, NULL, 's'},
	        {"tls", required_argument, NULL, 't'},
	        {"path", required_argument, NULL, 'u'},
	        {"resume", no_argument, NULL, 'r'},
	        {"pid", required_argument, NULL, 'p'},
	        {NULL, 0, NULL, 0},
	};
	struct load_plan plan = {.at_once = 1, .measured_s = 1, .path = "/"};

	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (option == 'a')
			plan.at_once = (unsigned)number_parse("at-once", optarg);
		else if (option == 'l')
			plan.limit = (uint64_t)number_parse("limit", optarg);
		else if (option == 'w')
			plan.warmup_s = number_parse("warmup", optarg);
		else if (option == 's')
			plan.measured_s = number_parse("seconds", optarg);
		else if (option == 't')
			plan.tls = tls_version_parse(optarg);
		else if (option == 'u')
			plan.path = optarg;
		else if (option == 'r')
			plan.resume = true;
		else if (option == 'p')
			add_proxy_clock(&plan, optarg);
		else
			exit(1);
	}
	if (argc - optind != 2 || !plan.at_once)
		fail("usage: load [--at-once N] [--limit N] [--warmup S] [--seconds S] [--tls "
		     "VERSION]\n"
		     "            [--path PATH] [--resume] [--pid PID]...\n"
		     "            connections|up|down|idle|requests|request-connections "
		     "ADDRESS:PORT");
	plan.work = work_parse(argv[optind]);
	plan.address = address_parse(argv[optind + 1]);
	return plan;
}
