/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.h - a bug stops the process, with file and line.
 *
 * CHECK states what must hold; it is never compiled out and never used for bad input, which is a
 * return value. CHECK_OBJ looks at the magic number that every object passed through a void pointer
 * carries: a wrong or freed pointer dies at once. The master replaces a worker that stops so.
 */
#ifndef SHARED_CHECK_H
#define SHARED_CHECK_H

/* Says what failed through the log and calls abort(). */
_Noreturn void check_failed(const char *file, int line, const char *claim);

#define CHECK(claim)                                              \
	do {                                                      \
		if (__builtin_expect(!(claim), 0))                \
			check_failed(__FILE__, __LINE__, #claim); \
	} while (0)

#define CHECK_OBJ(object, wanted_magic) CHECK((object) && (object)->magic == (wanted_magic))

#endif
