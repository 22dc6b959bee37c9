/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_replay_main.c - runs a fuzz driver once on each file named on the command line, and once on
 * nothing.
 *
 * Stands in for libFuzzer, so that what was ever found stays tested where there is no clang.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 20 };

static int replay(const char *path, uint8_t *buffer)
{
	FILE *file = fopen(path, "rb");

	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	size_t size = fread(buffer, 1, INPUT_MAX, file);
	fclose(file);

	/* an exact copy, so that a sanitizer sees a read past the end */
	uint8_t *exact = malloc(size ? size : 1);
	if (!exact)
		return 1;
	memcpy(exact, buffer, size);
	fprintf(stderr, "%s: %zu bytes\n", path, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return 0;
}

int main(int argc, char **argv)
{
	uint8_t *buffer = calloc(1, INPUT_MAX);
	int failures = 0;

	if (!buffer)
		return 1;
	LLVMFuzzerTestOneInput(buffer, 0);
	for (int i = 1; i < argc; i++)
		failures += replay(argv[i], buffer);
	free(buffer);
	return failures != 0;
}
