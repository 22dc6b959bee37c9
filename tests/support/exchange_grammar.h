/* SPDX-License-Identifier: BSD-2-Clause */
/* exchange_grammar.h - messages of numbered exchanges, as exchange_oracle.h reads them again. */
#ifndef TESTS_SUPPORT_EXCHANGE_GRAMMAR_H
#define TESTS_SUPPORT_EXCHANGE_GRAMMAR_H

#include <stdint.h>

enum { EXCHANGE_TEXT_MAX = 512 };
#define EXCHANGE_POISON_TEXT "!POISON!"

enum exchange_message {
	EXCHANGE_REQUEST,
	EXCHANGE_ANSWER,
	EXCHANGE_POISON, /* an answer, and behind it one that nobody asked for: EXCHANGE_POISON_TEXT
	                  */
};

/* The message `which` of its kind, modulo their count, terminated. `out` is EXCHANGE_TEXT_MAX. */
void exchange_grammar_write(char *out, enum exchange_message kind, uint8_t which, unsigned number);

#endif
