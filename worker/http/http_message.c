/* SPDX-License-Identifier: BSD-2-Clause */
/* http_message.c - looking into a parsed head. */
#include "worker/http/http_message.h"

struct slice http_head_field(const struct http_head *head, struct slice name)
{
	for (size_t i = 0; i < head->field_count; i++)
		if (slice_equal_nocase(head->fields[i].name, name))
			return head->fields[i].value;
	return (struct slice){NULL, 0};
}
