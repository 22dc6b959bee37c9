/* SPDX-License-Identifier: BSD-2-Clause */
/* http_date_test.c - the date against the C library's, over four hundred years. */
#include "worker/http/http_date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void check(time_t time)
{
	char ours[HTTP_DATE_LENGTH], wanted[HTTP_DATE_LENGTH + 1];
	struct tm utc;

	http_date_format(time, ours);
	gmtime_r(&time, &utc);
	assert_int_equal(strftime(wanted, sizeof(wanted), "%a, %d %b %Y %H:%M:%S GMT", &utc),
	        HTTP_DATE_LENGTH);
	assert_memory_equal(ours, wanted, HTTP_DATE_LENGTH);
}

static void known_date(void **state)
{
	char date[HTTP_DATE_LENGTH];

	(void)state;
	http_date_format(784111777, date);
	assert_memory_equal(date, "Sun, 06 Nov 1994 08:49:37 GMT", HTTP_DATE_LENGTH);
}

static void every_day_as_the_library_has_it(void **state)
{
	(void)state;
	check(0);
	for (time_t time = 86399; time < (time_t)86400 * 366 * 405; time += 86399)
		check(time);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(known_date),
	        cmocka_unit_test(every_day_as_the_library_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
