/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_date.c - the date of an answer of our own: IMF-fixdate (RFC 9110 5.6.7).
 *
 * Reckoned here: gmtime and strftime look at time zones and locales, and take ten times as long.
 */
#include "worker/http/http_date.h"

#include "shared/check.h"

#include <string.h>

struct civil_day {
	unsigned year, month, day; /* month, day: from 1 */
};

/* Counts in years that begin in March, so that the leap day is the last one. */
static struct civil_day civil_of(unsigned long days_since_1970)
{
	enum { DAYS_BEFORE_1970 = 719468, DAYS_OF_400_YEARS = 146097 };
	unsigned long days = days_since_1970 + DAYS_BEFORE_1970;
	unsigned long era = days / DAYS_OF_400_YEARS;
	unsigned long of_era = days % DAYS_OF_400_YEARS;
	unsigned long year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned long of_year = of_era - (365 * year + year / 4 - year / 100);
	unsigned long month = (5 * of_year + 2) / 153; /* 0: March */

	return (struct civil_day){
	        .year = (unsigned)(era * 400 + year + (month >= 10)),
	        .month = (unsigned)(month < 10 ? month + 3 : month - 9),
	        .day = (unsigned)(of_year - (153 * month + 2) / 5 + 1),
	};
}

static char *put_two(char *to, unsigned long number)
{
	*to++ = (char)('0' + number / 10 % 10);
	*to++ = (char)('0' + number % 10);
	return to;
}

static char *put_three(char *to, const char *names, unsigned long index)
{
	memcpy(to, names + 3 * index, 3);
	return to + 3;
}

void http_date_format(time_t time, char out[HTTP_DATE_LENGTH])
{
	static const char zone[] = {' ', 'G', 'M', 'T'};
	CHECK(time >= 0);
	unsigned long seconds = (unsigned long)time, days = seconds / 86400;
	struct civil_day day = civil_of(days);
	char *to = out;

	to = put_three(to, "ThuFriSatSunMonTueWed", days % 7);
	*to++ = ',';
	*to++ = ' ';
	to = put_two(to, day.day);
	*to++ = ' ';
	to = put_three(to, "JanFebMarAprMayJunJulAugSepOctNovDec", day.month - 1);
	*to++ = ' ';
	to = put_two(to, day.year / 100);
	to = put_two(to, day.year);
	*to++ = ' ';
	to = put_two(to, seconds / 3600 % 24);
	*to++ = ':';
	to = put_two(to, seconds / 60 % 60);
	*to++ = ':';
	to = put_two(to, seconds % 60);
	memcpy(to, zone, sizeof(zone));
}
