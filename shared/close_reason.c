/* SPDX-License-Identifier: BSD-2-Clause */
/* close_reason.c - the table of endings, as arrays. */
#include "shared/close_reason.h"

#include "shared/check.h"

static const struct {
	const char *word;
	bool error;
	const char *text;
} rows[] = {
#define CLOSE_REASON_ROW(name, word, error, text) {word, error, text},
        CLOSE_REASON_TABLE(CLOSE_REASON_ROW)
#undef CLOSE_REASON_ROW
};

const char *close_reason_word(enum close_reason reason)
{
	CHECK(reason < CLOSE_REASON_COUNT);
	return rows[reason].word;
}

const char *close_reason_text(enum close_reason reason)
{
	CHECK(reason < CLOSE_REASON_COUNT);
	return rows[reason].text;
}

bool close_reason_is_error(enum close_reason reason)
{
	CHECK(reason < CLOSE_REASON_COUNT);
	return rows[reason].error;
}
