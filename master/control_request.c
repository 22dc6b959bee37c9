/* SPDX-License-Identifier: BSD-2-Clause */
/* control_request.c - requests by name. */
#include "master/control_request.h"

#include <stddef.h>

static const char *const names[CONTROL_REQUEST_COUNT] = {
        [REQUEST_RELOAD] = "reload",
        [REQUEST_QUIT] = "quit",
        [REQUEST_STOP] = "stop",
        [REQUEST_REOPEN] = "reopen",
};

const char *control_request_name(enum control_request request)
{
	return names[request];
}

bool control_order_parse(struct slice text, struct control_order *order_out)
{
	struct slice name, option;
	bool has_option = slice_split(text, ' ', &name, &option);

	if (has_option && !slice_equal(option, SLICE("-W")))
		return false;
	for (size_t i = 0; i < CONTROL_REQUEST_COUNT; i++) {
		if (!slice_equal(name, slice_of(names[i])))
			continue;
		*order_out = (struct control_order){
		        .request = (enum control_request)i,
		        .warnings_are_errors = has_option,
		};
		return true;
	}
	return false;
}
