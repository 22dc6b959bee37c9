/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * template.h - a text with variables in it, compiled when the configuration is read.
 *
 * Plain data in the configuration's arena.
 */
#ifndef SHARED_TEMPLATE_H
#define SHARED_TEMPLATE_H

#include "shared/slice.h"
#include "shared/variable_table.h"

struct template_part {
	enum variable variable; /* VARIABLE_NONE: `text` is literal */
	struct slice text; /* of a prefix variable: the rest of its name, lower case, '-' for '_' */
};

struct template
{
	const struct template_part *parts;
	size_t count; /* 0: the empty text */
};

#endif
