/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_parse.c - value parsers: choices, booleans, times, sizes and numbers.
 *
 * Each takes the words of one value, says what it came to or what is wrong with it and what would
 * be right. None looks at other keys, files or the system.
 */
#include "master/config_parse.h"

#include "shared/tls_credentials.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool config_parse_fail(char *fault, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(fault, size, format, arguments);
	va_end(arguments);
	return false;
}

bool config_parse_one_word(const struct config_words *words, char *fault, size_t size)
{
	if (words->count == 1)
		return true;
	return config_parse_fail(fault, size,
	        "takes one word, not %zu ('%s' is too much; quote a value with blanks)",
	        words->count, words->items[1]);
}

struct choice {
	const char *word;
	uint64_t number;
};

static bool parse_choice(const struct config_words *words, const struct choice *choices,
        size_t count, struct config_value *value_out, char *fault, size_t size)
{
	char list[256];
	size_t used = 0;

	if (!config_parse_one_word(words, fault, size))
		return false;
	list[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words->items[0], choices[i].word) == 0) {
			value_out->number = choices[i].number;
			return true;
		}
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s'%s'",
		        i == 0 ? "" : " nor ", choices[i].word);
	}
	return config_parse_fail(fault, size,
	        count == 1 ? "'%s' is unknown; there is %s" : "'%s' is neither %s", words->items[0],
	        list);
}

#define CHOICE_PARSER(name, ...)                                                                 \
	bool name(const struct config_words *words, struct config_value *value_out, char *fault, \
	        size_t fault_size)                                                               \
	{                                                                                        \
		static const struct choice choices[] = {__VA_ARGS__};                            \
		return parse_choice(words, choices, sizeof(choices) / sizeof(choices[0]),        \
		        value_out, fault, fault_size);                                           \
	}

CHOICE_PARSER(config_parse_affinity, {"off", 0}, {"auto", 1})
CHOICE_PARSER(config_parse_resolve, {"lenient", 0}, {"required", 1})
CHOICE_PARSER(config_parse_truncation, {"reset", 1}, {"close", 0})
CHOICE_PARSER(config_parse_balance, {"round_robin", 0})
CHOICE_PARSER(config_parse_verify, {"on", 1}, {"off", 0})
CHOICE_PARSER(config_parse_verify_client_http, {"off", TLS_VERIFY_CLIENT_OFF},
        {"on", TLS_VERIFY_CLIENT_ON}, {"optional", TLS_VERIFY_CLIENT_OPTIONAL},
        {"optional_no_ca", TLS_VERIFY_CLIENT_OPTIONAL_NO_CA})

bool config_parse_verify_client(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	if (!config_parse_verify_client_http(words, value_out, fault, fault_size))
		return false;
	if (value_out->number <= TLS_VERIFY_CLIENT_ON)
		return true;
	return config_parse_fail(fault, fault_size,
	        "'%s' is for HTTP, where a request is answered by the verdict; [tcp] has 'off' and "
	        "'on'",
	        words->items[0]);
}

bool config_read_bool(const char *word, bool *value_out)
{
	static const char *const on[] = {"on", "yes", "true", "1"}, *const off[] = {"off", "no",
	                                                                    "false", "0"};

	for (size_t i = 0; i < 4; i++) {
		if (strcmp(word, on[i]) == 0 || strcmp(word, off[i]) == 0) {
			*value_out = strcmp(word, on[i]) == 0;
			return true;
		}
	}
	return false;
}

bool config_parse_bool(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	bool value;

	if (!config_parse_one_word(words, fault, fault_size))
		return false;
	if (!config_read_bool(words->items[0], &value))
		return config_parse_fail(
		        fault, fault_size, "'%s' is neither 'on' nor 'off'", words->items[0]);
	value_out->number = value;
	return true;
}

/* Digits, then a unit. */
static bool split_unit(const char *word, uint64_t *number_out, const char **unit_out)
{
	size_t digits = strspn(word, "0123456789");

	*unit_out = word + digits;
	return slice_to_uint64((struct slice){word, digits}, UINT64_MAX / 2, number_out);
}

