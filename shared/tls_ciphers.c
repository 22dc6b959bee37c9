/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_ciphers.c - evaluates an OpenSSL cipher string.
 *
 * The algorithm is OpenSSL's own, as ciphers(1) tells it: all suites stand in one list in a fixed
 * order, some of them active; each term of the string moves what it selects to one of the ends. It
 * has to be the same down to the odd corners, since the order is what servers and clients negotiate
 * by: "-X" puts what it removes first in line for the next addition, separators are optional before
 * a prefix, and so on. A differential fuzz driver holds it against libssl. It differs where OpenSSL
 * is silent about a mistake: an unknown word is a fault here.
 */
#include "shared/tls_ciphers.h"

#include "shared/tls_cipher_words.h"
#include "shared/tls_priority.h"
#include "shared/tls_suite_table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WORD_SHOWN = 60, SECURITY_LEVEL_DEFAULT = 2, SECURITY_LEVEL_MAX = 5 };

/* What OpenSSL's DEFAULT stands for. */
#define DEFAULT_STRING "ALL:!COMPLEMENTOFDEFAULT:!eNULL"

struct suite_state {
	uint8_t index;
	bool active;
	uint16_t step; /* that placed it */
};

struct evaluation {
	struct suite_state suites[TLS_SUITES_MAX]; /* killed ones are gone */
	size_t count;
	uint16_t step;
	unsigned security_level;
	struct slice rest; /* of the string, not yet read */
	char *ignored;
	size_t ignored_size;
	char *fault;
	size_t fault_size;
};

