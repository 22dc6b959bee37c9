/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * process_title.c - writes the title where the kernel reads the command line.
 *
 * /proc/PID/cmdline shows the memory that held the arguments, and goes on into that of the
 * environment behind it when the last byte of the arguments is not zero. So the environment is
 * copied away and both areas become the title's. Where they are is a fact of the process, hence
 * state of the file; a forked worker inherits it.
 */
#include "shared/process_title.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static struct {
	char *text; /* NULL: not known */
	size_t size;
	char **arguments; /* the copies, which live as long as the process */
} area;

/* Strings that lie one behind the other from `end` on are part of the same area. */
static char *end_of_strings(char **strings, char *end)
{
	for (size_t i = 0; strings[i] && strings[i] == end; i++)
		end = strings[i] + strlen(strings[i]) + 1;
	return end;
}

/* NULL when memory is out: what was copied by then is lost, once in a process's life. */
static char **copy_strings(char **strings)
{
	size_t count = 0;

	while (strings[count])
		count++;
	char **copy = calloc(count + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < count; i++) {
		copy[i] = strdup(strings[i]);
		if (!copy[i])
			return NULL;
	}
	return copy;
}

char **process_title_init(int argc, char **argv)
{
	if (argc < 1)
		return argv;
	char *end = end_of_strings(environ, end_of_strings(argv, argv[0]));
	char **environment = copy_strings(environ), **arguments = copy_strings(argv);
	if (!environment || !arguments)
		return argv;
	environ = environment;
	area.text = argv[0];
	area.size = (size_t)(end - argv[0]);
	area.arguments = arguments;
	return arguments;
}

void process_title_set(const char *format, ...)
{
	char title[256] = "sealane: ";
	size_t prefix = strlen(title);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(title + prefix, sizeof(title) - prefix, format, arguments);
	va_end(arguments);
	if (!area.text || area.size == 0)
		return;
	size_t length = strlen(title) < area.size ? strlen(title) : area.size - 1;
	memcpy(area.text, title, length);
	memset(area.text + length, 0, area.size - length);
	prctl(PR_SET_NAME, "sealane");
}