bool config_read_time(const char *word, uint64_t *ms_out, char *fault, size_t size)
{
	static const struct choice units[] = {
	        {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
	const char *unit;
	uint64_t number;

	if (!split_unit(word, &number, &unit))
		return config_parse_fail(fault, size,
		        "'%s' is no time; write it like 500ms, 10s, 5m, 1h or 2d", word);
	if (!*unit && number == 0) {
		*ms_out = 0;
		return true;
	}
	if (!*unit)
		return config_parse_fail(fault, size,
		        "'%s' has no unit; write '%ss' for seconds or '%sms' for milliseconds",
		        word, word, word);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(unit, units[i].word) != 0)
			continue;
		if (number > UINT32_MAX / units[i].number)
			return config_parse_fail(fault, size,
			        "'%s' is longer than the 49 days that a time may have", word);
		*ms_out = number * units[i].number;
		return true;
	}
	return config_parse_fail(fault, size,
	        "'%s' has the unknown unit '%s'; there are ms, s, m, h and d", word, unit);
}

bool config_parse_time(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	return config_parse_one_word(words, fault, fault_size) &&
	       config_read_time(words->items[0], &value_out->number, fault, fault_size);
}

bool config_parse_size(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	const char *unit;
	uint64_t number;
	unsigned shift = 0;

	if (!config_parse_one_word(words, fault, fault_size))
		return false;
	if (!split_unit(words->items[0], &number, &unit) || strlen(unit) > 1)
		return config_parse_fail(fault, fault_size,
		        "'%s' is no size; write it like 512, 16k, 8m or 1g", words->items[0]);
	if (*unit == 'k' || *unit == 'K')
		shift = 10;
	else if (*unit == 'm' || *unit == 'M')
		shift = 20;
	else if (*unit == 'g' || *unit == 'G')
		shift = 30;
	else if (*unit)
		return config_parse_fail(fault, fault_size,
		        "'%s' has the unknown unit '%s'; there are k, m and g", words->items[0],
		        unit);
	if (number > (UINT64_C(1) << 50) >> shift)
		return config_parse_fail(fault, fault_size, "'%s' is too large", words->items[0]);
	value_out->number = number << shift;
	return true;
}

static bool parse_size_between(const struct config_words *words, struct config_value *value_out,
        uint64_t least, uint64_t most, const char *range, char *fault, size_t size)
{
	if (!config_parse_size(words, value_out, fault, size))
		return false;
	if (value_out->number < least || value_out->number > most)
		return config_parse_fail(
		        fault, size, "'%s' is not between %s", words->items[0], range);
	return true;
}

bool config_parse_buffer_size(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	return parse_size_between(
	        words, value_out, 4 << 10, 16 << 20, "4k and 16m", fault, fault_size);
}

bool config_parse_head_size(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	return parse_size_between(
	        words, value_out, 1 << 10, 128 << 10, "1k and 128k", fault, fault_size);
}

bool config_parse_cache_size(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	return parse_size_between(
	        words, value_out, 256 << 10, UINT64_C(16) << 30, "256k and 16g", fault, fault_size);
}

static bool parse_number(const struct config_words *words, struct config_value *value_out,
        uint64_t least, uint64_t most, char *fault, size_t size)
{
	if (!config_parse_one_word(words, fault, size))
		return false;
	if (slice_to_uint64(slice_of(words->items[0]), most, &value_out->number) &&
	        value_out->number >= least)
		return true;
	return config_parse_fail(fault, size, "'%s' is no number from %llu to %llu",
	        words->items[0], (unsigned long long)least, (unsigned long long)most);
}

bool config_parse_count(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	return parse_number(words, value_out, 0, 1000000, fault, fault_size);
}

bool config_parse_positive(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	return parse_number(words, value_out, 1, 1000000, fault, fault_size);
}

bool config_parse_depth(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	return parse_number(words, value_out, 0, 100, fault, fault_size);
}

static bool parse_auto(const struct config_words *words, struct config_value *value_out,
        uint64_t most, char *fault, size_t size)
{
	if (words->count == 1 && strcmp(words->items[0], "auto") == 0) {
		value_out->number = 0;
		return true;
	}
	if (parse_number(words, value_out, 1, most, fault, size))
		return true;
	size_t length = strlen(fault);
	snprintf(fault + length, size - length, ", nor 'auto'");
	return false;
}

bool config_parse_auto_count(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	return parse_auto(words, value_out, 128, fault, fault_size);
}

bool config_parse_auto_number(const struct config_words *words, struct config_value *value_out,
        char *fault, size_t fault_size)
{
	return parse_auto(words, value_out, 1 << 30, fault, fault_size);
}