static bool fail(struct evaluation *evaluation, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

static bool fail(struct evaluation *evaluation, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(evaluation->fault, evaluation->fault_size, format, arguments);
	va_end(arguments);
	return false;
}

enum rule { RULE_ADD, RULE_ORDER, RULE_REMOVE, RULE_KILL, RULE_COMMAND };

/* Moves the selected suites that are active (or, with `inactive`, those that are not) to the head
 * or to the tail, in the order they have, and makes them active or not. */
static void move(struct evaluation *evaluation, const bool *selected, bool inactive, bool to_head,
        bool active_after)
{
	struct suite_state moved[TLS_SUITES_MAX] = {{.index = 0}};
	struct suite_state stay[TLS_SUITES_MAX] = {{.index = 0}};
	size_t moved_count = 0, stay_count = 0;
	evaluation->step++;
	for (size_t i = 0; i < evaluation->count; i++) {
		struct suite_state suite = evaluation->suites[i];
		if (selected[suite.index] && suite.active != inactive) {
			suite.active = active_after;
			suite.step = evaluation->step;
			moved[moved_count++] = suite;
		} else {
			stay[stay_count++] = suite;
		}
	}
	struct suite_state *head = evaluation->suites;
	memcpy(to_head ? head : head + stay_count, moved, moved_count * sizeof(moved[0]));
	memcpy(to_head ? head + moved_count : head, stay, stay_count * sizeof(stay[0]));
}

static void kill_selected(struct evaluation *evaluation, const bool *selected)
{
	size_t kept = 0;
	for (size_t i = 0; i < evaluation->count; i++)
		if (!selected[evaluation->suites[i].index])
			evaluation->suites[kept++] = evaluation->suites[i];
	evaluation->count = kept;
}

static void apply(struct evaluation *evaluation, enum rule rule, const bool *selected)
{
	switch (rule) {
	case RULE_ADD:
		move(evaluation, selected, true, false, true);
		return;
	case RULE_ORDER:
		move(evaluation, selected, false, false, true);
		return;
	case RULE_REMOVE:
		move(evaluation, selected, false, true, false);
		return;
	case RULE_KILL:
		kill_selected(evaluation, selected);
		return;
	case RULE_COMMAND:
		return;
	}
}

/* @STRENGTH: the weaker ones go to the end, strongest class first, so the order within a class
 * stays. */
static void sort_by_strength(struct evaluation *evaluation)
{
	for (unsigned bits = 256; bits > 0; bits--) {
		bool selected[TLS_SUITES_MAX] = {false};
		bool any = false;
		for (size_t i = 0; i < tls_suite_count(); i++) {
			selected[i] = tls_suite_at(i)->strength_bits == bits;
			any = any || selected[i];
		}
		if (any)
			apply(evaluation, RULE_ORDER, selected);
	}
}

static bool is_separator(char c)
{
	return c == ':' || c == ' ' || c == ';' || c == ',';
}

static bool is_word_byte(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.' || c == '=';
}

static void skip(struct slice *text, size_t length)
{
	text->data += length;
	text->length -= length;
}

/* At the end of the string, or before a separator. */
static bool at_end_of_term(const struct evaluation *evaluation)
{
	return evaluation->rest.length == 0 || is_separator(evaluation->rest.data[0]);
}

static struct slice read_word(struct evaluation *evaluation)
{
	struct slice word = {evaluation->rest.data, 0};
	while (word.length < evaluation->rest.length && is_word_byte(word.data[word.length]))
		word.length++;
	skip(&evaluation->rest, word.length);
	return word;
}

static int shown(struct slice word)
{
	return word.length < WORD_SHOWN ? (int)word.length : WORD_SHOWN;
}

static bool fail_unknown(struct evaluation *evaluation, struct slice word)
{
	if (slice_equal(word, SLICE("DEFAULT")))
		return fail(evaluation, "'DEFAULT' can only come first in a cipher string");
	if (slice_starts_with(word, SLICE("SUITEB")))
		return fail(evaluation,
		        "'%.*s' is not supported; write 'ECDHE-ECDSA-AES128-GCM-SHA256:"
		        "ECDHE-ECDSA-AES256-GCM-SHA384', or one of them",
		        shown(word), word.data);
	const char *near = tls_cipher_word_near(word);
	if (near)
		return fail(evaluation, "unknown cipher word '%.*s'; did you mean '%s'?",
		        shown(word), word.data, near);
	return fail(evaluation, "unknown cipher word '%.*s'", shown(word), word.data);
}

static bool fail_no_word(struct evaluation *evaluation)
{
	if (at_end_of_term(evaluation))
		return fail(evaluation,
		        "a word is missing after '!', '-', '+' or '@' in the cipher string");
	unsigned char byte = (unsigned char)evaluation->rest.data[0];
	if (byte > ' ' && byte < 0x7f)
		return fail(evaluation, "'%c' has no meaning in a cipher string", byte);
	return fail(evaluation, "byte 0x%02x has no meaning in a cipher string", byte);
}

static bool run_command(struct evaluation *evaluation)
{
	struct slice word = read_word(evaluation);
	if (word.length == 0)
		return fail_no_word(evaluation);
	bool is_level = slice_starts_with(word, SLICE("SECLEVEL=")) && word.length == 10 &&
	                word.data[9] >= '0' && word.data[9] <= '0' + SECURITY_LEVEL_MAX;
	if (!at_end_of_term(evaluation) || (!is_level && !slice_equal(word, SLICE("STRENGTH"))))
		return fail(evaluation,
		        "'@%.*s' is not a command of cipher strings; there are @STRENGTH and "
		        "@SECLEVEL=0 to @SECLEVEL=%d",
		        shown(word), word.data, SECURITY_LEVEL_MAX);
	if (is_level)
		evaluation->security_level = (unsigned)(word.data[9] - '0');
	else
		sort_by_strength(evaluation);
	return true;
}

/* Remembers a term that adds nothing, whole words only. */
static void note_ignored(struct evaluation *evaluation, struct slice term)
{
	size_t used = strlen(evaluation->ignored);
	if (used + term.length + 2 > evaluation->ignored_size)
		return;
	snprintf(evaluation->ignored + used, evaluation->ignored_size - used, "%s%.*s",
	        used > 0 ? " " : "", (int)term.length, term.data);
}

/* "A+B+C": what all of them select. *lacks_out: one of them selects nothing by itself. */
static bool read_term(
        struct evaluation *evaluation, struct tls_cipher_selector *selector_out, bool *lacks_out)
{
	*selector_out = (struct tls_cipher_selector){.nothing = false};
	*lacks_out = false;
	for (;;) {
		struct slice word = read_word(evaluation);
		if (word.length == 0)
			return fail_no_word(evaluation);
		struct tls_cipher_selector selector;
		if (!tls_cipher_word_find(word, &selector))
			return fail_unknown(evaluation, word);
		*lacks_out = *lacks_out || tls_cipher_selector_is_empty(&selector);
		tls_cipher_selector_narrow(selector_out, &selector);
		if (evaluation->rest.length == 0 || evaluation->rest.data[0] != '+')
			return true;
		skip(&evaluation->rest, 1);
	}
}

static enum rule read_rule(struct evaluation *evaluation)
{
	static const struct {
		char prefix;
		enum rule rule;
	} prefixes[] = {
	        {'-', RULE_REMOVE}, {'+', RULE_ORDER}, {'!', RULE_KILL}, {'@', RULE_COMMAND}};
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (evaluation->rest.data[0] == prefixes[i].prefix) {
			skip(&evaluation->rest, 1);
			return prefixes[i].rule;
		}
	}
	return RULE_ADD;
}

