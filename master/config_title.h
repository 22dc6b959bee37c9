/* SPDX-License-Identifier: BSD-2-Clause */
/* config_title.h - what stands between the brackets: a kind of section, its name, its path. */
#ifndef MASTER_CONFIG_TITLE_H
#define MASTER_CONFIG_TITLE_H

#include "master/config_schema.h"

struct config_words;

struct config_title {
	enum config_kind kind;
	const char *name; /* "" for kinds without one */
	const char *path; /* of a location; "" for other kinds */
	bool exact; /* the path is meant alone, not as a prefix */
};

/* `text`: the title as written, for messages. The title's words live as long as `words`. false,
 * with a whole sentence in `fault`, when there is no such section. */
bool config_title_read(const struct config_words *words, const char *text,
        struct config_title *title_out, char *fault, size_t fault_size);

#endif