static bool evaluate_term(struct evaluation *evaluation)
{
	enum rule rule = read_rule(evaluation);
	if (rule == RULE_COMMAND)
		return run_command(evaluation);

	const char *start = evaluation->rest.data;
	struct tls_cipher_selector selector;
	bool lacks;
	if (!read_term(evaluation, &selector, &lacks))
		return false;
	struct slice term = {start, (size_t)(evaluation->rest.data - start)};
	/* Whether OpenSSL reads on right here or at the next separator depends on how it was built.
	 */
	if (selector.nothing && !at_end_of_term(evaluation))
		return fail(evaluation, "write ':' after '%.*s'", shown(term), term.data);
	if (lacks && rule == RULE_ADD)
		note_ignored(evaluation, term);

	bool selected[TLS_SUITES_MAX];
	for (size_t i = 0; i < tls_suite_count(); i++)
		selected[i] = tls_cipher_selector_matches(&selector, i);
	apply(evaluation, rule, selected);
	return true;
}

static bool evaluate(struct evaluation *evaluation, struct slice text)
{
	evaluation->rest = text;
	while (evaluation->rest.length > 0) {
		if (is_separator(evaluation->rest.data[0]))
			skip(&evaluation->rest, 1);
		else if (!evaluate_term(evaluation))
			return false;
	}
	return true;
}

/* DEFAULT stands for a string of its own, at the start only; the colon after it is optional. */
static bool evaluate_default(struct evaluation *evaluation, struct slice *text)
{
	struct slice rest = *text;
	if (!slice_starts_with(rest, SLICE("DEFAULT")))
		return true;
	skip(&rest, sizeof("DEFAULT") - 1);
	if (rest.length > 0 && rest.data[0] != '-' && is_word_byte(rest.data[0]))
		return true; /* another word, and an unknown one */
	*text = rest;
	return evaluate(evaluation, SLICE(DEFAULT_STRING));
}

/* OpenSSL never offers these at the level, whatever the string says. */
static bool level_forbids(unsigned level, const struct tls_suite *suite)
{
	if (level >= 3 && suite->kx == TLS_KX_RSA)
		return true;
	static const unsigned bits_min[] = {0, 80, 112, 128, 192, 256};
	if (suite->strength_bits < bits_min[level])
		return true;
	return suite->mac == TLS_MAC_SHA1 && bits_min[level] > 160;
}

bool tls_ciphers_parse(struct slice text, unsigned protocols, struct tls_cipher_list *list_out,
        char *fault, size_t fault_size)
{
	*list_out = (struct tls_cipher_list){.security_level = SECURITY_LEVEL_DEFAULT};
	struct evaluation evaluation = {
	        .count = tls_suite_count(),
	        .security_level = SECURITY_LEVEL_DEFAULT,
	        .ignored = list_out->ignored,
	        .ignored_size = sizeof(list_out->ignored),
	        .fault_size = fault_size,
	};
	evaluation.fault = fault;
	for (size_t i = 0; i < evaluation.count; i++)
		evaluation.suites[i].index = (uint8_t)i;
	if (!evaluate_default(&evaluation, &text) || !evaluate(&evaluation, text))
		return false;

	list_out->security_level = evaluation.security_level;
	for (size_t i = 0; i < evaluation.count; i++) {
		const struct suite_state *suite = &evaluation.suites[i];
		if (!suite->active ||
		        level_forbids(evaluation.security_level, tls_suite_at(suite->index)))
			continue;
		list_out->steps[list_out->suites.count] = suite->step;
		list_out->suites.indices[list_out->suites.count++] = suite->index;
	}
	if (!tls_priority_usable(list_out, protocols)) {
		char names[64];
		return fail(&evaluation, "the cipher string leaves no suite for %s",
		        tls_protocols_format(
		                protocols & ~(unsigned)TLS_PROTOCOL_1_3, names, sizeof(names)));
	}
	tls_priority_surplus(list_out, protocols, &list_out->surplus);
	return true;
}
